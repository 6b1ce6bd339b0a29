"""Galleries of styles to learn, and what cannot be learnt from."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from livestyle.errors import SourceError
from livestyle.sinks.picture import write_picture
from tests.pictures import scene
from train.__main__ import main
from train.pictures import StylePicture, check_styles, read_gallery

A = '[[style]]\nname = "a"\npicture = "a.png"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", scene(90, 70))
    return tmp_path


def test_a_gallery_tells_what_is_known_of_its_pictures(folder: Path) -> None:
    (folder / "g.toml").write_text(A + "year = 1889\ncrop = [0, 0, 1, 0.5]\nstability = 2\n")
    (style,) = read_gallery(folder / "g.toml", folder)
    assert (style.name, style.year, style.crop, style.stability) == ("a", "1889", (0, 0, 1, 0.5), 2)
    assert style.load(35).shape == (3, 35, 90)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (A.replace("[[style]]", "[style]"), "write [[style]], in two brackets"),
        ("style = []", "it names no style"),
        ("style = [3]", "cannot read the gallery"),
        ("", "'style' is missing"),
        ('[[style]]\nname = "a"\n', "'picture' is missing"),
        (A + "crop = [0.1, 0.9]\n", "crop takes four numbers"),
        (A + "crop = 3\n", "cannot read the gallery"),
        (A + "crop = [0.6, 0, 0.4, 1]\n", "cannot crop style 'a' to 0.6 0 0.4 1: give left, top"),
        (A + "crop = [0, 0, 1, 1.5]\n", "cannot crop style 'a' to 0 0 1 1.5"),
        (A + "crop = [0, nan, 1, 1]\n", "cannot crop style 'a' to 0 nan 1 1"),
        (A + "stability = nan\n", "the stability of style 'a' is nan"),
        (A + "colour = 1\n", "colour"),
        (A + A, "there are several styles 'a'"),
        (A.replace('"a"', '"a,b"'), "cannot call a style 'a,b': use letters, digits and _"),
        (A.replace("a.png", "b.png"), "the picture of style 'a' is missing"),
    ],
)
def test_a_mistake_in_a_gallery_is_one_line(text: str, told: str, folder: Path) -> None:
    (folder / "g.toml").write_text(text)
    with pytest.raises(SourceError) as caught:
        read_gallery(folder / "g.toml", folder)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_picture_in_the_place_of_a_gallery_is_told_where_it_belongs(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.png: it is no text; pictures go to --style"):
        read_gallery(folder / "a.png", folder)


def test_a_crop_of_next_to_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match="has less than 32 pixels a side to learn"):
        StylePicture("a", folder / "a.png", crop=(0.5, 0.5, 0.501, 0.501)).load(64)


def test_pictures_of_one_name_are_not_learnt_together(folder: Path) -> None:
    (folder / "more").mkdir()
    write_picture(folder / "more" / "a.png", np.zeros((40, 40, 3), np.uint8))
    styles = [StylePicture(path.stem, path) for path in (folder / "a.png", folder / "more" / "a.png")]
    with pytest.raises(SourceError, match="there are several styles 'a': give each a name of its own"):
        check_styles(styles)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["g.toml", "--style", "a.png"], "choose either a GALLERY, or pictures with --style"),
        (["g.toml", "--style-weight", "nan"], "'nan' is not a finite number"),
        (["g.toml", "--seed", "-1"], "--seed"),
        (["g.toml", "--learning-rate", "inf"], "'inf' is not a finite number"),
    ],
)
def test_options_that_mean_nothing_are_usage_errors(
    words: list[str], told: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "g.toml").write_text(A)
    result = CliRunner().invoke(main, ["fit", *words, "--photos", ".", "-o", "run", "--dry-run"])
    assert result.exit_code == 2, result.output
    assert told in result.stderr


def test_a_gallery_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    (folder / "g.toml").write_text(A, encoding="utf-8-sig")
    assert [style.name for style in read_gallery(folder / "g.toml", folder)] == ["a"]


def test_a_picture_that_cannot_be_learnt_is_told_before_the_photos_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "clip.mp4").write_bytes(b"no picture")
    for command in ("add", "fit"):
        monkeypatch.setattr(f"train.commands.{command}.load_loss_network", pytest.fail)
        more = ["--name", "mine"] if command == "add" else ["-o", str(folder / "run"), "--style"]
        words = [command, *more, str(folder / "clip.mp4"), "--photos", str(folder)]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 1
        told = (
            "a damaged picture, or none that opencv knows; a style is learnt from a picture, as jpeg or png"
        )
        assert result.stderr.endswith(f"clip.mp4: {told}\n")
