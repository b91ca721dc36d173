"""Draw a chart of the lengths of words, with rich."""

from __future__ import annotations

from collections import Counter

import click
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from words import Text


@click.command()
@click.argument("file", type=click.File())
def command(file: click.utils.LazyFile) -> None:
    """Draw how many words of FILE have one letter, two letters, and so on."""
    lengths = Counter(map(len, Text(file.read()).words))
    table = Table("letters", "words", "")
    for length, times in sorted(lengths.items()):
        table.add_row(str(length), str(times), Bar(max(lengths.values()), 0, times, width=40))
    Console().print(table)
