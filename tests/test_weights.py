import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from livestyle.errors import StyleError
from livestyle.styles import engine_dir
from livestyle.weights import load_weights, read_manifest

PROVENANCE = {"name", "title", "artist", "year", "licence", "picture", "picture_sha256", "training"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped weights, to be damaged."""
    return Path(shutil.copytree(engine_dir(), tmp_path / "engines"))


def sign(folder: Path) -> None:
    """Makes the manifest's sha256 that of the file again."""
    manifest = json.loads((folder / "manifest.json").read_text())
    content = (folder / "small.safetensors").read_bytes()
    manifest["models"]["small"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_shipped_styles_are_there_with_their_provenance() -> None:
    weights = load_weights("small")
    assert {"starry_night", "great_wave", "mosaic"} <= weights.styles.keys()
    for entry in read_manifest()["small"]["styles"]:
        assert entry.keys() >= PROVENANCE
        assert entry["licence"] in {"public domain", "MIT"}
        assert entry["training"][-1]["command"].startswith("python -m train fit")
        assert entry["training"][-1]["steps"] > 0


def test_rows_differ_from_style_to_style() -> None:
    first, second, *_ = load_weights("small").styles.values()
    assert np.abs(first.row - second.row).mean() > 0.01


def test_a_changed_byte_is_noticed(folder: Path) -> None:
    path = folder / "small.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StyleError, match="damaged"):
        load_weights("small", folder)


@pytest.mark.parametrize("name", ["stem.weight", "affine"])
def test_a_tensor_of_another_shape_is_noticed(folder: Path, name: str) -> None:
    tensors = load_file(folder / "small.safetensors")
    tensors[name] = tensors[name][:-1].copy()
    save_file(tensors, folder / "small.safetensors")
    sign(folder)
    with pytest.raises(StyleError, match="other tensors"):
        load_weights("small", folder)


def test_a_pickle_is_refused(folder: Path) -> None:
    (folder / "small.safetensors").write_bytes(b"\x80\x04\x95cos\nsystem\n")
    sign(folder)
    with pytest.raises(StyleError, match="not a safetensors file"):
        load_weights("small", folder)


def test_a_missing_file_or_manifest_is_named(folder: Path) -> None:
    (folder / "small.safetensors").unlink()
    with pytest.raises(StyleError, match=r"small\.safetensors"):
        load_weights("small", folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(StyleError, match=r"manifest\.json"):
        load_weights("small", folder)


def test_a_model_without_weights_says_what_there_is(folder: Path) -> None:
    with pytest.raises(StyleError, match=r"no trained weights for model .huge. are shipped yet: .*small"):
        load_weights("huge", folder)
