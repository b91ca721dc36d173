"""Profile: where the time of imports goes, module by module, and who was the first to import each."""

from __future__ import annotations

import builtins
import json
import os
import sys
import threading
import time
from contextlib import ContextDecorator
from types import FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from pyautoload.frames.hidden_frames import part_of_import
from pyautoload.importing.loader import PyAutoloadLoader

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["Profile", "Timed"]

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_COMMAND_LINE = _OURS + "cli" + os.sep
# The profiles that are measuring now, of whatever loader.
_active: list[Profile] = []
# Thread 1 and thread 2 begin a profile at once: the hooks below must be put in place once. Held over that only.
_lock = threading.Lock()
_stock_exec = PyAutoloadLoader.exec_module
_stock_import = builtins.__import__


class Timed:
    """One import that was measured.

    Attributes:
        name: the module; for a library what the import statement names: ``'sqlalchemy.orm'``.
        file: its file, ``None`` for a library.
        importer: the module that imported it first, ``None`` for something that is not a module (a prompt).
        place: the file and line of that import, ``None`` where it is not known.
        start: when it began, in seconds from the beginning of the profile.
        cumulative: how many seconds it took, all that it imported first included.
        inner: how many of these were spent in imports that are measured themselves.
        parent: the import during which this one happened.
        failed: whether it raised an error.
    """

    __slots__ = ("cumulative", "failed", "file", "importer", "inner", "name", "parent", "place", "start")

    def __init__(self, name: str, file: str | None, frame: FrameType | None, start: float, parent: Timed | None):
        self.name = name
        self.file = file
        self.importer: str | None = frame.f_globals.get("__name__") if frame is not None else None
        self.place: tuple[str, int] | None = (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None
        self.start = start
        self.cumulative = 0.0
        self.inner = 0.0
        self.parent = parent
        self.failed = False

    def __repr__(self) -> str:
        return f"<{self.name}: {self.cumulative * 1000:.2f} ms, {self.self_time * 1000:.2f} ms of its own>"

    @property
    def self_time(self) -> float:
        """How many seconds it took itself."""
        return self.cumulative - self.inner

    @property
    def is_library(self) -> bool:
        """Whether it is not managed."""
        return self.file is None


class Profile(ContextDecorator):
    """Measures the imports of managed modules between its beginning and its end; a context manager or a decorator.

    Nothing is in the way of imports while no profile is active. Modules that are loaded already are not measured, and
    a repeated use adds to what was measured before.

    Args:
        binder: of the loader whose modules are measured.
        libraries: also measure what managed modules import besides, as one line for each import statement.
        save: a file to write to at the end; ``.html`` and ``.json`` say what, anything else gets the table.
    """

    def __init__(self, binder: Binder, *, libraries: bool = True, save: str | os.PathLike[str] | None = None) -> None:
        self.binder = binder
        self.libraries = libraries
        self.save = save
        # In the order in which they began.
        self.imports: list[Timed] = []
        # Seconds between beginning and end, of all uses.
        self.total = 0.0
        self._began = 0.0
        self._local = threading.local()

    def __enter__(self) -> Profile:
        self._began = time.perf_counter() - self.total
        with _lock:
            if not _active:
                PyAutoloadLoader.exec_module = _timed_exec  # type: ignore[method-assign]
            _active.append(self)
            if self.libraries and builtins.__import__ is not _timed_import:
                _hook_import()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _lock:
            _active.remove(self)
            if not any(profile.libraries for profile in _active) and builtins.__import__ is _timed_import:
                builtins.__import__ = _stock_import
            if not _active:
                PyAutoloadLoader.exec_module = _stock_exec  # type: ignore[method-assign]
        self.total = time.perf_counter() - self._began
        if self.save is not None:
            self.write(self.save)

    # Measuring

    @property
    def current(self) -> Timed | None:
        """The import that is under way in this thread."""
        return getattr(self._local, "current", None)

    def begin(self, name: str, file: str | None) -> Timed:
        """An import begins."""
        timed = Timed(name, file, _importer(), time.perf_counter() - self._began, self.current)
        self.imports.append(timed)
        self._local.current = timed
        return timed

    def end(self, timed: Timed, *, failed: bool) -> None:
        """An import ends."""
        timed.cumulative = time.perf_counter() - self._began - timed.start
        timed.failed = failed
        self._local.current = timed.parent
        if timed.parent is not None:
            timed.parent.inner += timed.cumulative

    def counts_as_library(self, name: str) -> bool:
        """Whether an import statement for ``name`` is to be measured: one of a managed module, for something new."""
        current = self.current
        if current is None or current.is_library or not self.libraries or name in sys.modules:
            return False
        return name.partition(".")[0] not in self.binder.tree.tops()

    # Reports

    def modules(self) -> list[Timed]:
        """The managed modules, the one with the most time of its own first."""
        return sorted((each for each in self.imports if not each.is_library), key=lambda each: -each.self_time)

    def table(self, limit: int | None = None) -> str:
        """A table for people: time of its own, of the libraries that it imported first, and cumulative, in ms.

        Args:
            limit: how many modules to show.
        """
        libraries = self._library_time()
        modules = self.modules()
        shown = modules[:limit]
        width = max([len(each.name) for each in shown], default=6)
        lines = [f"{'self':>9} {'libraries':>10} {'cumulative':>11}  {'module':{width}}  imported first by"]
        for each in shown:
            times = f"{_ms(each.self_time):>9} {_ms(libraries.get(each, 0)):>10} {_ms(each.cumulative):>11}"
            lines.append(f"{times}  {each.name:{width}}  {self._by(each)}{'  (failed)' if each.failed else ''}")
        own, other = sum(each.self_time for each in modules), sum(libraries.values())
        more = f", {len(modules) - len(shown)} not shown" if len(shown) < len(modules) else ""
        lines.append(f"{_ms(own):>9} {_ms(other):>10} {_ms(self.total):>11}  {len(modules)} modules{more}; times in ms")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: each import with its times in seconds; ``parent`` is an index into the same list."""
        index = {id(each): at for at, each in enumerate(self.imports)}
        return {
            "total": self.total,
            "imports": [
                {
                    "name": each.name,
                    "file": each.file,
                    "library": each.is_library,
                    "self": each.self_time,
                    "cumulative": each.cumulative,
                    "start": each.start,
                    "importer": each.importer,
                    "place": f"{each.place[0]}:{each.place[1]}" if each.place else None,
                    "parent": index[id(each.parent)] if each.parent is not None else None,
                    "failed": each.failed,
                }
                for each in self.imports
            ],
        }

    def html(self) -> str:
        """A self-contained page: an icicle to zoom and search, and a table to sort."""
        from pyautoload.pages import render

        content = self.as_dict()
        here = os.getcwd().rstrip(os.sep) + os.sep
        for each in content["imports"]:
            for key in ("file", "place"):
                each[key] = each[key] and each[key].removeprefix(here)
        return render("profile", f"Import time of {self.binder.tag}", content)

    def speedscope(self) -> dict[str, Any]:
        """The same for https://www.speedscope.app, as it opens files: an evented profile."""
        children: dict[int | None, list[Timed]] = {}
        for each in self.imports:
            children.setdefault(id(each.parent) if each.parent is not None else None, []).append(each)
        frames: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        under_way: list[int] = []
        # Imports of several threads overlap, which the format has no place for: one begins where the one before ended.
        now = 0.0
        below = [(each, False) for each in reversed(children.get(None, []))]
        while below:
            each, ends = below.pop()
            now = max(now, each.start + (each.cumulative if ends else 0.0))
            if ends:
                events.append({"type": "C", "frame": under_way.pop(), "at": now})
                continue
            events.append({"type": "O", "frame": len(frames), "at": now})
            under_way.append(len(frames))
            frames.append({"name": each.name, "file": each.file} if each.file else {"name": each.name})
            below.append((each, True))
            below += [(inner, False) for inner in reversed(children.get(id(each), []))]
        profile = {
            "type": "evented",
            "name": f"Import time of {self.binder.tag}",
            "unit": "seconds",
            "startValue": 0.0,
            "endValue": max(now, self.total),
            "events": events,
        }
        schema = "https://www.speedscope.app/file-format-schema.json"
        return {"$schema": schema, "exporter": "pyautoload", "shared": {"frames": frames}, "profiles": [profile]}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a report; the name of the file says which: ``.html``, ``.speedscope.json``, ``.json``, or the table."""
        suffix = os.path.splitext(os.fspath(path))[1].lower()
        if os.fspath(path).lower().endswith(".speedscope.json"):
            text = json.dumps(self.speedscope())
        elif suffix in (".html", ".htm"):
            text = self.html()
        elif suffix == ".json":
            text = json.dumps(self.as_dict(), indent=2)
        else:
            text = self.table()
        with open(path, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(text.rstrip("\n") + "\n")

    def _library_time(self) -> dict[Timed, float]:
        """Module → seconds spent in libraries that it imported first."""
        found: dict[Timed, float] = {}
        for each in self.imports:
            if each.is_library and each.parent is not None:
                found[each.parent] = found.get(each.parent, 0) + each.self_time
        return found

    def _by(self, timed: Timed) -> str:
        if timed.place is None:
            return "-"
        return f"{timed.importer or os.path.basename(timed.place[0])}:{timed.place[1]}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _importer() -> FrameType | None:
    """The frame that imports: the innermost one that is neither ours nor the import system's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_COMMAND_LINE):
            return None  # nobody's code asked for it
        if not file.startswith(("<frozen importlib", _OURS)) and not file.endswith(_IMPORTLIB):
            return frame
        frame = frame.f_back
    return None


_IMPORTLIB = os.path.join("importlib", "__init__.py")


def _hook_import() -> None:
    # Somebody else may have put something in its place since the last profile: that one is called, and put back.
    global _stock_import
    _stock_import = builtins.__import__
    builtins.__import__ = _timed_import


@part_of_import
def _timed_exec(self: PyAutoloadLoader, module: ModuleType) -> None:
    """``PyAutoloadLoader.exec_module`` while a profile is active."""
    measuring = [(profile, profile.begin(self.name, self.path)) for profile in _of(self)]
    failed = True
    try:
        _stock_exec(self, module)
        failed = False
    finally:
        for profile, timed in measuring:
            profile.end(timed, failed=failed)


def _of(loader: PyAutoloadLoader) -> list[Profile]:
    return [profile for profile in _active if profile.binder is loader.binder]


@part_of_import
def _timed_import(name: str, *arguments: Any, **keywords: Any) -> Any:
    """``builtins.__import__`` while a profile is active that measures libraries, too."""
    level = keywords.get("level", arguments[3] if len(arguments) > 3 else 0)
    measuring = []
    if level == 0:
        measuring = [(p, p.begin(name, None)) for p in list(_active) if p.counts_as_library(name)]
    if not measuring:
        return _stock_import(name, *arguments, **keywords)
    failed = True
    try:
        found = _stock_import(name, *arguments, **keywords)
        failed = False
        return found
    finally:
        for profile, timed in measuring:
            profile.end(timed, failed=failed)
