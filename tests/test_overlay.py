import numpy as np
import pytest

from livestyle import overlay
from livestyle.controls import KEYS, Settings
from livestyle.hud import Meters, decorate, key_table
from livestyle.styles import StyleMix
from tests.pictures import scene

SETTINGS = Settings(names=("mosaic", "great_wave"), style=StyleMix.parse("mosaic"))


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
