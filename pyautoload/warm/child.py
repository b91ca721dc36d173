"""A child: makes a process that was forked from a template like one that was just started."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from pyautoload.warm import environment, streams

__all__ = ["become", "close_others"]


def close_others(kept: Iterable[int]) -> None:
    """Close all descriptors but some."""
    keep = set(kept)
    directory = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for number in map(int, os.listdir(directory)):
        if number not in keep:
            with contextlib.suppress(OSError):  # that of the listing is closed already
                os.close(number)


def become(order: dict[str, Any], descriptors: list[int], kept: list[int | None]) -> list[int | None]:
    """Take on what the process that asked for this one has.

    Args:
        order: what it said of itself: ``numbers`` of the descriptors, ``environment``, ``directory``, and so on.
        descriptors: those that came with it, in the order of ``numbers``.
        kept: descriptors that are for ourselves.

    Returns:
        The numbers that these have now, where they are in nobody's way.
    """
    if order["session"]:
        os.setsid()
    moved = _put(dict(zip(order["numbers"], descriptors, strict=True)), kept)
    os.umask(order["umask"])
    os.chdir(order["directory"])
    zone = os.environ.get("TZ")
    environment.replace(order["environment"])
    if os.environ.get("TZ") != zone:
        time.tzset()
    _reset_signals(frozenset(order["ignored"]), frozenset(order["blocked"]))
    streams.renew(unbuffered=order["unbuffered"])
    _seed()
    logging._startTime = time.time() if sys.version_info < (3, 13) else time.time_ns()  # type: ignore[attr-defined]
    sys.path_importer_cache.clear()
    return moved


def _put(wanted: dict[int, int], kept: list[int | None]) -> list[int | None]:
    """Give each descriptor its number, and close all others."""
    import fcntl
    import resource

    given = [number for number in kept if number is not None]
    above = max([2, *wanted, *wanted.values(), *given]) + 1
    far = max(above, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024) - 16)
    moved = [number if number is None else fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, far) for number in kept]
    high = {number: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, above) for number, source in wanted.items()}
    for number, source in high.items():
        os.dup2(source, number, inheritable=True)
    close_others([*wanted, *(number for number in moved if number is not None)])
    return moved


def _reset_signals(ignored: frozenset[int], blocked: frozenset[int]) -> None:
    """As the interpreter finds them at its start, and leaves them."""
    signal.set_wakeup_fd(-1)
    own = {"SIGPIPE", "SIGXFSZ", "SIGXFZ"}
    for number in signal.valid_signals():
        if number in (signal.SIGKILL, signal.SIGSTOP):
            continue
        handler: Any = signal.SIG_DFL
        if number in ignored or getattr(number, "name", "") in own:
            handler = signal.SIG_IGN
        elif number == signal.SIGINT:
            handler = signal.default_int_handler
        if signal.getsignal(number) is not handler:
            with contextlib.suppress(OSError, ValueError):  # those that the C library keeps for itself
                signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _seed() -> None:
    """Take new seeds; ``random`` and OpenSSL do so by themselves after a fork."""
    for name, seed in _SEEDS.items():
        module = sys.modules.get(name)
        if module is not None:
            seed(module)


def _seed_uuid(module: ModuleType) -> None:
    setattr(module, "_last_timestamp", None)


# Module with random numbers of its own → what seeds them.
_SEEDS: dict[str, Callable[[Any], object]] = {
    "numpy.random": lambda module: module.seed(),
    "torch": lambda module: module.seed(),
    "uuid": _seed_uuid,
}
