"""The command: ``python -m benchmarks NAME...``, ``all``, ``list`` or ``report``."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path
from types import ModuleType

from benchmarks import results, suite
from benchmarks.measure import Result
from benchmarks.plan import WORK, Plan
from benchmarks.process import HERE

FULL_RUN = HERE / "results.json"


def benchmarks() -> dict[str, str]:
    """Name on the command line → module; a trailing underscore sets a name apart from a keyword."""
    stems = sorted(info.name for info in pkgutil.iter_modules(suite.__path__))
    return {stem.rstrip("_").replace("_", "-"): f"{suite.__name__}.{stem}" for stem in stems}


def title(module: ModuleType) -> tuple[str, str]:
    """What a benchmark's docstring says: its first line, and what follows."""
    first, _, text = (module.__doc__ or "").strip().partition("\n")
    return first, text.strip()


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="+", help=f"all, list, report, or some of: {', '.join(benchmarks())}")
    parser.add_argument("--quick", action="store_true", help="only the small tree, 3 rounds, no cold page cache")
    parser.add_argument("--rounds", type=int, help="measurements of each contender (5)")
    parser.add_argument("--modules", type=int, action="append", help="size of a tree; give it several times, ascending")
    parser.add_argument("--work", type=Path, default=WORK, help="where the generated trees go")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument(
        "--update", action="store_true", help="measure again and replace only that in the full run's JSON"
    )
    parser.add_argument("--no-cold", action="store_true", help="leave out what needs an empty page cache")
    parser.add_argument("--no-ruby", action="store_true", help="leave Zeitwerk out")
    parser.add_argument("--no-real", action="store_true", help="leave the real code base out")
    return parser.parse_args(arguments)


def planned(options: argparse.Namespace) -> Plan:
    from rich.console import Console

    status = Console(stderr=True)
    sizes = tuple(options.modules or ((1_000,) if options.quick else (1_000, 10_000, 100_000)))
    return Plan(
        rounds=options.rounds or (3 if options.quick else 5),
        sizes=sizes,
        work=options.work.absolute(),
        cold=not (options.quick or options.no_cold),
        ruby=not options.no_ruby,
        real=not (options.quick or options.no_real),
        say=lambda message: status.print(
            f"{time.strftime('%H:%M:%S')} {message}", style="dim", markup=False, highlight=False
        ),
    )


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    known = benchmarks()
    if options.name == ["list"]:
        for name, module in known.items():
            print(f"{name:16} {title(importlib.import_module(module))[0]}")
        return 0
    if options.name == ["report"]:
        from benchmarks import report

        report.write(options.json or FULL_RUN)
        return 0
    wanted = list(known) if options.name == ["all"] else options.name
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    return measured(options, {name: importlib.import_module(known[name]) for name in wanted})


def measured(options: argparse.Namespace, modules: dict[str, ModuleType]) -> int:
    """Run the benchmarks one after the other; one that fails is told at the end and spoils no other."""
    from rich.console import Console

    from benchmarks import table

    console = Console()
    if not console.is_terminal:
        console.width = 120
    plan = planned(options)
    found: dict[str, list[Result]] = {}
    failed: dict[str, str] = {}
    titles = {name: title(module) for name, module in modules.items()}
    single = next(iter(modules)) if len(modules) == 1 else "some"
    path = options.json or (FULL_RUN if _is_full(options) else plan.work / "results" / f"{single}.json")
    earlier = results.read(path) if options.update else None
    for name, module in modules.items():
        try:
            # What was measured before something failed is kept.
            for result in module.run(plan):
                found.setdefault(name, []).append(result)
        except Exception as error:  # noqa: BLE001 - reported below and in the exit code; the other benchmarks go on
            # Without the place of this checkout: it goes into the JSON.
            failed[name] = f"{type(error).__name__}: {error}".replace(f"{HERE.parent}{os.sep}", "")
            console.print(f"{name} failed: {failed[name]}", style="bold red", markup=False, highlight=False)
        if name in found:
            table.show(console, titles[name][0], found[name])
        content = results.document(plan, found, titles, failed)
        results.write(path, results.updated(earlier, content) if earlier else content)
    console.print(f"Figures: {path}", highlight=False)
    return 1 if failed else 0


def _is_full(options: argparse.Namespace) -> bool:
    return options.update or (options.name == ["all"] and not (options.quick or options.modules))


if __name__ == "__main__":
    sys.exit(main())
