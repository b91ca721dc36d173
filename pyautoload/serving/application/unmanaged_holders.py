"""What modules beside the roots hold of managed ones: they are not executed again, so what they hold may grow old.

``wsgi.py`` says ``from shop.settings import DEBUG``, or ``app = create_app()``. When ``DEBUG`` is another object after
a reload, or ``create_app`` has changed, only a new process can bring ``wsgi.py`` up to date. Functions and classes are
updated in place, so holding one is not a reason.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.serving.application.app_dependencies import AppDependencies, absolute_name

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["UnmanagedHolders", "may_note"]

_GONE = object()


def may_note(loader: AutoLoader, module: str) -> bool:
    """Whether it is to be noted which managed code runs while a module is imported.

    A managed module is reloaded itself. Before Python 3.12 code is noted by a profile function, with which some class
    bodies go wrong (those with a ``__class__`` of their own, as in Django): there the module has to call managed code.

    Args:
        loader: of the managed modules.
        module: not imported yet.
    """
    if loader.where(module) is not None:
        return False
    if sys.version_info >= (3, 12):
        return True
    try:
        spec = importlib.util.find_spec(module)
        with open(str(spec.origin if spec is not None else ""), "rb") as opened:
            tree = ast.parse(opened.read())
    except (ImportError, OSError, SyntaxError, ValueError):
        return False
    spaces = loader.dirs(namespaces=True)
    assert isinstance(spaces, Mapping)
    tops = {space.partition(".")[0] for space in spaces.values()}
    return not _names_from(tree, tops).isdisjoint(_called(tree))


def _names_from(tree: ast.Module, tops: set[str]) -> set[str]:
    """The names that come from some packages."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (
            node.level or "" in tops or str(node.module).partition(".")[0] in tops
        ):
            found.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if "" in tops or alias.name.partition(".")[0] in tops:
                    found.add(alias.asname or alias.name.partition(".")[0])
    return found


def _called(tree: ast.Module) -> set[str]:
    """The names that something is called by, or of: ``shop`` of ``shop.web.create_app()``."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            each: ast.AST = node.func
            while isinstance(each, ast.Attribute):
                each = each.value
            if isinstance(each, ast.Name):
                found.add(each.id)
    return found


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
