"""Lazy exports derived from the directory: each file gives the name that the inflector expects of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.machinery import all_suffixes
from types import ModuleType
from typing import TYPE_CHECKING

from pyautoload.lazy.export_statements import Export
from pyautoload.lazy.exports import Exports, forget_earlier, install
from pyautoload.tree.inflector import Inflector, InflectorProtocol, checked_name, folded, is_name, normalized

if TYPE_CHECKING:
    from pyautoload.lazy.exports import Triple

__all__ = ["exports_by_convention"]


def exports_by_convention(
    package: str,
    *,
    inflect: Mapping[str, str] | None = None,
    inflector: InflectorProtocol | None = None,
    ignore: Iterable[str] = (),
    eager: bool | None = None,
) -> Triple:
    """Export lazily what the files of the package are expected to define: ``User`` for ``user.py``.

    Subdirectories with Python files are exported as submodules. The modules themselves (``pkg.user``) can be had, too,
    without being in ``__all__``. Only the package's own directories are listed, once, at import.

    Args:
        package: ``__name__`` of the calling package.
        inflect: stems that have a name of their own, ``{"html_parser": "HTMLParser"}``.
        inflector: an object with ``camelize(stem, path)`` in place of the ordinary one.
        ignore: patterns of file or directory names to leave out, ``["*_test.py", "helpers.py"]``.
        eager: load everything now; ``None`` asks the environment variable ``PYAUTOLOAD_EAGER``.

    Returns:
        ``__getattr__``, ``__dir__`` and ``__all__``, as ``exports`` does.

    Raises:
        NameInflectionError: a file gives no valid name.
        TypeError: ``package`` is a plain module; or both ``inflect`` and ``inflector`` are given.
    """
    namespace = vars(sys.modules[package])
    forget_earlier(namespace)
    if "__path__" not in namespace:
        raise TypeError(f"{package} is not a package, it has no directory to derive exports from")
    if inflector is not None and inflect:
        raise TypeError("inflect= adds rules to the ordinary inflector: give the rules to your own inflector instead")
    names = inflector or Inflector(inflect)
    entries: dict[str, Export] = {}
    stems: dict[str, Export] = {}
    expected: dict[str, str] = {}
    for stem, path, is_directory in _entries(namespace["__path__"], tuple(ignore)):
        module = f"{package}.{stem}"
        stems.setdefault(stem, Export(stem, module, None, (module,), f"from . import {stem}", 0))
        if is_directory:
            entries.setdefault(stem, stems[stem])
            continue
        name = checked_name(names, stem, path)
        export = Export(name, module, name, (module,), f"from .{stem} import {name}", 0)
        if entries.setdefault(name, export) is export:
            expected[name] = path
    hidden = stems.keys() - entries.keys()
    made = ConventionExports(package, namespace, {**stems, **entries}, "", hidden)
    made.expected = expected
    return install(made, eager)


class ConventionExports(Exports):
    """Exports that were derived, not stated: they know the files and find acronyms."""

    __slots__ = ("expected",)

    # Expected name → file. Example: {"HtmlParser": "/src/pkg/html_parser.py"}
    expected: dict[str, str]

    def found(self, name: str) -> Export | None:
        """``HTMLParser`` for ``html_parser.py``: the stem that matches with case and underscores set aside."""
        if name[:1] == "_" or not name[:1].isupper():
            return None
        wanted = folded(name)
        for candidate in list(self.expected):
            entry = self.entries[candidate]
            if folded(candidate) == wanted and entry.attribute == candidate:
                return Export(
                    name, entry.source, name, entry.modules, entry.statement.rpartition(" ")[0] + f" {name}", 0
                )
        return None

    def where(self, entry: Export) -> str:
        """The file that is expected to define the name."""
        path = self.expected.get(entry.name)
        return f"by convention, from {path}" if path else "by convention"

    def missing(self, entry: Export, module: ModuleType) -> ImportError:
        """The file does not define its expected name; or it is still being imported."""
        path = getattr(module, "__file__", None)
        if getattr(getattr(module, "__spec__", None), "_initializing", False) or path is None:
            return super().missing(entry, module)
        from pyautoload.errors import ExpectedNameError

        own = [
            name
            for name, value in list(vars(module).items())
            if name[:1] != "_" and getattr(value, "__module__", None) == module.__name__
        ]
        stem = entry.source.rpartition(".")[2]
        return ExpectedNameError(f"{self.package}.{entry.name}", path, own, stem)


def _entries(directories: Iterable[str], ignore: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """``(stem, path, is directory)`` of each module and subpackage, sorted; earlier directories come first."""
    suffixes = tuple(sorted(all_suffixes(), key=len, reverse=True))
    for directory in directories:
        if not os.path.isdir(directory):
            yield from _entries_elsewhere(directory, ignore)
            continue
        with os.scandir(directory) as listing:
            found = sorted(listing, key=lambda item: item.name)
        for item in found:
            name = item.name
            if name[0] == "." or name in ("__pycache__", "__init__.py", "__main__.py") or _ignored(name, ignore):
                continue
            if item.is_dir():
                if is_name(normalized(name)) and _has_modules(item.path, suffixes):
                    yield normalized(name), item.path, True
                continue
            suffix = next((suffix for suffix in suffixes if name.endswith(suffix)), None)
            stem = normalized(name[: -len(suffix)]) if suffix else ""
            if stem and stem != "__init__":
                yield stem, item.path, False


def _entries_elsewhere(place: str, ignore: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """The same for what is not a directory of the file system, a folder within a zip."""
    import pkgutil

    for info in sorted(pkgutil.iter_modules([place]), key=lambda info: info.name):
        name = info.name if info.ispkg else f"{info.name}.py"
        if info.name != "__main__" and not _ignored(name, ignore):
            yield normalized(info.name), os.path.join(place, name), info.ispkg


def _ignored(name: str, ignore: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in ignore)


def _has_modules(directory: str, suffixes: tuple[str, ...]) -> bool:
    """Whether there is a Python file in ``directory`` or below it."""
    with os.scandir(directory) as listing:
        items = [item for item in listing if item.name[0] != "." and item.name != "__pycache__"]
    if any(item.name.endswith(suffixes) and item.is_file() for item in items):
        return True
    return any(item.is_dir(follow_symlinks=False) and _has_modules(item.path, suffixes) for item in items)
