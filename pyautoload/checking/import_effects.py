"""What running a module changes outside of itself, looked at from outside: the state before and after are compared."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import MappingProxyType, ModuleType
from typing import Any

__all__ = ["Effects"]

State = dict[tuple[str, ...], Any]
_CONTAINERS = (dict, list, set)
# Objects that keep notes of their own, which nobody counts on.
_WITH_CACHES = (ModuleType, type, logging.Logger)


class Effects:
    """Attributes changes to the module that is running.

    Args:
        managed: the names of the modules whose content is looked at.
    """

    def __init__(self, managed: frozenset[str]) -> None:
        self.managed = managed
        # Module → what it changed, in words.
        self.found: dict[str, list[str]] = {}
        self._running: list[str] = []
        self._last = self._state()

    def begins(self, name: str) -> None:
        """The code of a module is about to run."""
        self._note()
        self._running.append(name)

    def ended(self, name: str) -> None:
        """It has ended, well or not."""
        self._note()
        self._running.pop()
        self._last = self._state()  # its own content counts from now on

    def _note(self) -> None:
        state = self._state()
        if self._running:
            words = self.found.setdefault(self._running[-1], [])
            for key in state.keys() | self._last.keys():
                change = _change(key, self._last.get(key), state.get(key))
                if change is not None and change not in words:
                    words.append(change)
        self._last = state

    def _state(self) -> State:
        state: State = dict(_of_process())
        busy = set(self._running)
        for name in self.managed - busy:
            module = sys.modules.get(name)
            if isinstance(module, ModuleType):
                state.update(_of_module(name, module))
        return state


def _change(key: tuple[str, ...], before: Any, after: Any) -> str | None:
    """A change in words; ``None`` where nothing has changed."""
    if before == after:
        return None
    kind, what = key[0], key[-1]
    if kind == "value":
        # A name that comes or goes is a submodule, or an expected name, that is bound on its package.
        return f"replaces {what}" if before is not None and after is not None else None
    if kind == "attribute":
        return f"changes {what}" if after is not None else None
    if kind == "content":
        return f"stores into {what}" if before is not None and after is not None else None
    return f"changes {what}"


def _of_process() -> Iterator[tuple[tuple[str, ...], Any]]:
    yield ("process", "os.environ"), dict(os.environ)
    for name in ("path", "meta_path", "path_hooks"):
        yield ("process", f"sys.{name}"), list(map(_identity, getattr(sys, name)))
    for name in ("excepthook", "displayhook", "unraisablehook", "stdout", "stderr"):
        yield ("process", f"sys.{name}"), id(getattr(sys, name))
    yield ("process", "threading.excepthook"), id(threading.excepthook)
    yield ("process", "warnings.filters"), len(warnings.filters)
    count: Callable[[], int] | None = getattr(atexit, "_ncallbacks", None)
    yield ("process", "what runs at exit (atexit)"), count() if count is not None else 0
    if threading.current_thread() is threading.main_thread():
        for number in signal.valid_signals():
            yield ("process", f"the handler of {_signal_name(number)}"), _identity(signal.getsignal(number))
    known = list(logging.root.manager.loggerDict.items())
    loggers = {name: each for name, each in known if isinstance(each, logging.Logger)}
    for name, logger in {"root": logging.root, **loggers}.items():
        if logger.handlers or logger.level or logger is logging.root:
            yield ("process", f"the logging of {name!r}"), (logger.level, list(map(id, logger.handlers)))


def _identity(value: object) -> object:
    return value if isinstance(value, (str, int)) else id(value)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _of_module(name: str, module: ModuleType) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in list(vars(module).items()):
        if key[:2] == "__":
            continue
        full = f"{name}.{key}"
        if isinstance(value, _CONTAINERS):
            yield ("content", full), len(value)
        elif not isinstance(value, ModuleType):
            yield ("value", full), id(value)
            yield from _of_object(full, value)
        if isinstance(value, type) and value.__module__ == name:
            yield from _of_class(full, value)


def _of_class(full: str, cls: type) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in list(vars(cls).items()):
        if key[:2] == "__" or key.startswith("_abc"):
            continue
        if isinstance(value, _CONTAINERS):
            yield ("content", f"{full}.{key}"), len(value)
        else:
            yield ("attribute", f"{full}.{key}"), id(value)
            yield from _of_object(f"{full}.{key}", value)


def _of_object(full: str, value: object) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What an object holds in its attributes: the views of an application, the commands of a group, a registry."""
    if issubclass(type(value), _WITH_CACHES):
        return
    try:
        attributes = object.__getattribute__(value, "__dict__")  # past what the object makes of the question
    except (AttributeError, TypeError):
        return
    for key, held in list(attributes.items()) if type(attributes) is dict else ():
        for kind in (*_CONTAINERS, MappingProxyType):
            if issubclass(type(held), kind):
                yield ("content", f"{full}.{key}"), kind.__len__(held)
