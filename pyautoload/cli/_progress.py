"""A bar that tells how far a long command has got."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]

_PAUSE = 0.05


@contextmanager
def progress_bar(doing: str, *, enabled: bool = True) -> Iterator[Callable[[int, int, str], object] | None]:
    """A bar on the terminal's error output, where that is one; gone when all is done.

    Args:
        doing: what is shown until the first step has ended: ``"importing"``.
        enabled: without it there is none.
    """
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    # Drawn here and not by a thread, which would take its time from what is measured or imported meanwhile.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(doing, total=None)
        bar.refresh()
        drawn = time.monotonic()

        def step(done: int, total: int, name: str) -> None:
            nonlocal drawn
            now = time.monotonic()
            if now - drawn >= _PAUSE or done == total:
                bar.update(task, completed=done, total=total, description=name, refresh=True)
                drawn = now

        yield step
