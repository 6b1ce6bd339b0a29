from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

import livestyle
from livestyle import defaults
from livestyle.frame import Image
from livestyle.sources.picture import read_picture
from livestyle.steady import Held, hold, settle
from tests.pictures import scene

NOISE = 2.0
"""Standard deviation of the sensor noise in levels of 255, as of a webcam in a lit room."""


def noisy(image: Image, seed: int, deviation: float = NOISE, channels: int = 3) -> Image:
    """Noise of each channel by itself, or of brightness alone where `channels` is 1."""
    noise = np.random.default_rng(seed).normal(0, deviation, (*image.shape[:2], channels))
    return (image + noise).round().clip(0, 255).astype(np.uint8)


def exaggerate(image: Image) -> Image:
    """A network that makes strokes of noise: it turns small differences into large ones."""
    return ((image.astype(np.int16) * 5) % 200 + 20).astype(np.uint8)


def identity(image: Image) -> Image:
    return image.copy()


def run(frames: list[Image], amount: float = 1.0, paint: Callable[[Image], Image] = identity) -> list[Image]:
    held: Held | None = None
    shown: list[Image] = []
    for frame in frames:
        held = hold(frame, held, amount)
        shown.append(settle(paint(held.image), held, shown[-1] if shown else None, amount))
    return shown


def rms(a: Image, b: Image) -> float:
    return float(np.sqrt(np.mean((a.astype(float) - b) ** 2)))


def test_amount_0_is_bit_identical_to_none() -> None:
    frames = [noisy(scene(64, 48), i) for i in range(5)]
    assert all(
        np.array_equal(s, exaggerate(f)) for s, f in zip(run(frames, 0, exaggerate), frames, strict=True)
    )


def test_the_first_frame_is_the_painting_itself() -> None:
    assert np.array_equal(run([scene(64, 48)], 1, exaggerate)[0], exaggerate(scene(64, 48)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("deviation", [1.0, 2.0, 5.0], ids="noise {}".format)
def test_noise_on_a_still_scene_hardly_flickers(deviation: float, channels: int) -> None:
    """At most a tenth of the flicker is left; a dark webcam's noise (5 levels) widens the band."""
    frames = [noisy(scene(96, 64), i, deviation, channels) for i in range(40)]

    def flicker(amount: float) -> float:
        shown = run(frames, amount, exaggerate)
        return float(np.mean([rms(a, b) for a, b in pairwise(shown[20:])]))

    assert flicker(1) < flicker(0) / 10


def test_more_is_steadier() -> None:
    frames = [noisy(scene(96, 64), i) for i in range(30)]
    left = []
    for amount in (0, 0.3, 0.6, 1.0):
        shown = run(frames, amount, exaggerate)
        left.append(np.mean([rms(a, b) for a, b in pairwise(shown[15:])]))
    assert left == sorted(left, reverse=True)


def test_a_moving_square_on_noise_leaves_no_trail() -> None:
    frames = []
    for i in range(30):
        frame = np.full((96, 160, 3), 90, np.uint8)
        frame[30:60, 4 * i : 4 * i + 30] = 220
        frames.append(noisy(frame, i))
    shown = run(frames)
    # where the square has passed, 8 frames ago and more, the ground is as it was: 2 levels are half its noise
    behind = shown[-1][30:60, : 4 * (29 - 8)]
    assert abs(behind.mean() - 90) < 2
    square = shown[-1][32:58, 4 * 29 + 2 : 4 * 29 + 28]
    assert abs(square.mean() - 220) < 5


@pytest.mark.parametrize("contrast", [16, 20, 30])
@pytest.mark.parametrize("deviation", [0.5, NOISE], ids="noise {}".format)
def test_what_moves_is_shown_as_it_is_however_faint(contrast: int, deviation: float) -> None:
    """A grey square on a slightly darker ground: all of it is seen, and nothing where it has been."""
    frames = []
    for i in range(30):
        frame = np.full((96, 160, 3), 100, np.uint8)
        frame[30:60, 4 * i : 4 * i + 30] += contrast
        frames.append(noisy(frame, i, deviation))
    shown = run(frames, defaults.STEADY)[-1].astype(float)
    ground = shown[70:].mean()
    assert shown[32:58, 4 * 29 + 2 : 4 * 29 + 28].mean() - ground > 0.9 * contrast
    assert shown[30:60, 8 : 4 * (29 - 2)].mean() - ground < 0.05 * contrast


def test_snow_falls() -> None:
    """Single bright pixels that move are all shown, and leave nothing behind."""
    flakes = np.random.default_rng(0).integers(0, (96, 160), (40, 2))
    frames = []
    for i in range(20):
        frame = np.full((96, 160, 3), 90, np.uint8)
        frame[(flakes[:, 0] + 3 * i) % 96, flakes[:, 1]] = 150
        frames.append(frame)
    shown = run([noisy(frame, i, 1.0) for i, frame in enumerate(frames)], defaults.STEADY)[-1].astype(float)
    snow = frames[-1].max(axis=2) > 90
    assert shown[snow].mean() > 90 + 50
    assert shown[~snow].max() < 90 + 15


def test_a_slow_fade_is_followed() -> None:
    """A fade by half a level a frame stays within the band from frame to frame, yet must not be lost."""
    frames = [noisy(np.full((64, 64, 3), 60 + i // 2, np.uint8), i) for i in range(160)]
    shown = run(frames, defaults.STEADY)
    lag = [frame.mean() - output.mean() for frame, output in zip(frames[40:], shown[40:], strict=True)]
    # the band of 9 levels, and half a level for each of the 28 frames that the blend looks back
    assert max(lag) < 9 + 14


def test_dirt_smaller_than_the_band_goes_away() -> None:
    """What the band holds back leaks through: an edge 6 levels off is gone within four rounds of the rows."""
    old, new = np.full((64, 64, 3), 100, np.uint8), np.full((64, 64, 3), 106, np.uint8)
    shown = run([old] * 3 + [new] * 120)
    assert abs(shown[-1].mean() - 106) <= 2


def test_a_cut_starts_anew() -> None:
    before, after = scene(96, 64), 255 - scene(96, 64)
    frames = [noisy(before, i) for i in range(10)] + [noisy(after, i) for i in range(10, 13)]
    shown = run(frames, 1, exaggerate)
    assert np.array_equal(shown[10], exaggerate(frames[10]))


def test_a_frame_of_another_size_starts_anew() -> None:
    shown = run([scene(64, 48), scene(48, 64)], 1, exaggerate)
    assert np.array_equal(shown[1], exaggerate(scene(48, 64)))


def test_strokes_beside_what_moves_change_gradually() -> None:
    """A network paints what stands still anew when its neighbours move; at once, that flickers."""
    frames = [np.full((64, 96, 3), 90, np.uint8) for _ in range(30)]
    for i, frame in enumerate(frames):
        frame[:, 32:48] = 60 + 100 * (i % 2)
    painted = [cv2.blur(frame, (9, 9)) for frame in frames]
    shown = run(frames, defaults.STEADY, lambda image: cv2.blur(image, (9, 9)))
    beside = np.s_[:, 48:50]
    changes = [
        float(np.mean([rms(a[beside], b[beside]) for a, b in pairwise(images[10:])]))
        for images in (painted, shown)
    ]
    assert changes[1] < changes[0] / 2
    assert np.mean([image[beside].mean() for image in shown[10:]]) == pytest.approx(
        np.mean([image[beside].mean() for image in painted[10:]]), abs=3
    )


def test_the_outline_of_what_passed_does_not_stay() -> None:
    """A network draws an outline around what moves: on the ground that is left behind it has to go."""

    def outlined(image: Image) -> Image:
        edges = cv2.dilate(cv2.morphologyEx(image, cv2.MORPH_GRADIENT, np.ones((3, 3))), np.ones((5, 5)))
        return cv2.max(image, edges)

    frames = [np.full((96, 200, 3), 90, np.uint8) for _ in range(20)]
    for i, frame in enumerate(frames):
        frame[30:60, 8 * i : 8 * i + 30] = 220
    shown = run(frames, defaults.STEADY, outlined)
    behind = shown[-1][34:56, 40 : 8 * 17]
    assert behind.max() < 90 + 5


def test_frames_given_are_left_as_they_were() -> None:
    frames = [noisy(scene(64, 48), i) for i in range(6)]
    kept = [frame.copy() for frame in frames]
    shown = run(frames)
    assert all(np.array_equal(a, b) for a, b in zip(frames, kept, strict=True))
    copies = [image.copy() for image in shown]
    run(frames)
    assert all(np.array_equal(a, b) for a, b in zip(shown, copies, strict=True))


def test_a_moving_camera_is_not_smeared() -> None:
    """While the camera pans over something with texture, each frame is painted by itself."""
    wide = np.random.default_rng(0).integers(40, 216, (16, 60, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    frames = [np.ascontiguousarray(wide[:, 5 * i : 5 * i + 160]) for i in range(20)]
    shown = run(frames, 1, exaggerate)
    assert all(np.array_equal(s, exaggerate(f)) for s, f in zip(shown[1:], frames[1:], strict=True))


def test_a_person_who_moves_does_not_unsettle_the_room() -> None:
    """A fifth of the picture moves; the rest flickers as little as if nothing did."""
    frames = [noisy(scene(160, 96), i) for i in range(40)]
    for i, frame in enumerate(frames):
        frame[:, :32] = np.random.default_rng(i).integers(0, 256, (96, 32, 3))
    shown = run(frames, 1, exaggerate)
    left = np.mean([rms(a[:, 40:], b[:, 40:]) for a, b in pairwise(shown[20:])])
    alone = np.mean([rms(exaggerate(a)[:, 40:], exaggerate(b)[:, 40:]) for a, b in pairwise(frames[20:])])
    assert left < alone / 3


@pytest.mark.parametrize("zoom_of_a_frame", [0.01, 0.003, 0.002])
def test_a_slow_zoom_is_not_smeared(zoom_of_a_frame: float) -> None:
    """Most of a photograph is even, and changes by less than the noise of a webcam while the camera moves."""
    photo = read_picture(Path(livestyle.__file__).parent / "media" / "frame.jpg")
    frames = []
    for i in range(32):
        zoom = cv2.getRotationMatrix2D((photo.shape[1] / 2, photo.shape[0] / 2), 0, 1.2 + zoom_of_a_frame * i)
        frames.append(cv2.warpAffine(photo, zoom, photo.shape[1::-1], flags=cv2.INTER_CUBIC))
    shown = run(frames, 1, exaggerate)
    assert detail(shown[16:]) > 0.9 * detail([exaggerate(frame) for frame in frames[16:]])


def test_somebody_who_sways_before_a_shelf_is_no_camera() -> None:
    """Most tiles with texture move, but not all: the rest of them stands still."""
    photo = np.random.default_rng(0).integers(40, 216, (40, 60, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    frames = []
    for i in range(24):
        frame = noisy(photo, i, 1.0)
        frame[:, : 480 * 5 // 8] = np.roll(photo, i, axis=1)[:, : 480 * 5 // 8]
        frames.append(frame)
    held: Held | None = None
    for frame in frames:
        held = hold(frame, held, 1)
    assert held is not None
    assert held.calm > 0


def detail(images: list[Image]) -> float:
    """The mean difference of neighbours."""
    return float(np.mean([np.abs(np.diff(image.astype(int), axis=1)).mean() for image in images]))
