"""``pyautoload mcp``: answers editors and coding agents."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--directory", default=".", metavar="DIR", help="Of the project; by default the working directory.")
def command(directory: str) -> None:
    """Answer editors and coding agents over the Model Context Protocol, on standard input and output.

    The tools are sync, tests, problems, explain and check. The first three ask the `pyautoload serve` and `pyautoload
    test` that this user runs in the project.
    """
    from pyautoload.mcp_server import run

    run(os.path.realpath(directory))
