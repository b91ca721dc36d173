"""Lazy exports of a package (PEP 562): each name is loaded when it is first used, and stored.

No lock of ours is taken: the import system makes sure that a module runs once, and whoever stores a name first has
stored the same object as everyone else would.
"""

from __future__ import annotations

import os
import sys

from pyautoload.frames.hidden_frames import imported, part_of_import, users_frames
from pyautoload.frames.walkers import is_walking
from pyautoload.lazy.export_statements import BadStatement, Export, declared, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType
    from typing import Any

    Triple = tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]

__all__ = ["Exports", "exports"]

# Whether the interpreter may switch threads inside one attribute lookup (free-threaded builds).
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()

# Where a package keeps its ``Exports``: the hooks that it binds may be wrapped, renamed or taken out.
HOME = "__lazy_exports__"


def exports(
    package: str,
    statements: str | Mapping[str, Iterable[str]] = "",
    *,
    submodules: Iterable[str] = (),
    attributes: Mapping[str, Iterable[str]] | None = None,
    eager: bool | None = None,
) -> Triple:
    """Export names of a package lazily: ``__getattr__, __dir__, __all__ = lazy.exports(__name__, "from .a import b")``.

    Args:
        package: ``__name__`` of the calling module.
        statements: import statements as text, relative or absolute; or the mapping that ``attributes`` takes.
        submodules: names of submodules.
        attributes: submodule → names that it defines; a name may be ``"a as b"``.
        eager: load everything now; ``None`` asks the environment variable ``PYAUTOLOAD_EAGER``.

    Returns:
        ``__getattr__``, ``__dir__`` and ``__all__``; the last is a list that may be added to.

    Raises:
        StatementError: a statement is not an import statement that can be lazy.
        EagerLoadError: loading eagerly, and some names could not be loaded: all of them are reported.
    """
    text = statements if isinstance(statements, str) else ""
    mapping = dict(attributes or {}) if isinstance(statements, str) else {**statements, **(attributes or {})}
    namespace = _module(package).__dict__
    forget_earlier(namespace)
    base = package if "__path__" in namespace else package.rpartition(".")[0]
    try:
        found = parsed(text, base)
        if mapping or submodules:
            found = {**declared(submodules, mapping, base), **found}
    except BadStatement as bad:
        raise _statement_error(package, namespace, text, bad) from None
    return install(Exports(package, namespace, found, text), eager)


def install(made: Exports, eager: bool | None) -> Triple:
    """Put ``made`` to work and return what the package binds."""
    made.namespace[HOME] = made
    made.guard_collisions()
    if wants_eager() if eager is None else eager:
        made.load_all()
    elif sys.version_info >= (3, 15):
        from pyautoload.lazy.native_lazy_imports import bind

        names = [name for name in made.pending if name not in made.namespace]
        bind(made.package, made.namespace, names, made.attribute)
    return made.attribute, made.names, made.public()


def forget_earlier(namespace: dict[str, Any]) -> None:
    """The package runs again (a reload): drop what its earlier run had loaded, so that it is looked up anew."""
    earlier = namespace.get(HOME)
    if not isinstance(earlier, Exports):
        return
    for name in earlier.entries:
        bound = namespace.get(name)
        if is_unresolved(bound) or (name in earlier.stored and bound is earlier.stored[name]):
            del namespace[name]


def wants_eager() -> bool:
    """Whether the environment asks for everything at import: ``PYAUTOLOAD_EAGER`` is set, and not to 0 or the like."""
    return os.environ.get("PYAUTOLOAD_EAGER", "").strip().lower() not in ("", "0", "false", "no", "off")


class Exports:
    """The exports of one package: resolves, stores and lists them.

    Attributes:
        package: the name of the package.
        namespace: the package's ``__dict__``.
        entries: exported name → ``Export``, all of them.
        pending: the names that are not loaded yet. Example: {"somename"}
        stored: what was put into the namespace, to be dropped when the package runs again. Example: {"somename": f}
        text: the statements as they were written, to find their lines in the file.
        stated: submodule that a statement names → what to import for it, where somebody asked already.
            Example: {"models": ("pkg.models",)}
    """

    __slots__ = ("entries", "hidden", "namespace", "package", "pending", "stated", "stored", "text")

    def __init__(
        self,
        package: str,
        namespace: dict[str, Any],
        entries: dict[str, Export],
        text: str = "",
        hidden: Iterable[str] = (),
    ) -> None:
        self.package = package
        self.namespace = namespace
        self.entries = entries
        # What the package has bound before the call is its own, and wins.
        self.pending = entries.keys() - namespace.keys()
        self.stored: dict[str, Any] = {}
        self.text = text
        # Names that can be had but are not in ``__all__``. Example: {"user"} for the module of ``User``
        self.hidden = frozenset(hidden)
        self.stated: dict[str, tuple[str, ...]] | None = None

    @part_of_import
    def attribute(self, name: str) -> Any:
        """The package's ``__getattr__``: load ``name`` and store it."""
        entry = self.entries.get(name) or self.found(name) or self.submodule(name)
        if entry is not None and not is_walking():
            try:
                return self.load(entry)
            except BaseException as error:
                error.__traceback__ = users_frames(error.__traceback__)
                raise error  # not a plain `raise`, which goes on with the former traceback before Python 3.11
        raise AttributeError(
            f"module {self.package!r} has no attribute {name!r}", name=name, obj=sys.modules.get(self.package)
        )

    def found(self, name: str) -> Export | None:
        """An export for a name that was not stated; none here, a subclass may know better."""
        return None

    def submodule(self, name: str) -> Export | None:
        """A submodule that a statement names: ``models`` of ``from .models import Order``, as after that statement."""
        if name[:2] == "__" or "__path__" not in self.namespace:
            return None
        if self.stated is None:
            found: dict[str, list[str]] = {}
            prefix = f"{self.package}."
            for entry in self.entries.values():
                if entry.source.startswith(prefix):
                    first = entry.source[len(prefix) :].partition(".")[0]
                    modules = found.setdefault(first, [prefix + first])
                    if entry.source not in modules:
                        modules.append(entry.source)
            self.stated = {first: tuple(modules) for first, modules in found.items()}
        wanted = self.stated.get(name)
        if wanted is None:
            return None
        return Export(name, wanted[0], None, wanted, f"from . import {name}", 0)

    def names(self) -> list[str]:
        """The package's ``__dir__``: what is there and what could be loaded; loads nothing."""
        return sorted({*self.namespace, *self.entries})

    def public(self) -> list[str]:
        """The package's ``__all__``: the exported names without the private ones, which ``import *`` leaves out too."""
        return [name for name in self.entries if name[0] != "_" and name not in self.hidden]

    @part_of_import
    def load(self, entry: Export) -> Any:
        """Import what ``entry`` needs, store the object in the package, return it.

        Raises:
            LoadError: the file raised ``AttributeError``, which must not pass for "no such attribute".
            ExportError: the module does not have the name.
        """
        try:
            for module in entry.modules:
                imported(module)
            value = self.value(entry)
        except AttributeError as error:
            from pyautoload.errors import LoadError
            from pyautoload.lazy.source_location import file_of

            failed = LoadError(entry.source, file_of(entry.source, error), error)
            self.annotate(failed, entry)
            raise failed from error
        except Exception as error:
            self.annotate(error, entry)
            raise
        return self.store(entry.name, value)

    @part_of_import
    def value(self, entry: Export) -> Any:
        """The object that ``entry`` stands for, its modules being imported."""
        # Never by attribute of the parent: the import system binds a submodule on its parent only after it has left its
        # lock, so that the parent's ``__getattr__`` would be asked again, without end.
        module = imported(entry.source)
        if entry.attribute is None:
            return module
        missing = object()
        value = getattr(module, entry.attribute, missing)
        if value is not missing:
            return value
        full = f"{entry.source}.{entry.attribute}"
        if hasattr(module, "__path__"):
            try:
                return imported(full)
            except ModuleNotFoundError as error:
                if error.name != full:
                    raise
        raise self.missing(entry, module)

    def missing(self, entry: Export, module: ModuleType) -> ImportError:
        """The error for a module that has no such name."""
        from pyautoload.lazy.export_errors import ExportError

        partial = bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
        path = getattr(module, "__file__", None)
        where = self.where(entry)
        return ExportError(entry.source, entry.attribute or "", path, partial, entry.statement, where)

    def store(self, name: str, value: Any) -> Any:
        """Bind ``name`` in the package; returns what is bound, the same object in every thread."""
        namespace = self.namespace
        bound = namespace.get(name)
        if is_unresolved(bound) or self.is_own_submodule(name, bound):
            namespace[name] = value
        else:
            value = namespace.setdefault(name, value)
        self.stored[name] = value
        self.pending.discard(name)
        if all(map(self.is_bound_submodule, tuple(self.pending))):
            self.retire()
        return value

    def retire(self) -> None:
        """All is loaded: take ``__getattr__`` out again, as its presence slows down every access to an attribute."""
        # Without the GIL a thread may have missed the name and not yet looked for __getattr__; there it stays.
        if not FREE_THREADED and self.namespace.get("__getattr__") == self.attribute:
            self.namespace.pop("__getattr__", None)  # another thread may have been here meanwhile

    def is_bound_submodule(self, name: str) -> bool:
        """Whether the import system has bound the exported submodule ``name`` already, without asking us."""
        bound = self.namespace.get(name)
        return self.entries[name].attribute is None and bound is not None and not is_unresolved(bound)

    def is_own_submodule(self, name: str, value: object) -> bool:
        """Whether ``value`` is the submodule of that name, which the import system binds over an export."""
        return value is not None and value is sys.modules.get(f"{self.package}.{name}")

    def guard_collisions(self) -> None:
        """Names that are exported from a submodule of the same name must not turn into that submodule."""
        same = {name for name, entry in self.entries.items() if self.collides(entry)}
        if same:
            from pyautoload.lazy.submodule_guard import guard

            guard(self.package, same, self.bind_exported)

    def bind_exported(self, name: str, submodule: ModuleType) -> None:
        """Bind what ``submodule`` defines for the export ``name``; the submodule itself while that is missing."""
        self.namespace[name] = getattr(submodule, self.entries[name].attribute or name, submodule)
        self.stored[name] = self.namespace[name]
        self.pending.discard(name)
        if not self.pending:
            self.retire()

    def collides(self, entry: Export) -> bool:
        """Whether ``entry`` is an object in a submodule that has the name of the export."""
        return entry.attribute is not None and entry.source == f"{self.package}.{entry.name}"

    def load_all(self) -> None:
        """Load every name now; what fails is reported together."""
        namespace = self.namespace
        # The files that are loaded here may ask the package for its other names before it could bind these itself.
        namespace.update(__getattr__=self.attribute, __dir__=self.names, __all__=self.public())
        failures: dict[str, Exception] = {}
        for name in [name for name in self.entries if name not in self.hidden]:
            try:
                self.attribute(name)
            except Exception as error:  # noqa: BLE001 - each is reported below
                failures[f"{self.package}.{name}"] = error
        if failures:
            from pyautoload.errors import EagerLoadError

            raise EagerLoadError(failures)

    def where(self, entry: Export) -> str:
        """Where ``entry`` is stated: ``'/src/pkg/__init__.py:7'``, or its line within the exports."""
        from pyautoload.lazy.source_location import located

        file, line = located(self.namespace, self.text, entry.line)
        return f"{file}:{line}" if line else f"exports of {self.package}"

    def annotate(self, error: BaseException, entry: Export) -> None:
        """Add the statement and its line to ``error`` (shown by Python 3.11 and later)."""
        note = f"while loading {self.package}.{entry.name}, exported by `{entry.statement}` ({self.where(entry)})"
        if sys.version_info >= (3, 11):
            error.add_note(note)
        else:
            setattr(error, "__notes__", [*getattr(error, "__notes__", ()), note])


def is_unresolved(value: object) -> bool:
    """Whether ``value`` is a native lazy import (Python 3.15 and later) that nobody has used yet."""
    kind = type(value)
    return kind.__name__ == "lazy_import" and kind.__module__ == "builtins"


def _module(package: str) -> ModuleType:
    module = sys.modules.get(package)
    if module is None:
        raise ValueError(
            f"exports() is called by the package itself, with __name__; {package!r} is not a loaded module"
        )
    return module


def _statement_error(package: str, namespace: dict[str, Any], text: str, bad: BadStatement) -> SyntaxError:
    from pyautoload.lazy.export_errors import StatementError
    from pyautoload.lazy.source_location import located

    file, line = located(namespace, text, bad.line)
    return StatementError(package, bad.reason, file, line, bad.statement)
