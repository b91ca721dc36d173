"""A lazy name: a key of a module's dict that resolves itself when it is looked up.

Python finds a key by its hash, and then compares. The key that stands for a lazy name is a ``str`` of a class of ours,
so the comparison is a call of its ``__eq__``, whoever looks it up and by whatever way: a function of the module, an
attribute of it, ``from module import name``, ``eval``. There the import is done and the entry replaced by an ordinary
one; Python sees that the dict was changed, begins the lookup again, and finds that. No proxy is ever given out.

Who looks is seen by the instruction that runs: one that binds or deletes the name makes it forgotten, not resolved,
as on Python 3.15; one that only compares strings resolves nothing. Who got the key itself (``dir(module)``, a loop
over ``vars(module)``) and looks with it is seen by ``__hash__``.

The value of the entry is a ``LazyImport``. Only those see it who read the dict's values without looking up a name, as
on Python 3.15.
"""

from __future__ import annotations

import importlib._bootstrap as _bootstrap
import opcode
import os
import sys
from _thread import RLock, get_ident
from gc import get_referrers
from types import FrameType, ModuleType
from weakref import WeakValueDictionary, ref

from pyautoload.lazy.imports.code_rewriting import PLAIN
from pyautoload.lazy.imports.module_dict import keep, rekey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    class Import(Protocol):
        """One import, as ``single_import`` has it."""

        kind: int
        module_name: str
        names: dict[str, Any]
        place: tuple[str, int]

        def full_name(self) -> str:
            """What is imported."""

        def first_module(self) -> str:
            """What has to be loaded for the name."""

        def leave_rest(self, module: Any) -> None:
            """Let the other parts of the module's name be lazy attributes."""

        def run(self) -> Any:
            """Do it."""

        def value_without_running(self) -> Any:
            """What it gives, where that runs no code."""


# There is no value.
NOTHING = object()

__all__ = [
    "NOTHING",
    "Key",
    "LazyImport",
    "Unresolved",
    "all_unresolved",
    "bind_what_waits_for",
    "forget",
    "is_unresolved",
    "names_of",
    "resolve",
    "tidy",
    "unresolved",
]


class LazyImport:
    """Stands in a module's dict for a name that is not resolved yet, as ``types.LazyImportType`` on Python 3.15."""

    __slots__ = ("__weakref__", "_key")

    def __init__(self, key: Key) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"<lazy_import {self._key.importing()!r}>"

    def resolve(self) -> Any:
        """Do the import; the object that the name stands for.

        Raises:
            Exception: whatever the import raises.
        """
        key = self._key
        if key.is_pending():
            key.owner.resolve([key])
        return key.owner.names[str(key)]


class _Name(str):
    """What keys hold; two classes of the same layout, so that a key can change from one to the other."""

    __slots__ = ("__weakref__", "has_double", "imports", "owner", "resolving", "standin", "value")

    # The module's lazy names that this is one of.
    owner: Unresolved
    # What is to be imported, one statement after the other; the last one gives the value.
    imports: list[Import]
    # The threads that are resolving it.
    resolving: set[int]
    standin: LazyImport
    # Whether the dict may also hold an ordinary key of this name: somebody stored something, and this key was hidden.
    has_double: bool
    # Once the name is resolved, if there are copies of the dict, and this key in them: what it stands for.
    value: Any

    def importing(self) -> str:
        """The name of what is imported last."""
        return self.imports[-1].full_name()

    def is_pending(self) -> bool:
        """Whether it is neither resolved nor forgotten."""
        return self.owner.pending.get(str(self)) is self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class _Quiet(_Name):
    """A key that compares as any string does."""

    __slots__ = ()


class Key(_Name):
    """A key that stands for a lazy name."""

    __slots__ = ()

    # As Python ends, it clears the dicts of modules, this one too: what the methods need then, they hold.

    def __eq__(self, other: object, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> bool:
        same = str.__eq__(self, other)
        if same is not True or type(other) is not str or is_finalizing():
            return same
        frame = sys._getframe(1)
        if self.is_pending():
            use = _use(frame, self)
            if use == _STORED:
                self.owner.give_up(self)
            elif use == _HIDDEN:
                self.has_double = True
                return False
            elif use == _READ:
                self._resolve_for(frame)
        if self.value is not NOTHING:
            _mend_copy(self, frame)
        return True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> int:
        if not is_finalizing() and self.is_pending() and get_ident() not in self.resolving:
            frame = sys._getframe(1)
            if _use(frame, self) == _READ:
                self._resolve_for(frame)
        return str.__hash__(self)

    def _resolve_for(self, frame: FrameType) -> None:
        try:
            self.owner.resolve([self])
        except AttributeError as error:
            _show_only_others(error)
            if frame.f_code.co_code[frame.f_lasti] in _NAME_LOADS:
                raise
            # Whoever asks a module for an attribute would take it for "no such attribute", and go on without the cause.
            raise _as_load_error(self, error) from error
        except BaseException as error:
            _show_only_others(error)
            raise


# What somebody who meets a key is about to do.
_READ, _STORED, _SEEN, _HIDDEN = range(4)


def _ops(*names: str) -> frozenset[int]:
    return frozenset(opcode.opmap[name] for name in names if name in opcode.opmap)


_STORES = _ops("STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL")
_NAME_LOADS = _ops("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_CLASSDEREF")
_ATTRIBUTE_LOADS = _ops("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
_NEW_LOCALS = 2  # CO_NEWLOCALS: a function, whose locals are not the dict of anybody
_ATTRIBUTE_STORES = _ops("STORE_ATTR", "DELETE_ATTR")
_COMPARISONS = _ops(
    "COMPARE_OP", "CONTAINS_OP", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "SET_ADD", "MAP_ADD", "SET_UPDATE"
) | _ops("DICT_UPDATE", "DICT_MERGE", "LIST_APPEND", "LIST_EXTEND")
_IMPORT_SYSTEM = frozenset({_bootstrap.__name__, "importlib._bootstrap_external"})
_BINDS_SUBMODULE = frozenset({"_find_and_load_unlocked", "_bind"})
# Who follows names from module to module to see what depends on what: that uses none of them.
_LOOKERS = frozenset(
    {"pyautoload.reloading.dependencies.aliases", "pyautoload.reloading.dependencies.dependency_graph"},
)
# Local names of code that runs again: binding one binds it in the module's dict.
_BINDS_AGAIN = "pyautoload.reloading.applying.takeover.name_binding"
_HERE = os.path.dirname(__file__)


def _use(frame: FrameType, key: _Name) -> int:
    code = frame.f_code
    module = frame.f_globals.get("__name__")
    is_importing = module in _IMPORT_SYSTEM or (isinstance(module, str) and module.startswith("pyautoload."))
    if is_importing and get_ident() in key.resolving:
        return _HIDDEN  # the import asks whether the name is there already
    op = code.co_code[frame.f_lasti]
    if op in _COMPARISONS:
        return _SEEN
    if op in _STORES and frame.f_globals is key.owner.names:
        return _STORED
    if module == _BINDS_AGAIN and code.co_name in ("__setitem__", "__delitem__"):
        return _STORED  # the same, by code that a reload runs again
    if op in _ATTRIBUTE_STORES:
        return _STORED
    if is_importing and code.co_name in _BINDS_SUBMODULE:
        # A submodule has been loaded and is bound on its package, where the lazy name may be for something else: a
        # function `deliver` of `deliver.py`. The name is bound as if that had happened before the statement ran.
        return _HIDDEN
    if module in _LOOKERS or (is_importing and code.co_name == "_store"):
        return _SEEN  # an own attribute of the package wins, lazy or not
    if get_ident() in key.resolving:
        raise _circular(key)
    return _READ


def _show_only_others(error: BaseException) -> None:
    """Leave the frames of this package out of an error's traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_HERE):
        trace = trace.tb_next
    error.__traceback__ = trace


def _as_load_error(key: _Name, error: AttributeError) -> ImportError:
    from pyautoload.errors import LoadError

    return LoadError(key.imports[-1].full_name(), key.imports[-1].place[0], error)


def _circular(key: _Name) -> ImportError:
    """The error of ``from module import name`` for a module that is still being imported, in Python's words."""
    module = key.owner.module_name
    message = f"cannot import name {str(key)!r} from partially initialized module {module!r}"
    return ImportError(f"{message} (most likely due to a circular import)", name=module, path=key.imports[-1].place[0])


class Unresolved:
    """The lazy names of one module that are neither resolved nor forgotten.

    Args:
        names: the module's dict.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        # Name → key.
        self.pending: dict[str, Key] = {}
        # Keys of resolved names that are still in the dict.
        self.settling: list[Key] = []

    @property
    def module_name(self) -> str:
        """The module's name."""
        name = self.names.get("__name__")
        return name if isinstance(name, str) else "?"

    def add(self, name: str, imported: Import) -> None:
        """Bind a name lazily."""
        key = self.pending.get(name)
        with _lock:
            if key is not None:
                # `import a.b` after `import a.c`: both are done when `a` is used.
                both = imported.kind == PLAIN and all(each.kind == PLAIN for each in key.imports)
                key.imports = [*key.imports, imported] if both and imported not in key.imports else [imported]
                return
            key = Key(name)
            key.owner, key.imports, key.resolving = self, [imported], set()
            key.has_double, key.value = False, NOTHING
            key.standin = LazyImport(key)
            leaves_gap = self.names.pop(name, NOTHING) is not NOTHING  # an ordinary entry would stay, with its key
            self.pending[name] = key
            _waiting.setdefault(imported.first_module(), []).append(ref(key))
            _quietly_set(self.names, key)
            if leaves_gap:
                tidy(self.names)

    def resolve(self, keys: Iterable[Key]) -> None:
        """Do the imports of some names and bind what they give.

        Raises:
            Exception: whatever an import raises, with the import statement as its cause; the name stays lazy.
        """
        thread = get_ident()
        for key in keys:
            imports = list(key.imports)
            key.resolving.add(thread)
            try:
                for each in imports:
                    value = each.run()
            finally:
                key.resolving.discard(thread)
            self.bind([(key, value)])
            for each in imports:
                bind_what_waits_for(each.first_module())

    def bind(self, found: list[tuple[Key, Any]]) -> None:
        """Bind names to what was found for them, those that are still lazy."""
        with _lock:
            found = [(key, value) for key, value in found if key.is_pending()]
            if not found:
                return
            keys = [*self.pending.values(), *self.settling]
            for key, _ in found:
                del self.pending[str(key)]
            for key, value in found:
                if value is not key.standin and sys.getrefcount(key.standin) > _REFERENCES:
                    key.value = value
            self._settle(found, keys)
            for key, _ in found:
                if key.value is not NOTHING:
                    key.__class__ = Key  # it goes on to answer in the copies

    def _settle(self, found: list[tuple[Key, Any]], keys: list[Key]) -> None:
        """Let ordinary keys take the place of those of ``found``.

        To do so takes as long as there are lazy names. Where there are many, those of some wait for it together, under
        keys that compare as strings do: for an ``__init__`` with a thousand names it would be a million steps else.
        """
        doubles = any(key.has_double for key, _ in found)
        if not doubles and len(self.settling) + len(found) < len(self.pending) // _TOGETHER:
            keep(self.names, found, _Quiet)
            self.settling += [key for key, _ in found]
            return
        settled = [(key, sys.intern(str(key)), NOTHING) for key in self.settling]
        self.settling = []
        named = [(key, sys.intern(str(key)), value) for key, value in found]
        rekey(self.names, [*settled, *named], keys, _Quiet, Key, NOTHING)

    def give_up(self, key: Key) -> None:
        """The name is about to be bound to something else, or deleted: it is an ordinary one from now on."""
        for each in key.imports:
            # The store is likely to be that of `import a.c`, in a `try`, after `import a.b`: both have to be there.
            package = sys.modules.get(each.first_module()) if each.kind == PLAIN else None
            if package is not None:
                each.leave_rest(package)
        self.bind([(key, key.standin)])

    def take_out(self) -> dict[str, list[Import]]:
        """Remove all lazy names from the dict; what they were, to be added again."""
        with _lock:
            taken = {name: key.imports for name, key in self.pending.items()}
            keys = list(self.pending.values())
            self.pending.clear()
            if keys:
                rekey(self.names, [(key, sys.intern(str(key)), None) for key in keys], keys, _Quiet, Key, NOTHING)
                for name in taken:
                    del self.names[name]
        return taken


# Dict of a module, by its id → its lazy names. As long as there are any, their keys hold the object.
_modules: WeakValueDictionary[int, Unresolved] = WeakValueDictionary()
# Module name → keys that wait for it to be imported.
_waiting: dict[str, list[ref[Key]]] = {}
# Held while names are bound, so that one that was forgotten meanwhile is not; never while anything is imported.
_lock = RLock()
# References to a stand-in that nobody else has got: the key's own, the dict's, and that of the call that counts.
_REFERENCES = 3
# Resolved names wait until they are as many as this part of those that are not.
_TOGETHER = 4
# How often copies of a dict may be searched for. Each search looks through everything that the collector knows.
_searches = 100


def names_of(names: dict[str, Any]) -> Unresolved:
    """The lazy names of a module, to add to.

    Args:
        names: its dict.
    """
    found = _modules.get(id(names))
    if found is None or found.names is not names:
        found = _modules[id(names)] = Unresolved(names)
    return found


def unresolved(module: ModuleType | dict[str, Any]) -> dict[str, Key]:
    """The names of a module that are not resolved: name → key.

    Args:
        module: a module, or its dict.
    """
    names = module if isinstance(module, dict) else module.__dict__
    found = _modules.get(id(names))
    return dict(found.pending) if found is not None and found.names is names else {}


def is_unresolved(names: dict[str, Any], name: str) -> bool:
    """Whether a name of a module is not resolved.

    Args:
        names: the module's dict.
        name: the name.
    """
    found = _modules.get(id(names))
    return found is not None and found.names is names and name in found.pending


def tidy(names: dict[str, Any]) -> None:
    """Replace keys of other modules' dicts, which a star import has brought, by ordinary ones, and close gaps.

    Names that were deleted leave gaps in a dict, and these go when it is filled again. Where that happens in the midst
    of a loop over the dict, because the loop uses a lazy name, the loop would pass over as many entries as there were.
    """
    foreign = [(key, value) for key, value in names.items() if isinstance(key, _Name) and key.owner.names is not names]
    keys = [key for key in names if isinstance(key, _Name)]
    if keys:
        with _lock:
            rekey(names, [(key, sys.intern(str(key)), value) for key, value in foreign], keys, _Quiet, Key, NOTHING)


def resolve(module: ModuleType | dict[str, Any], *wanted: str) -> None:
    """Resolve names of a module, all of them by default.

    Raises:
        Exception: whatever an import raises.
    """
    keys = unresolved(module)
    for name in wanted or keys:
        key = keys.get(name)
        if key is not None and key.is_pending():
            key.owner.resolve([key])


def forget(module: ModuleType | dict[str, Any]) -> dict[str, list[Import]]:
    """Remove the names of a module that are not resolved; what they were."""
    keys = unresolved(module)
    return next(iter(keys.values())).owner.take_out() if keys else {}


def all_unresolved() -> list[Unresolved]:
    """The lazy names of all modules that have any."""
    return [each for each in list(_modules.values()) if each.pending]


def _quietly_set(names: dict[str, Any], key: Key) -> None:
    """Put a key into a dict without being taken for somebody who looks it up."""
    key.__class__ = _Quiet  # type: ignore[assignment]
    names[key] = key.standin
    key.__class__ = Key


def bind_what_waits_for(module_name: str) -> None:
    """A module has been imported: bind the other names that are for it, where that runs no code."""
    for reference in _waiting.pop(module_name, ()):
        key = reference()
        if key is None or not key.is_pending() or key.resolving:
            continue
        value = [each.value_without_running() for each in list(key.imports)][-1]
        if value is NOTHING:
            _waiting.setdefault(module_name, []).append(reference)
        else:
            key.owner.bind([(key, value)])


def _mend_copy(key: Key, frame: FrameType) -> None:
    """A resolved name is looked up in a copy of its module's dict, as code has it that is run in one: correct the copy.

    Which dict is looked into cannot be seen. It is the frame's own, or else somebody asks a dict for an item.
    """
    global _searches
    own = [frame.f_globals] if frame.f_code.co_flags & _NEW_LOCALS else [frame.f_globals, frame.f_locals]
    holders = [each for each in own if _holds(each, key)]
    op = frame.f_code.co_code[frame.f_lasti]
    if not holders and op not in _NAME_LOADS and op not in _ATTRIBUTE_LOADS and _searches > 0:
        _searches -= 1
        holders = [each for each in get_referrers(key.standin) if _holds(each, key)]
    for holder in holders:
        keys = [each for each in holder if isinstance(each, Key)]
        with _lock:
            rekey(holder, [(key, sys.intern(str(key)), key.value)], keys, _Quiet, Key, NOTHING)
            key.__class__ = Key


def _holds(names: object, key: Key) -> bool:
    return type(names) is dict and any(each is key for each in names)


def renew_after_fork() -> None:
    """In the child: no thread that held the lock is there any more."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew_after_fork)
