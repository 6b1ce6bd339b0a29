"""What cannot be measured, learnt or written is told in one line, before time is spent on it."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from livestyle.cli import main as livestyle
from livestyle.errors import SourceError
from livestyle.shared_styles import SUFFIX, style_folder, write_style
from livestyle.sinks.picture import write_picture
from livestyle.styles import Style
from livestyle.weights import Weights, load_weights
from tests.media import make_video
from tests.pictures import scene
from tests.training import command_options, make_data
from train.__main__ import main
from train.evaluate import flicker, sintel_pairs
from train.pictures import StylePicture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a command gets as far as its loss network: the mistake should have been told before."""
    for command in ("add", "compare", "evaluate", "fit", "throughput"):
        monkeypatch.setattr(f"train.commands.{command}.load_loss_network", pytest.fail)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def told(result: Result) -> str:
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
    return result.stderr


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize("command", ["evaluate", "compare", "throughput"])
def test_a_result_that_cannot_be_written_is_told_at_once(command: str, data: Path) -> None:
    runs = [data / "a.png", data / "b.png", "--title", "t"] if command == "compare" else []
    where = [*command_options(data), "-o", data / "no" / "out.json"]
    assert "there is no folder" in told(call(command, data / "gallery.toml", *runs, *where))


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--clips", "there is no clip in .*: --clips takes files named webcam_"),
        ("--sintel", "pair of frames"),
    ],
)
def test_a_folder_of_nothing_to_measure_is_told_at_once(
    option: str, expected: str, data: Path, tmp_path: Path
) -> None:
    where = [*command_options(data), option, tmp_path, "-o", tmp_path / "out.json"]
    result = call("evaluate", data / "gallery.toml", *where)
    assert re.search(expected, told(result))


def test_the_names_of_clips_are_in_the_help() -> None:
    assert "webcam_*" in call("evaluate", "--help").stdout


def test_half_a_pair_of_frames_is_named(tmp_path: Path) -> None:
    (tmp_path / "alley").mkdir()
    (tmp_path / "alley" / "first.webp").write_bytes(b"")
    with pytest.raises(SourceError, match=r"there is no .*second\.webp: --sintel takes folders of"):
        sintel_pairs(tmp_path)


def test_clips_too_short_have_no_flicker(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "webcam_a.mp4", [scene(64, 48)] * 4)
    with pytest.raises(SourceError, match=r"nothing stands still in webcam_a\.mp4"):
        flicker([clip], lambda frames: frames)


@pytest.fixture
def gallery(data: Path, tmp_path: Path) -> Path:
    """A gallery of mosaic and of b, which no network has."""
    path = tmp_path / "gallery.toml"
    path.write_text((data / "gallery.toml").read_text().replace('"a"', '"mosaic"'))
    return path


def evaluate(gallery: Path, data: Path, *more: object) -> Result:
    return call("evaluate", gallery, *command_options(data), *more, "-o", gallery.parent / "out.json")


@pytest.mark.usefixtures("unloadable")
def test_a_style_that_the_network_has_not_is_told_at_once(gallery: Path, data: Path) -> None:
    assert "unknown style 'b'" in told(evaluate(gallery, data))


@pytest.mark.usefixtures("unloadable")
def test_a_picture_that_cannot_be_read_is_told_at_once(gallery: Path, data: Path, tmp_path: Path) -> None:
    gallery.write_text(gallery.read_text().replace('"b"', '"kylix"'))
    write_picture(tmp_path / "a.png", scene(90, 70))
    (tmp_path / "b.png").write_text("no picture")
    line = told(evaluate(gallery, data, "--pictures", tmp_path))
    assert re.search(r"b\.png.* a style is learnt from a picture", line)


@pytest.mark.usefixtures("unloadable")
def test_photos_that_cannot_judge_are_told_at_once(gallery: Path, data: Path, tmp_path: Path) -> None:
    gallery.write_text(gallery.read_text().replace('"b"', '"kylix"'))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("no photo")
    line = told(evaluate(gallery, data, "--photos", tmp_path / "photos"))
    assert "not one of the 1 photos that judge can be read" in line
    assert not (tmp_path / "out.json").exists()


def fit(data: Path, run: Path, *more: object) -> Result:
    return call("fit", data / "gallery.toml", *command_options(data), *more, "-o", run)


@pytest.mark.usefixtures("unloadable")
def test_a_folder_without_photos_is_told_at_once(data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    none = ("--photos", tmp_path / "photos")
    added = call("add", data / "a.png", "--name", "a", *command_options(data)[2:], *none)
    for result in (added, fit(data, tmp_path / "run", *none)):
        assert "no photos under" in told(result)


@pytest.mark.usefixtures("unloadable")
def test_a_run_folder_that_takes_no_checkpoint_is_told_at_once(data: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").mkdir()
    assert re.search(r"cannot write .*checkpoint\.pt: it is a folder", told(fit(data, tmp_path)))


@pytest.mark.usefixtures("unloadable")
def test_a_batch_that_cannot_be_divided_is_a_usage_error(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    result = fit(data, tmp_path)
    assert result.exit_code == 2
    assert "a batch of 4 cannot be divided among 3 processes: choose a --batch that is" in result.stderr


def add(data: Path, *more: object) -> Result:
    words = ["--name", "mine", "--photos", data / "photos", "--steps", 1, *more]
    return call("add", data / "a.png", *words)


def own_style(name: str, network: str = "", folder: str = "") -> Path:
    weights = load_weights()
    path = style_folder() / folder / f"{name}{SUFFIX}"
    row = weights.styles["mosaic"].row
    write_style(path, Style(name, row, "", "", "", ""), network or weights.network)
    return path


@pytest.mark.usefixtures("unloadable")
def test_a_style_of_another_network_is_not_replaced(data: Path) -> None:
    paths = [own_style("mine", "0" * 64), own_style("mine", "1" * 64, "small")]
    before = [path.read_bytes() for path in paths]
    for more in ([], ["--overwrite"]):
        line = told(add(data, *more))
        assert f"{paths[0]} is of another network: choose another --name, or remove that file" in line
        assert [path.read_bytes() for path in paths] == before


@pytest.mark.usefixtures("unloadable")
def test_a_style_folder_that_cannot_be_made_is_told_at_once(data: Path) -> None:
    style_folder().parent.mkdir(parents=True, exist_ok=True)
    style_folder().write_text("in the way")
    assert "cannot make the style folder" in told(add(data))


@pytest.mark.usefixtures("unloadable")
def test_a_crop_the_wrong_way_round_is_told_at_once(data: Path) -> None:
    assert "cannot crop style 'mine' to 0.6 0 0.4 1" in told(add(data, "--crop", 0.6, 0, 0.4, 1))


@pytest.mark.parametrize(
    "words", [["--strength", "nan"], ["--strength", "inf"], ["--crop", "0", "0", "nan", "1"]]
)
def test_a_number_that_is_not_finite_is_a_usage_error(words: list[str], data: Path) -> None:
    result = add(data, *words)
    assert result.exit_code == 2
    assert "is not a finite number" in result.stderr


def test_a_row_that_is_not_finite_is_not_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = np.full(load_weights().config.affine_length, np.nan, np.float32)
    style = Style("mine", row, "", "", "", "")
    monkeypatch.setattr("train.commands.add.learn_row", lambda *_: style)
    network = ["--loss-network", "vgg19-shallow", "--loss-weights", data / "vgg.safetensors"]
    assert "its row is not finite" in add(data, *network).stderr.splitlines()[-1]
    assert not (style_folder() / f"mine{SUFFIX}").exists()


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize(
    ("there", "name", "told_of", "advice"),
    [
        ("mine", "mine", "mine", "choose another --name, or add --overwrite"),
        ("mine", "MINE", "mine", "choose another --name"),
        ("mine", "Mosaic", "mosaic", "choose another --name"),
    ],
)
def test_a_style_that_is_there_is_kept(there: str, name: str, told_of: str, advice: str, data: Path) -> None:
    """Names that differ in case alone are one file on macOS and Windows."""
    path = own_style(there)
    before = path.read_bytes()
    line = told(add(data, "--name", name))
    assert line == f"Error: there is a style {told_of!r} already: {advice}\n"
    assert (path.read_bytes(), list(style_folder().iterdir())) == (before, [path])


def learn_at_once(monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """Lets `add` learn what that shipped style is."""

    def learn(picture: StylePicture, weights: Weights, *_: object) -> Style:
        return Style(picture.name, weights.styles[style].row, "", "", "", "")

    monkeypatch.setattr("train.commands.add.learn_row", learn)


def add_well(data: Path, *more: object) -> Path:
    """The file that `add` says it has written."""
    network = ["--loss-network", "vgg19-shallow", "--loss-weights", data / "vgg.safetensors"]
    result = add(data, *network, *more)
    assert result.exit_code == 0, result.output
    return Path(result.stdout.partition(": try it with")[0])


def test_a_style_of_ones_own_is_replaced_when_told_to(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = own_style("mine")
    before = path.read_bytes()
    learn_at_once(monkeypatch, "udnie")
    assert add_well(data, "--overwrite") == path
    assert path.read_bytes() != before


def test_one_name_may_be_of_both_sizes(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn_at_once(monkeypatch, "udnie")
    small, large = (add_well(data, "--model", size) for size in ("small", "large"))
    assert (small.parent, large.parent) == (style_folder(), style_folder() / "large")
    for size in ("small", "large"):
        styles = load_weights(size).styles
        assert np.array_equal(styles["mine"].row, styles["udnie"].row)
        assert told(add(data, "--model", size)).endswith("choose another --name, or add --overwrite\n")
    learn_at_once(monkeypatch, "kylix")
    kept = small.read_bytes()
    assert add_well(data, "--model", "large", "--overwrite") == large
    assert small.read_bytes() == kept
    listed = CliRunner().invoke(livestyle, ["styles"]).stdout.splitlines()
    assert [line.split() for line in listed if line.startswith("mine")] == [["mine"]]  # in both models
