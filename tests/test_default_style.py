"""What is painted where --style is left out: mosaic, or what a network without it has first."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from livestyle import weights
from livestyle.sinks.picture import write_picture
from livestyle.styles import engine_dir
from tests.commands import call
from tests.media import make_video
from tests.pictures import scene


@pytest.fixture
def two_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights whose small network has two styles without mosaic, as one of a user's own training."""
    folder = Path(shutil.copytree(engine_dir(), tmp_path / "engines"))
    path, models = folder / "small.safetensors", weights.read_manifest(folder)
    tensors = load_file(path)
    kept = [n for n, style in enumerate(models["small"]["styles"]) if style["name"] in ("udnie", "kylix")]
    save_file(tensors | {"affine": tensors["affine"][kept]}, path)
    models["small"] |= {
        "styles": [models["small"]["styles"][n] for n in kept],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps({"models": models}))
    monkeypatch.setattr(weights, "engine_dir", lambda: folder)


def read(command: str, tmp_path: Path, *options: str) -> bytes:
    """What a command made of the same small input."""
    if command == "image":
        source, target = tmp_path / "in.png", tmp_path / "out.png"
        write_picture(source, scene(64, 48))
    else:
        source, target = make_video(tmp_path / "in.mp4", [scene(64, 48)] * 2), tmp_path / "out.mp4"
    result = call(command, source, target, "--overwrite", "--backend", "torchscript", *options)
    assert result.exit_code == 0, result.output
    return target.read_bytes()


@pytest.mark.usefixtures("two_styles")
@pytest.mark.parametrize("command", ["image", "video"])
def test_a_network_without_mosaic_paints_in_its_first_style(command: str, tmp_path: Path) -> None:
    first = next(iter(weights.load_weights("small").styles))
    left_out = read(command, tmp_path, "--model", "small")
    assert left_out == read(command, tmp_path, "--model", "small", "--style", first)


@pytest.mark.usefixtures("two_styles")
def test_a_network_with_mosaic_paints_in_it_all_the_same(tmp_path: Path) -> None:
    left_out = read("image", tmp_path, "--model", "large")
    assert left_out == read("image", tmp_path, "--model", "large", "--style", "mosaic")


@pytest.mark.usefixtures("two_styles")
def test_a_strength_of_nothing_needs_no_style_either(tmp_path: Path) -> None:
    read("video", tmp_path, "--model", "small", "--strength", "0")


@pytest.mark.parametrize("command", ["image", "video", "batch", "cam", "bench"])
def test_help_names_the_style(command: str) -> None:
    assert "[default: mosaic]" in " ".join(call(command, "--help").stdout.split())
