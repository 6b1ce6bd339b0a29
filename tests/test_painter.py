from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.frame import Frame, Image
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from tests.pictures import scene


class Inverter:
    """An engine that inverts, and counts."""

    backend = "inverter"
    in_flight = 3

    def __init__(self) -> None:
        self.calls = 0
        self.begun = 0

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        self.calls += 1
        self.begun += 1

        def fetch() -> Image:
            self.begun -= 1
            return 255 - image

        return fetch

    def stylize(self, image: Image, style: StyleMix) -> Image:
        return self.start(image, style)()


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


def frames(count: int) -> list[Frame]:
    """Half black; the brightness of the other half tells a frame's place."""
    images = [np.zeros((48, 64, 3), np.uint8) for _ in range(count)]
    for i, image in enumerate(images):
        image[:, :32] = 100 + 10 * i
    return [Frame(image, i / 30) for i, image in enumerate(images)]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_video_keeps_its_frames_their_order_and_their_times(painter: Painter, count: int) -> None:
    painted = list(painter.follow(frames(count), steadiness=0))
    assert [frame.pts for frame in painted] == [i / 30 for i in range(count)]
    assert [int(frame.image[0, 0, 0]) for frame in painted] == [155 - 10 * i for i in range(count)]


def test_as_many_frames_are_begun_as_the_engine_wants(painter: Painter) -> None:
    engine = painter.engine
    assert isinstance(engine, Inverter)
    begun = [engine.begun for _ in painter.follow(frames(6))]
    assert begun == [2, 2, 2, 2, 1, 0]


def test_leaving_early_waits_for_what_was_begun(painter: Painter) -> None:
    """The engine must not read frames that are gone."""
    engine = painter.engine
    assert isinstance(engine, Inverter)
    painted = painter.follow(frames(6))
    next(painted)
    painted.close()  # type: ignore[attr-defined]  # a generator, though it only promises an iterator
    assert engine.begun == 0


def test_a_video_of_no_strength_is_the_original(painter: Painter) -> None:
    given = frames(3)
    assert [f.image for f in replace(painter, strength=0).follow(given)] == [f.image for f in given]


def test_steadiness_holds_noise_back_from_painting_and_screen(painter: Painter) -> None:
    noise = np.random.default_rng(0).normal(0, 2, (30, 48, 64, 3))
    still = scene(64, 48) // 2 + 50
    noisy = [Frame((still + n).round().astype(np.uint8), i / 30) for i, n in enumerate(noise)]

    def flicker(steadiness: float) -> float:
        images = np.stack([frame.image for frame in painter.follow(noisy, steadiness)]).astype(float)
        return float(np.abs(np.diff(images[10:], axis=0)).mean())

    assert flicker(1) < flicker(0) / 5


def test_blending_uses_the_frame_of_its_own_moment(painter: Painter) -> None:
    for given, painted in zip(frames(5), replace(painter, strength=0.5).follow(frames(5), 0), strict=True):
        expected = 0.5 * given.image + 0.5 * (255.0 - given.image)
        np.testing.assert_allclose(painted.image, expected, atol=0.51)


@pytest.mark.parametrize("color", [(0, 0, 0), (128, 128, 128), (128, 60, 60), (90, 140, 220)])
def test_an_even_picture_stays_as_it_is(color: tuple[int, int, int], painter: Painter) -> None:
    """Of whatever colour: channels that differ from one another are no contrast."""
    image = np.full((48, 64, 3), color, np.uint8)
    assert np.array_equal(painter(image), image)


def test_a_fade_to_black_ends_in_black(painter: Painter) -> None:
    """Without contrast there is nothing to paint: no grey flash where a film goes dark."""
    image = scene(64, 48)
    faded = [painter((image * share).astype(np.uint8)) for share in (1, 0.1, 0.05, 0.02, 0)]
    assert np.array_equal(faded[0], 255 - image)
    differences = [
        np.abs(f.astype(float) - share * image).mean()
        for f, share in zip(faded, (1, 0.1, 0.05, 0.02, 0), strict=True)
    ]
    assert differences[-1] == 0
    assert differences[2] > differences[3] > differences[4]
