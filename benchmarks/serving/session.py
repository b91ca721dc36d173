"""What is done to one server: timed edits, and what happens when something is broken, deleted or still busy."""

from __future__ import annotations

import asyncio
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
IDLE = 4.0  # seconds
RATE, LOADED_EDITS = 200, 20
WRONG = 1.5  # seconds for which a file stays broken, or away
TRIALS = 3

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
        """What the server answers now, in words: the most frequent of five."""
        answers = [await get(self.port, "/version", 2.0) for _ in range(5)]
        told = Counter("old code" if answer.good else answer.told() for answer in answers)
        return ", ".join(f"{what}" for what, _ in told.most_common(2))

    async def idle(self) -> float | None:
        """What the server uses of one core while nothing is asked and nothing changes, in percent."""
        await asyncio.sleep(1)
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
            await asyncio.sleep(1)
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
    for _ in range(count):
        await session.pause()
        async with Others(session.port) as other:
            took = await session.live(lambda: session.site.edit(kind), asked)
            await asyncio.sleep(QUIET)
        others.add(other.tally)
        if took is None:
            remark = f"never live: edit {len(times) + 1} of {count} was not served in {PATIENCE:.0f} s"
            return {f"{kind}_ms": None, f"{kind}_ms_remark": remark}
        times.append(took)
    return {f"{kind}_ms": statistics.median(times), f"{kind}_p95_ms": percentile(times, 95), f"{kind}_all": times}


def percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _failures(key: str, words: str, *tallies: Tally) -> Figures:
    together = Tally()
    for tally in tallies:
        together.add(tally)
    return {key: together.failed, words: together.told()}


async def in_flight(session: Session) -> Figures:
    """A request of two seconds runs while a file is edited: is it answered, and on one version?"""
    lost = two = 0
    soon: list[float] = []
    others = Tally()
    told: list[str] = []
    for kind in ("body", "constant", "body"):
        await session.pause()
        slow = asyncio.create_task(get(session.port, "/slow", PATIENCE))
        await asyncio.sleep(0.5)
        async with Others(session.port) as other:
            took = await session.live(lambda kind=kind: session.site.edit(kind), Tally())  # type: ignore[misc]
            answer = await slow
        others.add(other.tally)
        if took is not None:
            soon.append(took)
        if not answer.good:
            lost += 1
            told.append(answer.told())
        elif answer.content["first"] != answer.content["second"]:
            two += 1
    figures: Figures = {
        "flight_lost": lost,
        "flight_two": two,
        "flight_stall_ms": others.longest_ms,
        "flight_new_ms": statistics.median(soon) if len(soon) == TRIALS else None,
        "flight_told": ", ".join(sorted(set(told))),
    }
    if len(soon) < TRIALS:
        figures["flight_new_ms_remark"] = f"never live in {TRIALS - len(soon)} of {TRIALS} trials"
    return figures


async def load(session: Session) -> Figures:
    """200 requests a second while a file is edited 20 times, each time when the edit before is live."""
    served = 0
    times: list[float] = []
    async with Load(session.port, RATE) as traffic:
        await asyncio.sleep(0.5)
        for _ in range(LOADED_EDITS):
            took = await session.live(lambda: session.site.edit("body"), Tally())
            if took is None:
                break
            served += 1
            times.append(took)
            await asyncio.sleep(QUIET)
        await asyncio.sleep(0.5)
    figures: Figures = {
        **_failures("load_failed", "load_told", traffic.tally),
        "load_requests": traffic.tally.requests,
        "load_longest_ms": traffic.tally.longest_ms,
        "load_mixed": traffic.tally.mixed,
        "load_ms": statistics.median(times) if served == LOADED_EDITS else None,
    }
    if served < LOADED_EDITS:
        figures["load_ms_remark"] = f"never live: edit {served + 1} of {LOADED_EDITS}"
    return figures


async def broken(session: Session) -> Figures:
    """A syntax error is saved, and a while later the fix."""
    return await _mended(session, "broken", lambda mid: mid.write_text("def rated(:\n", encoding="utf-8"))


async def deleted(session: Session) -> Figures:
    """A file that is in use is deleted, and a while later made again."""
    return await _mended(session, "deleted", lambda mid: mid.unlink())


async def _mended(session: Session, key: str, harm: Callable[[Path], object]) -> Figures:
    meanwhile: list[str] = []
    times: list[float] = []
    for _ in range(TRIALS):
        harm(session.site.mid)
        await asyncio.sleep(WRONG)
        meanwhile.append(await session.probe())
        took = await session.live(lambda: session.site.edit("body"), Tally())
        if took is None:
            break
        times.append(took)
        await session.pause()
    figures: Figures = {
        f"{key}_ms": statistics.median(times) if len(times) == TRIALS else None,
        f"{key}_meanwhile": "meanwhile " + " / ".join(dict.fromkeys(meanwhile)),
    }
    if len(times) < TRIALS:
        how = ", the server has ended" if session.server.ended else ""
        figures[f"{key}_ms_remark"] = f"never live again in {PATIENCE:.0f} s{how}"
    return figures


async def same_second(session: Session) -> Figures:
    """Two saves of the same size within one second: is the second one served?"""
    stale = 0
    for _ in range(TRIALS):
        await asyncio.sleep(1 - time.time() % 1)
        session.site.edit("body", filler=7)
        await asyncio.sleep(0.97 - time.time() % 1)
        if await session.live(lambda: session.site.edit("body", filler=7), Tally(), 5.0) is None:
            stale += 1
            await session.live(lambda: session.site.edit("body"), Tally())  # of another size: it is served again
        await session.pause()
    return {"stale": stale}
