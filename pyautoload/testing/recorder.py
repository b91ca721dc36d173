"""The recorder: what of the project is used, and on whose behalf, in the process that pytest runs in.

Who is at work is a ``Context``: a test, a fixture that several tests share, a file that is collected, a module that is
imported. Functions are told by ``sys.monitoring``, before Python 3.12 by a profile function; files, processes and the
begin of modules by an audit hook. A function that runs very often is told no more until the next context begins.
"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

__all__ = ["Context", "Recorder", "is_managed"]

# After so many calls in one context a function is told no more in it.
_OFTEN = 500
_LIBRARIES = tuple(
    {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("purelib", "platlib", "stdlib", "platstdlib")}
)
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_IMPORT_MODULE = importlib.import_module.__code__
# Frames of these only pass an import on.
_PASSING = ("<frozen", "<string>", _OWN, *(os.path.abspath(sysconfig.get_path("stdlib")) + os.sep + part for part in
            ("importlib" + os.sep, "pkgutil.py", "runpy.py", "contextlib.py")))  # fmt: skip
_OF_PYTEST = tuple(f"{os.sep}{part}{os.sep}" for part in ("_pytest", "pluggy"))
_SYSTEM = tuple(
    {
        os.path.realpath(sys.base_prefix) + os.sep + "lib",
        os.path.realpath(sys.prefix) + os.sep,
        "/proc/",
        "/sys/",
        "/dev/",
        "/etc/",
        "/usr/",
    }
)
_STARTS = (
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "os.system",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
)
_NOT_WATCHED = frozenset(
    ["__pycache__", ".git", ".pyautoload", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"]
)


def is_managed(path: str, directory: str) -> bool:
    """Whether a file is one that people write in the project in a directory."""
    return path.startswith(directory) and not path.startswith(_LIBRARIES)


class Context:
    """What was used on somebody's behalf."""

    __slots__ = ("codes", "is_between", "is_opaque", "listed", "modules", "number", "opened", "used")

    def __init__(self, number: int = 0, *, is_between: bool = False) -> None:
        self.number = number
        # Whether it stands for what pytest does between tests: files that it reads for itself do not count.
        self.is_between = is_between
        # Identity of a code object → how often it began to run.
        self.codes: dict[int, int] = {}
        # Absolute paths; names of modules.
        self.opened: set[str] = set()
        self.listed: set[str] = set()
        self.modules: set[str] = set()
        # Numbers of the contexts of fixtures that this one used.
        self.used: set[int] = set()
        # Whether another process was started, about which nothing is recorded.
        self.is_opaque = False


class Recorder:
    """Records.

    Args:
        directory: of the project.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory.rstrip(os.sep) + os.sep
        # What is used while nobody in particular is at work.
        self.session = Context(is_between=True)
        self.current = self.session
        # File → what was used while it was imported.
        self.modules: dict[str, Context] = {}
        # Module name → file; file → files that it imported first, names that it imported by a call.
        self.names: dict[str, str] = {}
        self.importers: dict[str, set[str]] = {}
        self.dynamic: dict[str, set[str]] = {}
        # Files that a library imported on its own account: everybody may have got something from them.
        self.ambient: set[str] = set()
        self.written: set[str] = set()
        # Keeps code objects alive, so that their identities stay theirs.
        self.known: dict[int, CodeType] = {}
        self._kinds: dict[str, bool] = {}
        # Thread → modules that are being imported in it, the innermost last.
        self._importing: dict[int, list[tuple[FrameType, Context]]] = {}
        self._has_disabled = False
        self._tool = -1
        self._is_on = False

    # Begin and end

    def start(self) -> None:
        """Record from now on."""
        self._is_on = True
        sys.addaudithook(self._audit)
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            self._tool = next(number for number in (4, 3, 2, 0) if monitoring.get_tool(number) is None)
            monitoring.use_tool_id(self._tool, "pyautoload")
            events = monitoring.events.PY_START | monitoring.events.PY_RESUME
            for event in (monitoring.events.PY_START, monitoring.events.PY_RESUME):
                monitoring.register_callback(self._tool, event, self._begun)
            monitoring.set_events(self._tool, events)
        else:
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)

    def stop(self) -> None:
        """Record no more."""
        self._is_on = False
        if sys.version_info >= (3, 12):
            sys.monitoring.set_events(self._tool, 0)
            sys.monitoring.free_tool_id(self._tool)
        else:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextmanager
    def on_behalf_of(self, context: Context) -> Iterator[Context]:
        """What is used from now on is used by this one."""
        before = self.current
        self._switch(context)
        try:
            yield context
        finally:
            self._switch(before)

    def _switch(self, context: Context) -> None:
        self.current = context
        if self._has_disabled and sys.version_info >= (3, 12):
            self._has_disabled = False
            sys.monitoring.restart_events()

    # Functions

    def _begun(self, code: CodeType, offset: int) -> Any:
        """A function begins, or goes on (3.12 and later)."""
        if not self._is_managed(code.co_filename):
            if code is _IMPORT_MODULE or self._is_process_start(code):
                self._special(code, sys._getframe(1))
                return None
            return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]
        if self._note(code, sys._getframe(1)) > _OFTEN:
            self._has_disabled = True
            return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]
        return None

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """A function begins, or goes on (before 3.12)."""
        if event != "call":
            return
        code = frame.f_code
        if self._is_managed(code.co_filename):
            self._note(code, frame)
        elif code is _IMPORT_MODULE or self._is_process_start(code):
            self._special(code, frame)

    def _is_managed(self, filename: str) -> bool:
        kind = self._kinds.get(filename)
        if kind is None:
            kind = self._kinds[filename] = is_managed(filename, self.directory) and not filename.startswith(
                _OWN_TESTING
            )
        return kind

    @staticmethod
    def _is_process_start(code: CodeType) -> bool:
        return (
            code.co_name == "start"
            and code.co_filename.endswith("process.py")
            and "multiprocessing" in code.co_filename
        )

    def _special(self, code: CodeType, frame: FrameType) -> None:
        if code is not _IMPORT_MODULE:
            self._active(frame).is_opaque = True
            return
        name, package = frame.f_locals.get("name"), frame.f_locals.get("package")
        if not isinstance(name, str):
            return
        if name.startswith(".") and isinstance(package, str):
            level = len(name) - len(name.lstrip("."))
            parts = package.split(".")
            name = ".".join([*parts[: len(parts) - level + 1], name[level:]])
        importer = self._importer(frame.f_back)
        if importer is not None and self._is_managed(importer):
            self.dynamic.setdefault(importer, set()).add(name)
        else:
            self._active(frame).modules.add(name)

    def _note(self, code: CodeType, frame: FrameType) -> int:
        context = self._active(frame) if self._importing else self.current
        number = id(code)
        count = context.codes.get(number, 0) + 1
        context.codes[number] = count
        if count == 1:
            self.known[number] = code
        if code.co_name == "<module>":
            self._begin_module(code.co_filename, frame)
        return count

    def _active(self, frame: FrameType | None) -> Context:
        """The module that is being imported in this thread, or who is at work."""
        thread = threading.get_ident()
        stack = self._importing.get(thread)
        while stack:
            outer, context = stack[-1]
            each = frame
            while each is not None:
                if each is outer:
                    return context
                each = each.f_back
            stack.pop()  # that import has ended
            if not stack:
                self._importing.pop(thread, None)
            self._switch(self.current)
        return self.current

    # Modules

    def _begin_module(self, file: str, frame: FrameType) -> None:
        importer = self._importer(frame.f_back)
        name = frame.f_globals.get("__name__")
        if isinstance(name, str):
            self.names[name] = file
        if importer is not None and importer != file:
            if self._is_managed(importer):
                self.importers.setdefault(importer, set()).add(file)
            else:
                self.ambient.add(file)
                if isinstance(name, str):
                    self._active(frame.f_back).modules.add(name)
        elif importer is None and not self._is_of_pytest(frame.f_back):
            self.ambient.add(file)
        context = Context()
        context.codes[id(frame.f_code)] = 1
        self.modules[file] = context
        self._importing.setdefault(threading.get_ident(), []).append((frame, context))
        self._switch(self.current)

    @staticmethod
    def _importer(frame: FrameType | None) -> str | None:
        """The file whose code asked for an import; ``None`` where pytest itself did."""
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith(_PASSING) and not any(part in name for part in _OF_PYTEST):
                return name
            frame = frame.f_back
        return None

    @staticmethod
    def _is_of_pytest(frame: FrameType | None) -> bool:
        """Whether pytest imports a test file or a ``conftest.py``, and not a plugin."""
        while frame is not None:
            if frame.f_code.co_name in ("_importconftest", "importtestmodule", "_importtestmodule", "import_plugin"):
                return frame.f_code.co_name != "import_plugin"
            frame = frame.f_back
        return False

    # Files and processes

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event == "open":
            self._opened(*arguments)
        elif event in ("os.listdir", "os.scandir", "glob.glob"):
            self._listed(arguments[0])
        elif event in _STARTS:
            self._active(sys._getframe(1)).is_opaque = True
        elif event in (
            "os.rename",
            "os.remove",
            "os.mkdir",
            "os.rmdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "sqlite3.connect",
        ):
            for path in arguments[:2]:
                if isinstance(path, (str, bytes)) and (name := self._path(path)):
                    self.written.add(name)
                    if event == "sqlite3.connect":
                        self._active(sys._getframe(1)).opened.add(name)

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, (str, bytes)) or (name := self._path(path)) is None:
            return
        writes = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
        writes |= mode is None and isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        if writes:
            self.written.add(name)
            if isinstance(mode, str) and "+" not in mode and "a" not in mode:
                return
        frame = sys._getframe(2)
        if name.endswith((".py", ".pyc")) and _is_loading(frame):
            return
        if name.endswith(".py") and _is_shown(frame):
            return
        context = self._active(frame)
        if not context.is_between or self._is_for_project(frame):
            context.opened.add(name)

    def _is_for_project(self, frame: FrameType | None) -> bool:
        """Whether code of the project asks for something, itself or by way of a library."""
        while frame is not None:
            if self._is_managed(frame.f_code.co_filename):
                return True
            frame = frame.f_back
        return False

    def _listed(self, path: Any) -> None:
        frame = sys._getframe(2)
        if _is_loading(frame):
            return
        name = self._path("." if path is None else path) if isinstance(path, (str, bytes, type(None))) else None
        if name is None:
            return
        context = self._active(frame)
        if not context.is_between or self._is_for_project(frame):
            context.listed.add(name)

    def _path(self, path: str | bytes) -> str | None:
        """The absolute path of a file that may matter."""
        try:
            name = os.path.abspath(os.fsdecode(path))
        except (OSError, ValueError):
            return None
        if name.startswith(self.directory) or name + os.sep == self.directory:
            parts = name[len(self.directory) :].split(os.sep)
            outside = not _NOT_WATCHED.isdisjoint(parts) or name.startswith(_LIBRARIES)
            return None if outside else name
        return None if name.startswith((*_SYSTEM, *_LIBRARIES, _TEMPORARY, _OWN)) else name


_TEMPORARY = os.path.abspath(tempfile.gettempdir()) + os.sep
_OWN_TESTING = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _is_shown(frame: FrameType | None) -> bool:
    """Whether pytest reads a file in order to show its lines in a report."""
    while frame is not None:
        if frame.f_code.co_filename.endswith((f"_code{os.sep}code.py", f"_code{os.sep}source.py")):
            return True
        frame = frame.f_back
    return False


def _is_loading(frame: FrameType | None) -> bool:
    """Whether a file is read in order to import it, or to look for tests."""
    if frame is None:
        return False
    name = frame.f_code.co_filename
    if name.startswith(("<frozen importlib", _OWN)):
        return True
    return (
        name.endswith((f"{os.sep}rewrite.py", f"{os.sep}pathlib.py", f"{os.sep}main.py"))
        and f"{os.sep}_pytest{os.sep}" in name
    )
