"""How steady paintings are: against ground-truth motion, and on clips of a still room."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.errors import SourceError
from livestyle.frame import Frame, Image
from livestyle.sources import open_source
from livestyle.sources.picture import read_picture

Paint = Callable[[Image], Image]
Follow = Callable[[Iterable[Frame]], Iterable[Frame]]
"""Paints the frames of a clip, in order."""

Flow = NDArray[np.float32]

_STILL = 6
"""Levels of 255: a pixel whose input changed by less than this is standing still."""
_MOVING = 30
"""Levels of 255: a pixel whose input changed by more than this is moving."""
WEBCAM = "webcam_*"
"""What the clips of a still room are named."""
_EVERY = 2
"""One pixel in this many, along each side, is measured."""


def temporal_error(first: Image, second: Image, flow: Flow, valid: NDArray[np.bool_]) -> float:
    """Root mean square of first - warp(second) over valid pixels and channels, images in [0, 1].

    `flow` (H, W, 2) leads from the pixels of `first` to where they are in `second`.
    """
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    warped = cv2.remap(second, x, y, cv2.INTER_LINEAR)
    difference = (first.astype(np.float32) - warped)[valid & inside] / 255
    return float(np.sqrt(np.mean(difference**2)))


def sintel_errors(folder: Path, paint: Paint) -> dict[str, float]:
    """The temporal error of the painting of each pair of MPI-Sintel frames under a folder, by name."""
    errors = {}
    for pair in sintel_pairs(folder):
        first, second = (read_picture(pair / f"{name}.webp") for name in ("first", "second"))
        motion = np.load(pair / "flow.npz")
        flow, valid = motion["flow"].astype(np.float32), motion["valid"].astype(bool)
        errors[pair.name] = temporal_error(paint(first), paint(second), flow, valid)
    return errors


def sintel_pairs(folder: Path) -> list[Path]:
    """The folders of the pairs under a folder. Raises SourceError where there is none, or half of one."""
    pairs = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [pair / name for pair in pairs for name in ("first.webp", "second.webp", "flow.npz")]
    missing = [path for path in files if not path.is_file()]
    if missing or not pairs:
        raise SourceError(
            f"there is no {missing[0] if missing else 'pair of frames in ' + str(folder)}: "
            "--sintel takes folders of first.webp, second.webp and flow.npz"
        )
    return pairs


def webcam_clips(folder: Path) -> list[Path]:
    """The clips of a still room in a folder. Raises SourceError where there is none."""
    clips = sorted(folder.glob(WEBCAM))
    if not clips:
        raise SourceError(f"there is no clip in {folder}: --clips takes files named {WEBCAM}")
    return clips


def flicker(clips: Sequence[Path], follow: Follow, skip: int = 10) -> dict[str, float]:
    """Static flicker and kept motion over clips, in levels of 255, each clip painted anew.

    `still`: root mean square change from one output to the next where the input stands still, in this step
    and the one before; `moving`: mean absolute change where it moves; `input_still` and `input_moving` are
    the input's own. The first `skip` frames of a clip do not count. Raises SourceError where nothing stands
    still, or nothing moves: that would be a flicker of 0.
    """
    sums = np.zeros((2, 2))
    counts = np.zeros(2)
    for clip in clips:
        last = None
        for step in _steps(clip, follow, skip):
            change = np.abs(step.source).max(axis=2)
            resting = change < _STILL
            masks = (resting & (resting if last is None else last), change > _MOVING)
            last = resting
            for row, chosen in enumerate(masks):
                for column, difference in enumerate((step.output[chosen], step.source[chosen])):
                    sums[row, column] += np.square(difference).sum() if row == 0 else np.abs(difference).sum()
                counts[row] += 3 * chosen.sum()
    if not counts.all():
        what = "moves" if counts[0] else "stands still"
        raise SourceError(f"cannot measure flicker: nothing {what} in {', '.join(c.name for c in clips)}")
    still, moving = sums / counts[:, None]
    return {
        "still": float(np.sqrt(still[0])),
        "input_still": float(np.sqrt(still[1])),
        "moving": float(moving[0]),
        "input_moving": float(moving[1]),
    }


class _Step(NamedTuple):
    """How input and output change from one frame to the next, thinned out, in levels, (H, W, 3)."""

    source: NDArray[np.float32]
    output: NDArray[np.float32]


def _steps(clip: Path, follow: Follow, skip: int) -> Iterator[_Step]:
    last: tuple[Image, Image] | None = None
    inputs: deque[Image] = deque()
    for number, frame in enumerate(follow(_noted(open_source(clip), inputs))):
        now = inputs.popleft()[::_EVERY, ::_EVERY], frame.image[::_EVERY, ::_EVERY]
        if last is not None and number > skip:
            yield _Step(*(b.astype(np.float32) - a for a, b in zip(last, now, strict=True)))
        last = now


def _noted(frames: Iterable[Frame], images: deque[Image]) -> Iterator[Frame]:
    for frame in frames:
        images.append(frame.image)
        yield frame
