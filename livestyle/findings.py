"""What a check of this machine finds."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version


class State(StrEnum):
    """How well a thing is."""

    OK = "ok"
    NOTE = "note"
    """Something optional is missing; livestyle does without."""
    FAULT = "fault"
    """Something does not work that should."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    state: State
    value: str
    fix: str = ""
    """What to do about it, where it is not ok."""


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed. Nothing is loaded."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
