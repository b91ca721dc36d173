"""The plot of a full run: growth with the size of the code base, and the ratios, as one SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

OURS, OTHERS, MUTED = "#1b6ca8", "#c05a2e", "#8a8f98"
# Contender → colour, line, in the order of the legend.
GROWTH = {
    "stock import": (OTHERS, "-"),
    "eager_load()": (OURS, "-"),
    "floor: unmarshal and run": (MUTED, ":"),
    "Zeitwerk eager_load (Ruby)": (MUTED, "--"),
}


def draw(content: dict[str, Any], path: Path) -> None:
    """Draw the figures of ``content``, the JSON of a run, into ``path``."""
    import matplotlib

    matplotlib.use("svg")
    # The same file for the same figures: no random ids, no date; text stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "pyautoload", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(8, 8.5), height_ratios=(1, 1.3))
    _growth(upper, content)
    _ratios(lower, content)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def _growth(axes: Any, content: dict[str, Any]) -> None:
    """Time of an eager load by the number of modules, both logarithmic: linear growth is a straight line."""
    results = content["benchmarks"].get("eager", {}).get("results", [])
    for name, (colour, line) in GROWTH.items():
        points = [
            (int(result["title"].split()[0].replace(",", "")), result["sides"][name])
            for result in results
            if name in result["sides"]
        ]
        if not points:
            continue
        sizes = [size for size, _ in points]
        medians = [side["median"] for _, side in points]
        errors = [
            [side["median"] - side["min"] for _, side in points],
            [side["max"] - side["median"] for _, side in points],
        ]
        axes.errorbar(sizes, medians, yerr=errors, color=colour, linestyle=line, marker="o", markersize=3, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
    axes.yaxis.set_major_formatter(lambda time, _: f"{time:,.0f}")
    axes.set_xlabel("modules")
    axes.set_ylabel("ms")
    axes.set_title("Load everything, warm page cache")
    axes.grid(alpha=0.25, which="both", linewidth=0.5)
    if results:
        axes.legend(frameon=False)


def _ratios(axes: Any, content: dict[str, Any]) -> None:
    """Each ratio that has an aim: a bar for what was measured, a tick for the aim, a line where the opponent is."""
    bars = []
    for name, benchmark in content["benchmarks"].items():
        for result in benchmark["results"]:
            for target in result["targets"]:
                if target["kind"] == "ratio":
                    bars.append((f"{name}: {_short(result)}\n{target['side']}: {result['metric']}", target))
    bars.reverse()
    for row, (_, target) in enumerate(bars):
        axes.barh(row, target["measured"], color=OURS if target["reached"] else OTHERS, height=0.6)
        axes.plot([target["at_most"]] * 2, [row - 0.4, row + 0.4], color="black", linewidth=1.2)
    axes.axvline(1, color=MUTED, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontsize=6.5)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:g}×")
    axes.set_title("What PyAutoload takes, as a share of what the alternative takes")
    axes.set_xlabel("black tick: the aim, blue: reached; grey line: as much as the alternative")


def _short(result: dict[str, Any]) -> str:
    cold = "" if result["page_cache"] == "warm" else ", cold"
    return f"{result['title']}{cold}"
