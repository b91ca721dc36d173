"""By how much memory grows."""

from __future__ import annotations

import gc
import tracemalloc
from types import TracebackType

from benchmarks.opponents.stopwatch import rss_mb


class Growth:
    """``with Growth(traced=True) as growth: ...`` and then ``growth.mb``.

    Traced counts what Python has allocated, untraced what the process holds from the system; both at once would count
    the tracing as well.
    """

    def __init__(self, *, traced: bool) -> None:
        self.traced = traced
        self.mb: float | None = None

    def __enter__(self) -> Growth:
        gc.collect()
        if self.traced:
            tracemalloc.start()
        self._before = rss_mb()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        gc.collect()
        if self.traced:
            self.mb = tracemalloc.get_traced_memory()[0] / 1e6
            return
        after = rss_mb()
        if after is not None and self._before is not None:
            self.mb = after - self._before
