"""What it takes until all workers of a Dask cluster run an edit, beside ``client.restart()`` and ``upload_file``.

`python -m benchmarks.cluster [MODULES]` makes a project of so many modules (1,000), starts a scheduler and 4 worker
processes with nannies, and edits one file; then clusters of 16, 64 and 256 workers, all in one process beside this one,
to see how the messages grow; then ships 10,000 modules. Medians, in milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.notebook import write_project

EDITS = 15
ROUNDS = 3
_IN_PROCESS = """
import sys, time
from distributed import LocalCluster

if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    )
    print("Scheduler at: " + cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@contextmanager
def started(*commands: list[str]) -> Iterator[Any]:
    """A client of a cluster whose processes run in an empty directory; the first command is the scheduler."""
    from distributed import Client

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "nowhere")}
    processes: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory() as empty:
        options: Any = {"cwd": empty, "env": environment, "text": True, "stdin": subprocess.PIPE}
        try:
            first = subprocess.Popen([sys.executable, *commands[0]], stdout=-1, stderr=subprocess.STDOUT, **options)
            processes.append(first)
            assert first.stdout is not None
            address = next(found[0] for line in first.stdout if (found := re.search(r"tcp://\S+", line)))
            for command in commands[1:]:
                rest = [sys.executable, *command, address]
                processes.append(subprocess.Popen(rest, stdout=-3, stderr=-3, **options))
            client = Client(address, timeout=120)
            yield client
            client.close()
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(30)


def real(workers: int) -> Any:
    """A cluster of worker processes with nannies."""
    scheduler = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = ["-m", "distributed.cli.dask_worker", "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard"]
    return started(scheduler, worker)


def project(directory: Path, modules: int) -> Any:
    """A loader over a project, with reloading."""
    from pyautoload import AutoLoader

    write_project(directory, modules)
    return AutoLoader(directory / "lab", tag=f"lab{modules}").setup().enable_reloading(watch=False)


def edited(file: Path, number: int) -> None:
    file.write_text(re.sub(r"size \* \d+", f"size * {number + 3}", file.read_text()))


def loaded_everywhere(client: Any) -> None:
    """Each worker has imported all modules."""
    workers = list(client.nthreads())
    code = "__import__('lab.all') and 0"
    client.gather([client.submit(eval, code, workers=[worker], pure=False) for worker in workers])


def edits(client: Any, loader: Any, file: Path) -> tuple[list[float], int]:
    """Save → all workers on the new code; and the bytes that each was sent."""
    from pyautoload.cluster.dask import ship

    with ship(client, loader) as shipment:
        loaded_everywhere(client)
        spent = []
        for number in range(EDITS):
            start = time.perf_counter()
            edited(file, number)
            result = loader.reload()
            spent.append((time.perf_counter() - start) * 1000)
            assert set(result.workers.values()) == {f"version {shipment.version}"}, result.workers
        return spent, shipment.status().bytes_of_last


def restarts(client: Any, directory: Path, workers: int) -> list[float]:
    """What people do: a new zip, workers that begin anew."""
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        archive = shutil.make_archive(str(directory / "lab"), "zip", directory, "lab")
        client.restart()
        client.wait_for_workers(workers)
        client.upload_file(archive)
        spent.append((time.perf_counter() - start) * 1000)
    return spent


def first(client: Any, loader: Any, directory: Path) -> tuple[float, float]:
    """The first shipment, and ``upload_file`` of the same tree as a zip."""
    from pyautoload.cluster.dask import ship

    start = time.perf_counter()
    with ship(client, loader):
        ours = time.perf_counter() - start
    start = time.perf_counter()
    client.upload_file(shutil.make_archive(str(directory / "lab"), "zip", directory, "lab"))
    return ours * 1000, (time.perf_counter() - start) * 1000


def gate() -> float:
    """What a task pays for the gate, in microseconds."""
    from pyautoload.cluster.dask_worker import _inside
    from pyautoload.cluster.task_gate import TaskGate

    async def task() -> None:
        pass

    async def run() -> float:
        inside = _inside(task, {"lab": TaskGate()})
        spent = {}
        for function in (task, inside):
            start = time.perf_counter()
            for _ in range(100_000):
                await function()
            spent[function] = time.perf_counter() - start
        return (spent[inside] - spent[task]) * 10

    return asyncio.run(run())


def show(what: str, spent: list[float], besides: str = "") -> None:
    low, high = min(spent), max(spent)
    print(f"{what:58} {statistics.median(spent):9.1f} ms ({low:.1f} to {high:.1f}){besides}", flush=True)


def main() -> None:
    """All of it."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    modules = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"the gate, per task: {gate():.1f} µs")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        loader, file = project(directory, modules), directory / f"lab/m{modules - 1}.py"
        with real(4) as client:
            client.wait_for_workers(4)
            spent, size = edits(client, loader, file)
            show(f"an edit of one of {modules:,} modules, 4 workers", spent, f", {size} bytes to each")
            show("client.restart() and upload_file, 4 workers", restarts(client, directory, 4))
        for count in (16, 64, 256):
            what = f"the same edit, {count} workers in one process"
            try:
                with started(["-c", _IN_PROCESS, str(count)]) as client:
                    client.wait_for_workers(count, timeout=120)
                    spent, _ = edits(client, loader, file)
                    show(what, spent)
            except (TimeoutError, OSError) as error:  # so many in one process do not get up on a small machine
                print(f"{what}: {error!r}", flush=True)
        loader.unregister()
    with tempfile.TemporaryDirectory() as name, real(4) as client:
        client.wait_for_workers(4)
        ours, theirs = first(client, project(Path(name), 10_000), Path(name))
        show("first shipment of 10,000 modules, 4 workers", [ours])
        show("upload_file of these as a zip", [theirs])


if __name__ == "__main__":
    main()
