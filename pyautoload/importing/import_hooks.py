"""Import hooks of others: who they are, and what they make of a managed module.

Ours stands in front of ``sys.meta_path``, and yet at the place of ``PathFinder``: finders of others that come before
that would be asked before it in plain Python, so they are asked here, whether they stand in front of ours or behind.
What they find a managed module with is what it is loaded by. Three kinds are known:

* Finders that ask ``PathFinder`` and put a loader of their own in place of the one they get (pytest, typeguard,
  jaxtyping). ``PathFinder`` may not know the file: a root need not lie on ``sys.path``. So they are asked with a path
  entry of ours in front, for which ``sys.path_importer_cache`` holds a finder that gives our spec.
* Finders that ask all finders, and so ours, and wrap the loader that they get (wrapt, ddtrace, birdseye). Asked again
  in the midst of asking, ours asks those that come after, and at last gives its own spec.
* Path hooks, which let a directory's modules be loaded by a loader class of theirs (beartype, PyInstaller).

A finder in front of ours that asks before it is our turn is told that there is nothing: it would take our file, and
nobody would tell us when it was loaded. When it is our turn, it is asked again.
"""

from __future__ import annotations

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _bootstrap_external
import os
import sys
import zipimport
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec
from _frozen_importlib_external import FileFinder, PathFinder, SourceFileLoader
from _thread import _local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from types import FrameType, ModuleType
    from typing import Any

__all__ = [
    "asked",
    "come_to_front",
    "deny",
    "finders_in_front",
    "hooked_loader",
    "is_anybody_in_front",
    "is_asked_in_front",
    "is_in_question",
    "is_plain",
    "is_plain_entry",
    "is_stock",
    "our_path_hooks",
    "ours",
    "patched",
]

# Classes of finders of ours, and our path hook; filled by the modules that define them, which import this one.
ours: list[type] = []
our_path_hooks: list[Any] = []

_STOCK: tuple[object, ...] = (
    BuiltinImporter,
    FrozenImporter,
    PathFinder,
    getattr(_bootstrap_external, "WindowsRegistryFinder", None),
)
# They stand in front of `PathFinder` in nearly every environment, and never wrap what others find.
_QUIET = frozenset({"DistutilsMetaFinder", "_SixMetaPathImporter", "VendorImporter"})
_STOCK_LOADERS = frozenset(
    getattr(_bootstrap_external, name, None)
    for name in (
        "SourceFileLoader",
        "SourcelessFileLoader",
        "ExtensionFileLoader",
        "AppleFrameworkLoader",
    )
)
# The function in which the import system goes through `sys.meta_path`, with the names of its variables.
_LOOP = getattr(getattr(_bootstrap, "_find_spec", None), "__code__", None)

# What was last found on `sys.meta_path`: a copy of it, and the finders of others on it that are to be asked, in order.
_meta: tuple[list[Any], tuple[Any, ...]] = ([], ())
# The same for `sys.path_hooks`: a copy, and whether all of them are Python's own, or ours.
_paths: tuple[list[Any], bool] = ([], False)
# Finders that came after ours, and stood in front of it then: what they find wins, whatever it is.
_later: list[Any] = []


class _Asking(_local):
    """What this thread is asking others for, by module name."""

    def __init__(self) -> None:
        self.names: dict[str, _Question] = {}
        # Names that somebody in front of us asked for, before it was our turn.
        self.denied: set[str] = set()


_asking = _Asking()


class _Question:
    """One module that others are asked for.

    Args:
        make: makes our own spec of it.
        finders: the others.
        on_disk: whether its file lies in the file system: who asks ``PathFinder`` goes on to read it there.
    """

    def __init__(self, make: Callable[[], ModuleSpec], finders: tuple[Any, ...], on_disk: bool) -> None:
        self.make = make
        self.finders = finders
        self.on_disk = on_disk
        # How many of them have been asked, the one that is being asked just now among them.
        self.at = 0
        # Our specs that were given away, with their loaders.
        self.given: list[tuple[ModuleSpec, object]] = []

    def own(self) -> ModuleSpec:
        """Our own spec, for somebody else."""
        spec = self.make()
        self.given.append((spec, spec.loader))
        return spec


# Who is there


def is_plain() -> bool:
    """Whether nobody else has a say in how modules are found and loaded."""
    # Each module that is loaded passes here, most of them while nothing has changed since the last one.
    if _meta[0] == sys.meta_path and _paths[0] == sys.path_hooks:
        return _paths[1] and not _meta[1]
    return _path_hooks_are_plain() and not _finders()


def _finders() -> tuple[Any, ...]:
    """The finders of others that come before ``PathFinder``."""
    global _meta
    seen, found = _meta
    if seen != sys.meta_path:
        seen = list(sys.meta_path)
        before = seen[: seen.index(PathFinder)] if PathFinder in seen else seen
        found = tuple(finder for finder in before if _is_foreign(finder))
        _meta = (seen, found)
    return found


def _is_foreign(finder: object) -> bool:
    if isinstance(finder, tuple(ours)) or any(finder is stock for stock in _STOCK):
        return False
    return type(finder).__name__ not in _QUIET and hasattr(finder, "find_spec")


def finders_in_front(finder: object) -> list[Any]:
    """The finders of others that come before one of ours."""
    others = _finders()
    if not others:
        return []
    before = sys.meta_path[: sys.meta_path.index(finder)] if finder in sys.meta_path else []
    return [item for item in before if any(item is other for other in others)]


def _path_hooks_are_plain() -> bool:
    global _paths
    seen, plain = _paths
    if seen != sys.path_hooks:
        seen = list(sys.path_hooks)
        plain = all(map(_is_stock_hook, seen))
        _paths = (seen, plain)
    return plain


def _is_stock_hook(hook: Any) -> bool:
    if hook is zipimport.zipimporter or hook in our_path_hooks:
        return True
    code: Any = getattr(hook, "__code__", None)
    cells = getattr(hook, "__closure__", None) or ()
    if code is None or code is not _FILE_HOOK:
        return False
    held = dict(zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    loaders = [item[0] for item in held.get("loader_details", ())]
    return held.get("cls") is FileFinder and all(loader in _STOCK_LOADERS for loader in loaders)


_FILE_HOOK: Any = getattr(FileFinder.path_hook(), "__code__", None)


def deny(name: str) -> None:
    """Somebody in front of us has asked for ``name``, and was told that there is nothing."""
    _asking.denied.add(name)


def come_to_front(finder: Any, name: str) -> tuple[Any, ...]:
    """Put our finders in front of those that came after them, whose turn it was before ours.

    Args:
        finder: the one whose turn it is.
        name: what it is asked for.

    Returns:
        Those that know already that they do not want ``name``.

    In front of them once more: they are not taken from where they are, as another thread may be on its way along
    ``sys.meta_path``, and would pass over the one that takes the place of what goes.
    """
    denied = name in _asking.denied
    _asking.denied.discard(name)
    others = finders_in_front(finder)
    if not others:
        return ()
    _later[:] = [item for item in [*_later, *others] if item in sys.meta_path]
    mine: list[Any] = []
    for index, item in reversed(list(enumerate(sys.meta_path))):
        if isinstance(item, tuple(ours)):
            if item in mine:
                del sys.meta_path[index]  # one behind the other: only from the third time on
            else:
                mine.append(item)
    sys.meta_path[0:0] = reversed(mine)
    return () if denied else tuple(others)


def is_anybody_in_front(finder: object) -> bool:
    """Whether a finder of others is in front of ``finder``, or was before that came to the front."""
    return bool(finders_in_front(finder)) or any(later in sys.meta_path for later in _later)


def is_asked_in_front(finder: object, name: str) -> bool:
    """Whether somebody in front of ``finder`` is looking for ``name`` just now, before it is that one's turn."""
    others = finders_in_front(finder)
    if not others:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is _LOOP:
            values = frame.f_locals
            at = values.get("finder")
            if values.get("name") == name and any(at is other for other in others):
                return True
        frame = frame.f_back
    return False


# Asking them


class _Given:
    """What ``PathFinder`` asks at the path entry of ours."""

    def __init__(self, name: str, question: _Question) -> None:
        self.name = name
        self.question = question

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """Our own spec of the module in question."""
        return self.question.own() if fullname == self.name and self.question.on_disk else None


def asked(
    name: str,
    path: str,
    make: Callable[[], ModuleSpec],
    target: ModuleType | None = None,
    *,
    on_disk: bool = True,
    without: tuple[Any, ...] = (),
) -> ModuleSpec:
    """What others make of a managed module.

    Args:
        name: its module name.
        path: its file, or the directory of an implicit namespace.
        make: makes our own spec of it.
        target: the module that is loaded again.
        on_disk: whether the file lies in the file system.
        without: others that are not asked.

    Returns:
        The spec of the one who wants the module; our own where nobody does.
    """
    question = _asking.names.get(name)
    if question is not None:
        return _next(question, name, path, target) or question.own()
    finders = tuple(finder for finder in _finders() if finder not in without)
    if not finders:
        return make()
    question = _asking.names[name] = _Question(make, finders, on_disk)
    try:
        found = _next(question, name, path, target)
    finally:
        del _asking.names[name]
    return make() if found is None else found


def is_in_question(name: str) -> bool:
    """Whether this thread is asking others for ``name``, one of which has come back to us."""
    return name in _asking.names


def _next(question: _Question, name: str, path: str, target: ModuleType | None) -> ModuleSpec | None:
    """Ask those that come after the one that is being asked."""
    directory = os.path.dirname(path)
    if os.path.basename(path).startswith("__init__."):
        directory = os.path.dirname(directory)
    start = question.at
    try:
        for at in range(start, len(question.finders)):
            finder, given = question.finders[at], len(question.given)
            question.at = at + 1
            spec = _ask(question, finder, name, directory, target)
            if spec is not None and (_is_wanted(spec, path, question.given[given:]) or finder in _later):
                return spec
    finally:
        question.at = start
    return None


def _ask(question: _Question, finder: Any, name: str, directory: str, target: ModuleType | None) -> ModuleSpec | None:
    entry = f"{directory}{os.sep}<{name}:{id(question)}>"
    sys.path_importer_cache[entry] = _Given(name, question)
    try:
        spec: ModuleSpec | None = finder.find_spec(name, [entry, directory], target)
    finally:
        sys.path_importer_cache.pop(entry, None)
    return spec


def _is_wanted(spec: ModuleSpec, path: str, given: Sequence[tuple[ModuleSpec, object]]) -> bool:
    """Whether somebody else wants to load our file: another file, that he would load instead, does not win."""
    if spec.loader is None:
        return False
    for own, loader in given:
        if spec is own:
            return spec.loader is not loader
    if spec.origin is None:
        return bool(given)
    return spec.origin == path and type(spec.loader) not in _STOCK_LOADERS


def is_stock(loader: object) -> bool:
    """Whether a loader is one of Python's own."""
    return type(loader) in _STOCK_LOADERS


# The stock loader


# What of the stock loader somebody may have replaced.
COMPILES, GETS_CODE, EXECUTES = 1, 2, 4
# The methods of the stock loader when they were last looked at, and which of them are not Python's own.
_source_to_code: Any = None
_get_code: Any = None
_exec_module: Any = None
_patched = 0


def patched() -> int:
    """Which methods of the stock loader somebody has replaced, for all files: ours are loaded through them, too."""
    kind = SourceFileLoader
    # Each module that is loaded passes here.
    if kind.source_to_code is _source_to_code and kind.get_code is _get_code and kind.exec_module is _exec_module:
        return _patched
    return _look_at_methods(kind.source_to_code, kind.get_code, kind.exec_module)


def _look_at_methods(*methods: Any) -> int:
    global _source_to_code, _get_code, _exec_module, _patched
    flags = zip(methods, (COMPILES, GETS_CODE, EXECUTES), strict=True)
    _patched = sum(flag for method, flag in flags if not _is_stock_method(method))
    _source_to_code, _get_code, _exec_module = methods
    return _patched


def _is_stock_method(method: Any) -> bool:
    code = getattr(method, "__code__", None)
    return code is not None and method.__globals__.get("__name__") in _STOCK_MODULES


_STOCK_MODULES = ("importlib._bootstrap_external", "_frozen_importlib_external")


# Path hooks


def hooked_loader(name: str, path: str) -> Loader | None:
    """The loader that a path hook of somebody else gives a file; ``None`` where the stock one would load it."""
    if _path_hooks_are_plain():
        return None
    directory, tail = os.path.dirname(path), os.path.basename(path).rpartition(".")[0]
    if tail == "__init__" and "." not in os.path.basename(directory):
        directory, tail = os.path.dirname(directory), os.path.basename(directory)
    finder = _entry_finder(directory)
    if finder is None:
        return None
    parent = name.rpartition(".")[0]
    known_as = f"{parent}.{tail}" if parent else tail
    # Not the `find_spec` that we may have given the instance.
    spec = type(finder).find_spec(finder, known_as)
    if spec is None and hasattr(finder, "invalidate_caches"):
        finder.invalidate_caches()
        spec = type(finder).find_spec(finder, known_as)
    loader = spec.loader if spec is not None else None
    if loader is None or spec.origin != path or type(loader) is SourceFileLoader:
        return None
    if known_as != name and hasattr(loader, "name"):
        loader.name = name
    return loader  # type: ignore[no-any-return]


def _entry_finder(directory: str) -> Any:
    """What ``PathFinder`` asks about a directory."""
    try:
        return sys.path_importer_cache[directory]
    except KeyError:
        pass
    for hook in list(sys.path_hooks):
        try:
            finder = hook(directory)
        except ImportError:
            continue
        sys.path_importer_cache[directory] = finder
        return finder
    return None


def is_plain_entry(finder: object) -> bool:
    """Whether a path entry finder is Python's own for directories, or of a class made from it."""
    return isinstance(finder, FileFinder)
