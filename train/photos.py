"""Photos to train on: decoded once into a compact cache, then cropped at random, as seed and step say."""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from livestyle.architecture import MIN_SIDE
from livestyle.clips import PICTURES, files_under
from livestyle.errors import SinkError, SourceError, reason_of
from livestyle.frame import Image
from livestyle.remembered import write_whole
from livestyle.sinks.partial import PartialFile
from livestyle.sources.picture import read_picture

logger = logging.getLogger(__name__)

_SUFFIXES = PICTURES.suffixes | {".gif"}
_HELD_OUT_EVERY = 50
_SHORT_SIDE = 320
"""To which larger photos are scaled in the cache, in pixels: enough for crops of 256 at 80 %."""
_QUALITY = 92
_GRAIN = 2.0
"""Deviation in levels of 255 of a crop that counts as even, and of the grain that it is given: each instance
norm divides by the deviation, and of nothing at all the gradient is more than float32 holds."""
_NAMED_BROKEN = 5
_READ_AS = 2
"""Another number where photos are read in another way: caches of the old one are made anew."""


def find_photos(folder: Path) -> list[Path]:
    """All pictures under a folder, also behind links but for hidden ones, sorted.

    Raises SourceError where there is none.
    """
    paths = sorted(p for p in files_under(folder) if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not paths:
        raise SourceError(f"no photos under {folder}: --photos takes a folder of jpg, png or webp pictures")
    return paths


def held_out(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Divides photos into those to train on and those (one in fifty) that only judge the result.

    A single photo is both.
    """
    judged = paths[::_HELD_OUT_EVERY]
    trained = [path for number, path in enumerate(paths) if number % _HELD_OUT_EVERY]
    return trained or paths, judged


def read_photo(path: Path) -> Image | None:
    """A photo as RGB, (H, W, 3), or None where it cannot be read or is too small to be painted."""
    try:
        image = read_picture(path)
    except SourceError:
        return None
    return image if min(image.shape[:2]) >= MIN_SIDE else None


def to_tensor(image: Image) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


def to_image(picture: Tensor) -> Image:
    """(3, H, W) in [0, 1] to (H, W, 3) uint8."""
    levels = (picture.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())


@dataclass(frozen=True)
class PhotoCache:
    """Photos at a small size in one file, as JPEG one after the other."""

    path: Path
    ends: tuple[int, ...]
    """Where each photo ends in the file, in bytes."""
    broken: tuple[str, ...]
    """Pictures that could not be read, or are too small, as paths below the folder of all pictures."""
    fingerprint: str
    """What tells these photos from others, wherever they lie: of their names and sizes in bytes."""

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Image:
        """A photo, RGB (H, W, 3)."""
        begin = self.ends[number - 1] if number else 0
        return np.asarray(
            cv2.imdecode(self._bytes[begin : self.ends[number]], cv2.IMREAD_COLOR_RGB), np.uint8
        )

    @cached_property
    def _bytes(self) -> NDArray[np.uint8]:
        return np.memmap(self.path, np.uint8, "r")


def cache_photos(
    paths: list[Path], on_photo: Callable[[int], None] | None = None, folder: Path | None = None
) -> PhotoCache:
    """The cache of these photos, made where it is not there yet; broken ones are skipped, and logged.

    `folder` is the user's cache folder if none is given. Raises SourceError where no photo can be read,
    SinkError where the cache cannot be written.
    """
    folder = folder or platformdirs.user_cache_path("livestyle", appauthor=False) / "photos"
    facts = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    key = _digest([_READ_AS, _SHORT_SIDE, _QUALITY, facts])
    fingerprint = _digest([(path.name, path.stat().st_size) for path in paths])
    data, index = folder / f"{key}.jpegs", folder / f"{key}.json"
    cache = _known(data, index, fingerprint)
    if cache is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            ends, broken = _write(paths, data, on_photo)
            write_whole(index, json.dumps({"ends": ends, "broken": broken}).encode())
        except OSError as error:
            raise SinkError(
                f"cannot keep photos in {folder}: {reason_of(error)}; "
                "make room there, or set XDG_CACHE_HOME to another folder"
            ) from error
        cache = PhotoCache(data, tuple(ends), tuple(broken), fingerprint)
    if cache.broken:
        named = ", ".join(cache.broken[:_NAMED_BROKEN])
        more = f" and {rest} more" if (rest := len(cache.broken) - _NAMED_BROKEN) > 0 else ""
        logger.warning("skipped %d broken pictures: %s%s", len(cache.broken), named, more)
    if not cache.ends:
        raise SourceError(f"not one of {len(paths)} photos can be read: --photos takes a folder of pictures")
    return cache


def _digest(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _known(data: Path, index: Path, fingerprint: str) -> PhotoCache | None:
    """The cache that is there, where it is whole."""
    try:
        known = json.loads(index.read_text(encoding="utf-8"))
        cache = PhotoCache(data, tuple(known["ends"]), tuple(known["broken"]), fingerprint)
        whole = data.stat().st_size == (cache.ends[-1] if cache.ends else 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return cache if whole else None


def _write(
    paths: list[Path], data: Path, on_photo: Callable[[int], None] | None
) -> tuple[list[int], list[str]]:
    ends, broken, end = [], [], 0
    common = os.path.commonpath([path.parent for path in paths])
    with PartialFile(data) as partial, partial.part.open("wb") as file:
        for number, path in enumerate(paths, start=1):
            image = read_photo(path)
            if image is None:
                broken.append(path.relative_to(common).as_posix())
            else:
                end += file.write(_encode(image))
                ends.append(end)
            if on_photo is not None:
                on_photo(number)
    return ends, broken


def _encode(image: Image) -> bytes:
    scale = _SHORT_SIDE / min(image.shape[:2])
    if scale < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


@dataclass(frozen=True)
class PhotoBatches(Dataset[tuple[Tensor, Tensor]]):
    """The batch of each step: crops (B, 3, side, side), uint8 RGB, and a style number for each, (B,).

    A step's batch depends on the seed and its number alone, so that a resumed run sees what it would have.
    """

    photos: PhotoCache
    styles: int
    steps: int
    batch: int
    side: int
    seed: int

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of a step, counted from 0."""
        rng = np.random.default_rng([self.seed, step])
        crops = np.stack([self._crop(rng) for _ in range(self.batch)])
        return torch.from_numpy(crops.transpose(0, 3, 1, 2)), torch.from_numpy(
            rng.integers(self.styles, size=self.batch)
        )

    def _crop(self, rng: np.random.Generator) -> Image:
        """A random square of a random photo, 70 to 100 % of its short side, scaled and perhaps mirrored."""
        image = self.photos[int(rng.integers(len(self.photos)))]
        height, width, _ = image.shape
        side = int(min(height, width) * rng.uniform(0.7, 1))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        square = image[top : top + side, left : left + side]
        way = cv2.INTER_AREA if side > self.side else cv2.INTER_CUBIC
        scaled = np.asarray(cv2.resize(square, (self.side, self.side), interpolation=way), np.uint8)
        if scaled.std(axis=(0, 1)).max() < _GRAIN:
            grain = rng.normal(0, _GRAIN, scaled.shape)
            scaled = np.rint(np.clip(scaled + grain, 0, 255)).astype(np.uint8)
        return scaled[:, ::-1] if rng.random() < 0.5 else scaled
