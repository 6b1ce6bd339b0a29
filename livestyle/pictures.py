"""Pictures painted into others: what `livestyle image` does."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from livestyle.clips import PICTURES, collect, targets
from livestyle.errors import LivestyleError, NoMemoryError, SinkError, SourceError, reason_of
from livestyle.sinks import refuse_same_file
from livestyle.sinks.picture import fill_picture, keeps_alpha, open_picture
from livestyle.sources.alpha import over_black
from livestyle.sources.picture import read_with_alpha, tell_of_more

if TYPE_CHECKING:
    from livestyle.painter import Painter

logger = logging.getLogger(__name__)

_KEPT = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".jp2"})
"""Suffixes that a painting has too; where its picture has another, it is a .png."""


def paint_picture(
    source: Path, target: Path, make_painter: Callable[[], Painter], *, overwrite: bool = False
) -> tuple[int, int]:
    """Paint the picture `source` into `target`; returns its size (width, height).

    `make_painter` is called when both are known to be good. Raises what reading, painting and writing raise.
    """
    picture, alpha = read_with_alpha(source)
    tell_of_more(source)
    refuse_same_file(target, source)
    with open_picture(target, overwrite=overwrite) as partial:
        painter = make_painter()
        if alpha is not None and not keeps_alpha(target):
            logger.warning("%s has transparent parts: they are painted as black; a .png keeps them", source)
            picture, alpha = over_black(picture, alpha), None
        fill_picture(partial, painter(picture), alpha)
    return picture.shape[1], picture.shape[0]


def plan(sources: Sequence[Path], target: Path) -> list[tuple[Path, Path]]:
    """Which picture goes where: one to a file, all others into a folder, each under its own name.

    A source may also be a folder, which is searched, or a pattern. Raises SourceError where there is no
    picture, SinkError where the folder cannot be made.
    """
    found = collect(map(str, sources), target, PICTURES)
    if os.path.isdir(target):  # noqa: PTH112 - False, not an error, where nobody may look
        return _into(target, found)
    if len(found) == 1 and found == list(sources):
        return [(found[0], target)]
    if target.suffix.lower() in PICTURES.suffixes:
        raise SinkError(f"cannot write {len(found)} pictures to {target}: it is one file; name a folder")
    try:
        target.mkdir(parents=True)
    except OSError as error:
        raise SinkError(f"cannot write to {target}: {reason_of(error)}; choose another folder") from error
    return _into(target, found)


def paint_pictures(
    pairs: Sequence[tuple[Path, Path]], make_painter: Callable[[], Painter], *, overwrite: bool = False
) -> Iterator[tuple[int, int] | LivestyleError]:
    """Paint one picture after another; yields the size (width, height) of each, or why there is none.

    Raises what would fail for all of them: `StyleError`, and `EngineError` but for too little memory.
    """
    for source, target in pairs:
        try:
            yield paint_picture(source, target, make_painter, overwrite=overwrite)
        except (SourceError, SinkError, NoMemoryError) as error:
            yield error


def _into(folder: Path, sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    return list(zip(sources, targets(sources, folder, _suffix_of), strict=True))


def _suffix_of(source: Path) -> str:
    return source.suffix if source.suffix.lower() in _KEPT else ".png"
