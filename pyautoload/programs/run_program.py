"""``pyautoload run``: a program as it is, in a warm process where there is one, and live where its files are edited.

Nothing is imported here that is not needed: it is what the user waits for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

__all__ = ["main"]

_USAGE = "usage: pyautoload run [--why] [--live | --no-live | --lazy] (FILE | -m MODULE | -c CODE) [ARGUMENTS]"
_OPTIONS = ("--why", "--live", "--no-live", "--lazy")
# What makes a program live in a warm process.
_LIVE = "pyautoload.programs.live_program:make_live"
_LIVE_IF_POSSIBLE = "pyautoload.programs.live_program:make_live_if_possible"
# What a variable says for "no".
_NO = ("0", "no", "off", "false")


def main(arguments: list[str]) -> NoReturn:
    """Run a program, and end as it ends.

    Args:
        arguments: ``["--why", "manage.py", "migrate"]``.
    """
    options, program = _split(arguments)
    modes = options - {"--why"}
    is_wrong = not program or len(modes) > 1 or (program[0] in ("-m", "-c") and len(program) < 2)
    if is_wrong or (program[0].startswith("-") and program[0] not in ("-m", "-c")):
        print(_USAGE, file=sys.stderr)
        sys.exit(2)
    if "--lazy" in options:
        from pyautoload.programs.lazy_program import main as run_lazily

        run_lazily(program)
        raise SystemExit(0)
    why_not = None if "--live" in options else "--no-live was given" if modes else _why_not_live(program, os.environ)
    _run(program, tells="--why" in options, is_asked="--live" in options, why_not=why_not)


def _split(arguments: list[str]) -> tuple[set[str], list[str]]:
    count = 0
    while count < len(arguments) and arguments[count] in _OPTIONS:
        count += 1
    return set(arguments[:count]), arguments[count:]


def _why_not_live(program: list[str], variables: Mapping[str, str]) -> str | None:
    """Why edits do not take effect in a program that nobody said anything about; ``None`` where they do."""
    said = variables.get("PYAUTOLOAD_LIVE", "").strip().lower()
    if said:
        return f"PYAUTOLOAD_LIVE={said}" if said in _NO else None
    if variables.get("PYAUTOLOAD_ENV", "").strip().lower() == "production":
        return "PYAUTOLOAD_ENV=production"
    if program[0] == "-c":
        return "-c runs no file"
    if sys.flags.inspect or variables.get("PYTHONINSPECT"):
        return "the interpreter is to stay at a prompt"
    return None


def _run(program: list[str], *, tells: bool, is_asked: bool, why_not: str | None) -> NoReturn:
    from pyautoload.warm import client

    before = None if why_not is not None else _LIVE if is_asked else _LIVE_IF_POSSIBLE
    how = "live" if why_not is None else f"not live: {why_not}"
    reason = client.run_warm(program, tells=tells, before=before, how=how)
    if tells:
        print(f"pyautoload: cold: {reason}; {how}", file=sys.stderr, flush=True)
    if why_not is not None:
        client.run_cold(program)
    from pyautoload.programs.live_program import main as run_live

    run_live(program, is_asked=is_asked)
