"""Settings: what ``[tool.pyautoload]`` in a ``pyproject.toml`` says, checked, and given to a loader."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyautoload.errors import SetupError
from pyautoload.sources.regular import read_regular

if TYPE_CHECKING:
    from typing import Protocol, TypeVar

    from pyautoload.tree.managed_paths import Config

    class Configurable(Protocol):
        """What settings are given to: a loader."""

        config: Config

        def push_dir(self, path: str, namespace: str | None = None, *, conventions: bool = True) -> object: ...
        def inflect(self, mapping: Mapping[str, str]) -> object: ...

    Loader = TypeVar("Loader", bound=Configurable)

__all__ = ["Settings", "find", "load", "nearest", "parse", "read"]

FILE = "pyproject.toml"
TABLE = "[tool.pyautoload]"
# What somebody may write for a key whose name does not resemble it.
_ALSO_CALLED = {
    "root": "roots",
    "base_path": "roots",
    "path": "roots",
    "paths": "roots",
    "dirs": "roots",
    "push_dir": "roots",
    "top_level": "namespaces",
    "exclude": "ignore",
    "acronyms": "inflections",
    "inflect": "inflections",
    "names": "inflections",
    "lazy": "lazy_imports",
}


@dataclass
class Settings:
    """What a project says of its loader; the attributes are the keys of the table.

    Attributes:
        file: the ``pyproject.toml``; ``None`` for settings that came from elsewhere.
        directory: what relative paths and patterns start from.
        roots: the roots, in the order of precedence.
        namespaces: root → namespace, for those that are not called like their directory.
        ignore: patterns, as for ``AutoLoader.ignore``.
        collapse: patterns, as for ``AutoLoader.collapse``.
        inflections: stem → name, as for ``AutoLoader.inflect``.
        do_not_eager_load: patterns, as for ``AutoLoader.do_not_eager_load``.
        do_not_reload: patterns, as for ``AutoLoader.do_not_reload``.
        plain_modules: patterns of files that define no expected name on purpose: ``check`` is silent about them.
        lazy_imports: the patterns of files whose imports are lazy, none for all files, and the modules that stay eager,
            as for ``AutoLoader.lazy_imports``; ``None`` where none is. Example: ``(["api"], ["logging.config"])``
        bundle: true, ``"checked"`` or ``"trusted"``, as for ``AutoLoader(bundle=...)``.
        conventions: whether names follow from files, as for ``AutoLoader(conventions=...)``.
    """

    file: str | None = None
    directory: str = ""
    roots: list[str] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    ignore: list[str] = field(default_factory=list)
    collapse: list[str] = field(default_factory=list)
    inflections: dict[str, str] = field(default_factory=dict)
    do_not_eager_load: list[str] = field(default_factory=list)
    do_not_reload: list[str] = field(default_factory=list)
    plain_modules: list[str] = field(default_factory=list)
    lazy_imports: tuple[list[str], list[str]] | None = None
    bundle: bool | str | None = None
    conventions: bool = True

    @property
    def tag(self) -> str:
        """What log records of the loader are marked with: the first namespace."""
        first = self.roots[0]
        return self.namespaces.get(first) or os.path.basename(os.path.normpath(os.path.join(self.directory, first)))

    def namespaces_of_roots(self) -> dict[str, str]:
        """Root → namespace, as a loader has them that was told all of it."""
        found = {}
        for root in self.roots:
            path = os.path.abspath(os.path.join(self.directory, root))
            found[path] = self.namespaces.get(root, os.path.basename(path)) if self.conventions else ""
        return found

    def apply(self, loader: Loader) -> Loader:
        """Tell a loader all of it.

        Args:
            loader: one that is not set up yet.

        Raises:
            SetupError: a root is not a directory.
            ConflictError: another loader manages it.
        """
        for root in self.roots:
            path = os.path.join(self.directory, root)
            loader.push_dir(path, self.namespaces.get(root), conventions=self.conventions)
        config = loader.config
        for globs, patterns in (
            (config.ignored, self.ignore),
            (config.collapsed, self.collapse),
            (config.not_eager, self.do_not_eager_load),
            (config.not_reloaded, self.do_not_reload),
        ):
            globs.add(patterns, base=self.directory)
        if self.lazy_imports is not None:
            config.make_lazy(*self.lazy_imports, base=self.directory)
        if self.inflections:
            loader.inflect(self.inflections)
        return loader


def load(path: str | os.PathLike[str] | None = None) -> Settings:
    """The settings of the project that a path lies in.

    Args:
        path: a ``pyproject.toml``, or a directory to look for one in and above; by default the working directory. In a
            program that PyInstaller made it is the one that was packed with it.

    Raises:
        SetupError: there is none, it cannot be read, or what it says is wrong.
    """
    start = os.path.abspath(os.fspath(path)) if path is not None else _packed() or os.getcwd()
    if os.path.isdir(start):
        return read(find(start))
    if not os.path.exists(start):
        raise SetupError(f"{start} does not exist: give a pyproject.toml, or a directory in the project")
    return read(start)


def _packed() -> str | None:
    """The ``pyproject.toml`` that was packed with a frozen program."""
    directory: str | None = getattr(sys, "_MEIPASS", None)
    file = os.path.join(directory, FILE) if directory is not None else None
    return file if file is not None and os.path.isfile(file) else None


def find(directory: str) -> str:
    """The nearest ``pyproject.toml`` with the table, in a directory or above it.

    Raises:
        SetupError: there is none.
    """
    seen: list[str] = []
    found = _nearest(directory, seen)
    if found is not None:
        return found
    where = f"none in {', '.join(seen)}" if seen else f"there is no {FILE} in this directory or above it"
    raise SetupError(
        f"no {TABLE} was found ({where}): run `pyautoload init` to create it, or pass --root DIR "
        f"(in code: AutoLoader(DIR))"
    )


def nearest(directory: str) -> str | None:
    """The nearest ``pyproject.toml`` with the table, in a directory or above it, ``None`` where there is none.

    Raises:
        SetupError: one on the way cannot be read.
    """
    return _nearest(directory, [])


def _nearest(directory: str, seen: list[str]) -> str | None:
    while True:
        file = os.path.join(directory, FILE)
        if os.path.isfile(file):
            if _table(file) is not None:
                return file
            seen.append(file)
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def read(file: str) -> Settings:
    """The settings in one ``pyproject.toml``.

    Raises:
        SetupError: it cannot be read, has no such table, or what it says is wrong.
    """
    table = _table(file)
    if table is None:
        raise SetupError(f"{file} has no {TABLE}: run `pyautoload init` to create it")
    return parse(table, file)


def parse(table: Mapping[str, Any], file: str) -> Settings:
    """Check a table and make settings of it.

    Args:
        table: what stands in ``[tool.pyautoload]``.
        file: where that was.

    Raises:
        SetupError: an unknown key, a value of the wrong kind, no root.
    """
    settings = Settings(os.path.abspath(file), os.path.dirname(os.path.abspath(file)))
    for key, value in table.items():
        if key not in _KINDS:
            raise SetupError(f"{file}: {TABLE} has the unknown key {key!r}. {_suggestion(key)}")
        setattr(settings, key, _KINDS[key](value, f"{file}: {key}"))
    if not settings.roots:
        raise SetupError(f'{file}: {TABLE} names no root: add roots = ["myapp"], a directory beside this file')
    for root in settings.namespaces:
        if root not in settings.roots:
            known = ", ".join(map(repr, settings.roots))
            raise SetupError(f"{file}: namespaces names {root!r}, which is not one of the roots ({known})")
    if settings.namespaces and not settings.conventions:
        raise SetupError(f"{file}: namespaces has no meaning with conventions = false: leave out one of the two")
    return settings


def _suggestion(key: str) -> str:
    plain = key.replace("-", "_").casefold()
    known = list(_KINDS)
    close = [plain] if plain in known else difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    meant = _ALSO_CALLED.get(plain) or (close[0] if close else None)
    if meant is not None:
        return f"Did you mean {meant!r}?"
    return f"There are: {', '.join(known)}"


def _strings(value: object, where: str) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) and item for item in values):
        raise SetupError(f'{where} has to be a list of strings, as in ["one", "two"], not {value!r}')
    return list(values)


def _mapping(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise SetupError(f'{where} has to be a table of strings, as in {{ html_parser = "HTMLParser" }}, not {value!r}')
    return dict(value)


def _lazy_imports(value: object, where: str) -> tuple[list[str], list[str]] | None:
    if isinstance(value, bool):
        return ([], []) if value else None
    if not isinstance(value, dict) or not value.keys() <= {"files", "except_for"}:
        raise SetupError(
            f"{where} has to be true, false, or a table such as "
            f'{{ files = ["api"], except_for = ["logging.config"] }}, not {value!r}'
        )
    return _strings(value.get("files", []), where), _strings(value.get("except_for", []), where)


def _bundle(value: object, where: str) -> bool | str:
    if isinstance(value, bool) or value in ("checked", "trusted"):
        assert isinstance(value, (bool, str))
        return value
    raise SetupError(f'{where} has to be true, false, "checked" or "trusted", not {value!r}')


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise SetupError(f"{where} has to be true or false, not {value!r}")
    return value


# Key → what checks its value.
_KINDS: dict[str, Callable[[object, str], Any]] = {
    "roots": _strings,
    "namespaces": _mapping,
    "ignore": _strings,
    "collapse": _strings,
    "inflections": _mapping,
    "do_not_eager_load": _strings,
    "do_not_reload": _strings,
    "plain_modules": _strings,
    "lazy_imports": _lazy_imports,
    "bundle": _bundle,
    "conventions": _boolean,
}


def _table(file: str) -> dict[str, Any] | None:
    toml = _toml()
    try:
        content = toml.loads(read_regular(file).decode("utf-8"))
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        raise SetupError(f"{file} is not valid TOML: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise SetupError(
            f"{file} cannot be read: its tables or lists are nested too deeply, in whatever tool's part of it"
        ) from error
    tool = content.get("tool", {})
    table = tool.get("pyautoload") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SetupError(f"{file}: tool.pyautoload has to be a table, {TABLE}")
    return table


def _toml() -> Any:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SetupError(
            "reading pyproject.toml on Python 3.10 needs tomli: pip install 'pyautoload[cli]', or pip install tomli"
        ) from None
