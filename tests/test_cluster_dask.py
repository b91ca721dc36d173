"""Dask clusters follow the edits of a loader: a real scheduler, four workers in processes of their own with nannies."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback

import pytest

from pyautoload import AutoLoader, ReloadError
from pyautoload.cluster import current_version
from pyautoload.errors import ShipmentError

distributed = pytest.importorskip("distributed", reason="a cluster needs distributed")

from pyautoload.cluster.dask import ship  # noqa: E402

FILES = {
    "etl/clean.py": """
        import time
        from etl.limits import LIMIT

        def clean(value, seconds=0):
            before = LIMIT
            time.sleep(seconds)
            from etl import limits
            return before, limits.LIMIT, value
    """,
    "etl/limits.py": "LIMIT = 1\n",
    "etl/lines.py": """
        import traceback

        def line_of_failure(function):
            try:
                function()
            except ValueError as error:
                return traceback.extract_tb(error.__traceback__)[-1].line
    """,
    "etl/late.py": "def late():\n    return 'as shipped'\n",
    "etl/words.py": """
        import importlib.resources

        def words():
            return importlib.resources.files("etl").joinpath("names.txt").read_text().split()
    """,
    "etl/kept.py": "LIMIT = 1\n",
    "etl/names.txt": "a b",
}


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{condition} did not come about"
        time.sleep(0.05)
    return found


class Cluster:
    """A scheduler and workers with nannies, started from the command line in empty directories."""

    def __init__(self, base):
        self.base = base
        self.environment = {**os.environ, "PYTHONPATH": "", "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "1h"}
        self.processes = []
        self.client = None

    def start(self, workers):
        log = self.run("scheduler", ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"])
        found = until(lambda: re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text()))
        self.address = found.group(1)
        self.join("worker", "--nworkers", str(workers))
        self.client = distributed.Client(self.address)
        self.client.wait_for_workers(workers, timeout=60)

    def join(self, name, *options):
        command = ["worker", self.address, "--nthreads", "2", "--no-dashboard", "--name", name, *options]
        return self.run(name, command)

    def run(self, name, command):
        directory = self.base / name
        directory.mkdir()
        log = self.base / f"{name}.log"
        with open(log, "wb") as output:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]],
                    cwd=directory,
                    env=self.environment,
                    stdout=output,
                    stderr=output,
                )
            )
        return log

    def everywhere(self, function, *args):
        """What a function gives, as a task on each worker."""
        workers = list(self.client.nthreads())
        tasks = [self.client.submit(function, *args, workers=[worker], pure=False) for worker in workers]
        return self.client.gather(tasks)

    def pids(self):
        """The processes of the workers that are there."""

        async def pid():
            return os.getpid()

        return sorted(process for process in self.client.run(pid, on_error="ignore").values() if process)

    def stop(self):
        with contextlib.suppress(Exception):
            self.client.close(timeout=2)
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start(4)
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(running):
    yield running
    running.client.wait_for_workers(4, timeout=60)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def loader(project, monkeypatch):
    """All tests have one directory, with the same files at first: what was shipped before is replaced."""
    monkeypatch.chdir(project)
    shutil.rmtree("etl", ignore_errors=True)
    os.mkdir("etl")
    for path, text in FILES.items():
        edit(path, textwrap.dedent(text))
    loader = AutoLoader("etl").do_not_reload("kept.py").setup().enable_reloading(watch=False)
    yield loader
    loader.disable_reloading()
    loader.unregister()


@pytest.fixture
def shipment(cluster, loader):
    with ship(cluster.client, loader) as shipment:
        yield shipment


def edit(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_tasks_run_what_was_shipped(cluster, loader, shipment):
    from etl.clean import clean
    from etl.words import words

    assert cluster.everywhere(clean, 7) == [(1, 1, 7)] * 4
    assert cluster.everywhere(words) == [["a", "b"]] * 4
    assert cluster.everywhere(current_version, "etl") == [shipment.version] * 4
    assert [os.path.basename(path) for path in shipment.files] == [
        "clean.py",
        "kept.py",
        "late.py",
        "limits.py",
        "lines.py",
        "names.txt",
        "words.py",
    ]


def test_edits_follow_and_cost_little(cluster, loader, shipment):
    from etl.clean import clean

    assert cluster.everywhere(clean, 7) == [(1, 1, 7)] * 4
    before = shipment.status()
    edit("etl/limits.py", "LIMIT = 2\n")
    result = loader.reload()
    assert list(result.workers.values()) == [f"version {before.version + 1}"] * 4
    assert cluster.everywhere(clean, 7) == [(2, 2, 7)] * 4
    after = shipment.status()
    assert set(after.workers.values()) == {after.version} == {before.version + 1}
    assert after.bytes_of_last < 2048
    assert after.bytes_sent - before.bytes_sent == 4 * after.bytes_of_last


def test_tracebacks_and_sources_are_those_of_the_version(cluster, loader, shipment):
    edit("etl/late.py", "# moved\ndef late():\n    raise ValueError('from there')\n")
    loader.reload()
    from etl.late import late

    edit("etl/late.py", "nobody has this\n" * 9)
    from etl.lines import line_of_failure

    assert cluster.everywhere(line_of_failure, late) == ["raise ValueError('from there')"] * 4


def test_what_only_workers_have_loaded_follows_and_data_too(cluster, loader, shipment):
    assert cluster.everywhere(eval, "__import__('etl').late.late()") == ["as shipped"] * 4
    edit("etl/late.py", "def late():\n    return 'edited'\n")
    edit("etl/names.txt", "c")
    assert cluster.everywhere(eval, "__import__('etl').late.late()") == ["as shipped"] * 4
    loader.reload()
    assert cluster.everywhere(eval, "__import__('etl').late.late()") == ["edited"] * 4
    from etl.words import words

    assert cluster.everywhere(words) == [["c"]] * 4


def test_an_error_on_one_worker_takes_all_back(cluster, loader, shipment):
    from etl.clean import clean

    assert cluster.everywhere(clean, 7) == [(1, 1, 7)] * 4
    version, victim = shipment.version, min(shipment.status().workers)
    process = cluster.client.submit(os.getpid, workers=[victim], pure=False).result()
    edit("etl/limits.py", f"import os\nif os.getpid() == {process}:\n    1 / 0\nLIMIT = 2\n")
    with pytest.raises(ReloadError, match="ZeroDivisionError") as caught:
        loader.reload()
    assert caught.value.worker == victim
    assert "1 / 0" in caught.value.traceback
    assert clean(7) == (1, 1, 7)
    assert cluster.everywhere(clean, 7) == [(1, 1, 7)] * 4
    assert shipment.version == version
    edit("etl/limits.py", "LIMIT = 3\n")
    loader.reload()
    assert clean(7) == (3, 3, 7)
    assert cluster.everywhere(clean, 7) == [(3, 3, 7)] * 4


def test_a_syntax_error_that_only_workers_meet_is_told_once_and_changes_nothing(cluster, loader, shipment):
    assert cluster.everywhere(eval, "__import__('etl').late.late()") == ["as shipped"] * 4
    edit("etl/late.py", "def late(:\n")
    with pytest.raises(ReloadError, match="SyntaxError"):
        loader.reload()
    assert cluster.everywhere(eval, "__import__('etl').late.late()") == ["as shipped"] * 4


def test_a_worker_that_joins_has_the_version_before_its_first_task(cluster, loader, shipment):
    from etl.clean import clean

    edit("etl/limits.py", "LIMIT = 2\n")
    loader.reload()
    before = cluster.client.nthreads().keys()
    cluster.join(f"late{time.monotonic_ns()}")
    cluster.client.wait_for_workers(len(before) + 1, timeout=60)
    assert set(cluster.everywhere(clean, 7)) == {(2, 2, 7)}
    (late,) = cluster.client.nthreads().keys() - before
    cluster.client.retire_workers([late], close_workers=True)


def test_a_worker_that_needs_a_restart_gets_one(cluster, loader, shipment):
    victim = min(shipment.status().workers)
    limit = "__import__('etl').kept.LIMIT"
    assert cluster.client.submit(eval, limit, workers=[victim], pure=False).result() == 1
    edit("etl/kept.py", "LIMIT = 2\n")
    result = loader.reload()
    told = f"version {shipment.version}"
    assert sorted(result.workers.values()) == ["restarted: etl.kept needs a restart: " + KEPT, told, told, told]
    assert result.workers[victim].startswith("restarted")
    assert cluster.client.submit(eval, limit, pure=False).result() == 2
    cluster.client.wait_for_workers(4, timeout=60)
    assert cluster.everywhere(eval, limit) == [2] * 4


KEPT = "it is not to be reloaded, and its file has changed"


def test_a_worker_whose_task_runs_too_long_is_replaced_and_the_task_begins_again(cluster, loader):
    from etl.clean import clean

    with ship(cluster.client, loader, patience=1.0) as shipment:
        slow = cluster.client.submit(clean, 7, 20, pure=False)
        until(lambda: slow.key in {key for keys in cluster.client.processing().values() for key in keys})
        time.sleep(0.5)
        edit("etl/limits.py", "LIMIT = 2\n")
        result = loader.reload()
        told = sorted(text.partition(":")[0] for text in result.workers.values())
        assert told == ["restarted", *[f"version {shipment.version}"] * 3]
        assert cluster.client.submit(clean, 7, pure=False).result() == (2, 2, 7)
        slow.cancel()
        cluster.client.wait_for_workers(4, timeout=60)
        assert cluster.everywhere(clean, 7) == [(2, 2, 7)] * 4


def test_an_edit_waits_for_tasks_that_wait_for_others(cluster, loader, shipment):
    """A task that waits for one that it submits does not keep the edit from coming, nor the edit the task."""
    edit("etl/late.py", PARENT)
    loader.reload()
    from etl.late import late

    parents = [cluster.client.submit(late, number, pure=False) for number in range(6)]
    time.sleep(0.3)
    edit("etl/limits.py", "LIMIT = 2\n")
    result = loader.reload()
    assert list(result.workers.values()) == [f"version {shipment.version}"] * 4
    assert cluster.client.gather(parents) == [number + 2 for number in range(6)]


PARENT = """
import time
from distributed import worker_client

def child(number):
    time.sleep(0.2)
    return number + 1

def late(number):
    with worker_client() as client:
        first = client.submit(child, number, pure=False).result()
        return client.submit(child, first, pure=False).result()
"""


def test_each_result_is_of_one_version_that_is_not_older_than_its_submission(cluster, loader, shipment):
    """Edits at random, right and wrong ones, while short tasks run, workers are killed and others join."""
    from etl.clean import clean

    chance = random.Random(int(os.environ.get("PYAUTOLOAD_CLUSTER_SEED", "5")))
    edits = int(os.environ.get("PYAUTOLOAD_CLUSTER_EDITS", "40"))
    submitting = Submitting(cluster.client, clean, edits * 7)
    kinds = {"right": 70, "wrong": 8, "wrong on one": 8, "kill": 8, "join": 1}
    for version in range(2, edits + 2):
        kind = chance.choices(list(kinds), kinds.values())[0]
        workers = cluster.pids()
        if kind == "kill" and len(workers) > 2:
            os.kill(chance.choice(workers), signal.SIGKILL)
        elif kind == "join" and os.name == "posix":
            cluster.join(f"random{version}", "--lifetime", "10s")
        text = {"wrong": "LIMIT = (\n", "wrong on one": POISON.format(version, chance.choice(workers or [0]))}
        edit("etl/limits.py", text.get(kind, f"LIMIT = {version}\n"))
        try:
            loader.reload()
        except ReloadError:
            assert kind.startswith("wrong"), traceback.format_exc()
            edit("etl/limits.py", f"LIMIT = {version}\n")
            loader.reload()
        else:
            assert kind != "wrong"
        submitting.committed = version
        submitting.done.wait(chance.choice([0, 0.01, 0.05]))
    for floor, future in submitting.results():
        before, after, _ = future.result(timeout=60)
        assert before == after
        assert before >= floor
    until(lambda: set(shipment.status().workers.values()) == {shipment.version})


POISON = "import os\nif os.getpid() == {1}:\n    raise OSError('on one only')\nLIMIT = {0}\n"


class Submitting:
    """Submits tasks in a thread of its own, and notes which version was current then."""

    def __init__(self, client, function, count):
        self.committed = 1
        self.done = threading.Event()
        self._client, self._function, self._count = client, function, count
        self._tasks = []
        self._thread = threading.Thread(target=self._submit)
        self._thread.start()

    def _submit(self):
        for number in range(self._count):
            floor = self.committed
            seconds = (0, 0.003, 0.01)[number % 3]
            self._tasks.append((floor, self._client.submit(self._function, 0, seconds, pure=False)))
            self.done.wait(0.01)

    def results(self):
        self._thread.join()
        return self._tasks


def test_the_watcher_takes_edits_there(cluster, loader, shipment):
    from etl.clean import clean

    results = []
    loader.on_reload(results.append)
    loader.enable_reloading()
    edit("etl/limits.py", "LIMIT = 2\n")
    until(lambda: any(result.workers for result in results))
    assert cluster.everywhere(clean, 7) == [(2, 2, 7)] * 4
    results.clear()
    edit("etl/names.txt", "d e")  # which nothing here has read
    until(lambda: any(result.workers for result in results))
    from etl.words import words

    assert cluster.everywhere(words) == [["d", "e"]] * 4


def test_a_second_cluster_is_refused(cluster, loader, shipment):
    with pytest.raises(ShipmentError, match="a cluster already"):
        ship(cluster.client, loader)
