"""A group of commands that tells an error in one line."""

from __future__ import annotations

import click

from livestyle.cli.stopping import Stop
from livestyle.errors import LivestyleError


class Group(click.Group):
    """A group whose errors are one line each, and Ctrl-C's exit status the one that shells give it."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LivestyleError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(Stop().status)
