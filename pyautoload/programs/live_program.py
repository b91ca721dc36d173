"""``pyautoload run --live``: any program as it is, with edits that take effect while it runs."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from types import ModuleType
from typing import NoReturn

from pyautoload.errors import ReloadError, SetupError
from pyautoload.printable import printable, text_of
from pyautoload.programs.live_edits import live
from pyautoload.reloading.result import ReloadResult, what_was_done
from pyautoload.warm import script

__all__ = ["main", "said"]

_USAGE = "usage: pyautoload run --live (FILE | -m MODULE) [ARGUMENTS]"
# So many names are shown before "and 12 more".
_SHOWN = 4


def main(arguments: list[str]) -> NoReturn:
    """Run a program as ``python`` does, live.

    Args:
        arguments: ``["worker.py", "--fast"]``, ``["-m", "shop.worker"]``.
    """
    is_module = arguments[:1] == ["-m"]
    if not arguments[is_module:] or arguments[is_module].startswith("-"):
        print(_USAGE, file=sys.stderr)
        sys.exit(2)
    module = script.prepare(arguments, sys.path[1:] if _has_place() else sys.path[:])
    try:
        _make_live(arguments, module)
    except SetupError as error:
        print(f"pyautoload: {error}", file=sys.stderr)
        sys.exit(2)
    script.run(arguments, module, lambda code: None)
    raise SystemExit(0)


def _has_place() -> bool:
    """Whether the first item of ``sys.path`` is the place of ``pyautoload`` itself, as it was started."""
    return not (getattr(sys.flags, "safe_path", False) or sys.flags.isolated)


def _make_live(arguments: list[str], module: ModuleType) -> None:
    here, home = os.getcwd(), os.path.expanduser("~")
    file = _file_of(arguments) if arguments[0] == "-m" else os.path.abspath(arguments[0])
    directory = os.path.dirname(os.path.realpath(file)) if file is not None else here
    places = [directory] if here in (os.path.dirname(here), home) else [here, directory]
    if file is not None and os.path.isfile(file):
        module.__file__ = file  # so that it is known what its definitions are when it begins
    loader = live(*places, watch=False)
    loader.on_reload(_tell)
    loader.enable_reloading(in_main_thread=True)


def _file_of(arguments: list[str]) -> str | None:
    """The file that ``-m`` runs, without running the packages that it lies in."""
    path: list[str] | None = None
    parts = arguments[1].split(".")
    for depth in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: depth + 1]), path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
        if depth == len(parts) - 1:
            return os.path.join(path[0], "__main__.py") if path else spec.origin
    return None


def _tell(result: ReloadResult) -> None:
    print(said(result), file=sys.__stderr__ or sys.stderr, flush=True)


def said(result: ReloadResult) -> str:
    """A reload in one line."""
    took = f"{result.duration * 1000:.1f} ms"
    if result.errors:
        failures = "; ".join(map(_failure, result.errors))
        return f"pyautoload: reload failed in {took}: {failures}; still running the previous code"
    parts = what_was_done(result, _SHOWN)
    parts += [f"{name} needs a restart: {printable(why)}" for name, why in result.restart_required.items()]
    parts += [f"left as it was: {_failure(error)}" for error in result.still_failing]
    return f"pyautoload: reloaded in {took}: {'; '.join(parts) or 'no code changes'}"


def _failure(error: ReloadError) -> str:
    cause = error.__cause__ or error
    text = printable(f"{type(cause).__name__}: {text_of(cause)}".partition("\n")[0])
    if error.file is None:
        return f"{error.module}: {text}"
    file = os.path.relpath(error.file) if error.file.startswith(os.getcwd() + os.sep) else error.file
    return f"{printable(file)}:{error.line}: {text}" if error.line else f"{printable(file)}: {text}"
