import logging
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from safetensors.numpy import save

from livestyle.architecture import CONFIGS
from livestyle.cli import main
from livestyle.cli.batch import _recipe
from livestyle.errors import StyleError
from livestyle.shared_styles import SUFFIX, read_style, style_folder, write_style
from livestyle.styles import Style, StyleMix
from livestyle.timeline import Timeline
from livestyle.weights import load_weights
from tests.backends import ALL, engine_of
from tests.commands import posix
from tests.media import make_video
from tests.pictures import scene


def make(name: str = "mine", network: str | None = None, row: NDArray[np.float32] | None = None) -> Path:
    weights = load_weights()
    values = weights.styles["mosaic"].row[::-1].copy() if row is None else row
    path = style_folder() / f"{name}{SUFFIX}"
    write_style(path, Style(name, values, "Mine", "Me", "2026", "CC0"), network or weights.network)
    return path


def test_a_style_comes_back_as_it_was_written() -> None:
    style, network = read_style(make())
    weights = load_weights()
    assert network == weights.network
    assert (style.name, style.title, style.artist, style.year, style.licence) == (
        "mine",
        "Mine",
        "Me",
        "2026",
        "CC0",
    )
    assert np.array_equal(style.row, weights.styles["mosaic"].row[::-1])


def test_it_is_a_few_kilobytes() -> None:
    assert make().stat().st_size < 8192


@pytest.mark.parametrize("backend", ALL)
def test_it_works_at_once_in_every_backend(backend: str) -> None:
    before = engine_of(load_weights(), backend)
    image = scene(48, 40)
    with pytest.raises(StyleError, match="unknown style 'mine'"):
        before.stylize(image, StyleMix.parse("mine"))
    make()
    painted = engine_of(load_weights(), backend).stylize(image, StyleMix.parse("mine:1,great_wave:1"))
    assert painted.shape == image.shape


def test_it_may_lie_in_a_folder_of_the_style_folder() -> None:
    path = make()
    (style_folder() / "from a friend").mkdir()
    path.rename(style_folder() / "from a friend" / path.name)
    assert load_weights().styles["mine"].own


def test_livestyle_styles_lists_it() -> None:
    make()
    lines = CliRunner().invoke(main, ["styles"]).stdout.splitlines()
    assert lines[-1].split() == ["mine", "Mine", "Me", "2026", "--model", "small"]
    assert "--model" not in "".join(lines[:-1])  # the shipped ones are in every network
    make("theirs", network=load_weights("large").network, row=load_weights("large").styles["mosaic"].row)
    lines = CliRunner().invoke(main, ["styles"]).stdout.splitlines()
    assert lines[-1].split() == ["theirs", "Mine", "Me", "2026", "--model", "large"]
    alone = CliRunner().invoke(main, ["styles", "--model", "small"]).stdout.splitlines()
    assert alone[-1].split() == ["mine", "Mine", "Me", "2026"]


def test_the_model_that_has_a_style_is_named(tmp_path: Path) -> None:
    make("mine", network=load_weights("large").network, row=load_weights("large").styles["mosaic"].row)
    clip, out = str(make_video(tmp_path / "in.mp4", [scene(64, 48)] * 4)), str(tmp_path / "out.mp4")
    for command in (
        ["video", clip, out],
        ["video", clip, out, "--strength", "0"],
        ["batch", clip, "-o", str(tmp_path / "out")],
    ):
        result = CliRunner().invoke(main, [*command, "--style", "mine", "--model", "small"])
        assert result.exit_code == 1
        assert result.stderr == "Error: mine is a style of the large network: add --model large\n"


@pytest.mark.parametrize(
    ("length", "home"),
    [
        (CONFIGS["small"].affine_length, "a small network (0a1b2c3d)"),
        (CONFIGS["large"].affine_length, "a large network (0a1b2c3d)"),
        (3, "a network of another size (0a1b2c3d)"),
    ],
)
def test_a_style_of_a_network_that_is_not_here_is_told_as_such(
    length: int, home: str, tmp_path: Path
) -> None:
    path = make(network="0a1b2c3d" * 8, row=np.zeros(length, np.float32))
    assert "mine" not in load_weights().styles
    clip = str(make_video(tmp_path / "in.mp4", [scene(64, 48)] * 4))
    command = ["video", clip, str(tmp_path / "out.mp4"), "--style", "mosaic:1,mine:1"]
    assert CliRunner().invoke(main, command).stderr == (
        f"Error: style 'mine' was made for {home}, which is not here: "
        f"learn it anew with python -m train add, or remove {path}\n"
    )
    last = CliRunner().invoke(main, ["styles"]).stdout.splitlines()[-1]
    assert last.split()[:4] == ["mine", "Mine", "Me", "2026"]
    assert last.endswith(f"  unusable: made for {home}")
    assert "mine" not in CliRunner().invoke(main, ["styles", "--model", "small"]).stdout


def test_a_shipped_style_is_not_replaced() -> None:
    shipped = load_weights().styles["mosaic"].row
    make("mosaic")
    assert np.array_equal(load_weights().styles["mosaic"].row, shipped)


def test_a_damaged_style_is_named_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    make()
    (style_folder() / f"broken{SUFFIX}").write_text("no")
    assert "mine" in load_weights().styles
    assert f"broken{SUFFIX} is not a style file" in caplog.text
    said = len(caplog.records)
    load_weights("large")
    assert len(caplog.records) == said  # once is enough


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_skipped_and_never_written(
    value: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    row = load_weights().styles["mosaic"].row.copy()
    row[3] = value
    with pytest.raises(StyleError, match="its row is not finite"):
        make(row=row)
    path = style_folder() / f"mine{SUFFIX}"
    path.parent.mkdir(parents=True)
    facts = dict.fromkeys(("title", "artist", "year", "licence"), "") | {"network": load_weights().network}
    path.write_bytes(save({"affine": row}, metadata=facts))
    assert "mine" not in load_weights().styles
    assert "mine.style.safetensors is not a style file: its row holds numbers" in caplog.text


def test_a_row_of_another_length_is_left_out() -> None:
    make(row=np.zeros(3, np.float32))
    assert "mine" not in load_weights().styles


def test_a_row_of_a_type_that_numpy_lacks_is_one_clear_line(tmp_path: Path) -> None:
    torch, save_file = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch").save_file
    save_file({"affine": torch.zeros(4, dtype=torch.bfloat16)}, tmp_path / "half.style.safetensors")
    with pytest.raises(StyleError, match="is not a style file"):
        read_style(tmp_path / "half.style.safetensors")


def test_a_batch_knows_one_of_that_name_that_was_made_anew() -> None:
    painting = {"model": "small", "backend": "auto", "precision": "auto"}
    style, _ = read_style(make())
    first = _recipe("mine:1,mosaic:3", painting).options
    assert _recipe("mine:1,mosaic:3", painting).options == first
    make(row=style.row + 1)
    assert _recipe("mine:1,mosaic:3", painting).options != first


def test_what_others_wrote_cannot_steer_a_terminal(caplog: pytest.LogCaptureFixture) -> None:
    weights = load_weights()
    path = style_folder() / f"mine{SUFFIX}"
    row = weights.styles["mosaic"].row
    write_style(path, Style("mine", row, "x\ty\nz", "\x1b[31mMe\u202e", "2026", ""), weights.network)
    line = CliRunner().invoke(main, ["styles", "--model", "small"]).stdout.splitlines()[-1]
    assert line.isprintable()
    assert line.split() == ["mine", "x", "y", "z", "[31mMe", "2026"]
    path.rename(style_folder() / f"\x1b[31m{SUFFIX}")
    assert list(load_weights().styles) == [name for name in weights.styles if name != "mine"]
    assert "cannot be called by its name" in caplog.text
    assert all(record.message.isprintable() for record in caplog.records)


@posix
@pytest.mark.parametrize("name", ["a:b", "night, blue", "dusk@2", " mine", "mine.toml", ""])
def test_one_that_style_could_not_name_is_left_out_and_told(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(name)
    assert name not in load_weights().styles
    (said,) = caplog.messages
    assert said.startswith(f"skipped a style: {path} cannot be called by its name: rename it")


@pytest.mark.parametrize("name", ["café_2", "mine-2", "mine (1)", "a~b", "v1.5", "-", "it's"])
def test_one_with_a_name_that_style_can_ask_for_is_there(name: str, caplog: pytest.LogCaptureFixture) -> None:
    make(name)
    styles = load_weights().styles
    assert not caplog.messages
    for asked in (name, f"mosaic:1,{name}:2", f"mosaic@0,{name}@1~2"):
        for mix in Timeline.parse(asked).mixes:
            assert mix.row(styles).any()
        assert name in dict(mix.parts)
