from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import ImageDraw

from livestyle import overlay
from livestyle.controls import KEYS, Settings
from livestyle.frame import Image
from livestyle.hud import Meters, decorate, key_table
from livestyle.styles import StyleMix
from tests.pictures import scene

SETTINGS = Settings(names=("mosaic", "great_wave"), style=StyleMix.parse("mosaic"))


Written = list[str]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """What is written from here on; it fails where that is not all on the picture."""
    texts: list[str] = []
    text, put = ImageDraw.ImageDraw.text, overlay._put

    def watched_text(draw: ImageDraw.ImageDraw, at: tuple[float, float], line: str, **options: Any) -> None:
        assert at[0] + options["font"].getlength(line) <= draw.im.size[0]
        texts.append(line)
        text(draw, at, line, **options)

    def watched_put(image: Image, panel: Image, **options: int) -> None:
        assert all(side <= room for side, room in zip(panel.shape, image.shape, strict=True))
        put(image, panel, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", watched_text)
    monkeypatch.setattr(overlay, "_put", watched_put)
    for cached in (overlay._fitting_table, overlay._panel, overlay._fitting_panel):
        cached.cache_clear()
    return texts


def meters() -> Meters:
    meters = Meters((640, 480), "inverter")
    for _ in range(3):
        meters.frame(0.012, dropped=0)
    return meters


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (640, 480), (1920, 1080), (41, 700)])
def test_text_fits_into_any_picture(size: tuple[int, int]) -> None:
    image = scene(*size)
    settings = Settings(**{name: getattr(SETTINGS, name) for name in ("names", "style")}, hud=True, help=True)
    written = decorate(image, settings, meters(), "a notice that is much longer than small pictures are wide")
    assert written.shape == image.shape
    assert not np.array_equal(written, image)


def test_nothing_to_say_leaves_the_picture_alone() -> None:
    image = scene(64, 48)
    assert decorate(image, SETTINGS, meters(), "") is image


def test_the_picture_that_is_recorded_is_not_written_on() -> None:
    image = scene(320, 240)
    before = image.copy()
    decorate(image, SETTINGS, meters(), "a notice")
    assert np.array_equal(image, before)


def test_text_grows_with_the_picture() -> None:
    def height(side: int) -> int:
        image = np.full((side, side * 4 // 3, 3), 200, np.uint8)
        overlay.write_bottom(image, "a notice")
        return int((image != 200).any(axis=(1, 2)).sum())

    assert height(1080) > 2 * height(480) > 0


def test_text_is_white_on_what_it_darkens() -> None:
    image = np.full((480, 640, 3), 200, np.uint8)
    overlay.write_top_left(image, ["mosaic"])
    assert image.max() == 255
    assert image[5, 5].tolist() == [80, 80, 80]


def test_the_dot_of_a_recording_is_red() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    overlay.write_top_left(image, ["REC"], dot=True)
    red = (image[..., 0] > 200) & (image[..., 1] < 100)
    assert red.sum() > 20
    overlay.write_top_left(blank := np.zeros_like(image), ["REC"])
    assert not ((blank[..., 0] > 200) & (blank[..., 1] < 100)).any()


def test_help_shows_every_key_and_the_names_of_the_styles() -> None:
    rows = dict(key_table(("mosaic", "great_wave")))
    assert rows["1"] == "mosaic"
    assert rows["2"] == "great_wave"
    assert "3" not in rows
    assert set(rows) == {key.name for key in KEYS if not key.name.isdigit()} | {"1", "2"}


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (480, 640), (1280, 720)])
def test_every_key_has_its_place(size: tuple[int, int], written: Written) -> None:
    rows = key_table(tuple(f"style_{number}" for number in range(12)))
    overlay.write_table(scene(*size), rows)
    assert {key for key, _ in rows} <= set(written)
    if size[0] >= 480:
        assert {does for _, does in rows} <= set(written)


@pytest.mark.parametrize("size", [(64, 48), (160, 120), (200, 100)])
def test_a_small_picture_keeps_the_keys_that_matter_most(size: tuple[int, int], written: Written) -> None:
    overlay.write_table(scene(*size), key_table())
    assert {"h", "q"} <= set(written)


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (640, 480), (1280, 720)])
def test_lines_are_broken_where_the_picture_ends(size: tuple[int, int], written: Written) -> None:
    lines = ["mosaic 70 % + great_wave 30 %, steady 50 %", "29.9 fps painted, 30.0 captured, 0 dropped"]
    notice = "recorded: /home/somebody/films/livestyle_20261123_022515_recording.mp4"
    image = scene(*size)
    overlay.write_top_left(image, lines, dot=True)
    overlay.write_bottom(image, notice)
    text = "".join(written).replace(" ", "")
    for line in (*lines, notice):
        assert line.replace(" ", "") in text


def test_words_stay_whole_where_they_can(written: Written) -> None:
    overlay.write_bottom(scene(160, 120), "choose another folder for the recordings of this show")
    assert len(written) > 1
    assert " ".join(written) == "choose another folder for the recordings of this show"


@pytest.mark.parametrize("size", [(64, 48), (20, 300), (3, 3), (1, 1)])
def test_no_picture_is_too_small_to_be_written_on(size: tuple[int, int]) -> None:
    settings = replace(SETTINGS, hud=True, help=True, recording=True)
    written = decorate(scene(*size), settings, meters(), "a notice")
    assert written.shape == (size[1], size[0], 3)
