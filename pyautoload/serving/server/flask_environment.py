"""Variables: ``.flaskenv`` and ``.env``, read as ``flask run`` and ``quart run`` do, for programs of theirs only."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FILES", "flask_variables", "mentions", "what_flask_says"]

# Of two that set the same variable, the later one counts.
FILES = (".flaskenv", ".env")
# So many files are looked into to find out which framework a program uses.
_MOST = 2_000


def mentions(directories: Iterable[str], frameworks: Iterable[str]) -> bool:
    """Whether a program imports one of some frameworks, as far as its text says.

    Args:
        directories: with all below them; of the working directory only the files in it.
        frameworks: names of packages.
    """
    words = "|".join(map(re.escape, frameworks))
    imports = re.compile(rf"^\s*(?:from|import)\s+(?:{words})\b".encode(), re.MULTILINE)
    for _, path in zip(range(_MOST), _python_files(directories), strict=False):
        try:
            with open(path, "rb") as opened:
                if imports.search(opened.read()):
                    return True
        except OSError:
            continue
    return False


def _python_files(directories: Iterable[str]) -> Iterator[str]:
    here = os.getcwd()
    yield from (entry.path for entry in os.scandir(here) if entry.name.endswith(".py") and entry.is_file())
    for directory in directories:
        for parent, below, files in os.walk(directory):
            below[:] = sorted(name for name in below if not name.startswith(".") and name not in _LIBRARIES)
            yield from (os.path.join(parent, name) for name in sorted(files) if name.endswith(".py"))


_LIBRARIES = frozenset({"node_modules", "site-packages", "__pycache__"})


def what_flask_says(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, with what the files add to it where there is a ``.flaskenv``."""
    return {**environment, **flask_variables(environment)} if os.path.exists(FILES[0]) else environment


def flask_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the files in this directory, or the nearest one above, add to an environment.

    Args:
        environment: what it sets stays.

    Returns:
        Nothing where ``FLASK_SKIP_DOTENV`` says so, or python-dotenv is not installed: flask reads them by it, too.
    """
    if environment.get("FLASK_SKIP_DOTENV", "0").lower() not in ("0", "false", "no"):
        return {}
    try:
        dotenv = importlib.import_module("dotenv")
    except ModuleNotFoundError:
        return {}
    found: dict[str, str | None] = {}
    for name in FILES:
        path = dotenv.find_dotenv(name, usecwd=True)
        if path:
            found.update(dotenv.dotenv_values(path, encoding="utf-8"))
    return {name: value for name, value in found.items() if value is not None and name not in environment}
