"""Process pools follow the edits of a loader: each task runs the version of its submission, or a later one."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor

import pytest

from pyautoload import AutoLoader
from pyautoload.cluster import current_version
from pyautoload.errors import ShipmentError

ALL_METHODS = multiprocessing.get_all_start_methods()
METHODS = [name for name in ALL_METHODS if name != "forkserver"]
FILES = {
    "etl/clean.py": "from etl.limits import LIMIT\n\ndef clean(value):\n    return ('one', LIMIT, value)\n",
    "etl/limits.py": "LIMIT = 1\n",
    "etl/late.py": "def late():\n    from etl.limits import LIMIT\n    return LIMIT\n",
    "etl/names.txt": "a\n",
}


@pytest.fixture
def loader(tree):
    tree(FILES)
    loader = AutoLoader("etl").setup().enable_reloading(watch=False)
    yield loader
    loader.disable_reloading()
    loader.unregister()


@pytest.fixture(params=METHODS)
def executor(request, loader):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(request.param)) as executor:
        yield executor


def edit(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_tasks_run_what_is_live_when_they_are_submitted(loader, executor):
    from etl.clean import clean

    shipment = loader.ship_to(executor)
    assert executor.submit(clean, 7).result() == ("one", 1, 7)
    edit("etl/limits.py", "LIMIT = 2\n")
    result = loader.reload()
    assert list(result.workers) == ["process pool"]
    assert list(executor.map(clean, range(8))) == [("one", 2, value) for value in range(8)]
    assert shipment.version == 2
    assert set(executor.map(current_version, ["etl"] * 8)) == {2}
    assert set(shipment.status().workers.values()) == {2}


def test_an_edit_that_is_not_live_here_is_not_live_there(loader, executor):
    from etl.clean import clean

    loader.ship_to(executor)
    edit("etl/limits.py", "LIMIT = 2\n")
    edit("etl/late.py", "def late():\n    return 'edited'\n")
    assert executor.submit(clean, 7).result() == ("one", 1, 7)


def test_a_module_that_only_the_workers_have_loaded_follows(loader, executor):
    loader.ship_to(executor)
    assert executor.submit(eval, "__import__('etl.late').late.late()").result() == 1
    edit("etl/late.py", "def late():\n    return 'edited'\n")
    loader.reload()
    assert "etl.late" not in sys.modules
    assert set(executor.map(eval, ["__import__('etl.late').late.late()"] * 8)) == {"edited"}


def test_what_fails_at_import_there_fails_in_the_task_and_is_mended_by_the_next_edit(loader, executor):
    from etl.clean import clean

    loader.ship_to(executor)
    assert executor.submit(clean, 7).result() == ("one", 1, 7)
    edit("etl/limits.py", f"import os\nif os.getpid() != {os.getpid()}:\n    raise OSError('only there')\nLIMIT = 2\n")
    loader.reload()
    with pytest.raises(OSError, match="only there"):
        executor.submit(clean, 7).result()
    edit("etl/limits.py", "LIMIT = 3\n")
    loader.reload()
    assert set(executor.map(clean, [7] * 8)) == {("one", 3, 7)}


def test_files_that_come_and_go(loader, executor):
    import etl

    loader.ship_to(executor)
    assert executor.submit(eval, "__import__('etl').late.late()").result() == 1
    edit("etl/fresh.py", "def fresh():\n    return 'fresh'\n")
    os.unlink("etl/late.py")
    loader.reload()
    assert executor.submit(etl.fresh.fresh).result() == "fresh"
    assert set(executor.map(eval, ["hasattr(__import__('etl'), 'late')"] * 8)) == {False}


@pytest.mark.parametrize("method", ALL_METHODS)
def test_a_pool_of_multiprocessing(loader, method):
    from etl.clean import clean

    with multiprocessing.get_context(method).Pool(2) as pool:
        loader.ship_to(pool)
        assert pool.apply(clean, (7,)) == ("one", 1, 7)
        edit("etl/limits.py", "LIMIT = 2\n")
        loader.reload()
        expected = [("one", 2, value) for value in range(8)]
        assert pool.map(clean, range(8)) == expected
        assert list(pool.imap(clean, range(8))) == expected
        assert pool.starmap(clean, [(value,) for value in range(8)]) == expected
        assert sorted(pool.imap_unordered(clean, range(8), chunksize=3)) == expected


def test_each_result_is_of_one_version_that_is_not_older_than_its_submission(loader, executor):
    """The version is in two modules, and a task that saw both of one edit says so."""
    from etl.clean import clean

    loader.ship_to(executor)
    chance, submitted = random.Random(3), []
    for version in range(1, 13):
        if version > 1:
            edit("etl/limits.py", f"LIMIT = {version}\n")
            body = f"def clean(value):\n    return ({version}, LIMIT, value)\n"
            edit("etl/clean.py", f"from etl.limits import LIMIT\n\n{body}")
            loader.reload()
        submitted += [(version, executor.submit(clean, 0)) for _ in range(chance.randrange(1, 9))]
    for version, future in submitted:
        first, second, _ = future.result()
        assert first == second or (first, second) == ("one", 1)
        assert second >= version


def test_only_managed_files_are_shipped(tree, executor, loader):
    tree({"etl/.env": "SECRET=1", "etl/vendor/x.py": "", "etl/.git/config": "", "etl/__pycache__/y.pyc": ""})
    loader.ignore("vendor")
    shipment = loader.ship_to(executor)
    assert [os.path.basename(path) for path in shipment.files] == ["clean.py", "late.py", "limits.py", "names.txt"]


def test_what_is_no_pool_of_processes_is_refused(loader):
    with pytest.raises(ShipmentError, match="no pool of processes"):
        loader.ship_to(object())


def test_the_processes_need_none_of_the_files(tmp_path):
    """The directory is moved away before a process of the pool begins."""
    files = tmp_path / "project" / "etl"
    files.mkdir(parents=True)
    (files / "clean.py").write_text("def clean(value):\n    return value + 1\n")
    (files / "names.txt").write_text("a\nb\n")
    (files / "words.py").write_text(
        "import importlib.resources\n\ndef words():\n"
        "    return importlib.resources.files('etl').joinpath('names.txt').read_text().split()\n"
    )
    program = """
        import inspect, multiprocessing, os, shutil, sys
        from concurrent.futures import ProcessPoolExecutor
        from pyautoload import AutoLoader

        if __name__ == "__main__":
            loader = AutoLoader(sys.argv[1]).setup().enable_reloading(watch=False)
            import etl
            from etl.clean import clean
            from etl.words import words
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
                loader.ship_to(executor)
                shutil.move(sys.argv[1], sys.argv[1] + "-away")
                print(executor.submit(clean, 1).result(), executor.submit(words).result())
                print(executor.submit(inspect.getsource, clean).result())
    """
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    run = subprocess.run([sys.executable, script, files], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["2 ['a', 'b']", "def clean(value):", "    return value + 1", ""]
