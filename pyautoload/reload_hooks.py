"""Reload hooks: what a module says about being run again: how to undo what it did outside, and what it keeps.

Both functions are called while a managed module is being executed. Whoever executes such modules registers here, so
that a program which never reloads imports nothing of the reload engine.
"""

from __future__ import annotations

import sys
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    Result = TypeVar("Result")
    Function = TypeVar("Function", bound=Callable[[], object])

    class Host(Protocol):
        """Executes modules, and can do so again."""

        def executing_name(self) -> str | None:
            """The module that this thread is executing."""
            ...

        def add_cleanup(self, function: Callable[[], object]) -> None:
            """Call a function before the module that this thread is executing runs again, or goes."""
            ...

        def keep(self, name: str, make: Callable[[], Any]) -> Any:
            """What the module that this thread is executing keeps under a name, made where it is not there yet."""
            ...


__all__ = ["add_host", "keep", "on_cleanup"]

# Everybody who executes modules and reloads them: one for each loader with reloading.
_hosts: weakref.WeakSet[Host] = weakref.WeakSet()


def on_cleanup(function: Function) -> Function:
    """Call a function before the module that is being imported runs again in a reload, or is unloaded.

    Written at module level, beside what the function undoes: a registration, a thread, an open socket. Can be used as a
    decorator. The functions of a module are called last first; an exception in one is logged. Without reloading nothing
    is kept, and nothing called.

    Args:
        function: takes no arguments.

    Returns:
        The function.
    """
    host = _executing()
    if host is not None:
        host.add_cleanup(function)
    return function


def keep(name: str, make: Callable[[], Result]) -> Result:
    """Give an object that stays when the module that is being imported runs again.

    Written at module level: ``CONNECTIONS = keep("connections", dict)``. The object stays until the module is unloaded
    or the process ends. Without reloading this is ``make()``.

    Args:
        name: of the object, within the module.
        make: makes it, the first time.

    Returns:
        What ``make()`` gave, now or the first time.
    """
    host = _executing()
    if host is None:
        return make()
    kept: Result = host.keep(name, make)
    return kept


def add_host(host: Host) -> None:
    """Take notice of somebody who executes modules; he is forgotten when nobody else holds him."""
    _hosts.add(host)


def _executing() -> Host | None:
    """Who is executing the module that called; of several, as one module imports another one, the innermost."""
    found = {name: host for host in list(_hosts) if (name := host.executing_name()) is not None}
    if len(found) < 2:
        return next(iter(found.values()), None)
    frame = sys._getframe(2)
    while frame is not None:
        host = found.get(frame.f_globals.get("__name__", "")) if frame.f_code.co_name == "<module>" else None
        if host is not None:
            return host
        frame = frame.f_back  # type: ignore[assignment]
    return None
