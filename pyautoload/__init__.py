"""PyAutoload: drop a file into the tree and use what it defines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader as AutoLoader
    from pyautoload.errors import AutoloadError as AutoloadError
    from pyautoload.errors import CircularDependencyError as CircularDependencyError
    from pyautoload.errors import ConflictError as ConflictError
    from pyautoload.errors import EagerLoadError as EagerLoadError
    from pyautoload.errors import ExpectedNameError as ExpectedNameError
    from pyautoload.errors import LoadError as LoadError
    from pyautoload.errors import ModuleNotFoundError as ModuleNotFoundError
    from pyautoload.errors import NameInflectionError as NameInflectionError
    from pyautoload.errors import PathError as PathError
    from pyautoload.errors import ReloadError as ReloadError
    from pyautoload.errors import ReloadingDisabled as ReloadingDisabled
    from pyautoload.errors import SetupError as SetupError
    from pyautoload.errors import SetupRequired as SetupRequired
    from pyautoload.importing.finder import PyAutoloadFinder as PyAutoloadFinder
    from pyautoload.importing.loader import PyAutoloadLoader as PyAutoloadLoader
    from pyautoload.inflector import Inflector as Inflector
    from pyautoload.loaders import eager_load_all as eager_load_all
    from pyautoload.loaders import eager_load_namespace as eager_load_namespace
    from pyautoload.loaders import scoped_loader as scoped_loader
    from pyautoload.registry import ModuleRegistry as ModuleRegistry
    from pyautoload.scanner import FileScanner as FileScanner

__version__ = "0.1.0"

_EXPORTS = {
    "AutoLoader": "autoloader",
    **dict.fromkeys(
        [
            "AutoloadError",
            "CircularDependencyError",
            "ConflictError",
            "EagerLoadError",
            "ExpectedNameError",
            "LoadError",
            "ModuleNotFoundError",
            "NameInflectionError",
            "PathError",
            "ReloadError",
            "ReloadingDisabled",
            "SetupError",
            "SetupRequired",
        ],
        "errors",
    ),
    "PyAutoloadFinder": "importing.finder",
    "PyAutoloadLoader": "importing.loader",
    "Inflector": "inflector",
    "eager_load_all": "loaders",
    "eager_load_namespace": "loaders",
    "scoped_loader": "loaders",
    "ModuleRegistry": "registry",
    "FileScanner": "scanner",
}


def __getattr__(name):  # type: ignore
    import importlib

    if name in _EXPORTS:
        value = globals()[name] = getattr(importlib.import_module(f"pyautoload.{_EXPORTS[name]}"), name)
        return value
    raise AttributeError(name)
