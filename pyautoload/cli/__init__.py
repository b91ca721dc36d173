"""The command line. Each module of this package without a leading underscore is a command of that name.

Such a module defines ``command``, a click command; it is imported when it is used, or when help lists it.
Only ``__main__.py`` calls this package.
"""

from __future__ import annotations

import importlib
import pkgutil

import click

import pyautoload
from pyautoload.errors import ConflictError, SetupError
from pyautoload.printable import printable, wanted_colour

__all__ = ["command"]


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: ``pyautoload tree`` loads no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the modules beside this file."""
        names = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The ``command`` of the module of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Run; a conflict in the tree is a finding, a mistake in the configuration a wrong use of the command."""
        ctx.color = wanted_colour()
        try:
            return super().invoke(ctx)
        except ConflictError as error:
            click.echo(
                f"Error: {printable(str(error), keep=chr(10))}\n"
                "`pyautoload check --static` shows this and all other problems.",
                err=True,
            )
            ctx.exit(1)
        except SetupError as error:
            raise click.UsageError(printable(str(error), keep="\n")) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(pyautoload.__version__, prog_name="pyautoload")
def command() -> None:
    """Inspect, check, test, serve and measure what PyAutoload manages.

    Commands read [tool.pyautoload] in the nearest pyproject.toml, or take --root. Exit codes: 0 no problems,
    1 problems found, 2 wrong use. NO_COLOR and FORCE_COLOR decide about colours.
    """
