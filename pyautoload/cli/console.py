"""``pyautoload console``: a prompt where every expected name is at hand."""

from __future__ import annotations

import code
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any

import click

from pyautoload.cli._names import Names, names_in
from pyautoload.cli._project import Project, project_options
from pyautoload.errors import ReloadError

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader


@click.command()
@project_options
@click.option("--plain", is_flag=True, help="Python's own prompt, also where IPython is installed.")
@click.option("-c", "source", metavar="CODE", help="Run this and end.")
def command(project: Project, plain: bool, source: str | None) -> None:
    """Open a prompt: every expected name is there without an import, and loaded when it is used.

    reload() brings in what has changed on disk; loader is the loader.
    """
    loader = project.running_loader()
    if loader.reloader is None:
        # Before anything is loaded, so that every change from now on is noticed; without a thread that watches.
        loader.enable_reloading(watch=False)
    namespace: dict[str, Any] = {"__name__": "__console__", "__doc__": None, "loader": loader}
    names = Names(loader, namespace)
    namespace["reload"] = _Reload(loader, names)
    if source is not None:
        console = _Console(namespace, names)
        console.runsource(source, "<string>", "exec")
        sys.exit(1 if console.failed else 0)
    banner = f"{loader!r}\nEvery expected name is there without an import. reload() brings in what has changed."
    if not plain and _has_ipython():
        _run_ipython(namespace, names, banner)
        return
    _complete(names)
    _Console(namespace, names).interact(banner, exitmsg="")


class _Reload:
    """``reload()`` at the prompt."""

    def __init__(self, loader: AutoLoader, names: Names) -> None:
        self.loader = loader
        self.names = names

    def __call__(self) -> None:
        try:
            result: object = self.loader.reload()
        except ReloadError as error:
            result = error
        self.names.refresh()
        click.echo(str(result))

    def __repr__(self) -> str:
        return "reload(): bring in what has changed on disk"


class _Console(code.InteractiveConsole):
    """Python's prompt, which provides names before a line runs."""

    def __init__(self, namespace: dict[str, Any], names: Names) -> None:
        super().__init__(namespace)
        self.names = names
        self.failed = False

    def runcode(self, code: CodeType) -> None:
        """Provide what the code uses, and run it."""
        try:
            for reason in self.names.provide(names_in(code)):
                self.write(f"{reason}\n")
        except Exception:  # noqa: BLE001 - shown at the prompt, as an error in the line itself
            self.showtraceback()
            return
        super().runcode(code)

    def showtraceback(self) -> None:
        """As ever, and remember it for ``-c``."""
        self.failed = True
        super().showtraceback()

    def showsyntaxerror(self, *arguments: Any, **keywords: Any) -> None:
        """As ever, and remember it for ``-c``."""
        self.failed = True
        super().showsyntaxerror(*arguments, **keywords)


def _complete(names: Names) -> None:
    """Let the tab key know the names that are not loaded yet."""
    try:
        import readline
        import rlcompleter
    except ImportError:  # Windows has none
        return

    class Completer(rlcompleter.Completer):
        def global_matches(self, text: str) -> list[str]:
            return sorted({*super().global_matches(text), *names.completions(text)})

        def attr_matches(self, text: str) -> list[str]:
            list(names.provide([text.partition(".")[0]]))
            return super().attr_matches(text)

    readline.set_completer(Completer(names.namespace).complete)
    readline.parse_and_bind("tab: complete")


def _has_ipython() -> bool:
    import importlib.util

    return importlib.util.find_spec("IPython") is not None


def _run_ipython(namespace: dict[str, Any], names: Names, banner: str) -> None:
    import ast

    from IPython.terminal.embed import InteractiveShellEmbed

    class Provide(ast.NodeTransformer):
        """Sees each cell before it runs."""

        def visit(self, node: ast.AST) -> ast.AST:
            used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            for reason in names.provide(used):
                click.echo(reason, err=True)
            return node

    embed: Any = InteractiveShellEmbed
    shell = embed(banner1=banner, user_ns=namespace)
    names.namespace = shell.user_ns
    shell.ast_transformers.append(Provide())
    shell()
