"""What runs in the child process: it imports module after module and writes down how each went.

A line of JSON is written before a module is imported and after, so that the parent knows which one it was that ended
the process.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import pickle
import shutil
import sys
import threading
import time
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.checking.loader_lookup import configured, named_loader
from pyautoload.frames.hidden_frames import part_of_import
from pyautoload.importing.loader import PyAutoloadLoader
from pyautoload.importing.namespace_access import defined_names

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.checking.import_effects import Effects
    from pyautoload.sources import Source
    from pyautoload.tree.managed_paths import Config

__all__ = ["Work", "main"]

# So often (seconds) it is looked whether the parent is still there.
_LOOK = 0.5


class Work(NamedTuple):
    """What the child is to do.

    Attributes:
        config: roots and patterns.
        inflector: stems to names.
        modules: what to import, in this order.
        files: module name → file, of everything managed.
        results: the file to write to.
        sources: root path → what holds the files below it, where that is a source of the user's own.
        loader: ``"module:name"`` of a loader that the program makes itself, in place of config and inflector.
        effects: import eagerly, and say of each module what its run changes outside of itself.
    """

    config: Config
    inflector: Any
    modules: list[str]
    files: dict[str, str]
    results: str
    sources: dict[str, Source]
    loader: str | None = None
    effects: bool = False


class Report:
    """Appends lines of JSON to a file, each written at once: what was written survives the end of the process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0))

    def write(self, **record: object) -> None:
        """Write one record."""
        os.write(self._file, json.dumps(record).encode() + b"\n")


def tell_of_each(report: Report, effects: Effects | None = None) -> None:
    """Write down when the code of a module begins to run, and when it has ended, well or not.

    A module that is asked for imports others; the one that ends the process is the innermost that is running then.
    This process does nothing else, so the class itself may be changed.
    """
    stock = PyAutoloadLoader.exec_module

    @part_of_import
    def exec_module(self: PyAutoloadLoader, module: ModuleType) -> None:
        report.write(begins=self.name)
        if effects is not None:
            effects.begins(self.name)
        try:
            stock(self, module)
        finally:
            if effects is not None:
                effects.ended(self.name)
            report.write(left=self.name)

    PyAutoloadLoader.exec_module = exec_module  # type: ignore[method-assign]


def main(work_file: str) -> None:
    """Do the work that is described in a file, and end the process whatever threads the modules have started."""
    with open(work_file, "rb") as opened:
        work: Work = pickle.load(opened)
    threading.Thread(target=_end_with_parent, args=(os.getppid(), os.path.dirname(work_file)), daemon=True).start()
    faulthandler.enable()
    report = Report(work.results)
    try:
        loader = named_loader(work.loader) if work.loader else _configured(work)
    except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
        report.write(setup=f"{type(error).__name__}: {error}")
        os._exit(1)
    effects = None
    if work.effects:
        from pyautoload.checking.import_effects import Effects

        loader.config.lazy = None
        effects = Effects(frozenset(work.files))
    tell_of_each(report, effects)
    files = {path: name for name, path in work.files.items()}
    for name in work.modules:
        report.write(begins=name)
        report.write(ends=name, **outcome(loader, name, work.files[name], files))
    report.write(finished=True, effects=effects.found if effects is not None else {})
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _end_with_parent(parent: int, directory: str) -> None:
    """Nobody wants the results of who was killed, and nobody else removes the directory that they go to."""
    if os.name == "nt":
        return  # there a process keeps the parent it had
    while os.getppid() == parent:
        time.sleep(_LOOK)
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(1)


def _configured(work: Work) -> AutoLoader:
    return configured(work.config, work.inflector, sources=work.sources)


def outcome(loader: AutoLoader, name: str, path: str, files: dict[str, str]) -> dict[str, Any]:
    """Import one module and say how that went."""
    try:
        module = importlib.import_module(name)
        if loader.config.lazy is not None or sys.version_info >= (3, 15):
            _resolve(name)
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a module is a finding, too
        return failure(error, files)
    return {
        "defined": loader.binder.naming.defined_name(module, name.rpartition(".")[2], path),
        "public": defined_names(module)[:20],
    }


def _resolve(name: str) -> None:
    """Do what the module has put off: an import that fails is a finding, now or later."""
    from pyautoload.lazy.imports.resolve_all import resolve_all

    for error in resolve_all(lambda: [name]).values():
        raise error


def failure(error: BaseException, files: dict[str, str]) -> dict[str, Any]:
    """What the parent is told of an exception: its text, and the innermost place in a managed file."""
    place: tuple[str, int | None] | None = None
    for frame in traceback.extract_tb(error.__traceback__):
        known = next((path for path in (frame.filename, os.path.abspath(frame.filename)) if path in files), None)
        if known is not None:
            place = known, frame.lineno
    if isinstance(error, SyntaxError) and error.filename:
        place = error.filename, error.lineno
    text = traceback.format_exception_only(type(error), error)
    return {
        "error": type(error).__name__,
        "message": "".join(text).strip().splitlines()[-1] if isinstance(error, SyntaxError) else str(error),
        "exits": isinstance(error, SystemExit),
        "path": place[0] if place else None,
        "line": place[1] if place else None,
        "culprit": files.get(place[0]) if place else None,
        "trace": traceback.format_exception(type(error), error, error.__traceback__)[-3:],
    }
