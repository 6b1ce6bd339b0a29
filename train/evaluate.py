"""How steady paintings are: against ground-truth motion, and on clips of a still room."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Frame, Image
from livestyle.sources import open_source

Paint = Callable[[Image], Image]
Follow = Callable[[Iterable[Frame]], Iterable[Frame]]
"""Paints the frames of a clip, in order."""

Flow = NDArray[np.float32]

_STILL = 6
"""Levels of 255: a pixel whose input changed by less than this is standing still."""
_MOVING = 30
"""Levels of 255: a pixel whose input changed by more than this is moving."""
_EVERY = 2
"""One pixel in this many, along each side, is measured."""


def temporal_error(first: Image, second: Image, flow: Flow, valid: NDArray[np.bool_]) -> float:
    """Root mean square of first - warp(second) over valid pixels and channels, images in [0, 1].

    `flow` (H, W, 2) leads from the pixels of `first` to where they are in `second`.
    """
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    warped = cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    difference = (first.astype(np.float32) - warped)[valid] / 255
    return float(np.sqrt(np.mean(difference**2)))


def sintel_errors(folder: Path, paint: Paint) -> dict[str, float]:
    """The temporal error of the painting of each pair of MPI-Sintel frames under a folder, by name."""
    errors = {}
    for pair in sorted(path for path in folder.iterdir() if path.is_dir()):
        first, second = (read(pair / f"{name}.webp") for name in ("first", "second"))
        motion = np.load(pair / "flow.npz")
        flow, valid = motion["flow"].astype(np.float32), motion["valid"].astype(bool)
        errors[pair.name] = temporal_error(paint(first), paint(second), flow, valid)
    return errors


def read(path: Path) -> Image:
    """A picture, RGB, (H, W, 3)."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def flicker(clips: Sequence[Path], follow: Follow, skip: int = 10) -> dict[str, float]:
    """Static flicker and kept motion over clips, in levels of 255, each clip painted anew.

    `still`: root mean square change from one output to the next where the input stands still; `moving`: mean
    absolute change where it moves; `input_still` and `input_moving` are the input's own. The first `skip`
    frames of a clip do not count.
    """
    sums = np.zeros((2, 2))
    counts = np.zeros(2)
    for clip in clips:
        for before, after in _steps(clip, follow, skip):
            change = np.abs(after[0].astype(np.int16) - before[0]).max(axis=2)
            output = after[1].astype(np.float32) - before[1]
            source = after[0].astype(np.float32) - before[0]
            for row, chosen in enumerate((change < _STILL, change > _MOVING)):
                for column, difference in enumerate((output[chosen], source[chosen])):
                    sums[row, column] += np.square(difference).sum() if row == 0 else np.abs(difference).sum()
                counts[row] += 3 * chosen.sum()
    still, moving = sums / np.maximum(counts, 1)[:, None]
    return {
        "still": float(np.sqrt(still[0])),
        "input_still": float(np.sqrt(still[1])),
        "moving": float(moving[0]),
        "input_moving": float(moving[1]),
    }


def _steps(
    clip: Path, follow: Follow, skip: int
) -> Iterator[tuple[tuple[Image, Image], tuple[Image, Image]]]:
    """Each frame with its painting, beside the next frame with its painting."""
    last: tuple[Image, Image] | None = None
    inputs: deque[Image] = deque()
    for number, frame in enumerate(follow(_noted(open_source(clip), inputs))):
        now = inputs.popleft()[::_EVERY, ::_EVERY], frame.image[::_EVERY, ::_EVERY]
        if last is not None and number > skip:
            yield last, now
        last = now


def _noted(frames: Iterable[Frame], images: deque[Image]) -> Iterator[Frame]:
    for frame in frames:
        images.append(frame.image)
        yield frame
