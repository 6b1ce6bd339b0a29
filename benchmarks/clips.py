"""Clips to measure with, made from the sample clip, so that anyone has the same."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

import livestyle
from livestyle.frame import Frame, Image
from livestyle.sinks import open_sink
from livestyle.sources import open_source

SAMPLE = Path(livestyle.__file__).parent / "media" / "sample.mp4"


def make_clip(path: Path, size: tuple[int, int], frames: int) -> Path:
    """The sample clip cropped and scaled to `size` (width, height), its frames repeated; with sound.

    The sound is the sample's, of its own length.
    """
    images = [frame.image for frame in open_source(SAMPLE)]
    with open_sink(path, size, rate=Fraction(30), made_from=SAMPLE) as sink:
        for number in range(frames):
            sink.write(Frame(_fit(images[number % len(images)], size), number / 30))
    return path


def count_frames(path: Path) -> int:
    """How many frames a video file holds."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _fit(image: Image, size: tuple[int, int]) -> Image:
    height, width, _ = image.shape
    scale = max(size[0] / width, size[1] / height)
    wide, high = round(size[0] / scale), round(size[1] / scale)
    left, top = (width - wide) // 2, (height - high) // 2
    part = image[top : top + high, left : left + wide]
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8)
