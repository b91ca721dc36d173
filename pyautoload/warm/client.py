"""``pyautoload run``: what ``python`` does with the same arguments, in a warm process where there is one.

This process stays in the terminal and stands for the other one: it passes signals on, and ends as that ends. Nothing is
imported here that is not needed: it is what the user waits for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["run_cold", "run_warm"]


def run_warm(arguments: list[str], *, tells: bool, before: str | None, how: str) -> str:
    """Run a program in a warm process, and end as it ends.

    Args:
        arguments: ``["manage.py", "migrate"]``.
        tells: whether it is printed that it is a warm one, and why.
        before: a function that is called there before the program begins, ``"module:name"``.
        how: what is printed of that.

    Returns:
        Why there is no warm process for it; it does not return otherwise.
    """
    if not hasattr(os, "fork"):
        return "this system has no warm processes"
    return _warm(arguments, tells=tells, before=before, how=how)


def run_cold(arguments: list[str]) -> NoReturn:
    """Become what ``python`` is with these arguments."""
    command = [sys.executable, *_options(), *arguments]
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command))
    for number in _inherited_descriptors():
        os.set_inheritable(number, True)
    os.execv(sys.executable, command)


def _options() -> list[str]:
    """What stands between the interpreter and ``-m pyautoload``, or the script of that name."""
    given = list(sys.orig_argv)
    options = given[1 : len(given) - len(sys.argv)]
    if options and options[-1].endswith("m") and not options[-1].startswith("--"):
        options[-1:] = [options[-1][:-1]] if len(options[-1]) > 2 else []
    return options


def _is_unbuffered() -> bool:
    return bool(getattr(sys.__stdout__, "write_through", False))


def _warm(arguments: list[str], *, tells: bool, before: str | None, how: str) -> str:
    """Have it run elsewhere, and end with it; returns why not."""
    from pyautoload.warm import address, inherited, wire
    from pyautoload.warm.orders import order
    from pyautoload.warm.signal_forwarding import Signals, stand_for

    if sys.flags.inspect or os.environ.get("PYTHONINSPECT"):
        return "the interpreter is to stay at a prompt"
    try:
        directory = os.getcwd()
    except OSError:
        return "the working directory is gone"
    connection = address.connect(directory)
    if connection is None:
        return "no `pyautoload warm` of this Python runs in this directory"
    numbers = [number for number in _inherited_descriptors() if number != connection.fileno()]
    if len(numbers) > wire.MOST_DESCRIPTORS - 4:
        return "too many files are open"
    wanted = order(
        arguments, os.environ, directory, numbers, options=_options(), session=True, reports=True, before=before
    )
    wanted["unbuffered"] = _is_unbuffered()
    message = {"who": address.who(directory), "inherited": inherited.state(), "order": wanted}
    signals = Signals(connection)
    if not wire.send(connection, message, numbers):
        return signals.dropped("`pyautoload warm` has ended")
    signals.pass_on()  # from before the program begins: it may be told to end at once
    received = signals.receive()
    if received is None:
        return signals.dropped("`pyautoload warm` has ended, or its template")
    if "pid" not in received[0]:
        return signals.dropped(str(received[0]["cold"]))
    if tells:
        print(f"pyautoload: warm: {received[0]['why']}; {how}", file=sys.stderr, flush=True)
    stand_for(signals)


def _inherited_descriptors() -> list[int]:
    """The open files that were handed to this process."""
    directory = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    found = []
    for number in map(int, os.listdir(directory)):
        try:
            if number <= 2 or os.get_inheritable(number):
                os.fstat(number)
                found.append(number)
        except OSError:
            continue  # that of the listing
    return sorted(found)
