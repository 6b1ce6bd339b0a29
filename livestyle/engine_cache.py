"""Engines that were built on this device, in the user's cache folder: plans with a note beside each,
and with the kernels that were compiled for it, where its TensorRT keeps them.

A plan is executable content: only its owner can read or write the folder, and a plan that is not the one its
note tells of is not loaded.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from livestyle import defaults
from livestyle.errors import EngineError, reason_of
from livestyle.folder_lock import in_turn
from livestyle.remembered import cache_folder, digest, make_private, write_whole

logger = logging.getLogger(__name__)

FORMAT = 2
"""Part of every key: counts up when plans of older versions cannot be used any more."""
_PLAN, _NOTE, _KERNELS = ".plan", ".json", ".kernels"
_DIGEST_BYTES = 32
_FIX = "make it yours, or set XDG_CACHE_HOME to another folder"


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine that is kept."""

    path: Path
    note: dict[str, Any]
    """`key`, what the engine depends on; `found`, what was measured when it was built; its sha256."""
    size_bytes: int
    used: float
    """When it was last used, in seconds since 1970."""


class EngineCache:
    """Plans by their keys. What was not used for the longest goes first where they exceed `limit_gb`."""

    def __init__(self, folder: Path | None = None, limit_gb: float = defaults.ENGINES_GB) -> None:
        self.folder = folder or cache_folder() / "engines"
        self._limit_bytes = limit_gb * 1e9

    def get(self, key: Mapping[str, object]) -> bytes | None:
        """The plan for that key; None where there is none, or it is damaged and removed if it can be."""
        path = self._path(key)
        try:
            plan, note = path.read_bytes(), json.loads(path.with_suffix(_NOTE).read_text(encoding="utf-8"))
            if sha256(plan).hexdigest() != note["sha256"]:
                raise ValueError("it is not the one that was built")
            if not _private(path):
                raise ValueError("its folder is another user's, or open to others")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            did = "removed" if self.drop(key) else "cannot use"
            logger.warning("%s the engine %s: %s", did, path, reason_of(error))
            return None
        with suppress(OSError):  # of a cache that can only be read
            os.utime(path)
        return plan

    def put(self, key: Mapping[str, object], plan: bytes, found: Mapping[str, object]) -> None:
        """Keeps a plan with what was found when it was built. Raises EngineError where it cannot be."""
        path = self._path(key)
        note = {"key": dict(key), "found": dict(found), "sha256": sha256(plan).hexdigest()}
        with self._written():
            path.with_suffix(_KERNELS).unlink(missing_ok=True)
            write_whole(path.with_suffix(_NOTE), json.dumps(note, indent=2).encode())
            write_whole(path, plan)
        self._make_room(path)

    def kernels(self, key: Mapping[str, object]) -> bytes | None:
        """What was compiled for the plan; None where nothing is kept, or it is damaged."""
        try:
            content = self._path(key).with_suffix(_KERNELS).read_bytes()
        except OSError:
            return None
        told, kernels = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return kernels if sha256(kernels).digest() == told else None

    def keep_kernels(self, key: Mapping[str, object], kernels: bytes | None) -> None:
        """Keeps what was compiled for a plan; where it cannot, that is compiled again."""
        if kernels is not None:
            with suppress(OSError):
                write_whole(self._path(key).with_suffix(_KERNELS), sha256(kernels).digest() + kernels)

    @contextmanager
    def one_builder(self) -> Iterator[None]:
        """Waits until no other process builds for this folder: a build takes all of a GPU.

        Raises EngineError where no engine could be kept.
        """
        with self._written():
            pass
        with in_turn(self.folder, "builds an engine"):
            yield

    def drop(self, key: Mapping[str, object]) -> bool:
        """Forgets one plan, if there is one; False where that is not allowed."""
        try:
            _remove(self._path(key))
        except OSError:
            return False
        return True

    def entries(self) -> list[Entry]:
        """All that is kept, the last used first. Raises EngineError where the folder cannot be read."""
        found = []
        try:
            for path in [path for path in self.folder.iterdir() if path.suffix == _PLAN]:
                with suppress(FileNotFoundError):  # another process may be making room
                    found.append(_entry(path))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EngineError(f"cannot read {self.folder}: {reason_of(error)}; {_FIX}") from error
        return sorted(found, key=lambda entry: -entry.used)

    def clear(self) -> int:
        """Forgets all; gives how many there were. Raises EngineError where that is not allowed."""
        entries = self.entries()
        try:
            for entry in entries:
                _remove(entry.path)
        except OSError as error:
            raise EngineError(
                f"cannot remove the engines in {self.folder}: {reason_of(error)}; {_FIX}"
            ) from error
        return len(entries)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """The folder made ready to be written. Raises EngineError where it cannot be."""
        try:
            make_private(cache_folder())
            make_private(self.folder)
            yield
        except OSError as error:
            raise EngineError(f"cannot keep the engine in {self.folder}: {reason_of(error)}") from error

    def _make_room(self, newest: Path) -> None:
        total = 0
        for entry in self.entries():
            total += entry.size_bytes
            if total > self._limit_bytes and entry.path != newest:
                with suppress(OSError):
                    _remove(entry.path)
                    gigabytes = total / 1e9
                    logger.info(
                        "removed the engine %s: more than %.1f GB of them", entry.path.name, gigabytes
                    )

    def _path(self, key: Mapping[str, object]) -> Path:
        return self.folder / f"{digest({'format': FORMAT, **key})}{_PLAN}"


def _entry(plan: Path) -> Entry:
    facts, parts = plan.stat(), (plan, plan.with_suffix(_KERNELS))
    size = sum(part.stat().st_size for part in parts if part.exists())
    return Entry(plan, _note_of(plan), size, facts.st_mtime)


def _note_of(plan: Path) -> dict[str, Any]:
    """What is noted about a plan; nothing where that cannot be read."""
    try:
        note = json.loads(plan.with_suffix(_NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _remove(plan: Path) -> None:
    for suffix in (_PLAN, _NOTE, _KERNELS):
        plan.with_suffix(suffix).unlink(missing_ok=True)


def _private(plan: Path) -> bool:
    """Whether nobody else can have put the plan there."""
    if sys.platform == "win32":
        return True
    folder = plan.parent.stat()
    return folder.st_uid == os.getuid() and not folder.st_mode & 0o022
