"""Which files are opened while a module is imported: one audit hook for the process, installed when first needed."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from typing import Any

from pyautoload.reloading.records.own_files import CHANGING, is_writing, paths_changed
from pyautoload.reloading.records.recording import OUTSIDE_EVENTS, note_code_read, note_outside
from pyautoload.reloading.records.records import Records

__all__ = ["watch_opened_files"]

# Everybody who wants to know. An audit hook cannot be taken out again; without listeners it does nothing.
_listeners: weakref.WeakSet[Records] = weakref.WeakSet()
_installed = False
_LISTING = frozenset({"os.listdir", "os.scandir"})
# Whether a thread is in the midst of noting a change.
_inside = threading.local()
_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep
# Who lists directories in order to find modules, or what is installed.
_FINDERS = (
    "<frozen importlib",
    os.path.dirname(os.path.dirname(_HERE)) + os.sep,
    os.path.join(os.path.dirname(os.__file__), "importlib", "metadata"),
)
# What Python itself opens in order to import, and what is no file of the application.
_CODE_SUFFIXES = (".py", ".pyc", ".pyo", ".so", ".pyd", ".pth", ".zip", ".tmp", ".log")
_NOT_THE_APPLICATION = (f"{os.sep}site-packages{os.sep}", f"{os.sep}__pycache__{os.sep}", f"{os.sep}zoneinfo{os.sep}")
_SYSTEM = tuple({os.path.realpath(sys.base_prefix) + os.sep + "lib", "/proc/", "/sys/", "/dev/", "/etc/"})


def watch_opened_files(records: Records) -> None:
    """Tell ``records`` of each file that is opened for reading while a managed module is executed."""
    global _installed
    _listeners.add(records)
    if not _installed:
        sys.addaudithook(_audit)
        _tell_of_threads()
        _installed = True


def _tell_of_threads() -> None:
    """Before Python 3.12 nobody is told of new threads."""
    start: Any = getattr(threading, "_start_new_thread", None)
    if sys.version_info >= (3, 12) or start is None:
        return

    def start_new_thread(*arguments: Any) -> Any:
        sys.audit("_thread.start_new_thread", *arguments)
        return start(*arguments)

    threading._start_new_thread = start_new_thread  # type: ignore[attr-defined]


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "object.__getattr__":
        if arguments[1] == "__code__" and not sys._getframe(1).f_code.co_filename.startswith(_HERE):
            _code_was_read(arguments[0])
        return
    if event in OUTSIDE_EVENTS:
        for records in list(_listeners):
            if (record := records.executing()) is not None:
                note_outside(record, event)
        return
    if event != "open":
        if event in CHANGING:
            _changes(event, arguments)
        elif event in _LISTING:
            _listed(arguments[0])
        return
    path, mode, flags = arguments
    if is_writing(mode, flags):
        _changes(event, arguments)
    if type(path) is str and path.endswith(_CODE_SUFFIXES):
        return  # most of what is opened while modules are loaded, so it is asked first
    if not isinstance(path, (str, bytes)) or (isinstance(mode, str) and mode[:1] not in ("r", "")):
        return
    if mode is None and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return
    name = os.fsdecode(path)
    if name.endswith(_CODE_SUFFIXES) or name.startswith(_SYSTEM) or any(part in name for part in _NOT_THE_APPLICATION):
        return
    for records in list(_listeners):
        if records.is_executing() and not getattr(_inside, "it", False):
            _inside.it = True  # its content may be looked at
            try:
                records.opened(os.path.abspath(name))
            finally:
                _inside.it = False


def _changes(event: str, arguments: tuple[Any, ...]) -> None:
    """Something is about to be changed: noted where the program itself does that while it is imported."""
    listening = [records for records in list(_listeners) if records.is_executing() or records.own.is_making]
    if not listening or getattr(_inside, "it", False):
        return
    _inside.it = True  # looking at what is changed opens files, too
    try:
        for path in list(paths_changed(event, arguments)):
            for records in listening:
                records.changes(path)
    except (OSError, ValueError, RecursionError):
        pass  # whoever changes it meets that himself
    finally:
        _inside.it = False


def _listed(path: object) -> None:
    """A directory is listed: noted where import-time code does that, not where its imports do."""
    listening = [records for records in list(_listeners) if records.is_executing()]
    if not listening or getattr(_inside, "it", False) or not isinstance(path, (str, bytes, os.PathLike, type(None))):
        return
    if sys._getframe(2).f_code.co_filename.startswith(_FINDERS):
        return
    _inside.it = True  # looking at what lies there lists it, too
    try:
        directory = os.path.abspath(os.fsdecode(path if path is not None else os.curdir))
        for records in listening:
            records.listed(directory)
    except (OSError, ValueError):
        pass  # whoever lists it meets that himself
    finally:
        _inside.it = False


def _code_was_read(function: object) -> None:
    for records in list(_listeners):
        if (record := records.executing()) is not None:
            note_code_read(record, function)
