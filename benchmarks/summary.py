"""What a person wants to know first: three charts and ten rows, chosen from a full run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.charts import Bar, chart
from benchmarks.table import number, ratio


class Row(NamedTuple):
    """A row of the table: what is asked, and where its figure is."""

    question: str
    benchmark: str
    title: str
    metric: str
    ours: str
    other: str
    cache: str = "warm"


class Picture(NamedTuple):
    """A chart: its file, and the contenders that it shows under which name, ours first."""

    file: str
    title: str
    note: str
    benchmark: str
    case: str
    metric: str
    shown: dict[str, str]
    cache: str = "warm"


# Where another way is quicker it has its row as well.
ROWS = [
    Row("save → next response, FastAPI, 1,000 modules", "serve", "FastAPI, 1,000 modules", "a view, median of 7 edits", "pyautoload serve", "uvicorn --reload"),
    Row("save → next response, Django, 1,000 modules", "serve", "Django, 1,000 modules", "a view, median of 7 edits", "pyautoload serve", "runserver, intervals"),
    Row("longest wait of other requests during these edits", "serve", "FastAPI, 1,000 modules", "longest wait of another request during these edits", "pyautoload serve", "uvicorn --reload"),
    Row("reload of a function body, 1,000 modules", "reload", "1,000 modules", "a function body, no dependents", "PyAutoload", "watchdog + importlib.reload"),
    Row("modules left with old code, after an edit of a constant", "reload", "1,000 modules", "left stale by a constant of 50 dependents", "PyAutoload", "watchdog + importlib.reload"),
    Row("`setup()`, 100,000 modules", "setup", "100,000 modules", "names available", "setup()", "pkgutil.walk_packages"),
    Row("load everything, 10,000 modules", "eager", "10,000 modules", "everything loaded", "eager_load()", "stock import"),
    Row("the same from a bundle, nothing in the page cache", "bundle", "10,000 modules", "everything loaded", "bundle, trusted", "stock import", "empty (drop_caches)"),
    Row("memory of 4 gunicorn workers, 10,000 modules", "prefork", "gunicorn, 10,000 modules", "4 workers (PSS)", "preload, eager_load(freeze=True)", "each worker loads by itself"),
    Row("first module of a package that is imported lazily", "lazy", "one package of 10,000 modules", "first module of a package", "lazy import", "stock import"),
]  # fmt: skip

PICTURES = [
    Picture(
        "performance-serve.svg", "Save a file → it is in the next response", "FastAPI, 1,000 modules, ms, less is better",
        "serve", "FastAPI, 1,000 modules", "a view, median of 7 edits",
        {"pyautoload serve": "pyautoload serve", "uvicorn-hmr": "uvicorn-hmr", "uvicorn --reload": "uvicorn --reload"},
    ),
    Picture(
        "performance-load.svg", "Load everything", "10,000 modules, nothing in the page cache, ms, less is better",
        "bundle", "10,000 modules", "everything loaded",
        {"bundle, trusted": "eager_load() from a bundle", "eager_load()": "eager_load()", "stock import": "Python's import"},
        "empty (drop_caches)",
    ),
    Picture(
        "performance-memory.svg", "Memory of 4 workers", "gunicorn, 10,000 modules, MB, less is better",
        "prefork", "gunicorn, 10,000 modules", "4 workers (PSS)",
        {
            "preload, eager_load(freeze=True)": "preload, eager_load(freeze=True)",
            "preload, eager_load()": "preload, eager_load()",
            "each worker loads by itself": "each worker loads by itself",
        },
    ),
]  # fmt: skip


def table(content: dict[str, Any]) -> str:
    """The rows that the run has figures for."""
    lines = ["| | PyAutoload | against | | ratio |", "| --- | ---: | --- | ---: | ---: |"]
    for row in ROWS:
        result = _result(content, row.benchmark, row.title, row.metric, row.cache)
        if result is None or not {row.ours, row.other} <= result["sides"].keys():
            continue
        ours, other = (result["sides"][side]["median"] for side in (row.ours, row.other))
        unit, told = result["unit"], ratio(ours / other) if ours and other else ""
        question = f"[{row.question}](performance-appendix.md#{row.benchmark})"
        lines.append(f"| {question} | {number(ours)} {unit} | {row.other} | {number(other)} {unit} | {told} |")
    return "\n".join(lines)


def pictures(content: dict[str, Any]) -> Iterator[tuple[Picture, str]]:
    """The charts that the run has figures for, each with its SVG."""
    for picture in PICTURES:
        result = _result(content, picture.benchmark, picture.case, picture.metric, picture.cache)
        if result is None:
            continue
        bars = [
            Bar(
                label,
                result["sides"][side]["median"],
                number(result["sides"][side]["median"]),
                index == 0 or "eager_load" in side,
            )
            for index, (side, label) in enumerate(picture.shown.items())
            if side in result["sides"]
        ]
        yield picture, chart(picture.title, picture.note, bars)


def _result(content: dict[str, Any], benchmark: str, title: str, metric: str, cache: str) -> dict[str, Any] | None:
    for result in content["benchmarks"].get(benchmark, {}).get("results", []):
        if (result["title"], result["metric"], result["page_cache"]) == (title, metric, cache):
            return dict(result)
    return None
