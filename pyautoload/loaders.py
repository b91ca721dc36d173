"""All loaders of the process: who manages what, and what is asked of all of them at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from weakref import WeakSet

from pyautoload.errors import EagerLoadError
from pyautoload.tree.config import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["all_loaders", "eager_load_all", "eager_load_namespace", "scoped_loader"]

# Loaders that are set up stay until they are unregistered, even where nobody keeps them in a variable.
_set_up: list[AutoLoader] = []
# Loaders that have roots but are not set up: one that was dropped half-configured claims nothing.
_configured: WeakSet[AutoLoader] = WeakSet()
# The file of a package's `__init__.py` → its loader, for `AutoLoader.for_package()`.
_by_file: dict[str, AutoLoader] = {}
# Loaders that were set up for a program that may set up one of its own: they give way to that.
_provisional: WeakSet[AutoLoader] = WeakSet()
_lock = threading.Lock()


def all_loaders(*, set_up: bool = False) -> list[AutoLoader]:
    """The loaders of this process, those that are set up first.

    Args:
        set_up: leave out the others.
    """
    with _lock:
        others = [] if set_up else [loader for loader in _configured if loader not in _set_up]
        return [*_set_up, *others]


def note_configured(loader: AutoLoader) -> None:
    """A loader has been made."""
    with _lock:
        _configured.add(loader)


def note_set_up(loader: AutoLoader) -> None:
    """A loader is set up."""
    with _lock:
        if loader not in _set_up:
            _set_up.append(loader)


def forget(loader: AutoLoader) -> None:
    """A loader is unregistered."""
    with _lock:
        if loader in _set_up:
            _set_up.remove(loader)
        _configured.discard(loader)
        for file in [file for file, known in _by_file.items() if known is loader]:
            del _by_file[file]


def note_provisional(loader: AutoLoader) -> None:
    """A loader was made for a program that may make one itself."""
    with _lock:
        _provisional.add(loader)


def make_room(path: str, comer: AutoLoader) -> None:
    """Unregister the provisional loaders that manage ``path``, or a part of it: ``comer`` is about to."""
    with _lock:
        found = [loader for loader in _provisional if loader is not comer]
    for loader in found:
        if any(inside(root, path) or inside(path, root) for root in loader.config.roots):
            with _lock:
                _provisional.discard(loader)
            loader.unregister()


def for_file(file: str) -> AutoLoader | None:
    """The loader that was made for a package's ``__init__`` file."""
    return _by_file.get(file)


def note_file(file: str, loader: AutoLoader) -> None:
    """A loader was made for a package's ``__init__`` file."""
    with _lock:
        _by_file[file] = loader


def eager_load_all() -> list[str]:
    """Eager load every loader that is set up.

    Returns:
        The names of the modules that were loaded.

    Raises:
        EagerLoadError: with the failures of all of them; each loader has loaded what it could.
    """
    return _of_all(lambda loader: loader.eager_load())


def _of_all(load: Callable[[AutoLoader], list[str]]) -> list[str]:
    loaded: list[str] = []
    failures: dict[str, Exception] = {}
    for loader in all_loaders(set_up=True):
        try:
            loaded += load(loader)
        except EagerLoadError as error:
            failures.update(error.failures)
            loaded += error.loaded
    if failures:
        combined = EagerLoadError(failures)
        combined.loaded = loaded
        raise combined
    return loaded


def eager_load_namespace(namespace: str | ModuleType) -> list[str]:
    """Eager load what each loader that is set up manages below a namespace.

    Args:
        namespace: a dotted name or a module.

    Returns:
        The names of the modules that were loaded.

    Raises:
        TypeError: neither a name nor a module.
        EagerLoadError: with the failures of all of them.
    """
    return _of_all(lambda loader: loader.eager_load_namespace(namespace))


@contextmanager
def scoped_loader() -> Iterator[AutoLoader]:
    """A loader for the length of a ``with`` block: at its end the loader is unregistered, also after an exception."""
    from pyautoload.autoloader import AutoLoader

    loader = AutoLoader()
    try:
        yield loader
    finally:
        loader.unregister()


def _after_fork() -> None:
    # A fork copies a held lock and loses the thread that would release it.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
