"""Discovery: the roots of a program that has no ``[tool.pyautoload]``, found by the name of its application.

``serve blog:app`` is looked for as Python would import ``blog``: ``blog/`` and ``blog.py`` in this directory and in
``src``, then the packages that are installed from a directory (``pip install -e``).
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator

from pyautoload.errors import SetupError
from pyautoload.settings import Settings
from pyautoload.tree.paths import inside

__all__ = ["discovered"]

# Directories that lie beside programs and are no part of them.
_NO_PROGRAMS = frozenset({"build", "dist", "docs", "node_modules", "test", "tests"})


def discovered(module: str, directory: str) -> Settings:
    """Settings for the program that a module belongs to.

    A package is a root, and so are the packages beside it. For a single file the directory that it lies in is the root,
    its modules and packages are at the top level.

    Args:
        module: ``"blog.web"`` of ``"blog.web:app"``.
        directory: where to look.

    Raises:
        SetupError: it is nowhere; or the name is none that Python could import.
    """
    top = module.partition(".")[0]
    if "-" in module or os.sep in module:
        raise SetupError(_not_importable(module, directory))
    for base in (directory, os.path.join(directory, "src")):
        if os.path.isfile(os.path.join(base, f"{top}.py")) and not _is_package(os.path.join(base, top)):
            return _of_file(base, directory)
        for name in (top, top.replace("_", "-")):
            if _is_package(os.path.join(base, name)):
                return _of_package(os.path.join(base, name), top, directory)
    place = _installed(top)
    if place is not None:
        return (
            _of_package(place, top, directory) if os.path.isdir(place) else _of_file(os.path.dirname(place), directory)
        )
    raise SetupError(
        f"there is no [tool.pyautoload], and no {top} either: neither {top}{os.sep} nor {top}.py in {directory} or its "
        f"src, nor a package installed from a directory. Name its directory with --root DIR, or go to where it is"
    )


def _of_package(place: str, name: str, directory: str) -> Settings:
    roots = {os.path.relpath(place, directory): name} if inside(place, directory) else {place: name}
    base = os.path.dirname(place)
    for neighbour in _programs(base):
        other = os.path.join(base, neighbour)
        if other != place and os.path.isfile(os.path.join(other, "__init__.py")):
            roots[os.path.relpath(other, directory) if inside(other, directory) else other] = neighbour
    return Settings(directory=directory, roots=list(roots), namespaces=roots)


def _of_file(base: str, directory: str) -> Settings:
    root = os.path.relpath(base, directory) if inside(base, directory) else base
    managed = set(_programs(base))
    with os.scandir(base) as entries:
        others = [entry.path for entry in entries if entry.is_dir() and entry.name not in managed]
    return Settings(directory=directory, roots=[root], namespaces={root: ""}, ignore=sorted(others))


def _programs(base: str) -> Iterator[str]:
    """The directories in ``base`` that may hold code of a program."""
    with os.scandir(base) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = entry.name
            if not entry.is_dir() or not name.isidentifier() or name in _NO_PROGRAMS | sys.stdlib_module_names:
                continue
            if not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                yield name


def _is_package(place: str) -> bool:
    """Whether a directory holds Python files, itself or one level further down."""
    try:
        names = os.listdir(place)
    except OSError:
        return False
    return any(name.endswith(".py") for name in names) or any(
        os.path.isfile(os.path.join(place, name, "__init__.py")) for name in names
    )


def _installed(top: str) -> str | None:
    """Where a package is installed from, if that is a directory of its author's: its directory, or its file."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ()) or [spec.origin or ""]
    libraries = [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")]
    mine = [place for place in places if os.path.exists(place) and not any(inside(place, each) for each in libraries)]
    return os.path.abspath(mine[0]) if mine else None


def _not_importable(module: str, directory: str) -> str:
    first, _, rest = module.replace(os.sep, ".").partition(".")
    name = first.replace("-", "_")
    if not name.isidentifier() or not os.path.isdir(os.path.join(directory, first)):
        return (
            f"{module} is no name of a module: write the names of packages and file joined by dots, as in myapp.web:app"
        )
    target = f"{name}.{rest}" if rest else name
    return (
        f"{first} is no name that Python can import. Name the directory and a namespace for it: "
        f"--root {first} --namespace {name}, and {target}:APP as the application"
    )
