"""Time and memory of this process; imports only what every interpreter has loaded at start."""

from __future__ import annotations

from time import perf_counter_ns, process_time_ns
from types import TracebackType


class Stopwatch:
    """``with Stopwatch() as watch: ...`` and then ``watch.ms``; ``watch.cpu_ms`` leaves out time spent waiting."""

    def __enter__(self) -> Stopwatch:
        self._cpu = process_time_ns()
        self._wall = perf_counter_ns()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.ns = perf_counter_ns() - self._wall
        self.cpu_ms = (process_time_ns() - self._cpu) / 1e6

    @property
    def ms(self) -> float:
        return self.ns / 1e6

    @property
    def us(self) -> float:
        return self.ns / 1e3


def rss_mb() -> float | None:
    """Resident memory of this process in MB now (not its peak); ``None`` where ``/proc`` is missing."""
    try:
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
    except OSError:
        return None
    import resource

    return pages * resource.getpagesize() / 1e6
