"""The folder in which the segments of one video wait for the rest, and what is known of them."""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from livestyle.errors import SinkError, reason_of
from livestyle.sinks.partial import end_of

SEGMENT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Past:
    """What was made of a video up to the end of a segment."""

    seconds: float = 0.0
    """The pts of that end."""
    frames: int = 0
    faults: list[str] = field(default_factory=list)
    """What was wrong with its input up to there."""
    ended: bool = False
    """Whether that is all of it."""


class SegmentFolder:
    """A folder beside `target`, empty at first unless its segments have the fingerprint. Raises SinkError."""

    def __init__(self, target: Path, fingerprint: str) -> None:
        self.path = target.with_name(f".{_short(target.name)}.segments")
        self.count = 0
        """How many segments of earlier runs are complete."""
        self.past = Past()
        """What is known of them."""
        try:
            if not self._was_made_from(fingerprint):
                self.remove()
                self.path.mkdir()
                self._made_from.write_text(json.dumps(fingerprint), encoding="utf-8")
        except OSError as error:
            self.tidy()
            raise self._refused(error) from error

    def segment(self, number: int) -> Path:
        """The file of a segment; an empty one has no frames."""
        return self.path / f"{number:06d}.mp4"

    @property
    def segments(self) -> list[Path]:
        """The files of the complete segments, in order."""
        return sorted(path for path in self.path.glob("*.mp4") if path.stem.isdecimal())

    def leave_empty(self, number: int) -> None:
        """Make a segment of no frames."""
        try:
            self.segment(number).touch()
        except OSError as error:
            raise self._refused(error) from error

    def note(self, number: int, past: Past) -> None:
        """Keep what was made by the end of a segment, which is complete only after that."""
        try:
            self._note(number).write_text(json.dumps(asdict(past)), encoding="utf-8")
        except OSError as error:
            raise self._refused(error) from error

    def tidy(self) -> None:
        """Remove the folder unless it holds something painted; nothing where it cannot be looked into."""
        with suppress(OSError):
            if not any(path.stat().st_size for path in self.segments):
                self.remove()

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def _made_from(self) -> Path:
        return self.path / "made-from.json"

    def _note(self, number: int) -> Path:
        return self.segment(number).with_suffix(".json")

    def _was_made_from(self, fingerprint: str) -> bool:
        """Read what is there; False for nothing, or something else."""
        try:
            if json.loads(self._made_from.read_text(encoding="utf-8")) != fingerprint:
                return False
            numbers = [int(path.stem) for path in self.segments]
            self.count = next((n for n, found in enumerate(numbers) if n != found), len(numbers))
            notes = [note for number in range(self.count) if (note := self._note(number)).is_file()]
            if notes:
                self.past = Past(**json.loads(notes[-1].read_text(encoding="utf-8")))
            self.past = replace(self.past, seconds=self.count * SEGMENT_SECONDS)
        except (FileNotFoundError, ValueError, TypeError):
            self.count, self.past = 0, Past()
            return False
        return True

    def _refused(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write to {self.path}: {reason_of(error)}; choose another folder")


def _short(name: str) -> str:
    """The name itself, or its end and a mark that no other name of that end has."""
    end = end_of(name)
    return name if end == name else f"{end}.{hashlib.blake2b(os.fsencode(name), digest_size=4).hexdigest()}"
