"""Orders: what is asked of a template, in the name of the process that asks."""

from __future__ import annotations

# What `signal` wraps, without enumerations, which who runs a command would wait for.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["order"]


def order(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    directory: str,
    numbers: Sequence[int],
    *,
    options: Sequence[str] = (),
    session: bool = False,
    bound: bool = True,
    reports: bool = False,
    before: str | None = None,
) -> dict[str, Any]:
    """What a child is to be, as this process would start it.

    Args:
        arguments: after the interpreter's own options.
        variables: its environment.
        directory: in which it works.
        numbers: of the descriptors that it has, in the order in which they are sent.
        options: the interpreter's, for ``sys.orig_argv``.
        session: whether it is in a session of its own.
        bound: whether it ends when nobody waits for it any more.
        reports: whether the second descriptor sent is for what it tells at its end.
        before: a function that is called before the program begins, ``"module:name"``.
    """
    mask = os.umask(0)
    os.umask(mask)
    # SIGPIPE and SIGXFSZ are ignored by Python itself.
    own = (signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ)
    ignored = [n for n in signal.valid_signals() if n not in own and signal.getsignal(n) == signal.SIG_IGN]
    return {
        "arguments": list(arguments),
        "command": [sys.executable, *options, *arguments],
        "environment": dict(variables),
        "directory": directory,
        "numbers": list(numbers),
        "umask": mask,
        "ignored": [int(number) for number in ignored],
        "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "unbuffered": bool(variables.get("PYTHONUNBUFFERED")) and not sys.flags.ignore_environment,
        "session": session,
        "bound": bound,
        "reports": reports,
        "before": before,
    }
