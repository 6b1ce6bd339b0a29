"""The JSON file in which a batch keeps what became of each file, for people and for its next run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path

from livestyle import __version__
from livestyle.errors import SinkError
from livestyle.sinks.partial import PartialFile
from livestyle.workers import Result


class BatchReport:
    """The results of a batch, and those of earlier ones whose paintings are still there.

    Raises `SinkError` where `path` cannot be written, where it is one of the `paths` that the batch reads or
    makes, and where it exists and is no such report.
    """

    def __init__(self, path: Path, paths: Iterable[Path] = ()) -> None:
        self._path = path
        if absolute(path) in map(absolute, paths):
            raise SinkError(
                f"cannot write the report {path}: the batch has a video of that name; choose another"
            )
        PartialFile(path).discard()  # what is wrong with the place is told now
        rows = _read(path)
        self._rows = {(row.source, row.target): row for row in rows if _is_there(row)}

    def maker(self, target: Path) -> Result | None:
        """The result whose painting is at `target`; None where no run has made what is there."""
        name = absolute(target)
        rows = (row for row in self._rows.values() if row.target == name and _is_there(row))
        return next(rows, None)

    def painting(self, source: Path, fingerprint: str, folder: Path) -> Result | None:
        """The result of that file with that fingerprint in a folder, whatever it is called there."""
        rows = (row for row in self._rows.values() if row.source == absolute(source) and _is_there(row))
        place = Path(absolute(folder))
        return next(
            (row for row in rows if row.fingerprint == fingerprint and Path(row.target).parent == place), None
        )

    def add(self, result: Result) -> None:
        """Keep a result, and write the file. Raises `SinkError`."""
        target = absolute(result.target)
        row = replace(result, source=absolute(result.source), target=target)
        if row.fingerprint and row.status != "skipped":
            row = replace(row, state=state_of(target))
        maker = self.maker(Path(target))
        if maker and row.status == "skipped":
            row = replace(row, source=maker.source)
        elif maker and row.status == "failed" and row.source == maker.source:
            # what an earlier run made is still there
            row = replace(row, fingerprint=maker.fingerprint, state=maker.state)
        elif maker and row.status != "failed":
            del self._rows[maker.source, target]
        self._rows[row.source, target] = row
        self.write()

    def write(self) -> None:
        """Write the file. Raises `SinkError`."""
        content = {"version": __version__, "files": [asdict(row) for row in self._rows.values()]}
        with PartialFile(self._path) as partial:
            partial.write(json.dumps(content, indent=2) + "\n")


def absolute(path: Path | str) -> str:
    """The name by which a file is known from anywhere."""
    return os.path.realpath(path)


def state_of(path: Path | str) -> str:
    """The size of a file and when it was written, which others change; empty where there is none."""
    try:
        facts = Path(path).stat()
    except OSError:
        return ""
    return f"{facts.st_size} bytes, {facts.st_mtime_ns} ns"


def _is_there(row: Result) -> bool:
    return row.fingerprint != "" and os.path.exists(row.target)  # noqa: PTH110


def _read(path: Path) -> list[Result]:
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8") if path.is_file() else "")["files"]
        known = {field.name for field in fields(Result)}  # another version may say more
        return [Result(**{name: value for name, value in row.items() if name in known}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SinkError(
            f"cannot write {path}: it is no report of livestyle batch; name another file, or remove it"
        ) from error
