"""What modules beside the roots hold of managed ones: they are not executed again, so what they hold may grow old.

``wsgi.py`` says ``from shop.settings import DEBUG``, or ``app = create_app()``. When ``DEBUG`` is another object after
a reload, or ``create_app`` has changed, only a new process can bring ``wsgi.py`` up to date. Functions and classes are
updated in place, so holding one is no reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.serving.application.app_dependencies import AppDependencies, absolute_name

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["UnmanagedHolders"]

_GONE = object()


class _Held(NamedTuple):
    """``wsgi`` holds what ``shop.settings`` had under ``DEBUG`` when it was imported."""

    holder: str
    module: str
    name: str
    value: Any


class UnmanagedHolders:
    """What some modules hold, and which managed code ran while they were imported.

    Args:
        loader: of the managed modules.
        ran: managed code that ran while the modules were imported, for its own sake.
        application: the one that is served; a module that only passes it on does not hold it.
    """

    def __init__(self, loader: AutoLoader, ran: Iterable[CodeType], application: Any) -> None:
        self._loader = loader
        self._usage = AppDependencies(loader, ran, set())
        self._application = application
        self._seen: set[str] = set()
        self._held: list[_Held] = []

    def look_at(self, modules: Iterable[ModuleType]) -> None:
        """Take in modules that have been imported since."""
        for module in modules:
            if module.__name__ not in self._seen:
                self._seen.add(module.__name__)
                self._held += self._holds(module)

    def why_old(self, result: ReloadResult) -> dict[str, str]:
        """Why a reload needs a new process, by module; nothing where it does not."""
        found = {}
        for held in self._held:
            now = getattr(sys.modules.get(held.module), "__dict__", {}).get(held.name, _GONE)
            if now is not held.value:
                found[held.holder] = f"it is beside the roots and holds {held.module}.{held.name}, which has changed"
        why = self._usage.why_affected(result)
        if why is not None and self._seen:
            found.setdefault(min(self._seen), f"it is beside the roots, and what it called has changed: {why}")
        return found

    def _holds(self, module: ModuleType) -> Iterator[_Held]:
        file = getattr(module, "__file__", None)
        try:
            with open(str(file), "rb") as opened:
                tree = ast.parse(opened.read())
        except (OSError, SyntaxError, ValueError):
            return
        passes_on = all(map(_is_plain, tree.body))
        for name, attribute in {*self._imported(tree, module), *self._mentioned(tree, module)}:
            value = vars(sys.modules[name]).get(attribute, _GONE)
            is_module = isinstance(value, ModuleType) or value is _GONE
            if not is_module and not (passes_on and value is self._application):
                yield _Held(module.__name__, name, attribute, value)

    def _imported(self, tree: ast.Module, module: ModuleType) -> Iterator[tuple[str, str]]:
        package = getattr(module, "__package__", None) or ""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                origin = absolute_name(node, package)
                if not self._is_managed(origin):
                    continue
                names = {alias.name: alias.asname or alias.name for alias in node.names}
                if "*" in names:
                    names = {name: name for name in vars(sys.modules[origin]) if not name.startswith("_")}
                for name, local in names.items():
                    if vars(sys.modules[origin]).get(name) is vars(module).get(local, _GONE):
                        yield origin, name

    def _mentioned(self, tree: ast.Module, module: ModuleType) -> Iterator[tuple[str, str]]:
        """What is reached by attributes while the module is executed: ``shop.settings.DEBUG``."""
        for chain in _chains(tree):
            owner, *rest = chain
            value: Any = vars(module).get(owner)
            for attribute in rest:
                if not isinstance(value, ModuleType):
                    break
                if self._is_managed(value.__name__) and not isinstance(vars(value).get(attribute), ModuleType):
                    yield value.__name__, attribute
                value = vars(value).get(attribute)

    def _is_managed(self, name: str) -> bool:
        return name in sys.modules and self._loader.registry.is_loaded(name)


def _chains(tree: ast.Module) -> Iterator[list[str]]:
    """``["shop", "settings", "DEBUG"]`` for each such expression outside of functions."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo += [*getattr(node, "decorator_list", ()), node.args]
            continue
        if isinstance(node, ast.Attribute):
            parts: list[str] = []
            each: ast.AST = node
            while isinstance(each, ast.Attribute):
                parts.append(each.attr)
                each = each.value
            if isinstance(each, ast.Name):
                yield [each.id, *reversed(parts)]
                continue
        todo += ast.iter_child_nodes(node)


def _is_plain(statement: ast.stmt) -> bool:
    """Whether a statement only passes on what is there: an import, ``app = shop.web.app``, a text."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, (ast.Name, ast.Attribute))
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) == "__name__ == '__main__'"
    return isinstance(statement, (ast.Import, ast.ImportFrom)) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
