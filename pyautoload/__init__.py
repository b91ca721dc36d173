"""PyAutoload: drop a file into the tree and use what it defines."""

from __future__ import annotations

from pyautoload.lazy.exports import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload import lazy as lazy
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
    from pyautoload.loaders import eager_load_all as eager_load_all
    from pyautoload.loaders import eager_load_namespace as eager_load_namespace
    from pyautoload.loaders import scoped_loader as scoped_loader
    from pyautoload.notebook.extension import load_ipython_extension as load_ipython_extension
    from pyautoload.notebook.extension import unload_ipython_extension as unload_ipython_extension
    from pyautoload.programs.live_edits import live as live
    from pyautoload.reload_hooks import keep as keep
    from pyautoload.reload_hooks import on_cleanup as on_cleanup
    from pyautoload.thirdparty.load import load as load
    from pyautoload.tree.inflector import Inflector as Inflector
    from pyautoload.tree.registry import ModuleRegistry as ModuleRegistry
    from pyautoload.tree.scanner import FileScanner as FileScanner

__version__ = "0.1.0"

# What this says is what the block above says; `tests/test_public_names.py` compares them.
__getattr__, __dir__, __all__ = exports(
    __name__,
    """
    from . import lazy
    from .autoloader import AutoLoader
    from .errors import AutoloadError, CircularDependencyError, ConflictError, EagerLoadError, ExpectedNameError
    from .errors import LoadError, ModuleNotFoundError, NameInflectionError, PathError, ReloadError, ReloadingDisabled
    from .errors import SetupError, SetupRequired
    from .importing.finder import PyAutoloadFinder
    from .importing.loader import PyAutoloadLoader
    from .tree.inflector import Inflector
    from .thirdparty.load import load
    from .programs.live_edits import live
    from .loaders import eager_load_all, eager_load_namespace, scoped_loader
    from .notebook.extension import load_ipython_extension, unload_ipython_extension
    from .reload_hooks import keep, on_cleanup
    from .tree.registry import ModuleRegistry
    from .tree.scanner import FileScanner
    """,
)
__all__ += ["__version__"]
