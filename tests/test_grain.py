import cv2
import numpy as np
import pytest

from livestyle import defaults
from livestyle.engine import load_engine
from livestyle.frame import Image
from livestyle.grain import with_grain
from livestyle.painter import Painter
from livestyle.sinks.picture import write_picture
from livestyle.sources.picture import read_picture
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests.commands import call
from tests.pictures import scene


def sky_over_texture(width: int = 320, height: int = 240) -> Image:
    """A perfectly even upper half, and a lower one full of texture."""
    image = np.full((height, width, 3), (110, 130, 150), np.uint8)
    noise = np.random.default_rng(5).normal(0, 40, (height // 2, width, 1))
    image[height // 2 :] = np.clip(120 + cv2.GaussianBlur(noise, (0, 0), 1.5)[..., None] * 4, 0, 255)
    return image


@pytest.mark.parametrize("levels", [2.0, 5.0, 20.0])
def test_an_even_part_gets_grain_of_that_deviation_and_keeps_its_mean(levels: float) -> None:
    image = sky_over_texture()
    change = with_grain(image, levels).astype(float) - image
    sky = change[:100]
    assert sky.std() == pytest.approx(levels, rel=0.15)
    assert abs(sky.mean()) < 0.2 * levels
    assert np.ptp(sky, axis=2).max() == 0  # it has no colour


def test_what_has_texture_is_left_alone() -> None:
    image = sky_over_texture()
    assert np.array_equal(with_grain(image, 5.0)[140:], image[140:])


def test_the_grain_is_always_the_same() -> None:
    image = sky_over_texture()
    shifted = np.clip(image.astype(int) + 3, 0, 255).astype(np.uint8)
    assert np.array_equal(with_grain(image, 5.0)[:100] + 3, with_grain(shifted, 5.0)[:100])


@pytest.mark.parametrize("size", [(32, 32), (33, 41), (641, 359)])
def test_any_size_has_grain(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 99, np.uint8)
    grained = with_grain(image, 5.0)
    assert grained.shape == image.shape
    assert grained.std() > 3
    assert (image == 99).all()


@pytest.mark.parametrize("style", ["mosaic", "the_scream"])
def test_an_even_sky_is_painted_with_strokes(style: str) -> None:
    engine, mix = load_engine(load_weights("small")), StyleMix.parse(style)
    flat, grained = (
        Painter(engine, mix, grain=levels)(sky_over_texture())[16:100].astype(float).std(axis=(0, 1)).max()
        for levels in (0.0, defaults.GRAIN)
    )
    assert grained > 2.5 * flat
    assert grained > 8


def test_pictures_have_grain_unless_told_otherwise(tmp_path: object) -> None:
    write_picture(f"{tmp_path}/in.png", sky_over_texture())
    pictures = {}
    for name, options in {"usual": [], "same": ["--grain", 5], "none": ["--grain", 0]}.items():
        assert call("image", f"{tmp_path}/in.png", f"{tmp_path}/{name}.png", *options).exit_code == 0
        pictures[name] = read_picture(f"{tmp_path}/{name}.png")
    assert np.array_equal(pictures["usual"], pictures["same"])
    assert not np.array_equal(pictures["usual"], pictures["none"])


def test_an_even_picture_stays_as_it_is_with_grain_too() -> None:
    painter = Painter(load_engine(load_weights("small")), StyleMix.parse("mosaic"), grain=defaults.GRAIN)
    even = np.full((64, 64, 3), 77, np.uint8)
    assert np.array_equal(painter(even), even)


def test_scenes_of_any_kind_stay_within_8_bits() -> None:
    for image in (scene(64, 48), np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)):
        change = with_grain(image, 20.0).astype(int) - image
        assert np.abs(change).max() < 120
