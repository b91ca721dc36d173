"""The template: a process that imports libraries, and is forked from then on.

Started as ``python -m pyautoload.warm.template CONTROL LIFELINE``, the numbers of a socket to its owner and of a pipe.
The owner sends what is to be imported; this process answers what came of it, and then makes a child for each order.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from pyautoload.warm import child, ending, keeper, lifeline, script, streams, wire
from pyautoload.warm.environment import Reads
from pyautoload.warm.files import Files
from pyautoload.warm.guard import Guard, thread_count
from pyautoload.warm.preload import Preload

__all__ = ["main"]


class Order(NamedTuple):
    """What a child is to be."""

    order: dict[str, Any]
    # A socket to who waits for it; one for what it tells at its end, if that is wanted; those that it has itself.
    connection: int
    report: int | None
    descriptors: list[int]


def main() -> None:
    """Import, answer, and wait for orders; returns in a child, when its program has ended."""
    control, cord = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for passed in (control.fileno(), cord):
        os.set_inheritable(passed, False)
    lifeline.depend_on(cord)
    # Ctrl-C reaches all processes of a terminal, and this one ends with its owner.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_safe = getattr(sys.flags, "safe_path", False) or sys.flags.isolated
    path = sys.path[:] if is_safe else sys.path[1:]
    received = wire.receive(control)
    if received is None:
        return
    answer = _import(received[0], path)
    if answer["is_spoilt"]:
        _end_children()
    if not wire.send(control, answer) or answer["is_spoilt"]:
        os._exit(1)  # whatever is going on here, and without waiting for threads
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers tell of themselves: nobody waits for them
    order = _await_orders(control)
    if order is not None:
        _live(order, path)


def _import(recipe: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """Import what the recipe names; what is said of that."""
    began = time.time_ns()
    directory = recipe["directory"]
    files = Files(directory, path)
    streams.note_questions()
    ending.load()
    reads = Reads()
    reads.begin()
    sys.path[:] = path  # without the project, whose modules are not for a template
    left_out = recipe["left_out"] | files.hidden(recipe["modules"])
    unwanted = frozenset(recipe["unwanted"])
    preload = Preload(Guard(reads), left_out, recipe["failed"], unwanted, directory, gently=recipe["gently"])
    preload.run(recipe["modules"])
    read = reads.end()
    gc.collect()
    files.add(list(sys.modules))
    return {
        "left_out": preload.left_out,
        "failed": preload.failed,
        "is_spoilt": preload.is_spoilt or thread_count() > 1,
        "saved": files.changed_since(began),
        "files": files.as_dict(),
        "read": read,
        "count": len(sys.modules),
    }


def _end_children() -> None:
    """End the processes that a library has started, and that nobody will ask for."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:
            children = listed.read().split()
    except OSError:
        return
    for pid in map(int, children):
        os.kill(pid, signal.SIGKILL)


def _await_orders(control: socket.socket) -> Order | None:
    """Make a child for each order; returns in the child, with its order, and ``None`` when the owner has gone."""
    while True:
        received = wire.receive(control)
        if received is None:
            return None
        order, descriptors = received
        if os.fork():
            for number in descriptors:
                os.close(number)
            continue
        # From here on this is the keeper, and then the child, and the number of the socket is closed with all others.
        control.detach()
        connection = descriptors.pop(0)
        report = descriptors.pop(0) if order["reports"] else None
        return Order(order, connection, report, descriptors)


def _live(ordered: Order, path: list[str]) -> None:
    """Be the keeper, and in another process the child."""
    order = ordered.order
    bell = keeper.prepare()
    cord, held = os.pipe()
    pid = os.fork()
    if pid:
        connection = socket.socket(fileno=ordered.connection)
        wakeup = signal.set_wakeup_fd(-1)
        child.close_others([ordered.connection, bell, wakeup, held])
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        keeper.keep(pid, connection, bell, bound=order["bound"], why=order["why"])
        os._exit(0)
    kept = child.become(order, ordered.descriptors, [ordered.report, cord if order["bound"] else None])
    if kept[1] is not None:
        lifeline.depend_on(kept[1])
    arguments = order["arguments"]
    sys.orig_argv[:] = order["command"]
    main_module = script.prepare(arguments, path)
    known = frozenset(sys.modules)
    own = [number for number in kept if number is not None]
    finish = _call(order["before"], arguments, main_module)

    def before_end(code: int) -> None:
        _tell_modules(kept[0], known)
        ending.end(code, known, own, finish)

    script.run(arguments, main_module, before_end)


def _call(before: str | None, arguments: list[str], module: ModuleType) -> Callable[[], object]:
    """Call what is to be done before the program begins; returns what is to be done when it has ended."""
    if before is None:
        return lambda: None
    name, _, function = before.partition(":")
    finish: Callable[[], object] = getattr(importlib.import_module(name), function)(arguments, module)
    return finish


def _tell_modules(report: int | None, known: frozenset[str]) -> None:
    """Say what the program has imported besides, so that the next template has it."""
    if report is None:
        return
    new = [name for name in list(sys.modules) if name not in known]
    if new:
        connection = socket.socket(fileno=report)
        files = {name: getattr(sys.modules.get(name), "__file__", None) for name in sys.modules}
        wire.send(connection, {"modules": [[name, path] for name, path in files.items() if name != "__main__"]})
        connection.close()


if __name__ == "__main__":
    main()
