"""AppDependencies: which code made an application, so that it is made again when that changes, and only then."""

from __future__ import annotations

import ast
import marshal
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.records.source_reading import complete

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["AppDependencies", "absolute_name", "imported_names", "record", "running"]

# What code does, without what the functions in it do, and without the lines where it stands.
_Shape = tuple[object, ...]


class AppDependencies:
    """The managed code that ran while an application was made, and the modules whose values that code mentions.

    Args:
        loader: of the modules.
        ran: the code objects that ran.
        loaded: modules that were loaded meanwhile, this time or before: it may have taken something from them in ways
            that cannot be seen (``import_module(name).blueprint``).
    """

    def __init__(self, loader: AutoLoader, ran: Iterable[CodeType], loaded: set[str]) -> None:
        self._loader = loader
        self.loaded = loaded
        self._files = _managed(loader)
        modules = {file: name for name, file in self._files.items()}
        # Module → the names of what ran of it. Example: {"myapp.web": {"create_app"}}
        self._ran: dict[str, set[str]] = {}
        # Module → the names that this code mentions. Example: {"myapp.web": {"Flask", "register_blueprint", "bp"}}
        self._names: dict[str, set[str]] = {}
        for code in ran:
            module = modules.get(code.co_filename)
            if module is not None:
                self._ran.setdefault(module, set()).add(_qualname(code))
                self._names.setdefault(module, set()).update(_names_in(code))
        # Module → what its code does, of those that ran, and of those that `bp` and its like come from: "" for what
        # stands at its level. Empty where it is not known. Example: {"myapp.web": {"": (...), "create_app": (...)}}
        self._shapes = {
            module: self._shapes_of(module) for module in {*self._ran, *self._mentioned(), *loaded} & set(self._files)
        }

    def _mentioned(self) -> Iterator[str]:
        """The modules that the names come from."""
        for module, names in self._names.items():
            for name, origin in _imports(_source(self._loader, module), self._files[module], module):
                if name in names:
                    yield origin

    def why_affected(self, result: ReloadResult) -> str | None:
        """Why a reload asks for another application, ``None`` where it does not."""
        for module in (*result.reexecuted, *result.removed):
            if module in self._shapes:
                return f"{module} ran again" if module in result.reexecuted else f"{module} has gone"
        # A new file beside one that was found by looking into its directory.
        spaces = {name.rpartition(".")[0] for name in self.loaded}
        for module in result.added:
            if module.rpartition(".")[0] in spaces:
                return f"{module} is new"
        for full in result.rebound:
            module, _, name = full.rpartition(".")
            if name in self._names.get(module, ()):
                return f"{full} has changed"
        changed = sorted({*result.changed, *result.patched})
        return next(filter(None, map(self._difference, changed)), None)

    def _difference(self, module: str) -> str | None:
        before = self._shapes.get(module)
        if before is None:
            return None
        now = self._shapes_of(module)
        if not before or not now or before[""] != now[""]:
            return f"{module} has changed"
        changed = sorted(name for name in self._ran.get(module, ()) if before.get(name) != now.get(name))
        return f"{module}.{changed[0]} has changed" if changed else None

    def _shapes_of(self, module: str) -> dict[str, set[_Shape]]:
        return _shapes(_source(self._loader, module), self._files[module])


def record(
    loader: AutoLoader, make: Callable[[], Any], before: AppDependencies | None = None
) -> tuple[Any, AppDependencies]:
    """Call ``make`` and note which managed code runs.

    What runs because a managed module is imported meanwhile does not count: it would not run again.

    Args:
        loader: of the modules.
        make: makes the application.
        before: what was noted the last time.
    """
    known = set(loader.loaded())
    with running(loader) as ran:
        made = make()
    loaded = set(loader.loaded())
    taken = (loaded - known) | (before.loaded & loaded if before is not None else set())
    return made, AppDependencies(loader, ran, taken)


def imported_names(loader: AutoLoader, module: str) -> set[str]:
    """The names in a managed module that it has from elsewhere."""
    return {name for name, _ in _imports(_source(loader, module), sys.modules[module].__file__ or "", module)}


@contextmanager
def running(loader: AutoLoader) -> Iterator[set[CodeType]]:
    """Note which code below the roots of a loader runs in this thread, but not as a part of managed modules."""
    roots = tuple(os.path.join(root, "") for root in loader.dirs())
    ran: set[CodeType] = set()

    def note(frame: FrameType) -> bool:
        """Whether the code need not be asked about again."""
        code = frame.f_code
        if not code.co_filename.startswith(roots):
            return True
        if code in ran:
            return True
        if _is_imported(frame, roots):
            return False
        ran.add(code)
        return True

    making = loader.reloader.records.making() if loader.reloader is not None else nullcontext()
    with making, _noting(note):
        yield ran


def _managed(loader: AutoLoader) -> dict[str, str]:
    files = ((name, getattr(sys.modules.get(name), "__file__", None)) for name in loader.loaded())
    return {name: file for name, file in files if isinstance(file, str)}


def _source(loader: AutoLoader, module: str) -> bytes | None:
    """The text of the code that runs: the file may be another one by now, or be half written."""
    record = loader.reloader.records.get(module) if loader.reloader is not None else None
    if record is None:
        return None
    complete(record)
    return record.source


def _is_imported(frame: FrameType, roots: tuple[str, ...]) -> bool:
    """Whether it runs as a part of a managed module that is being executed."""
    each: FrameType | None = frame
    while each is not None:
        if each.f_code.co_name == "<module>" and each.f_code.co_filename.startswith(roots):
            return True
        each = each.f_back
    return False


# Code


def _shapes(source: bytes | None, file: str) -> dict[str, set[_Shape]]:
    """What the code of a module does, by name; that of its level by ``""``. Nothing where it is not known."""
    if source is None:
        return {}
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):  # where something stands is no difference; classes keep their line
                node.lineno = node.end_lineno = 1  # type: ignore[attr-defined]
                node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
        code = compile(tree, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}
    found = {"": {_shape(code)}}
    for each in _all_code(code):
        found.setdefault(_qualname(each), set()).add(_shape(each))
    return found


def _all_code(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _all_code(each)


def _qualname(code: CodeType) -> str:
    return str(getattr(code, "co_qualname", code.co_name))  # before 3.11 there is only the name


def _shape(code: CodeType) -> _Shape:
    constants = tuple(each.co_name if isinstance(each, CodeType) else _constant(each) for each in code.co_consts)
    fixed = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    inner = tuple(_shape(each) for each in code.co_consts if isinstance(each, CodeType) and _is_class(each))
    return code.co_code, getattr(code, "co_exceptiontable", b""), constants, fixed, names, inner


def _is_class(code: CodeType) -> bool:
    """Whether it is the body of a class, which runs with what it stands in."""
    return "__module__" in code.co_names and "__qualname__" in code.co_names and not code.co_argcount


def _constant(value: object) -> bytes:
    # As data it keeps 1, 1.0, True and -0.0 apart, as == does not.
    return marshal.dumps(_without_slices(value), 2)  # type: ignore[arg-type]


def _without_slices(value: object) -> object:
    """A constant with tuples in the place of slices, which are constants from Python 3.14 on, and no data before."""
    if isinstance(value, slice):
        return "slice", *map(_without_slices, (value.start, value.stop, value.step))
    return tuple(map(_without_slices, value)) if type(value) is tuple else value


def _names_in(code: CodeType) -> set[str]:
    return {*code.co_names, *(name for each in _all_code(code) for name in each.co_names)}


def _imports(source: bytes | None, file: str, module: str) -> Iterator[tuple[str, str]]:
    """The names in a file that come from other modules, anywhere in it: ``("bp", "myapp.views")``."""
    try:
        tree = ast.parse(source or b"")
    except (SyntaxError, ValueError):
        return
    package = module if os.path.basename(file).startswith("__init__.") else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                for name in {alias.asname or alias.name.partition(".")[0], alias.name.rpartition(".")[2]}:
                    yield name, alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = absolute_name(node, package)
            for alias in node.names:
                yield alias.asname or alias.name, origin
                yield alias.asname or alias.name, f"{origin}.{alias.name}".lstrip(".")


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    """The module that a statement imports from, in full."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    start = ".".join(parts[: len(parts) - node.level + 1])
    return ".".join(part for part in (start, node.module) if part)


# What runs

if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring

    @contextmanager
    def _noting(note: Callable[[FrameType], bool]) -> Iterator[None]:
        tool = next((number for number in (4, 3) if _monitoring.get_tool(number) is None), None)
        if tool is None:
            with _profiling(note):
                yield
            return
        thread = threading.get_ident()

        def started(code: CodeType, offset: int) -> Any:
            if threading.get_ident() != thread:
                return None
            return _monitoring.DISABLE if note(sys._getframe(1)) else None

        _monitoring.use_tool_id(tool, "pyautoload")
        _monitoring.register_callback(tool, _monitoring.events.PY_START, started)
        _monitoring.set_events(tool, _monitoring.events.PY_START)
        try:
            yield
        finally:
            _monitoring.set_events(tool, 0)
            _monitoring.register_callback(tool, _monitoring.events.PY_START, None)
            _monitoring.free_tool_id(tool)
            _monitoring.restart_events()  # what was not asked about again is forgotten with the tool on newer ones only

else:

    @contextmanager
    def _noting(note: Callable[[FrameType], bool]) -> Iterator[None]:
        with _profiling(note):
            yield


@contextmanager
def _profiling(note: Callable[[FrameType], bool]) -> Iterator[None]:
    before = sys.getprofile()

    def profile(frame: Any, event: Any, argument: Any) -> None:
        if event == "call":
            note(frame)
        if before is not None:
            before(frame, event, argument)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)
