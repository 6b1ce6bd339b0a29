"""A group of commands that tells an error in one line."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from livestyle.cli.stopping import Stop
from livestyle.errors import LivestyleError, reason_of


class Group(click.Group):
    """A group whose errors are one line each, and Ctrl-C's exit status the one that shells give it."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line. What stdout cannot show is escaped; what it does not take is an error."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if not _was_printing(error):
                raise
            _drop_stdout()
            click.echo(f"Error: cannot print: {reason_of(error)}; send stdout elsewhere", err=True)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LivestyleError as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            reason = str(error) or "more was needed than there is"
            raise click.ClickException(
                f"out of memory: {reason}; close other programs, or paint something smaller"
            ) from error
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(Stop().status)


def _was_printing(error: OSError) -> bool:
    """Whether it came out of click's print; a closed pipe, which click ends quietly for, never gets here."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__


def _drop_stdout() -> None:
    """What is still to be written fails again when Python ends, with a traceback: into nowhere with it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
