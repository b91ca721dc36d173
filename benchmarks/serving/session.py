"""What is done to one server: timed edits, and what happens when something is broken, deleted or still busy."""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.process import Figures
from benchmarks.serving.client import Answer, Load, Others, Tally, get, until
from benchmarks.serving.server import Server
from benchmarks.serving.site import Site

START = 120.0  # seconds that a server may take to answer at first
PATIENCE = 20.0  # seconds after which an edit is said to be never live
SETTLE = 1.5  # seconds after the start: those who look at the files at intervals have done so once
PAUSE = (0.6, 1.2)  # seconds between two edits: nobody's interval is always met at the same point
QUIET = 0.3  # seconds after an edit is live in which other requests are still watched
# Seconds: after a restart, some look around for a while, which is no idling.
LOOK_AROUND, IDLE = 4.0, 4.0
RATE = 200  # requests a second
WRONG = 1.5  # seconds for which a file stays broken, or away
SAME_PATIENCE = 5.0
PROBES, PROBE_PATIENCE = 3, 1.5

Scenario = Callable[["Session"], Awaitable[Figures]]


def run(server: Callable[[], Server], site: Site, scenarios: list[Scenario]) -> Figures:
    """Each scenario on a server of its own; their figures together."""
    figures: Figures = {}
    for scenario in scenarios:
        site.restore()
        with server() as running:
            figures.update(asyncio.run(_run(Session(running, site), scenario)))
    return figures


async def _run(session: Session, scenario: Scenario) -> Figures:
    figures = await session.ready()
    return {**figures, **await scenario(session)}


class Session:
    """A server that was just started, the files that it serves, and somebody who asks it."""

    def __init__(self, server: Server, site: Site) -> None:
        self.server = server
        self.site = site
        self.port = server.port
        self._random = random.Random(site.framework)

    async def ready(self) -> Figures:
        """Wait for the first good answer."""
        start = self.server.started
        while True:
            answer = await get(self.port, "/version", START)
            took = (time.perf_counter() - start) * 1000
            if self._is_new(answer):
                break
            if self.server.ended or took > START * 1000:
                raise self.server.failure(f"no good answer in {took / 1000:.0f} s, the last one: {answer.told()}")
            await asyncio.sleep(0.01)
        await asyncio.sleep(SETTLE)
        return {"start_ms": took}

    def _is_new(self, answer: Answer) -> bool:
        seen = self.site.state.seen()
        return answer.good and {key: answer.content.get(key) for key in seen} == seen

    async def live(self, edit: Callable[[], object], tally: Tally, patience: float = PATIENCE) -> float | None:
        """Make an edit: how many ms until a response is of the new code; ``None`` for never."""
        start = time.perf_counter()
        edit()
        at = await until(self.port, self._is_new, patience, tally)
        return None if at is None else (at - start) * 1000

    async def pause(self) -> None:
        await asyncio.sleep(self._random.uniform(*PAUSE))

    async def probe(self) -> str:
        """What the server answers now, in words."""
        answers = [await get(self.port, "/version", PROBE_PATIENCE) for _ in range(PROBES)]
        told = Counter("old code" if answer.good else answer.told() for answer in answers)
        return ", ".join(what for what, _ in told.most_common(2))

    async def idle(self) -> float | None:
        """What the server uses of one core while nothing is asked and nothing changes, in percent."""
        await asyncio.sleep(LOOK_AROUND)
        before, start = self.server.processor_seconds(), time.perf_counter()
        await asyncio.sleep(IDLE)
        after = self.server.processor_seconds()
        if before is None or after is None:
            return None
        return 100 * (after - before) / (time.perf_counter() - start)


def edits(count: int) -> Scenario:
    """``count`` edits of each kind: how soon they are live, and what becomes of other requests meanwhile."""

    async def scenario(session: Session) -> Figures:
        async with Others(session.port) as usual:
            await asyncio.sleep(count)  # about as long as it is watched during the edits of a quick server
        figures: Figures = {"usual_longest_ms": usual.tally.longest_ms}
        asked, others = Tally(), Tally()
        for kind in ("view", "body", "constant"):
            figures.update(await _edits(session, kind, count, asked, others))
        return {
            **figures,
            "stall_ms": others.longest_ms,
            **_failures("refused", "refused_told", asked, others),
            "mixed": asked.mixed,
            **session.server.memory(),
            "idle_percent": await session.idle(),
        }

    return scenario


async def _edits(session: Session, kind: str, count: int, asked: Tally, others: Tally) -> Figures:
    times: list[float] = []
    stalls: list[float] = []
    for _ in range(count):
        await session.pause()
        async with Others(session.port) as other:
            took = await session.live(functools.partial(session.site.edit, kind), asked)
            await asyncio.sleep(QUIET)
        others.add(other.tally)
        stalls.append(other.tally.longest_ms)
        if took is None:
            remark = f"never live: edit {len(times) + 1} of {count} was not served in {PATIENCE:.0f} s"
            return {f"{kind}_ms": None, f"{kind}_ms_remark": remark}
        times.append(took)
    return {
        f"{kind}_ms": statistics.median(times),
        f"{kind}_p95_ms": percentile(times, 95),
        f"{kind}_stall_ms": statistics.median(stalls),
        f"{kind}_all": times,
        f"{kind}_stalls_all": stalls,
    }


def percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _failures(key: str, words: str, *tallies: Tally) -> Figures:
    together = Tally()
    for tally in tallies:
        together.add(tally)
    return {key: together.failed, words: together.told()}


def in_flight(trials: int) -> Scenario:
    """A request of two seconds runs while a file is edited: is it answered, and on one version?"""

    async def scenario(session: Session) -> Figures:
        soon: list[float | None] = []
        answers: list[Answer] = []
        others = Tally()
        for kind in itertools.islice(itertools.cycle(("body", "constant")), trials):
            await session.pause()
            slow = asyncio.create_task(get(session.port, "/slow", PATIENCE))
            await asyncio.sleep(0.5)
            async with Others(session.port) as other:
                soon.append(await session.live(functools.partial(session.site.edit, kind), Tally()))
                answers.append(await slow)
            others.add(other.tally)
        good = [answer.content for answer in answers if answer.good]
        return {
            "flight_lost": trials - len(good),
            "flight_told": ", ".join(sorted({answer.told() for answer in answers if not answer.good})),
            "flight_two": sum(content["first"] != content["second"] for content in good),
            "flight_stall_ms": others.longest_ms,
            **_median("flight_new_ms", soon),
        }

    return scenario


def _median(key: str, times: list[float | None]) -> Figures:
    """The median of what each edit took; a remark where one was never live."""
    served = [took for took in times if took is not None]
    if len(served) == len(times):
        return {key: statistics.median(served)}
    return {key: None, f"{key}_remark": f"never live in {PATIENCE:.0f} s: {len(times) - len(served)} of {len(times)}"}


def load(count: int) -> Scenario:
    """200 requests a second while a file is edited, each time when the edit before is live."""

    async def scenario(session: Session) -> Figures:
        times: list[float | None] = []
        async with Load(session.port, RATE) as traffic:
            await asyncio.sleep(0.5)
            while len(times) < count and None not in times:
                times.append(await session.live(lambda: session.site.edit("body"), Tally()))
                await asyncio.sleep(QUIET)
            await asyncio.sleep(0.5)
        return {
            **_failures("load_failed", "load_told", traffic.tally),
            "load_requests": traffic.tally.requests,
            "load_longest_ms": traffic.tally.longest_ms,
            "load_mixed": traffic.tally.mixed,
            **_median("load_ms", times),
        }

    return scenario


def broken(trials: int) -> Scenario:
    """A syntax error is saved, and a while later the fix."""
    return _mended("broken", trials, lambda mid: mid.write_text("def rated(:\n", encoding="utf-8"))


def deleted(trials: int) -> Scenario:
    """A file that is in use is deleted, and a while later made again."""
    return _mended("deleted", trials, lambda mid: mid.unlink())


def _mended(key: str, trials: int, harm: Callable[[Path], object]) -> Scenario:
    async def scenario(session: Session) -> Figures:
        meanwhile: list[str] = []
        times: list[float | None] = []
        while len(times) < trials and None not in times:
            await session.pause()
            harm(session.site.mid)
            await asyncio.sleep(WRONG)
            meanwhile.append(await session.probe())
            times.append(await session.live(lambda: session.site.edit("body"), Tally()))
        how = "; the server has ended" if session.server.ended else ""
        return {
            **_median(f"{key}_ms", times),
            f"{key}_meanwhile": f"meanwhile {' / '.join(dict.fromkeys(meanwhile))}{how}",
        }

    return scenario


def same_second(trials: int) -> Scenario:
    """Two saves of the same size within one second: is the second one served?"""

    async def scenario(session: Session) -> Figures:
        stale = 0
        for _ in range(trials):
            await asyncio.sleep(1 - time.time() % 1)
            session.site.edit("body", filler=7)
            await asyncio.sleep(0.97 - time.time() % 1)
            if await session.live(lambda: session.site.edit("body", filler=7), Tally(), SAME_PATIENCE) is None:
                stale += 1
                await session.live(lambda: session.site.edit("body"), Tally())  # of another size: it is served again
            await session.pause()
        return {"stale": stale}

    return scenario
