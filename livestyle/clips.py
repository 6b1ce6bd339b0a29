"""Which of many files are painted, videos or pictures, and what their paintings are called."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, takewhile
from pathlib import Path
from typing import NamedTuple

from livestyle.errors import SourceError


class Kind(NamedTuple):
    """What is looked for."""

    name: str
    suffixes: frozenset[str]
    """Those of files that are taken for one in a folder."""
    advice: str
    """What to do with others."""


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


VIDEOS = Kind(
    "video",
    _suffixes("mp4 m4v mov mkv webm avi ts m2ts mts mpg mpeg wmv flv gif 3gp ogv"),
    "pictures go to livestyle image",
)
PICTURES = Kind(
    "picture",
    _suffixes("jpg jpeg jpe jfif png webp bmp tif tiff avif jp2 ppm"),
    "videos go to livestyle batch",
)


def collect(inputs: Iterable[str], output: Path | None = None, kind: Kind = VIDEOS) -> list[Path]:
    """The files that names, folders and patterns mean, each once, in order. Raises SourceError for none.

    In folders only those of a `kind` count. A search finds nothing in the folder `output`, unless it begins
    below that: paintings are not painted.
    """
    found: dict[Path, Path] = {}
    for name in inputs:
        matches = _matches(name, _real(output) if output else None, kind)
        if not matches:
            raise SourceError(f"cannot find a {kind.name} in {name}: check the name; {kind.advice}")
        for path in matches:
            found.setdefault(_real(path), path)
    if not found:
        raise SourceError("there is nothing to paint: name files, folders or patterns")
    return list(found.values())


def targets(sources: Sequence[Path], folder: Path, suffix_of: Callable[[Path], str]) -> list[Path]:
    """Where each goes: its own name with the suffix that it shall have.

    Where some would meet, be it on a system that takes `A` for `a`, with its folder's name before it, or its
    old suffix behind, or both; at last with a number.
    """
    names = [_names(source) for source in sources]
    uses = [Counter(name.casefold() for name in level) for level in zip(*names, strict=True)]
    alone = [[n for n, used in zip(own, uses, strict=True) if used[n.casefold()] == 1] for own in names]
    taken: set[str] = set()
    chosen: dict[int, str] = {}
    for place in sorted(range(len(names)), key=lambda place: names[place][0] not in alone[place]):
        numbered = (f"{names[place][-1]}-{number}" for number in count(2))
        free = (name for name in chain(alone[place], numbered) if name.casefold() not in taken)
        chosen[place] = next(free)
        taken.add(chosen[place].casefold())
    return [folder / f"{chosen[place]}{suffix_of(source)}" for place, source in enumerate(sources)]


def _names(source: Path) -> list[str]:
    """What its painting may be called, the plainest first."""
    parent, stem, old = _real(source.parent).name, source.stem, source.suffix.removeprefix(".")
    choices = [stem], [parent, stem], [stem, old], [parent, stem, old]
    return ["-".join(filter(None, words)) for words in choices]


def _matches(name: str, output: Path | None, kind: Kind) -> list[Path]:
    path = Path(name)
    if os.path.isdir(name):  # noqa: PTH112 - False, not an error, where nobody may look
        return _outside(output, path, sorted(_inside(path, kind)), kind)
    if os.path.exists(name) or not glob.has_magic(name):  # noqa: PTH110
        return [path]  # one that is missing is told with the others' results
    plain = takewhile(lambda part: not glob.has_magic(part), path.parts)
    found = sorted(Path(p) for p in glob.glob(name, recursive=True))  # noqa: PTH207 - absolute ones too
    if not found and not {"*", "?"} & set(name):
        return [path]  # brackets are in many a name
    return _outside(output, Path(*plain), found, kind)


def files_under(folder: Path, closed: list[Path] | None = None) -> Iterator[Path]:
    """The files below a folder, also behind links to folders, each folder once; hidden ones are left out.

    Folders that cannot be looked into are added to `closed`.
    """
    seen = set()
    refused = [] if closed is None else closed
    for parent, folders, names in os.walk(
        folder, onerror=lambda error: refused.append(Path(error.filename)), followlinks=True
    ):
        real = os.path.realpath(parent)
        # of two ways to a folder always the same is taken, and of links in a circle none
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        if real not in seen:
            yield from (Path(parent, name) for name in names if not name.startswith("."))
        seen.add(real)


def _inside(folder: Path, kind: Kind) -> Iterator[Path]:
    """The files of a kind below a folder, and folders that cannot be looked into: both are told a result."""
    closed: list[Path] = []
    for path in files_under(folder, closed):
        if path.suffix.lower() in kind.suffixes and _may_be_file(path):
            yield path
    yield from closed


def _outside(output: Path | None, searched: Path, found: list[Path], kind: Kind) -> list[Path]:
    """What does not lie in `output`, unless the search began below that. Raises SourceError: all does."""
    if output is None or output in _real(searched).parents:
        return found
    outside = [path for path in found if not _real(path).is_relative_to(output)]
    if found and not outside:
        raise SourceError(
            f"cannot tell {kind.name}s from paintings in {searched}: choose another folder for the output, "
            f"or name each {kind.name}"
        )
    return outside


def _real(path: Path) -> Path:
    """The absolute path behind all links; one that leads to itself stays, and is told when it is opened."""
    return Path(os.path.realpath(path))


def _may_be_file(path: Path) -> bool:
    """Whether it is a file, or one that cannot be looked at, which is told with the others' results."""
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113 - Path's may raise
