"""``pyautoload run``, live: any program as it is, with edits that take effect while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import NoReturn

from pyautoload.errors import ReloadError, SetupError
from pyautoload.printable import printable, text_of
from pyautoload.programs.live_edits import live
from pyautoload.reloading.result import ReloadResult, what_was_done
from pyautoload.warm import script

__all__ = ["main", "make_live", "make_live_if_possible", "said"]

# So many names are shown before "and 12 more".
_SHOWN = 4


def main(arguments: list[str], *, is_asked: bool) -> NoReturn:
    """Run a program as ``python`` does, live.

    Args:
        arguments: ``["worker.py", "--fast"]``, ``["-m", "shop.worker"]``, ``["-c", "import shop"]``.
        is_asked: whether it is wrong to run it where edits cannot take effect.
    """
    module = script.prepare(arguments, sys.path[1:] if _has_place() else sys.path[:])
    make = make_live if is_asked else make_live_if_possible
    make(arguments, module)
    script.run(arguments, module, lambda code: None)
    raise SystemExit(0)


def _has_place() -> bool:
    """Whether the first item of ``sys.path`` is the place of ``pyautoload`` itself, as it was started."""
    return not (getattr(sys.flags, "safe_path", False) or sys.flags.isolated)


def make_live(arguments: list[str], module: ModuleType) -> Callable[[], object]:
    """Let edits take effect in the program that is about to run, or end with the reason why they cannot.

    Args:
        arguments: after the interpreter's own options.
        module: ``__main__``.

    Returns:
        What stops that, for one who cleans up.
    """
    try:
        return _make_live(arguments, module)
    except SetupError as error:
        print(f"pyautoload: {error}", file=sys.stderr)
        sys.exit(2)


def make_live_if_possible(arguments: list[str], module: ModuleType) -> Callable[[], object]:
    """The same, but where they cannot take effect the program runs without."""
    try:
        return _make_live(arguments, module)
    except SetupError:
        return lambda: None


def _make_live(arguments: list[str], module: ModuleType) -> Callable[[], object]:
    here, home = os.getcwd(), os.path.expanduser("~")
    file = _file_run(arguments)
    directory = os.path.dirname(os.path.realpath(file)) if file is not None else here
    places = [directory] if here in (os.path.dirname(here), home) else [here, directory]
    if any(place in (os.path.dirname(place), home) for place in places):
        raise SetupError(f"{directory} is too much to be watched: move the program to a directory of its own")
    if file is not None and os.path.isfile(file):
        module.__file__ = file  # so that it is known what its definitions are when it begins
    loader = live(*places, watch=False)
    loader.on_reload(_tell)
    loader.enable_reloading(in_main_thread=True)
    return loader.disable_reloading


def _file_run(arguments: list[str]) -> str | None:
    if arguments[0] == "-c":
        return None
    return _file_of(arguments) if arguments[0] == "-m" else os.path.abspath(arguments[0])


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
