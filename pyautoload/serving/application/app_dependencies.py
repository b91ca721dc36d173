"""Usage: which code made an application, so that it is made again when that changes, and only then."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.codediff import compare, same_code
from pyautoload.reloading.reading import complete

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.records import Records
    from pyautoload.reloading.result import ReloadResult

__all__ = ["Usage", "record"]

# What identifies a code object in its module: its name and first line.
_Key = tuple[str, int]


class Usage:
    """The managed code that ran while an application was made, and the modules whose values that code mentions.

    Args:
        loader: of the modules.
        ran: the code objects that ran.
        loaded: modules that were loaded meanwhile, this time or before: it may have taken something from them in ways
            that cannot be seen (``import_module(name).blueprint``).
    """

    def __init__(self, loader: AutoLoader, ran: set[CodeType], loaded: set[str]) -> None:
        self._loader = loader
        self.loaded = loaded
        # Module → what ran of it. Example: {"myapp.web": {("create_app", 7)}}
        self._ran: dict[str, set[_Key]] = {}
        # Module → the names that this code mentions. Example: {"myapp.web": {"Flask", "register_blueprint", "bp"}}
        self._names: dict[str, set[str]] = {}
        # Module → its code as it was then: of those that ran, and of those that `bp` and its like come from.
        self._code: dict[str, CodeType | None] = {}
        reloader = loader.reloader
        if reloader is None:
            return
        for code in ran:
            module = reloader.records.by_path.get(code.co_filename)
            if module is not None:
                self._ran.setdefault(module, set()).add(_key(code))
                self._names.setdefault(module, set()).update(code.co_names)
        for module in {*self._ran, *self._mentioned(), *loaded}:
            known = reloader.records.get(module)
            if known is not None:
                complete(known)
                self._code[module] = known.code

    def _mentioned(self) -> Iterator[str]:
        """The modules that the names come from."""
        reloader = self._loader.reloader
        assert reloader is not None
        for module, names in self._names.items():
            self._loader.dependencies(module)  # brings the graph up to date
            for alias in reloader.graph.aliases(module):
                known_as = (alias.local,) if alias.local else (alias.attribute, alias.module.rpartition(".")[2])
                if not names.isdisjoint(name for name in known_as if name):
                    yield alias.module

    def is_affected(self, result: ReloadResult) -> bool:
        """Whether a reload has changed what made the application."""
        reloader = self._loader.reloader
        if reloader is None:
            return False
        again = {*result.reexecuted, *result.removed}
        if not again.isdisjoint(self._code):
            return True
        if result.added:
            # A new file beside one that was found by looking into its directory.
            spaces = {name.rpartition(".")[0] for name in self.loaded}
            if any(name.rpartition(".")[0] in spaces for name in result.added):
                return True
        for full in result.rebound:
            module, _, name = full.rpartition(".")
            if name in self._names.get(module, ()):
                return True
        return any(self._differs(module, code, reloader.records) for module, code in self._code.items())

    def _differs(self, module: str, before: CodeType | None, records: Records) -> bool:
        known = records.get(module)
        if known is None or known.code is None or before is None:
            return known is None
        if known.code is before:
            return False
        diff = compare(before, known.code)
        if diff is None:
            return True  # something at the module's level ran again
        ran = self._ran.get(module, set())
        return any(_ran_differs(change.old, change.new, ran) for change in diff.changed)


def _ran_differs(old: CodeType, new: CodeType, ran: set[_Key]) -> bool:
    """Whether what ran of a function is different; functions in it that were only made, views say, are patched."""
    inner = [each for each in old.co_consts if isinstance(each, CodeType)]
    now = [each for each in new.co_consts if isinstance(each, CodeType)]
    if len(inner) != len(now):
        return _key(old) in ran or any(_key(each) in ran for each in inner)
    if _key(old) in ran and not same_code(_without(old), _without(new)):
        return True
    return any(_ran_differs(one, other, ran) for one, other in zip(inner, now, strict=True))


def _without(code: CodeType) -> CodeType:
    """The code with nothing of the functions in it but their names."""
    constants = (each.co_name if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_consts=tuple(constants))


def _key(code: CodeType) -> _Key:
    return code.co_name, code.co_firstlineno


def record(loader: AutoLoader, make: Callable[[], Any], before: Usage | None = None) -> tuple[Any, Usage]:
    """Call ``make`` and note which managed code runs.

    What runs because a module is imported meanwhile does not count: it would not run again.

    Args:
        loader: of the modules.
        make: makes the application.
        before: what was noted the last time.
    """
    reloader = loader.reloader
    if reloader is None:
        return make(), Usage(loader, set(), set())
    known = set(loader.loaded())
    records, ran = reloader.records, set[CodeType]()

    def note(code: CodeType) -> bool:
        """Whether the code need not be asked about again."""
        if records.is_executing():
            return False
        if code.co_filename in records.by_path:
            ran.add(code)
        return True

    with _noting(note):
        made = make()
    loaded = set(loader.loaded())
    return made, Usage(loader, ran, (loaded - known) | (before.loaded & loaded if before is not None else set()))


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring

    @contextmanager
    def _noting(note: Callable[[CodeType], bool]) -> Iterator[None]:
        tool = next((number for number in (4, 3) if _monitoring.get_tool(number) is None), None)
        if tool is None:
            with _profiling(note):
                yield
            return
        thread = threading.get_ident()

        def started(code: CodeType, offset: int) -> Any:
            return _monitoring.DISABLE if threading.get_ident() == thread and note(code) else None

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
    def _noting(note: Callable[[CodeType], bool]) -> Iterator[None]:
        with _profiling(note):
            yield


@contextmanager
def _profiling(note: Callable[[CodeType], bool]) -> Iterator[None]:
    before = sys.getprofile()

    def profile(frame: Any, event: Any, argument: Any) -> None:
        if event == "call":
            note(frame.f_code)
        if before is not None:
            before(frame, event, argument)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)
