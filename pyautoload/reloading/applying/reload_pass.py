"""One attempt to bring everything up to date; what failed before and fails still does not keep other changes back."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable

from pyautoload import log
from pyautoload.errors import ReloadError
from pyautoload.reloading.applying.engine import Engine
from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.result import ReloadResult

__all__ = ["attempt"]


def attempt(
    engine: Engine, batch: Batch | None, names: Iterable[str], *, archives: frozenset[str], asked: bool
) -> ReloadResult:
    """One reload: plan, apply, and in case of failure put everything back.

    Args:
        engine: of the loader.
        batch: what may have changed; ``None`` to look at everything.
        names: modules that are to run again.
        archives: files of which any module may come.
        asked: whether somebody waits for the outcome and wants to be told again.

    Raises:
        ValueError: one of ``names`` is not loaded.
    """
    start = time.perf_counter()
    result, known = ReloadResult(), _known(engine, names)
    earlier = engine.failures.unchanged()
    if batch is not None:
        batch.paths.update(engine.failures.paths)
        if not archives.isdisjoint(batch.paths):
            batch = batch._replace(everything=True)
    engine.graph.update()
    _try(engine, batch, known, result)
    if result.errors and earlier:
        result = _without(engine, earlier, batch, known, result, asked=asked)
    waiting = engine.planner.waiting()
    if waiting and not result.restart_required:
        result.still_waiting = waiting
        result.notes.append(f"the last edit of {', '.join(waiting)} still needs a restart")
    result.duration = time.perf_counter() - start
    return result


def _try(
    engine: Engine, batch: Batch | None, known: Iterable[str], result: ReloadResult, without: Container[str] = ()
) -> bool:
    """Plan and apply; says whether there was anything to do."""
    try:
        plan = engine.planner.plan(batch, known, without)
    except ReloadError as error:
        paths = {error.file} if error.file else set()
        engine.fail(result, error, (paths | batch.paths if batch is not None else paths))
        return True
    is_due = bool(plan)
    engine.carry_out(plan, result)
    return is_due


def _without(
    engine: Engine, held: set[str], batch: Batch | None, known: Iterable[str], whole: ReloadResult, *, asked: bool
) -> ReloadResult:
    """What failed before fails still: other changes go live without it.

    Args:
        held: the files that failed before and are as they were.
        batch: what may have changed.
        known: modules that are to run again.
        whole: the outcome of trying all together.
        asked: whether somebody waits for the outcome and wants to be told again.
    """
    failures, result = engine.failures, ReloadResult(added=whole.added, restart_required=whole.restart_required)
    failure, paths, errors = whole.errors[0], dict(failures.paths), list(failures.errors)
    is_news = failure in errors
    if not _try(engine, batch, known, result, held):
        failures.paths, failures.errors = paths, errors
        return whole if asked or is_news else result
    if result.errors:
        failures.paths.update(paths)
        return whole if is_news else result
    failures.paths, failures.errors = {path: paths[path] for path in held}, errors
    result.still_failing = [failure]
    if is_news:
        log.warning(engine.binder.tag, "%s", failure)
    return result


def _known(engine: Engine, names: Iterable[str]) -> list[str]:
    found = []
    for name in names:
        if name not in engine.records:
            status = engine.binder.registry.loaded_status(name)
            if status is None:
                raise ValueError(f"{name!r} is not a loaded module of this loader; loaded() lists them")
            continue
        found.append(name)
    return found
