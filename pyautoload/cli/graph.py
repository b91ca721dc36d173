"""``pyautoload graph``: which module imports which."""

from __future__ import annotations

import os
import sys

import click

from pyautoload.cli._output import as_json
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable

EDITORS = {
    "vscode": "vscode://file{path}:{line}",
    "pycharm": "pycharm://open?file={path}&line={line}",
    "sublime": "subl://open?url=file://{path}&line={line}",
    "file": "file://{path}",
}
_SUFFIXES = {".html": "html", ".htm": "html", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".json": "json"}
FORMATS = ["text", "mermaid", "dot", "html", "json"]


@click.command()
@project_options
@click.option("--format", "format_", type=click.Choice(FORMATS), help="By default from the suffix of the output file.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file.")
@click.option("--only", multiple=True, metavar="NAME", help="Only modules of this namespace.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["import", "function", "typing"]),
    help="Only imports at import time, in functions, for type checkers; all without.",
)
@click.option(
    "--editor",
    default="vscode",
    metavar="NAME",
    help="What the page's links open: vscode, pycharm, sublime, file, URL.",
)
@click.option("--json", "json_", is_flag=True, help="The same as --format json.")
def command(
    project: Project,
    format_: str | None,
    output: str | None,
    only: tuple[str, ...],
    kinds: tuple[str, ...],
    editor: str,
    json_: bool,
) -> None:
    """Show which module imports which, where, and when; none of your code runs.

    html makes one self-contained page to search, zoom and filter: pyautoload graph -o imports.html
    """
    from pyautoload.checking.import_graph import ImportGraph
    from pyautoload.checking.survey import Survey
    from pyautoload.cli._drawing import KINDS, Picture

    format_ = "json" if json_ else format_ or _SUFFIXES.get(os.path.splitext(output or "")[1].lower(), "text")
    loader = project.loader()
    picture = Picture(ImportGraph(Survey(loader.config, loader.inflector)), kinds or tuple(KINDS), only)
    if not picture.modules:
        click.echo(f"there is no managed module{f' below {printable(chr(32).join(only))}' if only else ''}", err=True)
        sys.exit(1)
    if format_ == "json" and output is None:
        as_json(picture.as_dict())
        return
    text = _rendered(picture, format_, project, editor)
    if output is None:
        click.echo(text)
        return
    with open(output, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(text if text.endswith("\n") else text + "\n")
    edges = sum(1 for _edge in picture.edges())
    counts = ((len(picture.modules), "module"), (edges, "import"), (len(picture.cycles), "cycle"))
    click.echo(f"{output}: {', '.join(f'{number} {word}{chr(115) * (number != 1)}' for number, word in counts)}")


def _rendered(picture: object, format_: str, project: Project, editor: str) -> str:
    import json

    from pyautoload.cli._drawing import Picture

    assert isinstance(picture, Picture)
    if format_ == "html":
        from pyautoload.pages import render

        tops = ", ".join(sorted({module.partition(".")[0] for module in picture.modules}))
        title = f"Imports of {tops}"
        return render("graph", title, picture.page_data(title, project.directory, EDITORS.get(editor, editor)))
    if format_ == "json":
        return json.dumps(picture.as_dict(), indent=2)
    lines = {"text": picture.text, "mermaid": picture.mermaid, "dot": picture.dot}[format_]()
    return "\n".join(map(printable, lines))
