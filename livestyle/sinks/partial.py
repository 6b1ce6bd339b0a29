"""A file that appears under its name only when it is complete."""

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self

from livestyle.errors import SinkError, reason_of

if sys.platform == "win32":  # where a file that is open cannot be removed
    fcntl = None
else:
    import fcntl

_PART = re.compile(r"\.(.+)\.[0-9a-f]+\.part", re.DOTALL)
"""The name of a temporary file, with the end of its target's."""


class PartialFile:
    """A temporary file beside `path`, empty at first, that `commit` renames to it and `discard` removes.

    Until `commit`, whatever is at `path` stays as it was; with `overwrite` False there must be nothing, then
    too, and a device or a pipe is never replaced. What a process left that was killed while it wrote the
    same `path` is removed, unless `swept` says that this was done. Raises `SinkError` where no file can be
    made.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = True, swept: bool = False) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        try:
            target = Path(os.path.realpath(self.path))  # a link stays one, and the rename in one file system
            _check(self.path, target, overwrite)
            end = end_of(target.name)
            if not swept:
                remove_leftovers(target.parent, lambda name: name == end)
            self._target = target
            self.part = target.with_name(f".{end}.{secrets.token_hex(4)}.part")
            self._held = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise _refused(self.path, error) from error
        _lock(self._held)

    def __enter__(self) -> Self:
        """Return the file; leaving commits it, and discards it on any exception, Ctrl-C included."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Commit or discard."""
        if kind is None:
            self.commit()
        else:
            self.discard()

    def write(self, content: bytes | str) -> None:
        """Write all that it is to hold. Raises `SinkError`."""
        try:
            self.part.write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise _refused(self.path, error) from error

    def commit(self, *, keep: bool = True) -> None:
        """Put the file in its place, in one step. Raises SinkError, which says where it is kept instead.

        Without `keep`, for a file that can be made again, it is removed then.
        """
        if fcntl is None:
            self._release()  # Windows renames no file that is open
        try:
            if self._overwrite:
                self.part.replace(self._target)
            else:
                _rename_to_new(self.part, self._target)
        except OSError as error:  # on Windows while a player shows what is to be replaced
            if not keep:
                self.discard()
                raise _refused(self.path, error) from error
            why = "it was made meanwhile" if isinstance(error, FileExistsError) else reason_of(error)
            raise SinkError(
                f"cannot write {self.path}: {why}; what was made is kept as {self._keep()}"
            ) from error
        finally:  # not before: whoever begins with the same path would take it for a leftover
            self._release()

    def discard(self) -> None:
        """Remove what was written; safe to call twice."""
        self._release()
        self.part.unlink(missing_ok=True)

    def _keep(self) -> Path:
        """Give the file a name of its own, for the next run not to remove it."""
        token = self.part.suffixes[-2] if len(self.part.suffixes) > 1 else ""
        try:
            return self.part.replace(
                self._target.with_name(f"{self._target.stem}{token}{self._target.suffix}")
            )
        except OSError:
            return self.part

    def _release(self) -> None:
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


def alternatives(path: Path) -> Iterator[Path]:
    """`path`, then with -2, -3 and so on behind its stem, without end."""
    yield path
    for number in count(2):
        yield path.with_stem(f"{path.stem}-{number}")


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Hold a name for what is put there now, by an empty file that an exception removes.

    Raises FileExistsError where it is taken, be it in this very moment by another process, else OSError.
    """
    path.touch(exist_ok=False)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check(path: Path, target: Path, overwrite: bool) -> None:
    if target.is_dir():
        raise SinkError(f"cannot write {path}: it is a folder; name a file in it")
    if not target.parent.is_dir():
        folder = target.parent if path.is_symlink() else path.parent
        raise SinkError(f"cannot write {path}: there is no folder {folder}; make it first")
    if target.is_symlink():
        raise SinkError(f"cannot write {path}: it is a link to itself; choose another name, or remove it")
    if target.exists() and not target.is_file():
        raise SinkError(f"cannot write {path}: it is a device or a pipe; write to - and send stdout there")
    if not overwrite and target.exists():
        raise SinkError(f"cannot write {path}: it exists; choose another name, or add --overwrite")


def _rename_to_new(part: Path, target: Path) -> None:
    """Rename a file. Raises FileExistsError where there is one, be it for a moment only, else OSError."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # as on FAT and some network drives, which know no second name of a file
        with reserved(target):
            part.replace(target)
    else:
        with suppress(OSError):  # on Windows while a virus scanner has it open; the next run removes it
            part.unlink()


def end_of(name: str) -> str:
    """What of a name fits into that of a file beside it: names are limited in bytes."""
    return os.fsencode(name)[-100:].decode(sys.getfilesystemencoding(), errors="ignore")


def remove_leftovers(folder: Path, is_wanted: Callable[[str], bool]) -> None:
    """Remove the temporary files of targets of such names that nobody holds any more. Raises OSError."""
    for part in folder.glob("*.part"):
        found = _PART.fullmatch(part.name)
        if found and is_wanted(found[1]):
            with suppress(OSError):
                _remove_unless_held(part)


def _remove_unless_held(part: Path) -> None:
    held = os.open(part, os.O_WRONLY)
    try:
        ours = _lock(held)
        if ours and fcntl is not None:  # while it is locked: nobody else may begin with it
            part.unlink()
    finally:
        os.close(held)
    if ours and fcntl is None:
        part.unlink()


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
    return SinkError(f"cannot write {path}: {reason_of(error)}; choose another place")
