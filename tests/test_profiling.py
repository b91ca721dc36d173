"""The import-time profile: ``loader.profile()``, its reports, and its page in a real browser."""

from __future__ import annotations

import builtins
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import chromium

from pyautoload import AutoLoader
from pyautoload.importing.loader import PyAutoloadLoader
from pyautoload.profiling import Profile, Timed

pytestmark = pytest.mark.lazy
Autoload = Callable[..., AutoLoader]

FILES = {
    "app/user.py": "from app.models import Post\nimport colorsys\nclass User: ...\n",
    "app/models/post.py": "import time\ntime.sleep(0.05)\nfrom app.models import Tag\nclass Post: ...\n",
    "app/models/tag.py": "import time\ntime.sleep(0.05)\nclass Tag: ...\n",
    "app/late.py": "class Late: ...\n",
}


def timed(profile: Profile, name: str) -> Timed:
    """The one measurement of that name."""
    (found,) = [each for each in profile.imports if each.name == name]
    return found


def test_each_module_has_its_own_time_and_that_of_what_it_imported(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        loader.resolve("app.User")
    user, post, tag = (timed(profile, name) for name in ("app.user", "app.models.post", "app.models.tag"))
    assert user.cumulative > post.cumulative > tag.cumulative >= 0.05
    assert 0.05 <= post.self_time < post.cumulative
    assert abs(post.cumulative - post.self_time - tag.cumulative) < 1e-9
    assert user.self_time <= user.cumulative - post.cumulative + 1e-9
    assert profile.total >= user.cumulative
    assert [each.name for each in profile.modules()] != []


def test_it_tells_who_imported_a_module_first_and_at_which_line(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        loader.resolve("app.User")
        loader.resolve("app.models.Tag")
    tag = timed(profile, "app.models.tag")
    assert tag.importer == "app.models.post"
    assert tag.place is not None
    assert (Path(tag.place[0]).name, tag.place[1]) == ("post.py", 3)
    user = timed(profile, "app.user")
    assert user.importer == __name__
    assert tag.parent is timed(profile, "app.models.post")
    assert user.parent is None


def test_libraries_are_measured_apart(autoload: Autoload, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    loader = autoload(FILES)
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with loader.profile() as profile:
        loader.resolve("app.User")
    library = timed(profile, "colorsys")
    assert library.is_library
    assert library.parent is timed(profile, "app.user")
    assert "time" not in [each.name for each in profile.imports]  # it was there already


def test_libraries_can_be_left_out(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile(libraries=False) as profile:
        assert builtins.__import__ is _import
        loader.resolve("app.User")
    assert not [each for each in profile.imports if each.is_library]


_import = builtins.__import__
_exec_module = PyAutoloadLoader.exec_module


def test_nothing_is_in_the_way_while_no_profile_is_active(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile():
        assert PyAutoloadLoader.exec_module is not _exec_module
        with loader.profile() as inner:
            loader.resolve("app.Late")
        loader.resolve("app.models.Tag")
    assert [each.name for each in inner.imports] == ["app.late"]
    assert PyAutoloadLoader.exec_module is _exec_module
    assert builtins.__import__ is _import


def test_an_eager_load_is_measured(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        loader.eager_load()
    assert {each.name for each in profile.modules()} == {"app.user", "app.late", "app.models.post", "app.models.tag"}


def test_only_modules_of_that_loader_are_measured(autoload: Autoload, tmp_path: Path) -> None:
    loader = autoload(FILES)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thing.py").write_text("import app.late\nclass Thing: ...")
    other = AutoLoader(tmp_path / "other").setup()
    with loader.profile() as profile:
        other.resolve("other.Thing")
    assert [each.name for each in profile.imports] == ["app.late"]


def test_a_module_that_fails_is_marked_and_its_error_is_as_ever(autoload: Autoload) -> None:
    loader = autoload({"app/bad.py": "import app.worse\n", "app/worse.py": "raise ValueError('no')\n"})
    with loader.profile() as profile, pytest.raises(ValueError, match="no") as raised:
        loader.resolve("app.bad")
    assert timed(profile, "app.worse").failed
    assert timed(profile, "app.bad").failed
    files = [Path(str(entry.path)).name for entry in raised.traceback]
    assert [name for name in files if name in ("bad.py", "worse.py", "profiling.py")] == ["bad.py", "worse.py"]


def test_threads_have_a_nesting_of_their_own(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        threads = [threading.Thread(target=loader.resolve, args=(name,)) for name in ("app.models.Post", "app.Late")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert timed(profile, "app.late").parent is None
    assert timed(profile, "app.models.tag").parent is timed(profile, "app.models.post")


def test_a_function_can_be_decorated(autoload: Autoload, tmp_path: Path) -> None:
    loader = autoload(FILES)

    @loader.profile(save=tmp_path / "start.json")
    def start() -> Any:
        return loader.resolve("app.Late")

    assert start().__name__ == "Late"
    assert [each["name"] for each in json.loads((tmp_path / "start.json").read_text())["imports"]] == ["app.late"]


def test_a_table_names_the_slowest_first(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        loader.eager_load()
    lines = profile.table(2).splitlines()
    assert lines[0].split()[:3] == ["self", "libraries", "cumulative"]
    assert {line.split()[3] for line in lines[1:3]} == {"app.models.post", "app.models.tag"}
    assert "4 modules, 2 not shown" in lines[3]


def test_reports_are_written_by_suffix(autoload: Autoload, tmp_path: Path) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        loader.resolve("app.User")
    for name, start in (("a.txt", "     self"), ("a.json", "{"), ("a.html", "<!doctype html>")):
        profile.write(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    found = json.loads((tmp_path / "a.json").read_text())
    by_name = {each["name"]: each for each in found["imports"]}
    assert found["imports"][by_name["app.models.tag"]["parent"]]["name"] == "app.models.post"
    assert by_name["app.models.tag"]["place"].endswith("post.py:3")


def test_reports_of_nothing_are_reports(autoload: Autoload) -> None:
    loader = autoload(FILES)
    with loader.profile() as profile:
        pass
    assert "0 modules" in profile.table()
    assert profile.html().count("</html>") == 1


def test_a_bundle_is_measured_as_well(python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "user.py").write_text("class User: ...")
    code = """
        from pyautoload import AutoLoader
        AutoLoader("app").build_bundle("app.bundle")
        loader = AutoLoader("app", bundle="trusted:app.bundle")
        loader.setup()
        with loader.profile() as profile:
            loader.eager_load()
        print([each.name for each in profile.imports])
    """
    assert python(code).stdout == "['app.user']\n"


# The page in a browser


@pytest.mark.once
@pytest.mark.plain
def test_the_page_shows_an_icicle_to_zoom_and_search(autoload: Autoload, tmp_path: Path) -> None:
    # So slow that on a busy machine, too, they take longer than any of the others.
    slow = {name: text.replace("0.05", "0.5") for name, text in FILES.items()}
    loader = autoload({**slow, **{f"app/many/m{n}.py": f"class M{n}: ..." for n in range(300)}})
    with loader.profile() as profile:
        loader.eager_load()
    profile.write(tmp_path / "profile.html")
    with chromium() as browser:
        browser.get((tmp_path / "profile.html").as_uri())

        def texts(selector: str) -> list[str]:
            return [element.text for element in browser.find_elements("css selector", selector)]

        def block(name: str) -> Any:
            return browser.find_element("css selector", f"#icicle [data-name='{name}']")

        assert texts("#count")[0].startswith("304 modules")
        assert block("app.models.tag").rect["y"] > block("app.models.post").rect["y"]
        assert texts("#rows td:nth-child(4)")[0] in ("app.models.post", "app.models.tag")
        before = block("app.models.tag").rect["width"]
        block("app.models.post").click()
        assert block("app.models.tag").rect["width"] > before
        listed = set(texts("#rows td:nth-child(4)"))
        assert listed >= {"app.models.post", "app.models.tag"}
        assert "app.late" not in listed
        browser.find_element("css selector", "#reset").click()
        assert abs(block("app.models.tag").rect["width"] - before) < 1
        browser.find_element("css selector", "#search").send_keys("m77")
        assert texts("#rows td:nth-child(4)") == ["app.many.m77"]
        browser.find_element("css selector", "th[data-key='name']").click()
        assert texts("#rows td:nth-child(4)") == ["app.many.m77"]


def test_speedscope_gets_nested_events_in_order(autoload: Autoload, tmp_path: Path) -> None:
    loader = autoload({"app/outer.py": "from app import Inner\nclass Outer: ...", "app/inner.py": "class Inner: ..."})
    with loader.profile(save=tmp_path / "start.speedscope.json"):
        loader.eager_load()
    found = json.loads((tmp_path / "start.speedscope.json").read_text())
    names = [frame["name"] for frame in found["shared"]["frames"]]
    (profile,) = found["profiles"]
    times = [event["at"] for event in profile["events"]]
    assert times == sorted(times)
    assert profile["endValue"] >= times[-1]
    open_frames: list[int] = []
    for event in profile["events"]:
        if event["type"] == "O":
            open_frames.append(event["frame"])
        else:
            assert open_frames.pop() == event["frame"]
    assert open_frames == []
    assert {"app.outer", "app.inner"} <= set(names)
