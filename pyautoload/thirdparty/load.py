"""``load``: modules, objects and files by name, when they are needed.

np = load("numpy")
load.numpy
Regression = load("sklearn.linear_model.LinearRegression")
settings = load("../config/settings.py", alias="settings")
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from pyautoload.thirdparty.import_cost import Cost, Loaded, cost_of, size_of
from pyautoload.thirdparty.load_errors import TargetError
from pyautoload.thirdparty.targets import absolute, import_file, import_name, is_path, pair
from pyautoload.thirdparty.unloading import Temporarily, Unloaded, drop

if TYPE_CHECKING:
    from pyautoload.thirdparty.installer.install import Installer

__all__ = ["Load", "load"]

F = TypeVar("F", bound=Callable[..., Any])


class Load:
    """Loads things by name and remembers them; ``load`` is the one that there is.

    Nothing is ever installed unless ``allow_install`` was called, and nothing printed unless ``enable_auto_print`` was.
    """

    def __init__(self) -> None:
        # What was loaded, by dotted name or path. Example: {"numpy": <module>, "/src/utils.py": <module>}
        self._found: dict[str, Any] = {}
        # Short names. Example: {"np": "numpy", "settings": "/src/config/settings.py"}
        self._aliases: dict[str, str] = {}
        # What each first load cost. Example: {"numpy": (0.09, 130, 2400000)} for seconds, modules, bytes
        self._costs: dict[str, tuple[float, int, int]] = {}
        # How often each was asked for. Example: {"numpy": 3}
        self._uses: dict[str, int] = {}
        # Length at which printed objects are cut; None prints nothing.
        self._print_limit: int | None = None
        # What may be installed; None while installing is off, as it is by default.
        self._installer: Installer | None = None
        # Indexes by name, which allow_install(index=name) takes; made on first use.
        self._registries: Any = None

    def __call__(self, target: str, *, alias: str | None = None, force: bool = False) -> Any:
        """The module, object or file ``target``.

        Args:
            target: ``"numpy"``, ``"sklearn.linear_model.LinearRegression"``, an alias, or the path of a file; a
                relative path counts from the file of the caller, then from the working directory.
            alias: a name under which it can be had as ``load.<alias>``; for a file also the name of its module.
            force: run the module again even if it is loaded.

        Raises:
            TargetError: there is no such file or attribute, or ``target`` is no valid name.
            ModuleNotFoundError: the module is missing, and installing it was not allowed.
            InstallError: installing it was allowed, and failed.
        """
        return self._load(self._key(target, sys._getframe(1)), alias, force)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"load has no attribute {name!r}; load({name!r}) imports a module of that name")
        return self._load(self._aliases.get(name, name))

    def _key(self, target: str, caller: Any) -> str:
        """``target`` in full: aliases replaced, paths absolute."""
        if not isinstance(target, str):
            raise TypeError(f"load() takes a dotted name or a path as text, not {target!r}")
        if is_path(target):
            return absolute(target, caller.f_globals.get("__file__"))
        first, dot, rest = target.partition(".")
        full = self._aliases.get(first, first)
        if dot and is_path(full):
            raise TargetError(target, f"{first!r} is the file {full}: load it, then take its attribute")
        return full + dot + rest

    def _load(self, key: str, alias: str | None = None, force: bool = False) -> Any:
        self._uses[key] = self._uses.get(key, 0) + 1
        missing = object()
        found = missing if force else self._found.get(key, missing)
        if found is missing:
            before, start = set(sys.modules), time.perf_counter()
            found = self._import(key, alias, force)
            brought = [name for name in list(sys.modules) if name not in before]
            self._costs.setdefault(key, (time.perf_counter() - start, len(brought), size_of(brought)))
            self._found[key] = found
        if alias is not None:
            self.alias(alias, key)
        if self._print_limit is not None:
            self._print(key, found)
        return found

    def _import(self, key: str, alias: str | None, force: bool) -> Any:
        if is_path(key):
            return import_file(key, alias, force)
        try:
            return import_name(key, force)
        except ModuleNotFoundError as error:
            first = key.partition(".")[0]
            if error.name != first:
                raise
            from pyautoload.thirdparty.installer.install import missing

            if self._installer is None:
                raise missing(first) from None
            self._installer.install(first)
        return import_name(key, force)

    def import_aliases(self, *names: str) -> tuple[Any, ...]:
        """Load several at once: ``np, plt = load.import_aliases("np=numpy", "plt=matplotlib.pyplot")``.

        Returns:
            The objects in order; what has an alias can be had as ``load.<alias>`` from then on.
        """
        found = []
        for name in names:
            alias, target = pair(name)
            found.append(self._load(self._key(target, sys._getframe(1)), alias if "=" in name else None))
        return tuple(found)

    def alias(self, alias: str, target: str) -> None:
        """Make ``load.<alias>`` stand for ``target``; loads nothing.

        Raises:
            ValueError: ``alias`` is not a name, or one that ``load`` itself has.
        """
        if not alias.isidentifier() or alias.startswith("_") or hasattr(type(self), alias):
            raise ValueError(f"{alias!r} cannot be an alias: take an identifier that load does not have yet")
        if is_path(target):
            target = absolute(target, sys._getframe(1).f_globals.get("__file__"))
        self._aliases[alias] = target

    def requires(self, *names: str) -> Callable[[F], F]:
        """Provide modules or objects to one function, loaded at its first call.

        Each becomes the argument of the parameter of its name, or else a global that only this function sees.

        Args:
            names: ``"numpy"`` (provided as ``numpy``), ``"plt=matplotlib.pyplot"`` (as ``plt``).

        Raises:
            ValueError: a dotted name without ``alias=``.
        """
        targets = dict(pair(name) for name in names)
        for name in targets:
            if not name.isidentifier():
                raise ValueError(f"{name!r} is not a name for a variable: give it one, 'name={name}'")
        caller = sys._getframe(1)
        keys = {alias: self._key(target, caller) for alias, target in targets.items()}

        def decorate(function: F) -> F:
            from pyautoload.thirdparty.requires import provide

            return provide(function, tuple(keys), lambda: {alias: self._load(key) for alias, key in keys.items()})

        return decorate

    def temporarily(self, target: str) -> Temporarily:
        """``with load.temporarily("numpy") as np:`` what the block brought into ``sys.modules`` is gone afterwards.

        What was there before stays, and so does what other threads import meanwhile. Packages with C extensions stay
        and are reported by an ``UnloadWarning`` and in the ``result`` of the object.
        """
        key = self._key(target, sys._getframe(1))
        return Temporarily(key, lambda: self._load(key), self._forget_gone)

    def unload(self, name: str) -> Unloaded:
        """Take a module and its submodules out of ``sys.modules``.

        Args:
            name: a module, an alias, or a file that was loaded.

        Returns:
            The modules that are gone, and those that stay as C extensions cannot be unloaded.

        Raises:
            ValueError: the module is a part of Python or of PyAutoload that must not go.
        """
        key = self._key(name, sys._getframe(1))
        found = self._found.get(key)
        module = found.__name__ if is_path(key) and isinstance(found, ModuleType) else key
        if module.partition(".")[0] in ("sys", "builtins", "importlib", "pyautoload", "__main__", "threading"):
            raise ValueError(f"{module} cannot be unloaded: Python and PyAutoload stand on it")
        result = drop(entry for entry in list(sys.modules) if entry == module or entry.startswith(f"{module}."))
        self._found.pop(key, None)
        self._forget_gone()
        return result

    def _forget_gone(self) -> None:
        """Drop what is remembered of modules that are not loaded any more."""
        for key, found in list(self._found.items()):
            home = found.__name__ if isinstance(found, ModuleType) else getattr(found, "__module__", None)
            gone = isinstance(home, str) and home not in sys.modules
            if gone or (not is_path(key) and key.partition(".")[0] not in sys.modules):
                self._found.pop(key, None)

    def info(self) -> Mapping[str, Loaded]:
        """What was loaded so far, by name: cached or not, time, modules, size of their files, uses."""
        return {
            key: Loaded(*cost, cached=key in self._found, uses=self._uses.get(key, 0))
            for key, cost in self._costs.items()
        }

    def memory(self, target: str, timeout: float = 60) -> Cost:
        """What importing ``target`` costs in time and resident memory, measured in a child process.

        Raises:
            TargetError: the import fails there, or takes longer than ``timeout`` seconds.
        """
        key = self._key(target, sys._getframe(1))
        if not is_path(key) and not all(part.isidentifier() for part in key.split(".")):
            raise TargetError(target, "it is neither a dotted name nor the path of a file")
        return cost_of(key, is_path(key), timeout)

    def clear_cache(self) -> None:
        """Forget what was loaded; the modules stay in ``sys.modules``, aliases stay too."""
        self._found.clear()
        self._costs.clear()
        self._uses.clear()

    def enable_auto_print(self, limit: int = 1000) -> None:
        """Print each thing that is loaded, cut after ``limit`` characters; for interactive use."""
        self._print_limit = limit

    def disable_auto_print(self) -> None:
        """Print nothing, as at the start."""
        self._print_limit = None

    def _print(self, key: str, found: Any) -> None:
        limit = self._print_limit or 0
        text = repr(found)
        print(f"{key}: {text if len(text) <= limit else text[:limit] + '...'}")

    def allow_install(
        self,
        packages: Iterable[str] | Mapping[str, str],
        *,
        index: str | None = None,
        only_binary: bool = True,
        require_hashes: bool | Mapping[str, Iterable[str]] = False,
        into: str | os.PathLike[str] | None = None,
        timeout: float = 300,
    ) -> None:
        """Let ``load`` install the named distributions, and nothing else, when they are missing.

        Args:
            packages: requirements, ``["requests>=2", "./wheels/tool-1.0-py3-none-any.whl"]``, or import name →
                requirement, ``{"sklearn": "scikit-learn"}``. ``name @ git+https://...@<commit>`` is a Git source.
            index: an index URL, a directory of distributions, or the name of a registry; the only source then.
            only_binary: take wheels only, as building from source runs the code of the distribution.
            require_hashes: distribution → ``["sha256:..."]``; or ``True``, with ``--hash=sha256:...`` in each
                requirement.
            into: the directory to install into, made if need be and added to ``sys.path``; the environment's own
                packages by default.
            timeout: seconds that one installation may take.

        Raises:
            InstallRefused: a requirement, index or hash is not acceptable.
        """
        from pyautoload.thirdparty.installer.install import Installer

        self._installer = Installer(
            packages,
            index=self._known_registries().get(index, index) if index is not None else None,
            only_binary=only_binary,
            require_hashes=require_hashes,
            into=into,
            timeout=timeout,
        )

    def disallow_install(self) -> None:
        """Switch installing off, as at the start."""
        self._installer = None

    def add_registry(self, name: str, url: str, *, username: str | None = None, password: str | None = None) -> None:
        """Give an index a name for ``allow_install(index=name)``; credentials are never shown or logged."""
        self._known_registries().add(name, url, username, password)

    def remove_registry(self, name: str) -> None:
        """Forget a registry; ``KeyError`` if there is none of that name."""
        self._known_registries().remove(name)

    def registries(self) -> Mapping[str, str]:
        """Name → URL of the registries, without credentials."""
        shown: Mapping[str, str] = self._known_registries().shown()
        return shown

    def _known_registries(self) -> Any:
        if self._registries is None:
            from pyautoload.thirdparty.installer.package_indexes import Registries

            self._registries = Registries()
        return self._registries

    def __repr__(self) -> str:
        return f"<load: {len(self._found)} cached, installing is {'on' if self._installer else 'off'}>"


load = Load()
