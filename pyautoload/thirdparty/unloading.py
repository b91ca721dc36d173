"""Taking modules out of ``sys.modules`` again, as far as that can be done without breaking anything."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from importlib.machinery import EXTENSION_SUFFIXES, BuiltinImporter, ExtensionFileLoader, FrozenImporter
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

from pyautoload.thirdparty.load_errors import UnloadWarning

__all__ = ["Temporarily", "Unloaded", "drop", "is_extension"]


class Unloaded(NamedTuple):
    """What an unload did: the modules that are gone, and those that stay because of a C extension."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def drop(names: Iterable[str]) -> Unloaded:
    """Take modules out of ``sys.modules`` and off their parents.

    Most C extensions can be initialised once a process. Their whole package stays, and whatever it uses of ``names``:
    a second copy of one half beside the first of the other would not work.
    """
    modules = {name: sys.modules[name] for name in names if isinstance(sys.modules.get(name), ModuleType)}
    kept = _held_by_extensions(modules)
    removed = [name for name in modules if name not in kept]
    for name in removed:
        module = sys.modules.pop(name, None)
        parent_name, _, child = name.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is not None and module is not None and vars(parent).get(child) is module:
            vars(parent).pop(child, None)
    return Unloaded(tuple(removed), tuple(name for name in modules if name in kept))


def _held_by_extensions(modules: dict[str, ModuleType]) -> set[str]:
    extensions = {name for name, module in modules.items() if is_extension(module)}
    tops = {name.partition(".")[0] for name in extensions}
    todo = [name for name in modules if name.partition(".")[0] in tops]
    kept: set[str] = set()
    while todo:
        name = todo.pop()
        if name in kept or name not in modules:
            continue
        kept.add(name)
        todo.append(name.rpartition(".")[0])
        for value in list(vars(modules[name]).values()):
            used = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(used, str):
                todo.append(used)
    return kept


def is_extension(module: ModuleType) -> bool:
    """Whether ``module`` is C code: a shared library, or built into the interpreter."""
    loader: Any = getattr(getattr(module, "__spec__", None), "loader", None)
    if loader in (BuiltinImporter, FrozenImporter) or isinstance(loader, ExtensionFileLoader):
        return loader is not FrozenImporter
    return str(getattr(module, "__file__", "")).endswith(tuple(EXTENSION_SUFFIXES))


class _Watch:
    """A finder that finds nothing and notes which thread looked for which module."""

    def __init__(self) -> None:
        # Module name → ids of the threads that looked for it. Example: {"json": {140213}}
        self.seekers: dict[str, set[int]] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Note the thread."""
        self.seekers.setdefault(name, set()).add(threading.get_ident())

    def is_foreign(self, name: str, thread: int) -> bool:
        """Whether only other threads looked for ``name``."""
        seekers = self.seekers.get(name)
        return seekers is not None and thread not in seekers


class Temporarily:
    """A ``with`` block at whose end what was imported within it, by this thread, is gone again.

    Attributes:
        result: after the block, the ``Unloaded``: what is gone and what had to stay.
    """

    def __init__(self, target: str, find: Callable[[], Any], after: Callable[[], None]) -> None:
        self.target = target
        self.result = Unloaded((), ())
        self._find = find
        self._after = after

    def __enter__(self) -> Any:
        self._before = set(sys.modules)
        self._thread = threading.get_ident()
        self._watch = _Watch()
        sys.meta_path.insert(0, self._watch)
        try:
            return self._find()
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        if self.result.kept:
            shown = ", ".join(self.result.kept[:10]) + (", ..." if len(self.result.kept) > 10 else "")
            warnings.warn(
                f"{len(self.result.kept)} modules of {self.target!r} stay loaded, as C extensions cannot be "
                f"unloaded: {shown}",
                UnloadWarning,
                stacklevel=2,
            )

    def _leave(self) -> None:
        if self._watch in sys.meta_path:
            sys.meta_path.remove(self._watch)
        brought = [name for name in list(sys.modules) if name not in self._before]
        self.result = drop(name for name in brought if not self._watch.is_foreign(name, self._thread))
        self._after()
