"""Count the words of a file."""

from __future__ import annotations

import click

from words import Text


@click.command()
@click.argument("file", type=click.File())
def command(file: click.utils.LazyFile) -> None:
    """Count the words of FILE."""
    click.echo(f"{len(Text(file.read()).words)} words")
