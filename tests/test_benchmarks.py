"""The benchmarks run, their figures are complete, and nobody is timed for work not done. No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import report, results, summary
from benchmarks.__main__ import FULL_RUN
from benchmarks.measure import Group, Metric, NotLoaded, Target, measure
from benchmarks.process import environment, python
from benchmarks.trees import generated

pytestmark = pytest.mark.once

PROJECT = Path(__file__).parent.parent
MODULES = 30


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of a run over a tiny tree."""
    work = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "eager", "lazy", "scan", "setup", "import"]
    command += ["--modules", str(MODULES), "--rounds", "2", "--no-ruby", "--no-cold", "--no-real"]
    command += ["--work", str(work), "--json", str(work / "figures.json")]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    content: dict[str, Any] = json.loads((work / "figures.json").read_text(encoding="utf-8"))
    return content


def test_the_json_says_where_and_how_the_figures_were_made(figures: dict[str, Any]) -> None:
    assert figures["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert figures["machine"]["cores"] >= 1
    assert figures["rounds"] == 2
    assert figures["failed"] == {}


def test_each_contender_has_a_value_for_each_round_with_median_and_spread(figures: dict[str, Any]) -> None:
    for found in figures["benchmarks"].values():
        for result in found["results"]:
            assert result["page_cache"] == "warm"
            for side in result["sides"].values():
                assert len(side["values"]) == 2
                assert side["min"] <= side["quartiles"][0] <= side["median"] <= side["quartiles"][1] <= side["max"]


def test_what_has_a_baseline_is_given_as_a_ratio_to_it(figures: dict[str, Any]) -> None:
    result, _ = figures["benchmarks"]["eager"]["results"]
    stock, ours = result["sides"]["stock import"], result["sides"]["eager_load()"]
    assert ours["ratio"] == pytest.approx(ours["median"] / stock["median"])
    assert ours["ratio_range"][0] <= ours["ratio_range"][1]


def test_every_contender_loaded_every_module(figures: dict[str, Any]) -> None:
    result, _ = figures["benchmarks"]["eager"]["results"]
    packages = 2  # the top one and the one that holds the modules
    loaded = {name: side["checked"]["loaded"] for name, side in result["sides"].items()}
    assert set(loaded) >= {"stock import", "eager_load()", "floor: unmarshal and run"}
    assert set(loaded.values()) == {MODULES + packages}


def test_a_contender_that_did_not_load_everything_is_refused(tmp_path: Path) -> None:
    tree = generated(tmp_path, 3)
    tree.names.write_text("bigapp\nbigapp.package_00\n", encoding="utf-8")
    side = {"stock import": python("stock.eager", tree=tree.base, names=tree.names)}
    group = Group("a part of it", side, [Metric("ms", "time", "ms")], expect={"loaded": tree.count})
    with pytest.raises(NotLoaded, match="loaded = 2, 5 are needed"):
        measure(group, 1, print)


def test_contenders_take_turns_and_a_missing_one_is_told() -> None:
    order: list[str] = []

    def side(name: str, value: float) -> Any:
        def start() -> dict[str, Any]:
            order.append(name)
            return {"ms": value}

        return start

    absent = python("attach.first", needs="surely_not_installed_anywhere")
    sides = {"a": side("a", 4.0), "b": side("b", 1.0), "absent": absent}
    metric = Metric("ms", "time", "ms", baseline="a", targets=[Target("b", 0.5, "a"), Target("b", 0.5)])
    (result,) = measure(Group("two", sides, [metric]), 3, lambda message: None)
    assert order[2:] == ["a", "b", "b", "a", "a", "b"]
    assert [target["reached"] for target in result.targets] == [True, False]
    assert list(result.skipped) == ["absent"]


def test_a_tree_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (generated(tmp_path / name, 120) for name in ("one", "two"))
    assert first.count == 120 + 2 + 1
    assert first.names.read_text(encoding="utf-8") == second.names.read_text(encoding="utf-8")
    file = "package_01/__init__.py"
    assert (first.root / file).read_bytes() == (second.root / file).read_bytes()


def test_the_page_is_made_from_the_json(figures: dict[str, Any]) -> None:
    page = report.appendix(figures)
    assert "## eager" in page
    assert "| stock import |" in page
    assert "drop_caches" not in page


def test_the_summary_has_ten_rows_and_three_charts() -> None:
    content = results.read(FULL_RUN)
    page = report.page(content)
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    assert len(rows) == 10
    drawn = list(summary.pictures(content))
    assert len(drawn) == 3
    for picture, svg in drawn:
        assert f"images/{picture.file}" in page
        assert ElementTree.fromstring(svg).get("viewBox", "").startswith("0 0 400 ")
    # What is committed is what the figures say.
    assert report.PAGE.read_text(encoding="utf-8") == page
