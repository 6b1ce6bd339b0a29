"""The command, called in this process or as one with a deadline."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from livestyle.cli import main
from tests.pictures import scene

COMMAND = [sys.executable, "-m", "livestyle", "video"]
DEADLINE_SECONDS = 60
posix = pytest.mark.skipif(os.name == "nt", reason="pipes, signals and limits as POSIX has them")


def call(*arguments: object) -> Result:
    """Calls `livestyle` in this process."""
    # the log goes to the handler of the first call, whose stream click has closed since
    logging.getLogger().handlers.clear()
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def livestyle(
    *arguments: object, data: bytes | None = None, limit: int | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Runs `livestyle video` without the network; `limit` is the size in bytes that no file may exceed."""

    def set_limit() -> None:
        import resource

        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [*COMMAND, *map(str, arguments), "--strength", "0"]
    before = set_limit if limit is not None else None
    return subprocess.run(
        command, input=data, capture_output=True, timeout=DEADLINE_SECONDS, preexec_fn=before, check=False
    )


def moving(count: int = 24, width: int = 96, height: int = 64) -> list[np.ndarray]:
    return [np.roll(scene(width, height), 2 * index, axis=1) for index in range(count)]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
