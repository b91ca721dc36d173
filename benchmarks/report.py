"""``docs/performance.md``, its charts and its appendix, made from the JSON of a full run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import results, summary
from benchmarks.process import PROJECT
from benchmarks.table import groups, matrix, matrix_title, number, ratio, verdict

PAGE = PROJECT / "docs" / "performance.md"
APPENDIX = PROJECT / "docs" / "performance-appendix.md"
IMAGES = PROJECT / "docs" / "images"

_HEAD = """# Performance

<!-- Made by `python -m benchmarks report` from benchmarks/results.json. Change those, not this page. -->

Measured on {machine}.
Compare the ratios, not the milliseconds: your machine has others.

{pictures}

## Ten figures

{table}

Where another way is quicker, it says so: a reload of PyAutoload takes longer than `importlib.reload`, which leaves the
modules that depend on the edit with old code.

## How they were measured

Each contender ran {rounds} times, each time in a fresh process, interleaved with the others, after a warm-up that wrote
the bytecode. The figures are medians. {modules}
All figures, with their spread, are in the [appendix](performance-appendix.md).

## Repeat them

```console
$ pip install 'pyautoload[bench]'
$ make bench ARGS="list"
$ make bench ARGS="serve --quick"
$ make bench ARGS="all"
```

One benchmark with `--quick` takes seconds to a few minutes; `all` took {minutes:.0f} minutes here and writes a few GB
into `benchmarks/.work/`. Zeitwerk takes part where Ruby is installed. For your own project, run
[`pyautoload bench`](cli.md#bench).
"""
_APPENDIX = """# All figures

<!-- Made by `python -m benchmarks report` from benchmarks/results.json. Change those, not this page. -->

Every figure of `python -m benchmarks all`, for those who want to look closer; [Performance](performance.md) is the page
to read. {machine}. Given are the median, the least and the greatest, the middle half of the measurements, and the
ratio of the medians.

## Aims

What each benchmark was to reach, and whether it does.

{aims}
"""


def write(source: Path) -> None:
    """Write the page, its charts and the appendix from the JSON file ``source``."""
    content = results.read(source)
    for picture, drawn in summary.pictures(content):
        (IMAGES / picture.file).write_text(drawn, encoding="utf-8")
    PAGE.write_text(page(content), encoding="utf-8")
    APPENDIX.write_text(appendix(content), encoding="utf-8")
    print(f"{PAGE.relative_to(PROJECT)}, {APPENDIX.relative_to(PROJECT)} and the charts are written")


def page(content: dict[str, Any]) -> str:
    """The page for everybody."""
    images = [f"![{one.title}: {one.note}]({IMAGES.name}/{one.file})" for one, _ in summary.pictures(content)]
    return _HEAD.format(
        machine=_machine(content),
        modules=_modules(content),
        pictures="\n".join(images),
        table=summary.table(content),
        rounds=content["rounds"],
        minutes=content["minutes"],
    )


def appendix(content: dict[str, Any]) -> str:
    """Everything that was measured."""
    head = _APPENDIX.format(machine=_machine(content), aims=_aims(content))
    return "\n".join([head, *(_section(name, found) for name, found in content["benchmarks"].items())])


def _machine(content: dict[str, Any]) -> str:
    machine = content["machine"]
    loads = [result["load"][0] for found in content["benchmarks"].values() for result in found["results"]]
    return (
        f"{machine['implementation']} {machine['python']} on {machine['platform']}, {machine['cores']} cores"
        f"{' (' + machine['processor'] + ')' if machine['processor'] else ''}, {content['made']}, "
        f"load average before each group {min(loads):.1f} to {max(loads):.1f}"
    )


def _modules(content: dict[str, Any]) -> str:
    size = content.get("module_bytes")
    if size is None:
        return ""
    return (
        "The generated modules are about as large as the\n"
        "median module of Django: a class with methods, two functions, docstrings, three imports, on average\n"
        f"{size['source']:,} bytes."
    )


def _aims(content: dict[str, Any]) -> str:
    lines = ["| benchmark | case | measured | aim | |", "| --- | --- | --- | --- | --- |"]
    for name, found in content["benchmarks"].items():
        for result in found["results"]:
            for target in result["targets"]:
                lines.append(_aim(name, result, target))
    return "\n".join(lines)


def _aim(name: str, result: dict[str, Any], target: dict[str, Any]) -> str:
    show = ratio if target["kind"] == "ratio" else lambda value: f"{number(value)} {result['unit']}"
    against = f" of {target['against']}" if target["kind"] == "ratio" else ""
    against = f" more than {target['against']}" if target["kind"] == "difference" else against
    case = f"{target['side']}: {result['metric']}, {result['title']}, {result['page_cache']} page cache"
    reached = "reached" if target["reached"] else "**missed**"
    measured = "no figure" if target["measured"] is None else f"{show(target['measured'])}{against}"
    return f"| [{name}](#{name}) | {case} | {measured} | ≤ {show(target['at_most'])} | {reached} |"


def _section(name: str, found: dict[str, Any]) -> str:
    parts = [f"## {name}\n", found["title"] + "\n"]
    if found.get("text"):
        parts.append(found["text"] + "\n")
    for group in groups(found["results"]):
        if group[0].get("compact"):
            parts.append(_matrix(group))
        else:
            parts.append(_table(group[0]))
            parts += [f"{side}: {remark}.\n" for side, remark in group[0]["remarks"].items()]
            parts += [f"{verdict(target, group[0]['unit'])}.\n" for target in group[0]["targets"]]
        parts += [f"{side} was left out: {reason}.\n" for side, reason in group[0]["skipped"].items()]
    return "\n".join(parts)


def _matrix(group: list[dict[str, Any]]) -> str:
    """One table for all metrics of a group, and a list of what was aimed at."""
    heading, *rows = matrix(group)
    aims = [f"- {result['metric']}: {verdict(t, result['unit'])}." for result in group for t in result["targets"]]
    lines = [
        f"**{matrix_title(group)}**\n",
        *(f"| {' | '.join(row)} |" for row in (heading, ["---", *("---:" for _ in heading[1:])], *rows)),
        "",
        *([*aims, ""] if aims else []),
    ]
    return "\n".join(lines)


def _table(result: dict[str, Any]) -> str:
    unit = result["unit"]
    lines = [
        f"**{result['title']}: {result['metric']}**, {result['page_cache']} page cache, {result['rounds']} rounds\n",
        f"| contender | median {unit} | min to max | middle half | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, side in result["sides"].items():
        told = ratio(side["ratio"]) if "ratio" in side else "1" if name == result["baseline"] else ""
        low, high = side["quartiles"]
        lines.append(
            f"| {name} | {number(side['median'])} | {number(side['min'])} to {number(side['max'])} "
            f"| {number(low)} to {number(high)} | {told} |"
        )
    return "\n".join(lines) + "\n"
