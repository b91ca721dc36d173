"""Verified reloads: after a reload, a fresh process shows what this one should be like; what differs runs again.

Everything happens in a thread of its own, when no reload has come for a moment. The living process is described in
short slices, so that requests go on; if a reload comes meanwhile, all begins anew after that.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pyautoload import log
from pyautoload.errors import ReloadError
from pyautoload.warm.comparison import Difference, changed, differences, unpack
from pyautoload.warm.fingerprint import Fingerprint
from pyautoload.warm.fresh_state import FreshState, FreshStates
from pyautoload.warm.stale_report import StaleReport

__all__ = ["Program", "Verification", "Verifier"]

# So long (seconds) there must have been no reload.
_QUIET = 0.3
# So long (seconds) the living process is described at a stretch, and so long others have for themselves then.
_SLICE, _PAUSE = 0.002, 0.002


@dataclass(frozen=True)
class Verification:
    """What came of the comparison with a fresh process.

    Attributes:
        ok: whether the living process is like a fresh one now.
        healed: modules that were not, and were executed again.
        differences: what still differs.
        duration: seconds from the begin of the comparison.
    """

    ok: bool
    healed: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    duration: float = 0.0


@dataclass(frozen=True)
class Program:
    """What is asked of a loader.

    Attributes:
        tag: of its log records.
        loaded: gives the names of the managed modules that are loaded.
        reload: runs modules again in full, with what depends on them.
        has_loaded: whether the files of modules are those that are loaded.
    """

    tag: str
    loaded: Callable[[], Iterable[str]]
    reload: Callable[..., object]
    has_loaded: Callable[[Iterable[str]], bool]


@dataclass(frozen=True)
class _Expected:
    """What has to be in the living process.

    Attributes:
        paths: that have changed → the module of each.
        before: the former texts of modules in which something has changed.
        now: the texts of now.
    """

    paths: dict[str, str]
    before: dict[str, str]
    now: dict[str, str]

    def without(self, unstable: Iterable[str]) -> _Expected:
        """The same, but for what differs by chance."""
        left = set(unstable)
        return _Expected({path: name for path, name in self.paths.items() if path not in left}, self.before, self.now)


# Several loaders of a process verify one after the other.
_one_at_a_time = threading.Lock()


class _Interrupted(Exception):
    """A reload has come in between."""


class _Outdated(Exception):
    """The files have been saved again, and not been reloaded yet: the reload that will be is compared."""


class Verifier:
    """Compares after each reload.

    Args:
        program: that is reloaded.
        fresh: makes fresh processes.
        tell: called with each outcome.
        report: writes down what was not as it should be; ``None`` for nobody who wants that.
    """

    def __init__(
        self,
        program: Program,
        fresh: FreshStates,
        tell: Callable[[Verification], object],
        report: StaleReport | None = None,
    ) -> None:
        self._program = program
        self._fresh = fresh
        self._tell = tell
        self._report = report
        # How many reloads there were; what was begun for an earlier one is dropped.
        self._reloads = 0
        # What the files were like before the last reload, in a fresh process; None until that is known.
        self._before: FreshState | None = None
        # Whether a restart was asked for since then.
        self._is_known_to_differ = False
        # Paths that differ between processes that have loaded the same.
        self._unstable: set[str] = set()
        self._is_healing = False
        self._work = threading.Condition()
        self._is_over = False
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="pyautoload-verify", daemon=True)
        self._thread.start()

    def reloaded(self, *, proves: bool = True) -> None:
        """A reload is done.

        Args:
            proves: whether it is to be proven. One that asks for a restart is not: what is old then is known, and
                only what comes later is compared.
        """
        if self._is_healing and threading.current_thread() is self._thread:
            return
        with self._work:
            self._reloads += 1
            self._is_known_to_differ |= not proves
            self._work.notify_all()

    def stop(self) -> None:
        """No more."""
        with self._work:
            self._is_over = True
            self._work.notify_all()
        if self._process == os.getpid():
            self._fresh.close()

    def _run(self) -> None:
        done = -1
        while self._rest(done):
            began = self._reloads
            try:
                self._verify(began)
            except _Interrupted:
                continue
            except _Outdated:
                pass
            except Exception as error:  # noqa: BLE001 - reloading goes on without it
                log.warning(self._program.tag, "a reload could not be verified: %r", error)
            done = began

    def _rest(self, done: int) -> bool:
        """Wait for a reload that is not verified, and for quiet after it; whether to go on."""
        with self._work:
            while not self._is_over:
                seen = self._reloads
                if seen == done:
                    self._work.wait()
                elif not self._work.wait_for(lambda seen=seen: self._is_over or self._reloads != seen, _QUIET):  # type: ignore[misc]
                    return True
        return False

    def _verify(self, began: int) -> None:
        with _one_at_a_time:
            self._check(began)
            self._compare_all(began, time.monotonic())

    def _compare_all(self, began: int, start: float) -> None:
        names = self._loaded()
        now = self._look(names, began)
        if now is None:
            return
        if self._is_known_to_differ:
            self._is_known_to_differ, self._before = False, None
        before = self._before
        if before is None:
            self._find_unstable(names, now, began)
        elif before.modules & set(names) - now.modules:
            return  # what a fresh process cannot load any more says nothing of this one
        else:
            expected = self._expected(before, now, began)
            if expected.paths:
                self._find_unstable(names, now, began)
                expected = expected.without(self._unstable)
            outcome = self._compared(expected, before, now, names, began, start)
        self._settle(began)
        self._before = now
        if before is not None:
            log.debug(self._program.tag, "verified: %r", outcome)
            self._tell(outcome)

    def _expected(self, before: FreshState, now: FreshState, began: int) -> _Expected:
        """What differs between two fresh processes, and not by chance."""
        found = _Expected({}, {}, {})
        pace = self._pace(began)
        for name in before.modules & now.modules:
            if before.parts[name] != now.parts[name]:
                old, new = unpack(before.parts[name]), unpack(now.parts[name])
                found.paths.update(dict.fromkeys(changed(old, new, self._unstable), name))
                found.before.update(old)
                found.now.update(new)
                pace()
        return found

    def _compared(
        self, expected: _Expected, before: FreshState, now: FreshState, names: list[str], began: int, start: float
    ) -> Verification:
        found = self._differences(expected, now, began)
        if not found:
            return Verification(True, duration=time.monotonic() - start)
        if self._loaded() != names:
            raise _Interrupted  # what was loaded meanwhile may be what differs
        if not self._program.has_loaded(names):
            raise _Outdated
        self._settle(began)  # of a reload that is done it may not be told yet
        if self._report is not None:
            self._report.write(found, before.texts, now.texts, names)
        healed = sorted({difference.module for difference in found})
        for difference in found[:5]:
            log.warning(self._program.tag, "after a reload %s; the module runs again", difference)
        if self._run_again(healed):
            found = self._differences(expected, now, began)
        if found:
            again = self._look(names, began)
            if again is not None and self._expected(now, again, began).paths.keys() & expected.paths:
                raise _Interrupted  # the files have moved on, and the reload with them
        return Verification(not found, healed, found, time.monotonic() - start)

    def _run_again(self, names: list[str]) -> bool:
        """Run modules again in full; whether that went well."""
        self._is_healing = True
        try:
            self._program.reload(*names)
        except (ReloadError, ValueError) as error:
            log.warning(self._program.tag, "%s could not be run again: %s", ", ".join(names), error)
            return False
        finally:
            self._is_healing = False
        return True

    def _differences(self, expected: _Expected, now: FreshState, began: int) -> list[Difference]:
        fingerprint = Fingerprint(now.modules, self._pace(began))
        for name in sorted(set(expected.paths.values())):
            fingerprint.module(name)
        return differences(expected.before, expected.now, fingerprint.found, expected.paths)

    def _pace(self, began: int) -> Callable[[], None]:
        """Called often, it lets others go on when that is due, and raises when there was another reload."""
        slice_began = time.monotonic()

        def pace() -> None:
            nonlocal slice_began
            if time.monotonic() - slice_began > _SLICE:
                time.sleep(_PAUSE)
                slice_began = time.monotonic()
            self._check(began)

        return pace

    def _find_unstable(self, names: list[str], now: FreshState, began: int) -> None:
        other = self._look(names, began)
        if other is not None:
            self._unstable |= self._expected(now, other, began).paths.keys()

    def _look(self, names: list[str], began: int) -> FreshState | None:
        found = self._fresh.look(names)
        self._check(began)
        return found

    def _settle(self, began: int) -> None:
        """A fresh process may have read files that were newer than the last reload: then the next one comes soon."""
        with self._work:
            self._work.wait_for(lambda: self._is_over or self._reloads != began, _QUIET)
        self._check(began)

    def _check(self, began: int) -> None:
        if self._reloads != began or self._is_over:
            raise _Interrupted

    def _loaded(self) -> list[str]:
        managed = set(self._program.loaded())
        return [name for name in list(sys.modules) if name in managed]
