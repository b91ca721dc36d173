"""Discovery: the roots of a program that has no ``[tool.pyautoload]``, found by the name of its application.

``serve blog:app`` is looked for as Python would import ``blog``: ``blog/`` and ``blog.py`` in this directory and in
``src``, then the packages that are installed from a directory (``pip install -e``).
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import sysconfig

from pyautoload.errors import SetupError
from pyautoload.settings import Settings
from pyautoload.tree.paths import inside

__all__ = ["discovered"]

# Directories that lie beside programs and are not part of them.
_NO_PROGRAMS = frozenset({"build", "dist", "docs", "node_modules", "test", "tests"})


def discovered(module: str, directory: str) -> Settings:
    """Settings for the program that a module belongs to.

    The directory that it is imported from is a root without conventions: what lies beside it is live, too.

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
            return _around(base, directory)
        if _is_package(os.path.join(base, top)):
            return _around(base, directory)
        other = os.path.join(base, top.replace("_", "-"))
        if _is_package(other):
            root = os.path.relpath(other, directory)  # not by this name for Python
            return Settings(directory=directory, roots=[root], namespaces={root: top})
    place = _installed(top)
    if place is not None:
        return _around(os.path.dirname(place), directory)
    close = difflib.get_close_matches(top, _importable_here(directory), n=1, cutoff=0.75)
    if close:
        meant = module.replace(top, close[0], 1)
        raise SetupError(f"there is no module {module} in {directory} or its src; did you mean {meant}?")
    raise SetupError(
        f"there is no [tool.pyautoload], and no {top} either: neither {top}{os.sep} nor {top}.py in {directory} or its "
        f"src, nor a package installed from a directory. Name its directory with --root DIR, or go to where it is"
    )


def _importable_here(directory: str) -> list[str]:
    """The names that can be imported from a directory or its ``src``."""
    found: list[str] = []
    for base in (directory, os.path.join(directory, "src")):
        if os.path.isdir(base):
            names = (name.removesuffix(".py") for name in os.listdir(base))
            found += [name for name in names if name.isidentifier()]
    return found


def _around(base: str, directory: str) -> Settings:
    """All that lies in a directory that Python imports from, but for what is not a program."""
    root = os.path.relpath(base, directory) if inside(base, directory) else base
    with os.scandir(base) as entries:
        others = [entry.path for entry in entries if entry.is_dir() and entry.name in _NO_PROGRAMS]
    return Settings(directory=directory, roots=[root], ignore=sorted(others), conventions=False)


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
        return f"{module} is not a module name: write a dotted name, as in myapp.web:app"
    target = f"{name}.{rest}" if rest else name
    return (
        f"{first} is not a name that Python can import. Name the directory and a namespace for it: "
        f"--root {first} --namespace {name}, and {target}:APP as the application"
    )
