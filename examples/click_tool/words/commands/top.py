"""Show the words that occur most often."""

from __future__ import annotations

import click

from words import Text


@click.command()
@click.argument("file", type=click.File())
@click.option("--number", default=3, show_default=True, help="So many.")
def command(file: click.utils.LazyFile, number: int) -> None:
    """Show the words that occur most often in FILE."""
    for word, times in Text(file.read()).frequencies().most_common(number):
        click.echo(f"{times:4} {word}")
