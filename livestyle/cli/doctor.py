"""livestyle doctor."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livestyle.findings import Finding

_COLOURS = {"ok": "green", "note": "yellow", "fault": "red"}
_INDENT = 22


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs and bug reports.")
def doctor(as_json: bool) -> None:
    """Look at what this machine has for livestyle, what it lacks, and what to do about it.

    Exits with 1 where something is at fault; what is only missing is a note.
    """
    from livestyle.doctor import examine
    from livestyle.findings import State

    logging.getLogger("livestyle").setLevel(logging.ERROR)  # the findings say it all
    findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(60, min(140, shutil.get_terminal_size().columns))
        for finding in findings:
            click.echo(_lines(finding, width))
    if any(finding.state is State.FAULT for finding in findings):
        sys.exit(1)


def _lines(finding: Finding, width: int) -> str:
    """The finding in a few lines, the fix in the last."""
    state = f"{finding.state:<5}"
    if not os.environ.get("NO_COLOR"):
        state = click.style(state, fg=_COLOURS[finding.state])
    space = " " * _INDENT
    text = textwrap.fill(finding.value, width, initial_indent=space, subsequent_indent=space).lstrip()
    if finding.fix:
        text += "\n" + textwrap.fill(
            f"-> {finding.fix}", width, initial_indent=space, subsequent_indent=space
        )
    return f"{state} {finding.name:<15} {text}"
