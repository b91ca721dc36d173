"""What ``load`` is asked for: a dotted name or the path of a file → the object."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import zlib
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from pyautoload.errors import ConflictError, LoadError
from pyautoload.thirdparty.load_errors import TargetError
from pyautoload.thirdparty.unloading import is_extension

__all__ = ["absolute", "import_file", "import_name", "is_path", "pair", "reloaded"]


def is_path(target: str) -> bool:
    """Whether ``target`` is the path of a file rather than a dotted name."""
    return target.endswith(".py") or target.startswith(".") or "/" in target or os.sep in target


def import_name(target: str, force: bool = False) -> Any:
    """The module ``a.b`` or the object ``a.b.C``; of an attribute and a submodule of one name, the attribute.

    Raises:
        TargetError: ``target`` is not a dotted name, or a module does not have the next part of it.
        ModuleNotFoundError: the first part is not a module.
    """
    parts = target.split(".")
    if not all(part.isidentifier() for part in parts):
        raise TargetError(target, "it is neither a dotted name nor the path of a file")
    found: Any = _imported(parts[0])
    module_name = parts[0]
    path: list[str] = []
    for index, part in enumerate(parts[1:], 1):
        full = ".".join(parts[: index + 1])
        missing = object()
        value = getattr(found, part, missing)
        if value is missing and isinstance(found, ModuleType):
            value = _submodule(found, full, target)
        elif value is missing:
            raise TargetError(target, f"{'.'.join(parts[:index])} has no attribute {part!r}")
        if not path and isinstance(value, ModuleType) and sys.modules.get(full) is value:
            module_name = full
        else:
            path.append(part)
        found = value
    if not force:
        return found
    found = reloaded(sys.modules[module_name])
    for part in path:
        found = getattr(found, part)
    return found


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except AttributeError as error:
        # Whoever asked by ``load.name`` must not take it for "no such attribute".
        raise LoadError(name, None, error) from error


def _submodule(parent: ModuleType, full: str, target: str) -> ModuleType:
    """The submodule ``full``, which ``parent`` does not have as an attribute yet."""
    try:
        if hasattr(parent, "__path__"):
            return _imported(full)
    except ModuleNotFoundError as error:
        if error.name != full:
            raise
    part = full.rpartition(".")[2]
    raise TargetError(target, f"module {parent.__name__!r} has no attribute or submodule {part!r}") from None


class FileFinder:
    """Finds the modules that were loaded by path, so that the import system's own locks let each file run once."""

    def __init__(self) -> None:
        # Module name → file. Example: {"settings": "/src/config/settings.py"}
        self.paths: dict[str, str] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of a file that was asked for by path."""
        file = self.paths.get(name)
        return importlib.util.spec_from_file_location(name, file, loader=FileLoader(name, file)) if file else None


class FileLoader(SourceFileLoader):
    """Compiles the file as it is: a ``.pyc`` is told apart by whole seconds only, and such files are often edited."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file's present text."""
        return self.source_to_code(self.get_data(self.path), self.path)


FINDER = FileFinder()


def import_file(path: str, alias: str | None, force: bool = False) -> ModuleType:
    """The module of the file ``path``.

    Its name is ``alias``, else the file's stem, else, if that is the name of another module, the stem with a suffix.

    Raises:
        TargetError: there is no such file.
        ConflictError: ``alias`` is the name of another module.
    """
    path = os.path.realpath(path)
    if not os.path.isfile(path):
        raise TargetError(path, "there is no such file")
    name = _name_for(path, alias)
    present = sys.modules.get(name)
    if present is not None and force:
        return reloaded(present)
    if FINDER not in sys.meta_path:
        sys.meta_path.append(FINDER)
    return _imported(name)


def _name_for(path: str, alias: str | None) -> str:
    """The module name for ``path``, registered with the finder unless an ordinary import finds that file."""
    stem = os.path.splitext(os.path.basename(path))[0]
    name = alias or (stem if stem.isidentifier() else f"file_{zlib.crc32(path.encode()):08x}")
    for candidate in (name, f"{name}_{zlib.crc32(path.encode()):08x}"):
        if FINDER.paths.get(candidate) == path:
            return candidate
        holder = _file_of(candidate)
        if holder is not None and os.path.realpath(holder) == path:
            return candidate
        if holder is None and FINDER.paths.setdefault(candidate, path) == path:
            return candidate
        if alias:
            raise ConflictError(
                f"{path} cannot be loaded as {alias!r}: that is the module of {holder}. Give another alias",
                path,
                str(holder),
            )
    raise TargetError(path, f"the names {name!r} and {candidate!r} are taken")


def _file_of(name: str) -> str | None:
    """The file of the module ``name``, loaded or importable; ``None`` if there is no such module."""
    module = sys.modules.get(name)
    if module is not None:
        return getattr(module, "__file__", None) or "<no file>"
    spec = importlib.util.find_spec(name)
    return None if spec is None else spec.origin or "<no file>"


def reloaded(module: ModuleType) -> ModuleType:
    """Run ``module`` again: names that its source has no more go, and a failure puts everything back."""
    if is_extension(module):
        # C code has no source that lost names, and may fill its module only once.
        return importlib.reload(module)
    namespace = vars(module)
    before = dict(namespace)
    for name, value in before.items():
        is_own_child = isinstance(value, ModuleType) and sys.modules.get(f"{module.__name__}.{name}") is value
        if not is_own_child and not (name.startswith("__") and name.endswith("__")):
            del namespace[name]
    try:
        return importlib.reload(module)
    except BaseException:
        namespace.clear()
        namespace.update(before)
        raise


def pair(name: str) -> tuple[str, str]:
    """``"plt=matplotlib.pyplot"`` → ``("plt", "matplotlib.pyplot")``; ``"numpy"`` → ``("numpy", "numpy")``."""
    alias, equals, target = name.partition("=")
    alias, target = alias.strip(), target.strip()
    target = target if equals else alias
    if equals and not alias.isidentifier():
        raise ValueError(f"{name!r}: what is before the = must be a name")
    return alias, target


def absolute(path: str, caller: str | None) -> str:
    """``path`` from the file of the caller, or from the working directory if it is not there."""
    path = os.path.expanduser(path)
    if caller and not os.path.isabs(path):
        beside = os.path.join(os.path.dirname(os.path.abspath(caller)), path)
        if os.path.isfile(beside):
            return os.path.realpath(beside)
    return os.path.realpath(path)
