"""Recording: which functions run while a module is imported, whose code is looked at, and what cannot be taken back.

An edit of a function that import-time code ran changes what the import gave; an edit of any other one does not. Reading
code cannot tell which is which (metaclasses, ``__set_name__``, descriptors, callbacks of libraries), so it is recorded:
by ``sys.monitoring`` from Python 3.12 on, by a trace function before, in both cases only while a managed module is
being executed.
"""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyautoload.reloading.records.record import Record

__all__ = ["Recorder", "note_code_read", "note_outside"]

_monitoring: Any = getattr(sys, "monitoring", None)
# The tools that CPython leaves to others; 0 to 2 and 5 are a debugger's, coverage's, a profiler's and its own.
_TOOL_IDS = (4, 3)
_OPTIMIZED = 0x1
# Who of the standard library looks at a function's code without caring for what it does: signatures and flags.
_SIGNATURES = frozenset(
    {
        *("_signature_from_function", "_signature_from_callable", "_signature_is_functionlike", "_has_code_flag"),
        *("_has_coroutine_mark", "iscoroutinefunction", "isgeneratorfunction", "isasyncgenfunction", "getfullargspec"),
        *("_signature_is_builtin", "unwrap", "_getfullargs", "getargs", "is_coroutine_callable", "is_gen_callable"),
    }
)


class Recorder:
    """Notes what runs while the modules of one loader are executed.

    Args:
        is_managed: whether a file belongs to the loader.
    """

    def __init__(self, is_managed: Callable[[str], bool]) -> None:
        self._is_managed = is_managed
        # File → whether it is managed. Example: {"/app/myapp/user.py": True}
        self._known: dict[str, bool] = {}
        # Thread → the modules that it is executing, innermost last.
        self._stacks: dict[int, list[Record]] = {}
        # Whether what runs is not known: no way to record was free.
        self.is_blind = False

    def begin(self, record: Record) -> None:
        """A module's code is about to run in this thread."""
        me = threading.get_ident()
        stack = self._stacks.get(me)
        if stack is None:
            stack = self._stacks[me] = []
        stack.append(record)
        if len(stack) == 1:
            self.is_blind = not _start(self) or self.is_blind

    def end(self) -> None:
        """The code that began last in this thread has run."""
        me = threading.get_ident()
        stack = self._stacks[me]
        stack.pop()
        if not stack:
            del self._stacks[me]
            _stop(self)

    def runs_in(self, thread: int) -> bool:
        """Whether a thread is executing a module."""
        return thread in self._stacks

    def is_busy(self) -> bool:
        """Whether any thread is executing a module."""
        return bool(self._stacks)

    def manages(self, path: str) -> bool:
        """Whether a file belongs to the loader."""
        managed = self._known.get(path)
        if managed is None:
            managed = self._known[path] = self._is_managed(path)
        return managed

    def note(self, code: CodeType) -> None:
        """A function of a managed file begins to run in this thread."""
        stack = self._stacks.get(threading.get_ident())
        if stack and code.co_flags & _OPTIMIZED:
            ran = stack[-1].ran
            if ran is None:
                ran = stack[-1].ran = {}
            ran[id(code)] = code


# The recorders whose loaders are executing modules just now: one tool serves them all, as Python has few.
_busy: list[Recorder] = []
_lock = threading.Lock()
_tool: int | None = None


def _start(recorder: Recorder) -> bool:
    """Begin to record for a loader; says whether that is possible."""
    global _tool
    if _monitoring is None:
        _busy.append(recorder)
        return _trace()
    with _lock:
        if recorder in _busy:
            return True
        if _tool is None:
            _tool = _claimed()
        if _tool is None:
            return False
        _busy.append(recorder)
        if len(_busy) == 1:
            _monitoring.set_events(_tool, _monitoring.events.PY_START)
        else:
            _monitoring.restart_events()  # what was of no interest to one may be of interest to the other
    return True


def _stop(recorder: Recorder) -> None:
    if _monitoring is None:
        _busy.remove(recorder)
        _untrace()
        return
    with _lock:
        if recorder in _busy and not recorder.is_busy():
            _busy.remove(recorder)
        if _tool is not None and not _busy:
            _monitoring.set_events(_tool, 0)


def _claimed() -> int | None:
    for tool in _TOOL_IDS:
        if _monitoring.get_tool(tool) is None:
            _monitoring.use_tool_id(tool, "pyautoload")
            _monitoring.register_callback(tool, _monitoring.events.PY_START, _ran)
            return tool
    return None


def _ran(code: CodeType, offset: int) -> Any:
    managed = False
    for recorder in _busy:
        if recorder.manages(code.co_filename):
            managed = True
            recorder.note(code)
    return None if managed else _monitoring.DISABLE


# Before Python 3.12


def _trace() -> bool:
    if sys.gettrace() in (None, _called):
        sys.settrace(_called)
    elif sys.getprofile() in (None, _profiled):
        sys.setprofile(_profiled)
    else:
        return False
    return True


def _untrace() -> None:
    me = threading.get_ident()
    if any(recorder.runs_in(me) for recorder in _busy):
        return
    if sys.gettrace() is _called:
        sys.settrace(None)
    if sys.getprofile() is _profiled:
        sys.setprofile(None)


def _called(frame: FrameType, event: str, argument: object) -> None:
    code = frame.f_code
    for recorder in _busy:
        if recorder.manages(code.co_filename):
            recorder.note(code)


def _profiled(frame: FrameType, event: str, argument: object) -> None:
    if event == "call":
        _called(frame, event, argument)


def note_code_read(record: Record, function: object) -> None:
    """The code of a function was taken while a module was executed.

    Args:
        record: of the module that is executed.
        function: whose ``__code__`` was asked for.
    """
    code = getattr(function, "__func__", function)
    code = getattr(code, "__code__", None)
    if type(code) is not CodeType:
        return
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    reads = record.reads
    if reads is None:
        reads = record.reads = {}
    benign = frame is not None and frame.f_code.co_name in _SIGNATURES
    known = reads.get(id(code))
    reads[id(code)] = (code, (known[1] if known else False) or not benign)


# What a module does to the outside while it is imported and what cannot be done twice, nor be taken back.
_OUTSIDE = {
    "_thread.start_new_thread": "starts a thread",
    "_thread.start_joinable_thread": "starts a thread",
    "subprocess.Popen": "starts a process",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.system": "runs a command",
    "socket.bind": "opens a socket",
    "socket.connect": "opens a connection",
    "signal.pthread_kill": "sends a signal",
}


def note_outside(record: Record, event: str) -> None:
    """Something was done while a module was executed that can neither be taken back nor be done twice.

    Args:
        record: of the module.
        event: the audit event.
    """
    what = _OUTSIDE.get(event)
    if what is None:
        return
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not (frame.f_code.co_name == "<module>" and frame.f_code.co_filename == record.path):
        if frame.f_code.co_name == "<module>" and _is_module(frame.f_globals, record):
            return  # a library does that while it is imported, which is once, however often the module runs
        frame = frame.f_back
    if record.outside is None:
        record.outside = {}
    record.outside.setdefault(frame.f_lineno if frame is not None else 0, what)


def _is_module(names: dict[str, Any], but: Record) -> bool:
    """Whether these are the names of another module, and not those of some text that is executed."""
    name = str(names.get("__name__"))
    return name != but.name and getattr(sys.modules.get(name), "__dict__", None) is names


OUTSIDE_EVENTS = frozenset(_OUTSIDE)
