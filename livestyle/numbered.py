"""Names of numbered pictures, like `frames/%05d.png`."""

import re
from pathlib import Path

from livestyle.errors import SourceError, reason_of

_NUMBER = re.compile(r"%0?\d*d")
_NAMES = "png jpg jpeg webp bmp tif tiff ppm exr hdr jp2 avif tga dpx"
_PICTURES = frozenset(f".{name}" for name in _NAMES.split())


def is_numbered(path: Path | str) -> bool:
    """Whether there is a place for a number in it: not in My%20dog.mp4, which is one file."""
    return _has_place(path) and Path(path).suffix.lower() in _PICTURES


def _has_place(path: Path | str) -> bool:
    return _NUMBER.search(str(path)) is not None


def is_sound(pattern: Path) -> bool:
    """Whether there is one place for a number, in its name and not in its folder."""
    places = len(_NUMBER.findall(pattern.name))
    return places == pattern.name.count("%") == 1 and not _has_place(pattern.parent)


def numbers(pattern: Path) -> list[int]:
    """The numbers of the pictures that `pattern` matches, in order. Raises SourceError where none does."""
    if not is_sound(pattern):
        raise SourceError(f"cannot open {pattern}: only the name may be numbered; write frames/%05d.png")
    try:
        found = present(pattern)
    except OSError as error:
        raise SourceError(f"cannot open {pattern}: {reason_of(error)}; check the pattern") from error
    if not found:
        raise SourceError(f"cannot open {pattern}: no picture has such a name; check the pattern")
    return found


def present(pattern: Path) -> list[int]:
    """The numbers of what is there by such a name, in order. Raises OSError where nobody can tell."""
    found = (number_in(path.name, pattern) for path in pattern.parent.iterdir())
    return sorted(number for number in found if number is not None)


def number_in(name: str, pattern: Path) -> int | None:
    """The number by which a sound pattern names that; None for another name."""
    before, after = _NUMBER.split(pattern.name)
    number = name.removeprefix(before).removesuffix(after)
    return int(number) if number.isdecimal() and name == pattern.name % int(number) else None
