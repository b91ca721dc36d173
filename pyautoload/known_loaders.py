"""The loaders of the process, as they know of each other: who manages what, and who gives way to whom.

Loaders call this themselves; what users ask of all loaders at once is in ``loaders.py``.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from pyautoload.light_stdlib import WeakSet
from pyautoload.tree.paths import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    # An `AutoLoader`: that stands above, and is not known here.
    Loader: TypeAlias = Any

__all__ = [
    "all_loaders",
    "for_file",
    "for_root",
    "forget",
    "gives_way",
    "is_of_package",
    "make_room",
    "note_configured",
    "note_file",
    "note_giving_way",
    "note_provisional",
    "note_set_up",
    "with_roots",
]

# Loaders that are set up stay until they are unregistered, even where nobody keeps them in a variable.
_set_up: list[Loader] = []
# Loaders that have roots but are not set up: one that was dropped half-configured claims nothing.
_configured: WeakSet[Loader] = WeakSet()
# The file of a package's `__init__.py` → its loader, for `AutoLoader.for_package()`.
# Example: {"/src/shop/__init__.py": <AutoLoader shop: ...>}
_by_file: dict[str, Loader] = {}
# Loaders that were set up for a program that may set up one of its own: they give way to that.
_provisional: WeakSet[Loader] = WeakSet()
# Loaders that make a program live which knows nothing of them: one that it sets up itself takes over what they manage.
_giving_way: WeakSet[Loader] = WeakSet()
# Thread 1 sets a loader up and thread 2 drops one: each sees the list before or after that, never in between. Held over
# changes of the above only, never over a call of a loader.
_lock = allocate_lock()


def all_loaders(*, set_up: bool = False) -> list[Loader]:
    """The loaders of this process, those that are set up first.

    Args:
        set_up: leave out the others.
    """
    with _lock:
        others = [] if set_up else [loader for loader in _configured if loader not in _set_up]
        return [*_set_up, *others]


def note_configured(loader: Loader) -> None:
    """A loader has been made."""
    with _lock:
        _configured.add(loader)


def note_set_up(loader: Loader) -> None:
    """A loader is set up."""
    with _lock:
        if loader not in _set_up:
            _set_up.append(loader)


def forget(loader: Loader) -> None:
    """A loader is unregistered."""
    with _lock:
        if loader in _set_up:
            _set_up.remove(loader)
        _configured.discard(loader)
        for file in [file for file, known in _by_file.items() if known is loader]:
            del _by_file[file]


def note_provisional(loader: Loader) -> None:
    """A loader was made for a program that may make one itself."""
    with _lock:
        _provisional.add(loader)


def note_giving_way(loader: Loader) -> None:
    """A loader was made for a program as it is; a loader of the program's own takes over from it."""
    with _lock:
        _giving_way.add(loader)


def gives_way(loader: Loader) -> bool:
    """Whether a loader was made for a program as it is."""
    with _lock:
        return loader in _giving_way


def make_room(path: str, comer: Loader) -> list[Loader]:
    """Unregister the loaders that give way to ``comer``, which is about to manage ``path``.

    These are the provisional ones that manage it, or a part of it, and one that the same code made before: a cell of a
    notebook that runs again, a module that is executed once more.

    Returns:
        Those that were unregistered. Who asks for one of them by its file gets ``comer`` from now on.
    """
    with _lock:
        provisional = [*_provisional, *_giving_way]
    gone = []
    for loader in all_loaders():
        if loader is comer:
            continue
        roots = loader.config.roots
        is_former = path in roots and comer.origin.is_again(loader.origin)
        touches = any(inside(root, path) or inside(path, root) for root in roots)
        if is_former or (loader in provisional and touches):
            gone.append(loader)
    for loader in gone:
        with _lock:
            _provisional.discard(loader)
            files = [file for file, known in _by_file.items() if known is loader]
        loader.unregister()
        for file in files:
            note_file(file, comer)
    return gone


def with_roots(roots: Mapping[str, str]) -> Loader | None:
    """The loader that is set up for these roots and no others: path → namespace."""
    for loader in all_loaders(set_up=True):
        if {path: root.namespace for path, root in loader.config.roots.items()} == roots:
            return loader
    return None


def for_root(path: str, namespace: str) -> Loader | None:
    """The loader that is set up and has this root among others."""
    for loader in all_loaders(set_up=True):
        root = loader.config.roots.get(path)
        if root is not None and root.namespace == namespace:
            return loader
    return None


def is_of_package(loader: Loader) -> bool:
    """Whether a package's own ``__init__.py`` has made this loader."""
    return any(known is loader and not file.endswith(".toml") for file, known in list(_by_file.items()))


def for_file(file: str) -> Loader | None:
    """The loader that was made for a package's ``__init__`` file."""
    return _by_file.get(file)


def note_file(file: str, loader: Loader) -> None:
    """A loader was made for a package's ``__init__`` file."""
    with _lock:
        _by_file[file] = loader


def _after_fork() -> None:
    # A fork copies a held lock and loses the thread that would release it.
    global _lock
    _lock = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
