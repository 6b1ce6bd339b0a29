"""A video as numbered pictures."""

import logging
from contextlib import suppress
from pathlib import Path

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.numbered import is_sound, number_in, present
from livestyle.sinks.partial import remove_leftovers
from livestyle.sinks.picture import check_target, write_picture

logger = logging.getLogger(__name__)


class SequenceSink:
    """Writes each frame to a picture of its own, numbered from 1 on by `pattern`, like `frames/%05d.png`.

    Each picture appears when it is complete; on an error those before it stay. With `overwrite` False there
    must be none of such a name, else those of higher numbers stay, which is told. Raises `SinkError`.
    """

    def __init__(self, pattern: Path | str, *, overwrite: bool = True) -> None:
        self.path = Path(pattern)
        self.count = 0
        """Pictures written."""
        self.faults: list[str] = []
        """Nothing goes along that could be damaged."""
        self._overwrite = overwrite
        if not is_sound(self.path):
            raise SinkError(f"cannot write {pattern}: only the name may be numbered; write frames/%05d.png")
        check_target(self._path(1), overwrite=overwrite)
        self._before: list[int] = []
        """The numbers of pictures that were there."""
        with suppress(OSError):  # whoever may not list a folder may yet write to it
            self._before = present(self.path)
        if self._before and not overwrite:
            picture = self._path(self._before[0])
            raise SinkError(f"cannot write {picture}: it exists; choose another name, or add --overwrite")
        with suppress(OSError):  # once: for each picture it would look at all before
            remove_leftovers(self.path.parent, lambda name: number_in(name, self.path) is not None)

    @property
    def complete(self) -> bool:
        """Whether there is something to keep."""
        return self.count > 0

    def write(self, frame: Frame) -> None:
        """Write the next picture. Raises `SinkError`."""
        write_picture(self._path(self.count + 1), frame.image, overwrite=self._overwrite, swept=True)
        self.count += 1

    def close(self) -> None:
        """Raise `SinkError` when no frame was written; safe to call twice."""
        if not self.count:
            raise SinkError(f"cannot write {self.path}: not one frame came; choose another input")
        self._tell_others()

    def __enter__(self) -> "SequenceSink":
        """Return the sink."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close on a normal end."""
        if kind is None:
            self.close()
        elif self.count:
            self._tell_others()

    def _tell_others(self) -> None:
        """Tell, once, which pictures are there beside those written, and would be taken for them."""
        others = [number for number in self._before if not 1 <= number <= self.count]
        self._before = []
        if others:
            names = " to ".join(dict.fromkeys(self._path(number).name for number in (others[0], others[-1])))
            logger.warning("pictures that were there before stay beside those of %s: %s", self.path, names)

    def _path(self, number: int) -> Path:
        return self.path.with_name(self.path.name % number)
