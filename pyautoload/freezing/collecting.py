"""What a frozen program needs of PyAutoload and of a project: modules that no import statement names, and files.

A loader lists files, so the files of the roots have to be there: they keep their places below the project's directory,
and ``pyproject.toml`` lies beside them. What they import is read from their text, as a freezer does not look into them.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from collections.abc import Iterable, Iterator

import pyautoload
from pyautoload.errors import SetupError
from pyautoload.settings import Settings, load

__all__ = ["collected", "imported_by", "own_modules", "project_files"]

# Parts of PyAutoload that a program which runs has no use for; they would bring in frameworks and tools.
_LEFT_OUT = frozenset(
    {
        "__main__",
        "checking",
        "cli",
        "freezing",
        "pages",
        "pytest_plugin",
        "serving",
        "stubs",
        "thirdparty",
        "warm",
    }
)


def collected(directory: str | None) -> tuple[list[str], list[tuple[str, str]]]:
    """What is to be frozen, in PyInstaller's words.

    Args:
        directory: of the project, or one below it; the working directory without one.

    Returns:
        The modules to include (``hiddenimports``), and the files, each with the directory that it is to lie in
        (``datas``). Of the project nothing, where no ``pyproject.toml`` has a ``[tool.pyautoload]``.
    """
    try:
        settings = load(directory or os.getcwd())
    except SetupError:
        return own_modules(), []
    files = list(project_files(settings))
    placed = [(file, os.path.dirname(os.path.relpath(file, settings.directory)) or ".") for file in files]
    imports = imported_by(file for file in files if file.endswith(".py"))
    return sorted({*own_modules(), *imports}), placed


def own_modules() -> list[str]:
    """The modules of PyAutoload that a program may need: many are named in strings alone."""
    # What reads ``pyproject.toml``: in the standard library since Python 3.11.
    found = ["inflection", *(name for name in ("tomllib", "tomli") if _is_module(name))][:2]
    base = os.path.dirname(pyautoload.__file__)
    for directory, _, files in os.walk(base):
        parts = os.path.relpath(directory, base).split(os.sep) if directory != base else []
        stems = [file[:-3] for file in files if file.endswith(".py")]
        names = [[*parts, stem] if stem != "__init__" else parts for stem in stems]
        names = [name for name in names if not _needs_dask(name)]
        found += [".".join(["pyautoload", *name]) for name in names if not _LEFT_OUT.intersection(name[:1])]
    return sorted(found)


def _needs_dask(name: list[str]) -> bool:
    """Whether a module is for workers of Dask, which load no program that is frozen."""
    return name[:1] == ["cluster"] and name[-1].startswith("dask")


def project_files(settings: Settings) -> Iterator[str]:
    """The files of a project's roots, whatever they are, but for caches; and its ``pyproject.toml``."""
    if settings.file is not None:
        yield settings.file
    for root in settings.roots:
        for directory, names, files in os.walk(os.path.join(settings.directory, root)):
            names[:] = sorted(name for name in names if name != "__pycache__" and name[0] != ".")
            yield from (os.path.join(directory, name) for name in sorted(files) if not name.endswith(".pyc"))


def imported_by(files: Iterable[str]) -> list[str]:
    """The modules that files import by absolute names, in functions too, as far as they can be found here."""
    found: set[str] = set()
    for file in files:
        try:
            with open(file, "rb") as opened:
                tree = ast.parse(opened.read(), file)
        except (OSError, SyntaxError, ValueError):
            continue  # such a file fails where it is loaded, and says why
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return sorted(name for name in found if _is_module(name))


def _is_module(name: str) -> bool:
    """Whether there is a module of this name; what is asked for may be an attribute, or a managed module."""
    parent = name.rpartition(".")[0]
    try:
        if parent and not _is_module(parent):
            return False
        return importlib.util.find_spec(name) is not None
    except (ImportError, AttributeError, ValueError):
        return False
