"""What brings a running process up to date after an edit: one function each, all on the same tree and edits."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.opponents.live import TOP, Session, restore
from benchmarks.opponents.loaded import names_of
from benchmarks.opponents.stopwatch import Stopwatch


def _load(base: str, names: str) -> float:
    """Import every module; how long that took, in ms."""
    sys.path.insert(0, base)
    with Stopwatch() as watch:
        for name in names_of(names):
            importlib.import_module(name)
    return watch.ms


def ours(base: str, names: str, edits: int) -> dict[str, Any]:
    from pyautoload import AutoLoader

    restore(base)
    loader = AutoLoader(base_path=os.path.join(base, TOP)).setup()
    loader.enable_reloading()
    with Stopwatch() as watch:
        loader.eager_load()
    return {"load_ms": watch.ms, **Session(base).measured(edits)}


def bare(base: str, names: str, edits: int) -> dict[str, Any]:
    """The floor: a watchdog handler that calls ``importlib.reload`` on the module of the file."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_closed(self, event: FileSystemEvent) -> None:
            stem, suffix = os.path.splitext(os.path.basename(os.fsdecode(event.src_path)))
            if suffix == ".py":  # bytecode is written there, too
                importlib.reload(sys.modules[f"{TOP}.core.{stem}"])

    restore(base)
    load = _load(base, names)
    observer = Observer()
    observer.schedule(Handler(), os.path.join(base, TOP), recursive=True)
    observer.start()
    return {"load_ms": load, **Session(base, alone=True).measured(edits)}


def ipython(base: str, names: str, edits: int) -> dict[str, Any]:
    """``%autoreload 2``: looks for changes when it is asked to, as before each cell."""
    from IPython.extensions.autoreload import ModuleReloader

    restore(base)
    load = _load(base, names)
    reloader = ModuleReloader()
    return {"load_ms": load, **Session(base, lambda: reloader.check(check_all=True)).measured(edits)}


def jurigged(base: str, names: str, edits: int) -> dict[str, Any]:
    from jurigged import watch

    restore(base)
    watch(os.path.join(base, TOP, "**", "*.py"), logger=lambda event: None)
    return {"load_ms": _load(base, names), **Session(base).measured(edits)}


def hmr(base: str, names: str, edits: int) -> dict[str, Any]:
    """hmr, with an entry file that imports everything; its watcher runs in a thread."""
    from reactivity.hmr.api import SyncReloaderAPI

    restore(base)
    entry = os.path.join(base, "entry.py")
    with open(entry, "w", encoding="utf-8") as file:
        file.writelines(f"import {name}\n" for name in names_of(names))
    sys.path.insert(0, base)
    os.chdir(base)
    reloader = SyncReloaderAPI(entry, includes=[os.path.join(base, TOP)])
    with Stopwatch() as watch:
        reloader.__enter__()
    return {"load_ms": watch.ms, **Session(base).measured(edits)}


def superreload(base: str, names: str, edits: int) -> dict[str, Any]:
    """Its file watcher and its reloader, as its server for Django puts them together."""
    import asyncio
    from pathlib import Path

    from superreload.core.reloader import Reloader
    from superreload.core.watcher import FileWatcher, FileWatcherConfig

    restore(base)
    load = _load(base, names)
    os.chdir(base)
    reloader = Reloader()

    async def follow() -> None:
        async for changes in FileWatcher(FileWatcherConfig(paths=[Path(base, TOP)])).watch():
            await reloader.reload_from_paths([change.path for change in changes])

    threading.Thread(target=lambda: asyncio.run(follow()), daemon=True).start()
    time.sleep(1)  # there is no telling when its watcher is ready
    return {"load_ms": load, **Session(base).measured(edits)}


def many(base: str, names: str) -> dict[str, Any]:
    """Ours: a thousand files changed at once, as a ``git checkout`` does, and one module reloaded two hundred times."""
    from pyautoload import AutoLoader

    restore(base)
    loader = AutoLoader(base_path=os.path.join(base, TOP)).setup().enable_reloading(watch=False)
    loader.eager_load()
    figures: dict[str, Any] = _two_hundred(base, loader.reload)
    restore(base)
    loader.reload()
    batches: list[Any] = []
    loader.enable_reloading(watch=True, on_reload=batches.append)
    figures.update(_checkout(base, names))
    figures["batches"] = sum(bool(batch) for batch in batches)
    return figures


def _two_hundred(base: str, reload: Callable[[], object]) -> dict[str, float]:
    session = Session(base)
    times = []
    for turn in range(1, 201):
        session.values["leaf"][1] = turn
        with open(os.path.join(session.core, "leaf.py"), "w", encoding="utf-8") as file:
            file.write(f'"""What nobody uses."""\n\n\ndef leafed(value):\n    return value - {turn}\n')
        with Stopwatch() as watch:
            reload()
        times.append(watch.ms)
        assert sys.modules[f"{TOP}.core.leaf"].leafed(0) == -turn
    return {"first_reloads_ms": sorted(times[:20])[10], "last_reloads_ms": sorted(times[-20:])[10]}


def _checkout(base: str, names: str) -> dict[str, float]:
    parts = [name for name in names_of(names) if ".part_" in name][:1000]
    files = [os.path.join(base, *name.split(".")) + ".py" for name in parts]
    texts = []
    for file in files:
        with open(file, encoding="utf-8") as source:
            texts.append(source.read())
    start = time.perf_counter()
    try:
        for file, text in zip(files, texts, strict=True):
            with open(file, "w", encoding="utf-8") as target:
                target.write(text.replace("return scaled(self.amount) + self.size", "return -1"))
        kinds = [next(v for k, v in vars(sys.modules[name]).items() if k.startswith("Part")) for name in parts]
        records = [kind(1) for kind in kinds]
        while any(record.weight() != -1 for record in records):
            if time.perf_counter() - start > 30:
                raise TimeoutError("not all of the changed files became live")
            time.sleep(0.001)
        return {"checkout_ms": (time.perf_counter() - start) * 1000}
    finally:
        for file, text in zip(files, texts, strict=True):
            with open(file, "w", encoding="utf-8") as target:
                target.write(text)


def tracking(base: str, names: str, reloading: int) -> dict[str, Any]:
    """Ours: what reloading adds to loading."""
    from benchmarks.opponents.stopwatch import rss_mb
    from pyautoload import AutoLoader

    restore(base)
    loader = AutoLoader(base_path=os.path.join(base, TOP)).setup()
    if reloading:
        loader.enable_reloading()
    with Stopwatch() as watch:
        loader.eager_load()
    return {"load_ms": watch.ms, "cpu_ms": watch.cpu_ms, "load_mb": rss_mb()}
