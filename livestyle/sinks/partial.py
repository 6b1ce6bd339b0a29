"""A file that appears under its name only when it is complete."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from livestyle.errors import SinkError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]


class PartialFile:
    """A temporary file beside `path`, empty at first, that `commit` renames to it and `discard` removes.

    Until `commit`, whatever is at `path` stays as it was; with `overwrite` False there must be nothing. What
    a process left that was killed while it wrote the same `path` is removed. Raises `SinkError` where no file
    can be made.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = True) -> None:
        self.path = Path(path)
        try:
            target = self.path.resolve()  # a link stays a link, and the rename stays within one file system
            _check(self.path, target, overwrite)
            _remove_leftovers(target)
            self._target = target
            self.part = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}.part")
            self._held = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise _refused(self.path, error) from error
        _lock(self._held)

    def commit(self) -> None:
        """Put the file in its place, in one step."""
        self._release()
        try:
            self.part.replace(self._target)
        except OSError as error:
            self.discard()
            raise _refused(self.path, error) from error

    def discard(self) -> None:
        """Remove what was written; safe to call twice."""
        self._release()
        self.part.unlink(missing_ok=True)

    def _release(self) -> None:
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def _check(path: Path, target: Path, overwrite: bool) -> None:
    if target.is_dir():
        raise SinkError(f"cannot write {path}: it is a folder; name a file in it")
    if not target.parent.is_dir():
        raise SinkError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if not overwrite and target.exists():
        raise SinkError(f"cannot write {path}: it exists; choose another name, or add --overwrite")


def _prefix(target: Path) -> str:
    return f".{target.name[-100:]}."


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files of this target that nobody holds any more."""
    prefix = _prefix(target)
    for part in target.parent.glob("*.part"):
        if part.name.startswith(prefix) and part.name.count(".", len(prefix)) == 1:
            with suppress(OSError):
                held = os.open(part, os.O_WRONLY)
                try:
                    if _lock(held):
                        part.unlink()
                finally:
                    os.close(held)


def _lock(held: int) -> bool:
    """Hold the file until this process closes it or ends, however it ends; False where another one does."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _refused(path: Path, error: OSError) -> SinkError:
    reason = (error.strerror or str(error)).lower()
    return SinkError(f"cannot write {path}: {reason}; choose another place")
