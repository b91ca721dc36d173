"""Code that a loader of somebody else makes: kept out of the stock bytecode cache, recreated for a reload."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType

from pyautoload.importing import import_hooks
from pyautoload.importing.bytecode import cache_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Guard", "code_through_hook", "is_hooked"]


class Guard:
    """Keeps a loader that compiles in its own way from the stock bytecode cache, while it loads one module.

    Such a loader may read the stock cache, and so never compile; or write into it what all others then would load.
    What it caches in a place of its own is its own business, unless the code must be surely fresh.

    Args:
        loader: of one module; others, which serve for many modules, are left alone.
        path: the module's file.
        fresh: take no bytecode from any cache: those of others cannot tell two edits within a second.
        source: the text to be compiled, in place of what the file holds.
        on_code: called with the code before it is executed.
    """

    def __init__(
        self,
        loader: Any,
        path: str,
        *,
        fresh: bool = False,
        source: bytes | None = None,
        on_code: Callable[[CodeType], None] | None = None,
    ) -> None:
        self._loader = loader
        self._path = path
        self._stock = cache_path(path) if path.endswith(".py") else None
        self._fresh = fresh
        self._source = source
        self._on_code = on_code
        # The instance's methods that were put there, with what was there before.
        self._put: dict[str, Any] = {}

    def __enter__(self) -> Guard:
        if is_source_loader(self._loader):
            self._replace("get_code", self._get_code)
            if compiles_itself(type(self._loader)) or self._source is not None:
                self._replace("get_data", self._get_data)
                self._replace("set_data", self._set_data)
                if self._fresh:
                    self._replace("path_stats", self._path_stats)
        return self

    def __exit__(self, *_: object) -> None:
        names = vars(self._loader) if self._put else {}
        for name, before in self._put.items():
            if before is None:
                names.pop(name, None)
            else:
                names[name] = before

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        names = vars(self._loader)
        self._put[name] = names.get(name)
        setattr(self, "_" + name + "_before", getattr(self._loader, name))
        names[name] = function

    # In place of the loader's methods

    _get_code_before: Callable[[str], CodeType]
    _get_data_before: Callable[[str], bytes]
    _set_data_before: Callable[..., None]

    def _get_code(self, fullname: str) -> CodeType:
        code = self._get_code_before(fullname)
        if self._on_code is not None:
            self._on_code(code)
        return code

    def _get_data(self, path: str) -> bytes:
        if path == self._stock:
            raise OSError("the stock bytecode cache holds what Python itself compiles")
        if self._source is not None and path == self._path and type(self._loader).get_data is SourceFileLoader.get_data:
            return self._source
        return self._get_data_before(path)

    def _set_data(self, path: str, data: bytes, **options: Any) -> None:
        if path != self._stock:
            self._set_data_before(path, data, **options)

    @staticmethod
    def _path_stats(path: str) -> dict[str, Any]:
        raise OSError(f"{path} is to be compiled from its source")


def is_source_loader(loader: object) -> bool:
    """Whether ``loader`` is of a class made from the stock loader, whatever it may pretend, and takes attributes."""
    return issubclass(type(loader), SourceFileLoader) and "__dict__" in dir(type(loader))


def compiles_itself(kind: type) -> bool:
    """Whether a loader class makes code of something else than the file's own text, or in another way."""
    return any(getattr(kind, name) is not getattr(SourceFileLoader, name) for name in ("source_to_code", "get_data"))


# Compiling again, for a reload


def is_hooked(module: object) -> bool:
    """Whether a loaded module's code is made, or changed, by a loader of somebody else."""
    loader = getattr(getattr(module, "__spec__", None), "loader", None)
    if loader is None:
        return False
    if getattr(type(loader), "is_ours", False):
        return bool(import_hooks.patched()) or "get_code" in vars(loader)
    return not import_hooks.is_stock(loader)


def code_through_hook(module: ModuleType, source: bytes, path: str) -> CodeType:
    """What the loader of a module that is hooked makes of a new text.

    Args:
        module: the module.
        source: the text.
        path: its file.

    Returns:
        Code to be executed in the module's namespace. Where the loader only executes, what the text alone gives: that
        is executed where our own loader is inside, and else the other one makes its own of it.

    Raises:
        SyntaxError: the text does not compile.
    """
    loader: Any = getattr(module.__spec__, "loader", None)
    if is_source_loader(loader):
        with Guard(loader, path, fresh=True, source=source):
            code = loader.get_code(module.__name__)
        if isinstance(code, CodeType):
            return code
    return compile(source, path, "exec", dont_inherit=True)
