"""Loaders for processes that are started by spawn or forkserver: a child begins with those that its parent has set up.

Such a child runs the main module under another name, so that ``setup()`` below ``if __name__ == "__main__"`` does not
happen there, and what it is sent (functions, instances of managed classes) cannot be unpickled. A process object
carries the configuration of the process that made it, and is unpickled before its target and arguments: that is where
loaders are described, at the moment of pickling.
"""

from __future__ import annotations

import sys

from pyautoload import known_loaders, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

__all__ = ["hand_down"]

_KEY = "pyautoload"
# What makes a loader in a child: the class ``AutoLoader``.
_make: Callable[..., Any] | None = None


def hand_down(process: ModuleType | None = None, *, make: Callable[..., Any] | None = None) -> None:
    """Let the processes that this one starts have its loaders.

    Args:
        process: the module ``multiprocessing.process``; looked up by default. Where nobody has imported it, the finder
            calls this when somebody does.
        make: what makes a loader there, ``AutoLoader``, which stands above this. Given once, by the first ``setup()``.
    """
    global _make
    _make = make or _make
    process = process or sys.modules.get("multiprocessing.process")
    current = getattr(process, "current_process", None)
    configuration: Any = getattr(current(), "_config", None) if current is not None else None
    if isinstance(configuration, dict):
        configuration.setdefault(_KEY, Inheritance())


class Inheritance:
    """Becomes, when it is unpickled in a child, the loaders that were set up when it was pickled in the parent."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (_descriptions(),)


def _descriptions() -> list[bytes]:
    import pickle

    found = []
    for loader in known_loaders.all_loaders(set_up=True):
        if known_loaders.is_of_package(loader):
            continue  # made when the package is imported, in a child too
        try:
            found.append(pickle.dumps((_make, loader.config, loader.inflector, loader.tag)))
        except Exception as error:  # noqa: BLE001 - an inflector of the user's own; the child has to do without
            log.debug(loader.tag, "cannot be handed down to child processes: %r", error)
    return found


def _received(descriptions: list[bytes]) -> Inheritance:
    import pickle

    for description in descriptions:
        try:
            make, config, inflector, tag = pickle.loads(description)
            known = {path for loader in known_loaders.all_loaders() for path in loader.config.roots}
            if not known & set(config.roots):  # else the main module has set it up here, too
                make(inflector=inflector, tag=tag).take_config(config).setup()
        except Exception as error:  # noqa: BLE001 - a child that needs none of it must start all the same
            log.warning("processes", "a loader of the parent could not be set up in this process: %r", error)
    return Inheritance()
