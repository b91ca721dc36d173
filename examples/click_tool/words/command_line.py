"""A group of commands, each loaded when it is run."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import click

COMMANDS = Path(__file__).parent / "commands"


class CommandLine(click.Group):
    """Every file in ``commands/`` is a command of that name."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands, by their files."""
        return sorted(file.stem for file in COMMANDS.glob("*.py"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Load a command."""
        if name not in self.list_commands(context):
            return None
        return import_module(f"words.commands.{name}").command  # type: ignore[no-any-return]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the first line of each file: click would load all of them to ask for their help."""
        lines = [(name, _summary(COMMANDS / f"{name}.py")) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(lines)


def _summary(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n")[0]
