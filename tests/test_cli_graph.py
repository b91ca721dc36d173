"""``pyautoload graph``: text, Mermaid, DOT, JSON, and the page in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
from browser import chromium
from command_line import CONFIG, run, run_json
from conftest import write_tree

Tree = Callable[[dict[str, str]], Path]

FILES = {
    "pyproject.toml": CONFIG,
    "app/models/user.py": "from app.models import Post\n\n\nclass User(Post): ...\n",
    "app/models/post.py": "from app.models import User\n\n\nclass Post: ...\n",
    "app/web/view.py": """
        TYPE_CHECKING = False
        from app import models

        if TYPE_CHECKING:
            from app.web import Form


        class View:
            def show(self) -> None:
                models.User()
    """,
    "app/web/form.py": "import app.web.field\nfrom app.web import View\n\n\nclass Form: ...\n",
    "app/web/field.py": "import app.web.form\n\n\nclass Field: ...\n",
}


def test_text_shows_imports_with_line_kind_and_cycle(tree: Tree) -> None:
    tree(FILES)
    assert run("graph").output.splitlines() == [
        "app.models.post",
        "    imports app.models.user (line 1, cycle)",
        "app.models.user",
        "    imports app.models.post (line 1, cycle)",
        "app.web.field",
        "    imports app.web.form (line 1, tolerated cycle)",
        "app.web.form",
        "    imports app.web.field (line 1, tolerated cycle)",
        "    imports app.web.view (line 2)",
        "app.web.view",
        "    imports app.web.form (line 6, for type checkers)",
        "    imports app.models.user (line 11, in a function)",
        "cycle: app.models.post → app.models.user → app.models.post",
        "tolerated cycle: app.web.field → app.web.form → app.web.field",
    ]


def test_mermaid_has_clusters_and_marks_cycles(tree: Tree) -> None:
    tree(FILES)
    output = run("graph", "--format", "mermaid").output
    assert output.startswith("flowchart LR\n")
    assert 'subgraph m0_ns["app.models"]' in output
    assert 'm4["View"]' in output
    assert "m4 -.-> m1" in output
    assert "linkStyle 0,1 stroke:#cf222e" in output


def test_dot_is_what_graphviz_reads(tree: Tree) -> None:
    tree({**FILES, 'app/odd"name.py': ""} if shutil.which("dot") else FILES)
    output = run("graph", "--format", "dot").output
    assert 'label="app.models";' in output
    assert '"app.web.view" -> "app.models.user" [style=dashed];' in output
    assert '"app.models.post" -> "app.models.user" [style=solid, color="#cf222e"];' in output
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tsvg"], input=output, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_json_holds_files_lines_and_cycles(tree: Tree) -> None:
    tree(FILES)
    found = run_json("graph")
    assert [module["name"] for module in found["modules"]][-1] == "app.web.view"
    assert found["imports"][0] == {
        "source": "app.models.post",
        "target": "app.models.user",
        "kind": "import time",
        "file": str(Path("app/models/post.py").resolve()),
        "line": 1,
        "cycle": True,
    }
    assert [cycle["fails"] for cycle in found["cycles"]] == [True, False]


def test_parts_and_kinds_can_be_chosen(tree: Tree) -> None:
    tree(FILES)
    assert run("graph", "--only", "app.web", "--kind", "function").output.splitlines()[:3] == [
        "app.web.field",
        "app.web.form",
        "app.web.view",
    ]
    assert "    imports app.models.user (line 11, in a function)" in run("graph", "--kind", "function").output
    assert "no managed module below app.nope" in run("graph", "--only", "app.nope", expect=1).output


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.mmd", "flowchart"), ("x.dot", "digraph"), ("x.json", "{"), ("x.html", "<!doctype"), ("x", "app")],
)
def test_the_name_of_the_output_says_the_format(tree: Tree, name: str, start: str) -> None:
    root = tree(FILES)
    assert "5 modules, 7 imports, 2 cycles" in run("graph", "-o", name).output
    assert (root / name).read_text(encoding="utf-8").startswith(start)


def test_nothing_is_run_and_files_that_cannot_be_compiled_are_no_obstacle(tree: Tree) -> None:
    tree({"pyproject.toml": CONFIG, "app/bad.py": "class (", "app/exits.py": "import app.bad\nraise SystemExit"})
    assert "imports app.bad (line 1)" in run("graph").output


def test_the_page_holds_everything_and_loads_nothing(tree: Tree) -> None:
    root = tree(
        {**FILES, "app/web/evil.py": 'import app.web.form  # </script><script>alert("x")</script>\nclass Evil: ...'}
    )
    run("graph", "-o", "page.html")
    page = (root / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "</script><script>alert" not in page
    assert [word for word in ("http://", "https://", "@import", "src=") if word in page] == []


# The page in a browser


def big_tree(base: Path, size: int = 2000) -> None:
    """2,000 modules in 60 namespaces, each importing three others, and the modules of FILES."""
    places = [(f"area_{number % 12}/part_{number // 12 % 5}", number) for number in range(size)]
    files = dict(FILES)
    for place, number in places:
        others = [places[(number * 7 + step * 13 + 1) % size] for step in range(3)]
        imports = [
            f"from app.{other.replace('/', '.')} import Thing{index}" for other, index in others if index < number
        ]
        later = f"app.{others[0][0].replace('/', '.')}.thing{others[0][1]}"
        body = f"class Thing{number}:\n    def run(self):\n        import {later}\n"
        files[f"app/{place}/thing{number}.py"] = "\n".join([f"# number {number}", *imports, body])
    write_tree(base, files)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that shows the page of a tree of 2,000 modules."""
    base = tmp_path_factory.mktemp("graph")
    big_tree(base)
    with chromium() as browser:
        run("graph", "--config", str(base), "-o", str(base / "page.html"), "--editor", "editor://{path}#{line}")
        browser.get((base / "page.html").as_uri())
        yield browser


@pytest.fixture
def fresh(page: Any) -> Any:
    """The page as it is when it is opened."""
    page.get(page.current_url.partition("#")[0])
    page.refresh()
    return page


def wait(browser: Any, script: str) -> Any:
    """The value of a script as soon as it has one."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 10).until(lambda driver: driver.execute_script(f"return {script}"))


def css(browser: Any, selector: str) -> list[Any]:
    return list(browser.find_elements("css selector", selector))


def search(browser: Any, text: str) -> None:
    from selenium.webdriver.common.keys import Keys

    field = css(browser, "#search")[0]
    field.send_keys(text)
    wait(browser, "document.querySelectorAll('#results li').length")
    field.send_keys(Keys.ENTER)


def painted(browser: Any) -> int:
    """How many different colours the canvas shows in a coarse sample: 1 when nothing is drawn."""
    return int(
        browser.execute_script(
            "paint(); const c = document.getElementById('canvas'), found = new Set();"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "for (let i = 0; i < d.length; i += 4 * 97) found.add(d[i] + ',' + d[i+1] + ',' + d[i+2]);"
            "return found.size"
        )
    )


@pytest.mark.once
def test_all_modules_are_drawn(fresh: Any) -> None:
    assert css(fresh, "#count")[0].text.startswith("2005 of 2005 modules")
    assert painted(fresh) > 10
    assert wait(fresh, "document.getElementById('canvas').dataset.scale") is not None


@pytest.mark.once
def test_a_module_is_found_by_search_and_its_imports_lead_to_the_source_line(fresh: Any) -> None:
    search(fresh, "Thing1234")
    panel = css(fresh, "#panel")[0]
    assert panel.get_attribute("data-module") == "app.area_10.part_2.thing1234"
    assert fresh.execute_script("return decodeURIComponent(location.hash)") == "#app.area_10.part_2.thing1234"
    css(fresh, "#panel ul.target .line")[0].click()
    marked = css(fresh, "#panel .excerpt .at")[0]
    assert "from app.area_" in marked.text
    link = css(fresh, "#panel .source .open")[0]
    line = marked.get_attribute("data-line")
    assert link.text == f"app/area_10/part_2/thing1234.py:{line}"
    assert link.get_attribute("href").endswith(f"/app/area_10/part_2/thing1234.py#{line}")


@pytest.mark.once
def test_a_click_on_a_module_selects_it_and_one_in_the_panel_goes_on(fresh: Any) -> None:
    search(fresh, "web form")
    where = fresh.execute_script("return window.pyautoload.positionOf('app.web.view')")
    click_at(fresh, where)
    panel = css(fresh, "#panel")[0]
    assert panel.get_attribute("data-module") == "app.web.view"
    css(fresh, "#panel ul.target .module")[-1].click()
    assert panel.get_attribute("data-module") == "app.models.user"
    assert "cycle that fails" in panel.text


def click_at(browser: Any, where: dict[str, float]) -> None:
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(browser)
    actions.pointer_action.move_to_location(round(where["x"]), round(where["y"])).click()
    actions.perform()


@pytest.mark.once
def test_a_click_on_an_import_shows_its_line(fresh: Any) -> None:
    search(fresh, "web view")
    index = fresh.execute_script(
        "const {edges} = window.pyautoload;"
        "return edges.find((e) => e.source.name === 'app.web.form' && e.target.name === 'app.web.view').index"
    )
    fresh.execute_script("document.getElementById('in').click(); paint()")
    click_at(fresh, fresh.execute_script(f"return window.pyautoload.middleOf({index})"))
    text = css(fresh, "#panel")[0].text
    assert "app.web.form imports app.web.view" in text
    assert css(fresh, "#panel .excerpt .at")[0].text.endswith("from app.web import View")


@pytest.mark.once
def test_the_view_zooms_and_moves(fresh: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    before = fresh.execute_script("return {...window.pyautoload.view}")
    css(fresh, "#in")[0].click()
    assert fresh.execute_script("return window.pyautoload.view.scale") > before["scale"] * 1.3
    canvas = css(fresh, "#canvas")[0]
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    ActionChains(fresh).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, 400).perform()
    wait(fresh, f"window.pyautoload.view.scale < {before['scale']} * 1.3")
    x = fresh.execute_script("return window.pyautoload.view.x")
    ActionChains(fresh).click_and_hold(canvas).move_by_offset(60, 0).release().perform()
    assert abs(fresh.execute_script("return window.pyautoload.view.x") - x - 60) < 2
    css(fresh, "#fit")[0].click()
    assert abs(fresh.execute_script("return window.pyautoload.view.scale") - before["scale"]) < 1e-9


@pytest.mark.once
def test_namespaces_can_be_hidden_and_shown_alone(fresh: Any) -> None:
    css(fresh, "[data-only='app.area_3']")[0].click()
    assert fresh.execute_script("return canvas.dataset.shown") == "167"
    css(fresh, "[data-namespace='app.area_3.part_0']")[0].click()
    assert int(fresh.execute_script("return canvas.dataset.shown")) == 167 - 34
    css(fresh, "#all")[0].click()
    assert fresh.execute_script("return canvas.dataset.shown") == "2005"


@pytest.mark.once
def test_a_hidden_module_is_shown_when_it_is_searched_for(fresh: Any) -> None:
    css(fresh, "#none")[0].click()
    assert fresh.execute_script("return canvas.dataset.shown") == "0"
    search(fresh, "Thing77")
    assert int(fresh.execute_script("return canvas.dataset.shown")) > 0


@pytest.mark.once
def test_kinds_and_cycles_can_be_chosen(fresh: Any) -> None:
    def count() -> int:
        return int(fresh.execute_script("return canvas.dataset.edges"))

    everything = count()
    css(fresh, "[data-kind='1']")[0].click()
    import_time = count()
    assert 0 < import_time < everything
    css(fresh, "#cycles")[0].click()
    assert count() == 4
    assert fresh.execute_script("return canvas.dataset.shown") == "4"
    assert [item.text.split()[0] for item in css(fresh, "#cyclelist li")] == ["fails", "tolerated"]
    css(fresh, "#cyclelist .cycle")[1].click()
    assert "tolerated cycle" in css(fresh, "#panel")[0].text


@pytest.mark.once
def test_an_address_with_a_module_opens_at_that_module(page: Any) -> None:
    page.get(page.current_url.partition("#")[0] + "#app.models.User")
    page.refresh()
    assert css(page, "#panel")[0].get_attribute("data-module") == "app.models.user"


@pytest.mark.once
def test_the_page_makes_no_request(fresh: Any) -> None:
    entries = fresh.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert json.dumps(entries) == "[]"
