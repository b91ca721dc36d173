"""One import: what binds one name of a module, done now, or looked up where that runs no code."""

from __future__ import annotations

import builtins
import sys
from types import ModuleType

from pyautoload.lazy.imports.code_rewriting import FROM, PLAIN, RENAMED
from pyautoload.lazy.imports.lazy_names import NOTHING, is_unresolved, names_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SUBMODULE", "Import"]


# Besides what statements look like: a submodule as an attribute of its package, after `import package.submodule`.
SUBMODULE = 3


class Import:
    """What an import statement does for one of the names it binds.

    Args:
        kind: PLAIN, RENAMED, FROM or SUBMODULE.
        module_name: the absolute name of the module.
        attribute: what is taken from it by FROM; for SUBMODULE, the module on the way there that the name is for.
        names: the dict of the module that the statement stands in.
        place: the file and line of the statement.
    """

    __slots__ = ("attribute", "kind", "module_name", "names", "place")

    def __init__(
        self, kind: int, module_name: str, attribute: str, names: dict[str, Any], place: tuple[str, int]
    ) -> None:
        self.kind = kind
        self.module_name = module_name
        self.attribute = attribute
        self.names = names
        self.place = place

    def full_name(self) -> str:
        """What is imported: ``json``, or ``json.dumps`` for ``from json import dumps``."""
        return f"{self.module_name}.{self.attribute}" if self.kind == FROM else self.module_name

    def first_module(self) -> str:
        """What has to be loaded for the name: for ``import a.b`` only ``a``, as ``b`` is an attribute of that."""
        if self.kind == PLAIN:
            return self.module_name.partition(".")[0]
        return self.attribute if self.kind == SUBMODULE else self.module_name

    def run(self) -> Any:
        """Do it.

        Returns:
            What the name is to be bound to.

        Raises:
            Exception: whatever the import raises; its cause is an ``ImportError`` that shows the statement.
        """
        try:
            name = self.first_module()
            module = builtins.__import__(name, self.names, None, self._wanted(), 0)
            if self.kind == FROM:
                return self._taken(module)
            if self.kind == RENAMED:
                return self._renamed(module)
            module = sys.modules[name]
            self.leave_rest(module)
            return module
        except Exception as error:
            self._explain(error)
            raise

    def leave_rest(self, module: Any) -> None:
        """After the first module of ``import a.b.c``: let ``b`` be a lazy attribute of ``a``, as on Python 3.15.

        Args:
            module: what has been imported.
        """
        now = self.first_module()
        while now != self.module_name:
            stem = self.module_name[len(now) + 1 :].partition(".")[0]
            now = f"{now}.{stem}"
            child = sys.modules.get(now)
            if child is None:
                names: dict[str, Any] = getattr(module, "__dict__", {})
                hook = getattr(names.get("__getattr__"), "__module__", None)
                # A managed package loads what is asked of it by itself.
                if not is_unresolved(names, stem) and not str(hook).startswith("pyautoload."):
                    rest = Import(SUBMODULE, self.module_name, now, self.names, self.place)
                    names_of(names).add(stem, rest)
                return
            module = child

    def _wanted(self) -> tuple[str, ...] | None:
        return (self.attribute,) if self.kind == FROM else None

    def _taken(self, module: Any) -> Any:
        try:
            return getattr(module, self.attribute)
        except AttributeError:
            found = sys.modules.get(f"{getattr(module, '__name__', '')}.{self.attribute}", NOTHING)
            if found is not NOTHING:
                return found
        # Not there: the statement itself has the words for that. The module is loaded, so it runs no code again.
        bound: dict[str, Any] = {}
        exec(f"from {self.module_name} import {self.attribute} as found", self.names, bound)
        return bound["found"]

    def _renamed(self, module: Any) -> Any:
        name = self.module_name.partition(".")[0]
        for part in self.module_name.split(".")[1:]:
            name = f"{name}.{part}"
            module = getattr(module, part, NOTHING)
            if module is NOTHING:
                module = sys.modules[name]
        return module

    def _explain(self, error: BaseException) -> None:
        """Let the error tell of the statement, behind what it tells already."""
        cause = ImportError(f"lazy import of {self.full_name()!r} raised an exception during resolution")
        file, line = self.place
        try:
            exec(compile("\n" * (line - 1) + "raise cause", file, "exec"), {"cause": cause, "__name__": "lazy import"})
        except ImportError as raised:
            trace = raised.__traceback__
            cause = raised.with_traceback(trace.tb_next if trace is not None else None)
        cause.__context__ = None
        seen: set[int] = set()
        while error.__cause__ is not None and id(error) not in seen:
            seen.add(id(error))
            error = error.__cause__
        error.__cause__ = cause

    def value_without_running(self) -> Any:
        """What the name is to be bound to, where all that is needed is loaded; else ``NOTHING``."""
        module = sys.modules.get(self.first_module())
        if module is None or _is_unfinished(module):
            return NOTHING
        if self.kind in (PLAIN, SUBMODULE):
            self.leave_rest(module)
            return module
        if self.kind == RENAMED:
            return self._renamed_without_running(module)
        names: dict[str, Any] = module.__dict__ if type(module) is ModuleType else {}
        if self.attribute in names and not is_unresolved(names, self.attribute):
            return names[self.attribute]
        return NOTHING

    def _renamed_without_running(self, module: ModuleType) -> Any:
        parent_name, _, stem = self.module_name.rpartition(".")
        if not parent_name:
            return module
        parent = sys.modules.get(parent_name)
        if type(parent) is not ModuleType or _is_unfinished(parent) or is_unresolved(parent.__dict__, stem):
            return NOTHING
        return module if parent.__dict__.get(stem) is module else NOTHING


def _is_unfinished(module: Any) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
