"""``pyautoload run --lazy``: a program whose project, or package, imports lazily for this once."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

from pyautoload.autoloader import AutoLoader
from pyautoload.errors import SetupError

__all__ = ["main"]

_USAGE = "usage: pyautoload run --lazy (FILE | -m MODULE | -c CODE) [ARGUMENTS]"


def main(arguments: list[str]) -> None:
    """Run a program as ``python`` does.

    The files that are managed import lazily: those that ``[tool.pyautoload]`` names, or without that, the package that
    ``-m`` names. The file that is run itself is imported by nobody, and does its imports as ever.

    Args:
        arguments: ``["-m", "shop", "report"]``.
    """
    option = arguments[0] if arguments[:1] in (["-m"], ["-c"]) else ""
    program, *rest = arguments[1:] if option else arguments or [""]
    if not program or (not option and program.startswith("-")):
        print(_USAGE, file=sys.stderr)
        sys.exit(2)
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(program)) if not option else os.getcwd()
    try:
        loader = _loader(program.partition(".")[0] if option == "-m" else None)
        if loader.config.lazy is None and not loader.is_set_up:
            loader.lazy_imports()
        loader.setup()
    except SetupError as error:
        print(f"pyautoload: {error}", file=sys.stderr)
        sys.exit(2)
    _run(option, program, rest)


def _loader(package: str | None) -> AutoLoader:
    from pyautoload import settings

    try:
        found = settings.find(os.getcwd())
    except SetupError:
        spec = PathFinder.find_spec(package) if package is not None else None
        directories = spec.submodule_search_locations if spec is not None else None
        if package is None or not directories:
            raise
        loader = AutoLoader(tag=package)
        for directory in list(directories):
            loader.push_dir(directory, package)
        return loader
    return AutoLoader.from_config(found)


def _run(option: str, program: str, rest: list[str]) -> None:
    import runpy

    sys.argv = ["-c" if option == "-c" else program, *rest]
    if option == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    elif option == "-c":
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        runpy.run_path(program, run_name="__main__")
