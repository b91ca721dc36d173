"""A script: runs what ``python ARGUMENTS`` would run, in this process, as the program that it was started for."""

from __future__ import annotations

import importlib.machinery
import os
import runpy
import signal
import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any

__all__ = ["prepare", "run"]

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


def prepare(arguments: list[str], path: list[str]) -> ModuleType:
    """Set ``sys.argv``, ``sys.path`` and ``__main__``.

    Args:
        arguments: after the interpreter's own options: ``["manage.py", "check"]``, ``["-m", "pkg", "x"]``.
        path: ``sys.path`` without its first item, the place of the program.
    """
    first, rest = arguments[0], arguments[1:]
    if first == "-m":
        sys.argv[:], place = ["-m", *rest[1:]], os.getcwd()
    elif first == "-c":
        sys.argv[:], place = ["-c", *rest[1:]], ""
    else:
        sys.argv[:] = arguments
        place = os.path.abspath(first) if _is_container(first) else os.path.dirname(os.path.realpath(first))
    is_safe = getattr(sys.flags, "safe_path", False) or sys.flags.isolated
    sys.path[:] = [*([] if is_safe else [place]), *path]
    main = ModuleType("__main__")
    names = vars(main)
    names["__loader__"] = importlib.machinery.BuiltinImporter
    if sys.version_info < (3, 14):
        names["__annotations__"] = {}
    names["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = main
    return main


def run(arguments: list[str], main: ModuleType, before_end: Callable[[int], object]) -> None:
    """Run it. The interpreter does what follows the end of a program, as this raises what that would.

    Args:
        arguments: as for ``prepare``.
        main: what that returned.
        before_end: called with the exit code when the program has ended, but for its threads and ``atexit``.
    """
    try:
        _execute(arguments, main)
    except SystemExit as error:
        code = _code(error)
        before_end(code)
        raise SystemExit(code) from None
    except BaseException as error:
        _show(error)
        if isinstance(error, KeyboardInterrupt):
            before_end(-signal.SIGINT)
            sys.excepthook = lambda *_: None  # shown already; raised so that the process ends by the signal
            raise
        before_end(1)
        raise SystemExit(1) from None
    before_end(0)


def _code(error: SystemExit) -> int:
    """The exit code; what is not a number is printed, as the interpreter does it."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    if sys.stderr is not None:
        sys.stderr.write(f"{error.code}\n")
        sys.stderr.flush()
    return 1


def _execute(arguments: list[str], main: ModuleType) -> None:
    names = vars(main)
    if arguments[0] == "-m":
        runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]
    elif arguments[0] == "-c":
        exec(compile(arguments[1], "<string>", "exec", dont_inherit=True), names)
    elif _is_container(arguments[0]):
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
    else:
        file = os.path.abspath(arguments[0])
        try:
            with open(file, "rb") as opened:
                source = opened.read()
        except OSError as error:
            sys.stderr.write(f"{sys.executable}: can't open file {file!r}: [Errno {error.errno}] {error.strerror}\n")
            raise SystemExit(2) from None
        names["__file__"] = file
        names["__cached__"] = None
        names["__loader__"] = importlib.machinery.SourceFileLoader("__main__", file)
        if sys.version_info >= (3, 15):
            del names["__cached__"]
        exec(compile(source, file, "exec", dont_inherit=True), names)


def _is_container(path: str) -> bool:
    """Whether a path is a directory or a zip file with a ``__main__.py``, which ``python`` runs."""
    if os.path.isdir(path):
        return True
    if not path.endswith((".zip", ".pyz", ".egg", ".whl")):
        return False
    import zipfile

    return zipfile.is_zipfile(path)


def _show(error: BaseException) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN):
        trace = trace.tb_next
    error.__traceback__ = trace
    last: Any = sys
    last.last_type, last.last_value, last.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        last.last_exc = error
    hook: Callable[[type[BaseException], BaseException, TracebackType | None], object] = sys.excepthook
    hook(type(error), error, trace)
