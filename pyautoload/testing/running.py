"""The two ways to run a session: once, and at each save."""

from __future__ import annotations

import fnmatch
import os
import queue
from collections.abc import Callable

from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.watching.watcher import Watcher
from pyautoload.testing.answers import answer
from pyautoload.testing.event_history import Journal
from pyautoload.testing.run_session import Session
from pyautoload.testing.selection import PASSING
from pyautoload.testing.snapshot import is_left_out
from pyautoload.warm.questions import Desk, Question

__all__ = ["run_once", "watch"]

Put = Callable[[Callable[[], object]], object]
_Coming = Batch | Question | Callable[[], object]

# So long (seconds) no event must have come before the files are looked at.
_DEBOUNCE = 0.05
# How often (seconds) it is looked whether an installed library has changed.
_LOOK_AT_LIBRARIES = 1.0


def run_once(session: Session) -> int:
    """Run what has changed since the recording.

    Returns:
        pytest's exit code, of all tests: 1 also where one fails as before that had not to run again.
    """
    selection = session.take_edits(hold_broken=False)
    if selection.changed:
        session.report.reloaded(selection.changed)
    if not session.is_pending:
        session.report.idle(session.failing(), len(session.recording.tests))
        return session.verdict(0)
    return session.verdict(session.run())


def watch(session: Session, begin: Callable[[Put], object] = lambda put: None) -> int:
    """Run what has changed, and then at each save what that concerns, until Ctrl-C.

    Args:
        session: of the tests.
        begin: called with what has something done in this thread, between two runs.

    Returns:
        The exit code of the last run.
    """
    journal = Journal(session.report)
    session.report = journal
    coming: queue.SimpleQueue[_Coming] = queue.SimpleQueue()
    watcher = Watcher(
        [session.directory],
        coming.put,
        debounce=_DEBOUNCE,
        polling=False,
        wanted=_is_wanted,
        idle=lambda: None,
        is_left_out=is_left_out,
    )
    watcher.start()
    desk = Desk(session.directory, "test", coming.put)
    try:
        begin(coming.put)
        session.code = run_once(session)
        session.report.waiting()
        _go_on(session, journal, coming.get)
    finally:
        desk.close()
        watcher.stop()
    return session.code


def _go_on(session: Session, journal: Journal, wait: Callable[..., _Coming]) -> None:
    while True:
        try:
            item = wait(timeout=_LOOK_AT_LIBRARIES)
        except queue.Empty:
            session.processes.refresh()
            continue
        if isinstance(item, Question):
            answer(item, session, journal, lambda: _look(session))
        elif isinstance(item, Batch):
            _look(session)
        else:
            item()
            _look(session)


def _look(session: Session) -> None:
    """Look at the files, and run what has changed."""
    selection = session.take_edits(hold_broken=True)
    if selection.broken:
        session.report.broken(selection.broken)
        return
    if selection.changed:
        session.report.reloaded(selection.changed)
    if session.is_pending:
        session.code = session.verdict(session.run())
    elif selection.changed:
        session.report.idle(session.failing(), len(session.recording.tests))
    else:
        return
    session.report.waiting()


def _is_wanted(path: str) -> bool:
    name = os.path.basename(path)
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in PASSING)
