"""load: what it keeps, what that costs, and how it goes again."""

from __future__ import annotations

import json
import sys
import threading
import time
import warnings

import pytest

from pyautoload.thirdparty.load import Load
from pyautoload.thirdparty.load_errors import TargetError, UnloadWarning


@pytest.fixture
def load():
    return Load()


@pytest.fixture
def on_path(tree, monkeypatch):
    def write(files: dict[str, str]):
        monkeypatch.syspath_prepend(str(tree(files)))

    return write


PACKAGE = {
    "visit/__init__.py": "from . import inner\nimport visit_friend",
    "visit/inner.py": "x = 1",
    "visit/late.py": "",
    "visit_friend.py": "",
    "resident/__init__.py": "",
    "resident/guest.py": "",
}


def test_what_a_module_brought_is_gone_after_the_block(load, on_path):
    on_path(PACKAGE)
    before = set(sys.modules)
    with load.temporarily("visit") as visit:
        assert visit.inner.x == 1
        import visit.late
    assert set(sys.modules) == before
    assert load("visit") is not visit


def test_what_was_there_before_stays(load, on_path):
    on_path(PACKAGE)
    import resident
    import visit_friend

    block = load.temporarily("visit")
    with block:
        import resident.guest
    assert sys.modules["visit_friend"] is visit_friend
    assert sys.modules["resident"] is resident
    assert "resident.guest" not in sys.modules
    assert not hasattr(resident, "guest")
    assert set(block.result.removed) == {"visit", "visit.inner", "resident.guest"}
    with load.temporarily("visit_friend") as friend:
        assert friend is visit_friend
    assert sys.modules["visit_friend"] is visit_friend


def test_an_error_in_the_block_or_in_the_module_cleans_up_too(load, on_path):
    on_path({**PACKAGE, "fails.py": "import visit\n1 / 0"})
    with pytest.raises(KeyError), load.temporarily("visit"):
        raise KeyError
    with pytest.raises(ZeroDivisionError), load.temporarily("fails"):
        pass
    assert not {"visit", "visit.inner", "fails", "visit_friend"} & set(sys.modules)


def test_what_another_thread_imports_meanwhile_stays(load, on_path):
    on_path({**PACKAGE, "of_a_thread.py": ""})
    with load.temporarily("visit"):
        thread = threading.Thread(target=lambda: __import__("of_a_thread"))
        thread.start()
        thread.join()
    assert "of_a_thread" in sys.modules
    assert "visit" not in sys.modules


def test_c_extensions_are_reported_and_go_on_working(python):
    result = python(
        """
        import sys, warnings
        from pyautoload.thirdparty.load import load
        block = load.temporarily("decimal")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with block as decimal:
                one = decimal.Decimal(1)
        import decimal as again
        print(again.Decimal(2) + one, [w.category.__name__ for w in caught], "_decimal" in block.result.kept)
        """
    )
    if "_decimal" in sys.builtin_module_names:
        pytest.skip("this Python has _decimal built in")
    assert result.stdout.split("\n")[0] == "3 ['UnloadWarning'] True"


def test_a_package_with_an_extension_stays_whole(load, on_path, tmp_path):
    import _json
    import shutil

    file = getattr(_json, "__file__", None)
    if file is None:
        pytest.skip("this Python has _json built in")
    on_path({"native/__init__.py": "from . import _json, pure\nimport used_by_native", "native/pure.py": "",
             "used_by_native.py": "", "native_user.py": "import native"})  # fmt: skip
    shutil.copy(file, tmp_path / "native")
    with pytest.warns(UnloadWarning, match="native"), load.temporarily("native_user"):
        pass
    assert "native_user" not in sys.modules
    assert {"native", "native.pure", "native._json", "used_by_native"} <= set(sys.modules)


def test_unload_takes_a_module_with_its_submodules(load, on_path):
    on_path(PACKAGE)
    visit = load("visit")
    result = load.unload("visit")
    assert set(result.removed) == {"visit", "visit.inner"}
    assert result.kept == ()
    assert "visit_friend" in sys.modules
    assert load("visit") is not visit


def test_unload_takes_files_and_aliases(load, tree):
    tree({"conf.py": "x = 1"})
    first = load("./conf.py", alias="conf_for_unload")
    assert load.unload("conf_for_unload").removed == ("conf_for_unload",)
    assert load("./conf.py", alias="conf_for_unload") is not first


def test_unload_forgets_objects_of_the_module(load, on_path):
    on_path(PACKAGE)
    assert load("visit.inner.x") == 1
    load.unload("visit")
    assert load.info()["visit.inner.x"].cached is False


def test_unload_of_what_is_not_there_does_nothing(load):
    assert load.unload("no_such_module_at_all") == ((), ())


@pytest.mark.parametrize("name", ["sys", "builtins", "pyautoload", "pyautoload.errors", "importlib.machinery"])
def test_what_everything_stands_on_is_not_unloaded(load, name):
    with pytest.raises(ValueError, match="cannot be unloaded"):
        load.unload(name)


def test_info_tells_time_size_uses_and_cache(load, on_path):
    on_path({**PACKAGE, "slow_one.py": "import time\ntime.sleep(0.02)\n" + "#" * 1000})
    load("slow_one")
    load("slow_one")
    load("visit")
    slow = load.info()["slow_one"]
    assert slow.seconds >= 0.02
    assert slow.size > 1000
    assert (slow.modules, slow.uses, slow.cached) == (1, 2, True)
    assert load.info()["visit"].modules == 3
    load.clear_cache()
    assert load.info() == {}
    assert "visit" in sys.modules


def test_memory_is_measured_in_a_child(load, on_path, tree):
    grow = "data = bytearray(30_000_000)\nfor i in range(0, len(data), 1000):\n    data[i] = 1\n"
    on_path({"hungry.py": f"import time\nprint('noise')\n{grow}time.sleep(0.02)"})
    cost = load.memory("hungry")
    assert "hungry" not in sys.modules
    assert cost.memory > 25_000_000
    assert cost.seconds >= 0.02
    assert cost.modules >= 1
    assert "MiB" in str(cost)
    assert load.memory("./hungry.py").memory > 25_000_000


def test_memory_reports_a_failing_or_endless_import(load, on_path):
    on_path({"fails.py": "1 / 0", "endless.py": "import time\ntime.sleep(60)"})
    with pytest.raises(TargetError, match="ZeroDivisionError"):
        load.memory("fails")
    start = time.monotonic()
    with pytest.raises(TargetError, match=r"within 0\.5 seconds"):
        load.memory("endless", timeout=0.5)
    assert time.monotonic() - start < 30
    with pytest.raises(TargetError):
        load.memory("os; print(1)")


def test_no_warning_without_extensions(load, on_path):
    on_path(PACKAGE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with load.temporarily("visit"):
            json.dumps(1)
