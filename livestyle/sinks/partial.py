"""A file that appears under its name only when it is complete."""

import secrets
from pathlib import Path

from livestyle.errors import SinkError


class PartialFile:
    """A temporary file beside `path`, empty at first, that `commit` renames to it and `discard` removes.

    Until `commit`, whatever is at `path` stays as it was. Raises `SinkError` where no file can be made.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        target = self.path.resolve()  # a link stays a link, and the rename stays within one file system
        if target.is_dir():
            raise SinkError(f"cannot write {path}: it is a folder; name a file in it")
        if not target.parent.is_dir():
            raise SinkError(f"cannot write {path}: there is no folder {self.path.parent}; make it first")
        self._target = target
        self.part = target.with_name(f".{target.name[-100:]}.{secrets.token_hex(4)}.part")
        try:
            self.part.touch(exist_ok=False)
        except OSError as error:
            raise _refused(self.path, error) from error

    def commit(self) -> None:
        """Put the file in its place, in one step."""
        try:
            self.part.replace(self._target)
        except OSError as error:
            self.discard()
            raise _refused(self.path, error) from error

    def discard(self) -> None:
        """Remove what was written; safe to call twice."""
        self.part.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> SinkError:
    reason = (error.strerror or str(error)).lower()
    return SinkError(f"cannot write {path}: {reason}; choose another place")
