from dataclasses import replace

import cv2
import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.frame import Image
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from tests.pictures import scene


class Inverter:
    """An engine that inverts, and counts."""

    backend = "inverter"

    def __init__(self) -> None:
        self.calls = 0

    def stylize(self, image: Image, style: StyleMix) -> Image:
        self.calls += 1
        return 255 - image


@pytest.fixture
def painter() -> Painter:
    return Painter(Inverter(), StyleMix.parse("mosaic"))


def test_full_strength_is_the_painting_itself(painter: Painter) -> None:
    image = scene(64, 48)
    assert np.array_equal(painter(image), 255 - image)


def test_no_strength_is_the_original_and_costs_nothing(painter: Painter) -> None:
    image = scene(64, 48)
    assert np.array_equal(replace(painter, strength=0)(image), image)
    assert isinstance(painter.engine, Inverter)
    assert painter.engine.calls == 0


@pytest.mark.parametrize("strength", [0.25, 0.6])
def test_strength_is_the_share_of_the_painting(painter: Painter, strength: float) -> None:
    image = scene(64, 48)
    expected = strength * (255.0 - image) + (1 - strength) * image
    np.testing.assert_allclose(replace(painter, strength=strength)(image), expected, atol=0.51)  # rounding


def test_keep_colors_takes_luminance_from_the_painting_and_chrominance_from_the_frame(
    painter: Painter,
) -> None:
    image = (scene(64, 48) // 2 + 64).astype(
        np.uint8
    )  # far from the corners of the RGB cube: nothing is clipped
    mixed = replace(painter, keep_colors=True)(image)
    before, after = (cv2.cvtColor(i, cv2.COLOR_RGB2YCrCb).astype(int) for i in (image, mixed))
    assert np.abs(after[..., 0] - (255 - before[..., 0])).max() <= 2  # both ways are rounded
    assert np.abs(after[..., 1:] - before[..., 1:]).max() <= 2


def test_a_frame_too_small_to_paint_is_refused_in_words(painter: Painter) -> None:
    with pytest.raises(SourceError, match="cannot paint 31x40: the smallest is 32x32"):
        painter(scene(31, 40))
