"""Something slow that may crash, done by a process of its own while the video runs."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class ChildBuild:
    """A command that runs beside us. It is not stopped with us: what it makes is there for the next time.

    A group of its own keeps Ctrl-C, which is meant for us, from it.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=_OWN_GROUP,
        )
        self._reason = ""

    def poll(self) -> bool | None:
        """True when it is done, False when it failed, None while it runs; never waits."""
        status = self._process.poll()
        if status is None:
            return None
        if not self._said.closed:
            self._reason = self._last_line() or f"it ended with status {status}"
            self._said.close()
        return status == 0

    @property
    def reason(self) -> str:
        """What it said last, once it has ended."""
        return self._reason

    def _last_line(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def livestyle_command(*arguments: str) -> list[str]:
    """The command line of this very livestyle."""
    return [sys.executable, "-m", "livestyle", *arguments]
