"""Which names a file defines, read from its text: nothing is run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from pyautoload.sources import source_for
from pyautoload.syntax.relative_imports import absolute_module
from pyautoload.syntax.syntax_tree import is_not_type_checking, is_type_checking, stored_names
from pyautoload.tree.introspection import Introspection

__all__ = ["Definitions", "Star", "bindings"]


class Star(NamedTuple):
    """A ``from module import *``; ``level`` counts the dots before the name."""

    module: str
    level: int


class Definitions:
    """What files define, each parsed once.

    Args:
        introspection: answers which file a module name stands for, to follow ``import *`` between managed files.
    """

    def __init__(self, introspection: Introspection) -> None:
        self.introspection = introspection
        # File → its syntax tree; None for what cannot be parsed.
        self._parsed: dict[str, ast.Module | None] = {}
        # File → why it cannot be parsed. Example: {"/app/myapp/broken.py": "line 3: invalid syntax"}
        self.problems: dict[str, str] = {}

    def parse(self, path: str) -> ast.Module | None:
        """The syntax tree of a file; ``None``, and a line in ``problems``, where there is none."""
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def _parse(self, path: str) -> ast.Module | None:
        text = readable(path)
        if text is None:
            return None
        try:
            return ast.parse(source_for(text).read(text))
        except SyntaxError as error:
            self.problems[path] = f"line {error.lineno}: {error.msg}"
        except (OSError, ValueError) as error:
            self.problems[path] = str(error)
        except (RecursionError, MemoryError) as error:
            self.problems[path] = f"too deeply nested to be read ({error})"
        return None

    def names(self, path: str, module: str, _asked: frozenset[str] = frozenset()) -> dict[str, None]:
        """The names that are bound when the file has run, in the order in which they are bound.

        Args:
            path: the file.
            module: its module name, for relative imports.
        """
        parsed = self.parse(path)
        if parsed is None or path in _asked:
            return {}
        found: dict[str, None] = {}
        for bound in bindings(parsed.body):
            if isinstance(bound, str):
                found[bound] = None
            else:
                found.update(self._starred(bound, path, module, _asked | {path}))
        return found

    def _starred(self, star: Star, path: str, module: str, asked: frozenset[str]) -> dict[str, None]:
        target = absolute_module(star.module, star.level, self._package_of(module, path))
        file = self.introspection.where(target) if target else None
        if target is None or file is None or not source_for(file).is_file(file):
            return {}
        names = self.names(file, target, asked)
        parsed = self.parse(file)
        listed = literal_all(parsed.body) if parsed is not None else None
        return dict.fromkeys(listed if listed is not None else (name for name in names if name[:1] != "_"))

    def _package_of(self, module: str, path: str) -> str:
        """The package that relative imports in a file start from: itself for ``hotel.py`` beside ``hotel/``, too."""
        space = self.introspection.tree.namespace(module)
        return module if space is not None and space.file == path else module.rpartition(".")[0]

    def defined_name(self, path: str, module: str) -> str | None:
        """Which name a file defines for its stem, by the loader's own rule: ``HTMLParser`` in ``html_parser.py``."""
        found = SimpleNamespace(**self.names(path, module))
        return self.introspection.naming.defined_name(found, module.rpartition(".")[2], path)


def readable(path: str) -> str | None:
    """The file that says what a module holds: itself, or what lies beside a file that is not a source; else ``None``.

    An extension module may have been compiled from a source file of its name, and is found on some systems only.
    """
    if path.endswith(".py"):
        return path
    stem = os.path.join(os.path.dirname(path), os.path.basename(path).partition(".")[0])
    return next((stem + suffix for suffix in (".pyi", ".py") if source_for(stem).is_file(stem + suffix)), None)


def bindings(statements: Iterable[ast.stmt]) -> Iterator[str | Star]:
    """The names that statements bind in their own scope, and their star imports."""
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                starred = alias.name == "*"
                yield Star(statement.module or "", statement.level) if starred else alias.asname or alias.name
        elif isinstance(statement, ast.Import):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
        else:
            for target in _targets(statement):
                yield from (name.id for name in stored_names(target))
            for body in _bodies(statement):
                yield from bindings(body)


def _targets(statement: Any) -> Iterator[ast.expr]:
    if isinstance(statement, ast.Assign):
        yield from statement.targets
    elif isinstance(statement, ast.AnnAssign):
        if statement.value is not None:  # without a value nothing is bound
            yield statement.target
    elif isinstance(statement, (ast.For, ast.AsyncFor)):
        yield statement.target
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        yield from (item.optional_vars for item in statement.items if item.optional_vars is not None)
    elif type(statement).__name__ == "TypeAlias":  # `type X = ...`, since Python 3.12
        yield statement.name


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement that belong to the same scope and run."""
    if isinstance(statement, ast.If) and is_type_checking(statement.test):
        yield statement.orelse
        return
    if isinstance(statement, ast.If) and is_not_type_checking(statement.test):
        yield statement.body
        return
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, [])
    for handler in getattr(statement, "handlers", []):
        yield handler.body
    for case in getattr(statement, "cases", []):
        yield case.body


def literal_all(statements: Iterable[ast.stmt]) -> list[str] | None:
    """``__all__`` where it is written out as a list or tuple of strings."""
    for statement in statements:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            continue
        if isinstance(statement.value, (ast.List, ast.Tuple)):
            return [str(item.value) for item in statement.value.elts if isinstance(item, ast.Constant)]
    return None
