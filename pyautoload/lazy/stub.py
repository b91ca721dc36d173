"""Lazy exports from the ``.pyi`` beside a package's file: type checkers read the same source (SPEC 1)."""

from __future__ import annotations

import os
import sys

from pyautoload.lazy.export_statements import ONLY_AST, BadStatement, Export, add, imported, statement_of, taken
from pyautoload.lazy.exports import Exports, forget_earlier, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from pyautoload.lazy.exports import Triple

__all__ = ["exports_from_stub"]


def exports_from_stub(package: str, file: str, *, eager: bool | None = None) -> Triple:
    """Export lazily what the stub beside ``file`` re-exports: ``lazy.exports_from_stub(__name__, __file__)``.

    Re-exported is what ``__all__`` of the stub lists; without ``__all__`` the names of its relative imports, and those
    of absolute imports in the form ``from x import a as a``, as type checkers have it. The stub must be installed with
    the package.

    Args:
        package: ``__name__`` of the calling module.
        file: ``__file__`` of the calling module.
        eager: load everything now; ``None`` asks the environment variable ``PYAUTOLOAD_EAGER``.

    Returns:
        ``__getattr__``, ``__dir__`` and ``__all__``, as ``exports`` does.

    Raises:
        FileNotFoundError: there is no stub.
        StatementError: the stub has a syntax error, or a statement that cannot be lazy.
    """
    namespace = vars(sys.modules[package])
    forget_earlier(namespace)
    stub = os.path.splitext(file)[0] + ".pyi"
    base = package if "__path__" in namespace else package.rpartition(".")[0]
    text = _read(package, stub)
    try:
        tree = compile(text, stub, "exec", ONLY_AST)
        found, listed = _reexported(tree, base)
    except SyntaxError as error:
        bad = BadStatement(error.msg, error.lineno or 0, (error.text or "").strip())
        raise _bad_stub(package, stub, bad) from None
    except BadStatement as bad:
        raise _bad_stub(package, stub, bad) from None
    made = StubExports(package, namespace, found, text)
    made.stub = stub
    getter, lister, public = install(made, eager)
    return getter, lister, public if listed is None else listed


class StubExports(Exports):
    """Exports whose statements stand in a stub."""

    __slots__ = ("stub",)

    # The file. Example: "/src/pkg/__init__.pyi"
    stub: str

    def where(self, entry: Export) -> str:
        """The line of the stub."""
        return f"{self.stub}:{entry.line}"


def _bad_stub(package: str, stub: str, bad: BadStatement) -> SyntaxError:
    from pyautoload.lazy.export_errors import StatementError

    return StatementError(package, bad.reason, stub, bad.line, bad.statement)


def _read(package: str, stub: str) -> str:
    """The text of ``stub``, through the loader of the package where there is no such file (a zip)."""
    try:
        with open(stub, encoding="utf-8") as opened:
            return opened.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        loader = getattr(getattr(sys.modules[package], "__spec__", None), "loader", None)
        try:
            data: bytes = loader.get_data(stub)  # type: ignore[union-attr]
        except (AttributeError, OSError):
            raise FileNotFoundError(
                f"{package} exports its names from the stub {stub}, which is not there: "
                f"make sure that *.pyi files are installed with the package (package data)"
            ) from error
        return data.decode("utf-8")


def _reexported(tree: Any, base: str) -> tuple[dict[str, Export], list[str] | None]:
    """The lazy exports of a stub, and its ``__all__`` if it has one."""
    every: dict[str, Export] = {}
    marked: set[str] = set()
    listed: list[str] | None = None
    for node in _effective(tree.body):
        names = _all_of(node)
        if names is not None:
            listed = [*(listed or []), *names]
        statement = statement_of(node)
        if statement is None or statement[0] == "__future__":
            continue
        module, pairs = statement
        if any(name == "*" for name, _ in pairs):
            raise BadStatement("'*' says no names, so nothing could be lazy: write them out", node.lineno, "import *")
        exports = imported(pairs, node.lineno) if module is None else taken(module, pairs, node.lineno, base)
        relative = module is not None and module.startswith(".")
        same = {name for name, alias in pairs if alias == name}
        for export in exports:
            add(every, export)
            if relative or export.name in same:
                marked.add(export.name)
    wanted = marked if listed is None else set(listed)
    return {name: export for name, export in every.items() if name in wanted}, listed


def _effective(body: Iterable[Any]) -> Iterator[Any]:
    """The statements of a stub that hold with this Python on this platform, out of ``if`` and ``try`` as well."""
    for node in body:
        kind = type(node).__name__
        if kind == "If":
            yield from _effective(_branch(node))
        elif kind == "Try":
            yield from _effective([*node.body, *node.orelse, *node.finalbody])
        else:
            yield node


def _branch(node: Any) -> list[Any]:
    """The statements of an ``if`` that hold."""
    from pyautoload.syntax.conditions import holds_here

    name = getattr(node.test, "attr", None) or getattr(node.test, "id", None)
    # For type checkers it is always true, and a stub is for them.
    holds = True if name == "TYPE_CHECKING" else holds_here(node.test)
    if holds is None:
        if all(statement_of(inner) is None for inner in [*_inner(node.body), *_inner(node.orelse)]):
            return []
        reason = "it cannot be told which imports hold: use sys.version_info, sys.platform or TYPE_CHECKING"
        raise BadStatement(reason, node.lineno, "if ...")
    return node.body if holds else node.orelse  # type: ignore[no-any-return]


def _inner(body: Iterable[Any]) -> Iterator[Any]:
    """Statements, and those within ``if`` and ``try``."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody"):
            nested = getattr(node, field, None)
            if type(node).__name__ in ("If", "Try") and isinstance(nested, list):
                yield from _inner(nested)


def _all_of(node: Any) -> list[str] | None:
    """The names of ``__all__ = [...]``, ``__all__: list[str] = [...]`` and ``__all__ += [...]``."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    if not any(getattr(target, "id", None) == "__all__" for target in targets):
        return None
    elements = getattr(getattr(node, "value", None), "elts", [])
    return [element.value for element in elements if isinstance(getattr(element, "value", None), str)]
