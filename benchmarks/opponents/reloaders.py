"""What brings a running process up to date after an edit: one function each, all on the same tree and edits."""

from __future__ import annotations

import importlib
import os
import subprocess
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
    """Ours: one module reloaded two hundred times, and a thousand files changed at once by a ``git checkout``."""
    from pyautoload import AutoLoader

    restore(base)
    loader = AutoLoader(base_path=os.path.join(base, TOP)).setup().enable_reloading(watch=False)
    loader.eager_load()
    figures: dict[str, Any] = _two_hundred(base, loader.reload)
    restore(base)
    loader.reload()
    batches: list[Any] = []
    loader.enable_reloading(watch=True, on_reload=batches.append)
    figures.update(_checkout(base, names, loader, batches))
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


def _checkout(base: str, names: str, loader: Any, batches: list[Any]) -> dict[str, Any]:
    parts = [name for name in names_of(names) if ".part_" in name][:1000]
    kinds = [next(v for k, v in vars(sys.modules[name]).items() if k.startswith("Part")) for name in parts]
    records = [kind(1) for kind in kinds]

    def is_live(record: Any) -> bool:
        with loader.running():  # else it would be called while its module runs again
            return bool(record.weight() == -1)

    files = [os.path.join(base, *name.split(".")) + ".py" for name in parts]
    changed, back = _switches(base, files)
    while any(map(is_live, records)) or len(batches) != _settled(batches):
        time.sleep(0.01)
    del batches[:]
    start = time.perf_counter()
    try:
        changed()
        at = 0
        while at < len(records):
            if is_live(records[at]):
                at += 1
                continue
            if time.perf_counter() - start > 30:
                raise TimeoutError(f"{len(records) - at} of the changed files are not live")
            time.sleep(0.001)
        took = (time.perf_counter() - start) * 1000
        assert all(map(is_live, records))
        time.sleep(0.2)
        return {"checkout_ms": took, "batches": sum(bool(batch) for batch in batches), "by_git": bool(_git())}
    finally:
        back()


def _settled(batches: list[Any]) -> int:
    """How many reloads there were half a second later."""
    time.sleep(0.5)
    return len(batches)


def _git() -> str | None:
    import shutil

    return shutil.which("git")


def _switches(base: str, files: list[str]) -> tuple[Callable[[], object], Callable[[], object]]:
    """How to change all files at once, and to change them back: by git, by writing them where there is none."""
    import shutil

    texts = {}
    for file in files:
        with open(file, encoding="utf-8") as source:
            texts[file] = source.read()

    def write(edited: bool) -> None:
        for file, text in texts.items():
            with open(file, "w", encoding="utf-8") as target:
                target.write(text.replace("return scaled(self.amount) + self.size", "return -1") if edited else text)

    git = _git()
    if git is None:
        return lambda: write(True), lambda: write(False)
    folder = os.path.join(base, ".git")
    shutil.rmtree(folder, ignore_errors=True)

    def run(*arguments: str) -> None:
        options = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "gc.auto=0")
        command = [git, "-C", base, *options, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("init", "-q")
    run("add", TOP)
    run("commit", "-q", "-m", "before")
    run("branch", "before")
    write(True)
    run("commit", "-q", "-a", "-m", "after")
    run("branch", "after")
    run("checkout", "-q", "before")

    def back() -> None:
        run("checkout", "-q", "before")
        shutil.rmtree(folder, ignore_errors=True)

    return lambda: run("checkout", "-q", "after"), back


def tracking(root: str, names: str, reloading: int) -> dict[str, Any]:
    """Ours: what reloading adds to loading, and to memory once everything that was loaded has been looked at."""
    from benchmarks.opponents.stopwatch import rss_mb
    from pyautoload import AutoLoader

    loader = AutoLoader(base_path=root).setup()
    if reloading:
        loader.enable_reloading()
    with Stopwatch() as watch:
        loader.eager_load()
    figures = {"load_ms": watch.ms, "cpu_ms": watch.cpu_ms, "load_mb": rss_mb()}
    idle = 0.0
    while reloading and idle < 0.5:  # until it does nothing any more
        with Stopwatch() as pause:
            time.sleep(0.5)
        idle = idle + 0.5 if pause.cpu_ms < 5 else 0.0
    return {**figures, "settled_mb": rss_mb()}
