"""A code base to edit while it is loaded: one hub that all use, one module with fifty dependents, one with none."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.opponents.live import DEPENDENTS, DIRECT, TOP, source_of

_MODULE = '''"""Part {number} of the application."""

from {top}.core.hub import LIMIT, scaled
{imports}

SIZE = LIMIT + {number}
{derived}

class Part{number:05}:
    """One record."""

    size = SIZE

    def __init__(self, identifier, amount=0, state="draft"):
        self.identifier = identifier
        self.amount = amount
        self.state = state

    def advance(self):
        states = ("draft", "open", "closed")
        self.state = states[min(states.index(self.state) + 1, 2)]
        return self.state

    def weight(self):
        return scaled(self.amount) + self.size


def total(records, rate=1.0):
    """The sum of what is not closed."""
    return sum(record.amount * rate for record in records if record.state != "closed")


def grouped(records, key="state"):
    groups = {{}}
    for record in records:
        groups.setdefault(getattr(record, key), []).append(record)
    return groups
'''


@dataclass(frozen=True)
class EditTree:
    """The code base: ``base`` for ``sys.path``, ``root`` for a loader, the file with its names, how many there are."""

    base: Path
    root: Path
    names: Path
    count: int


def edit_tree(work: Path, modules: int) -> EditTree:
    """The tree of ``modules`` modules below ``work``, made once."""
    base = work / f"edits-{modules}"
    listed = base / "names.txt"
    if not listed.exists():
        shutil.rmtree(base, ignore_errors=True)
        names = _write(base, modules)
        listed.write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")
    count = len(listed.read_text(encoding="utf-8").split())
    return EditTree(base, base / TOP, listed, count)


def _write(base: Path, modules: int) -> list[str]:
    root = base / TOP
    names = [TOP, f"{TOP}.core"]
    core = root / "core"
    core.mkdir(parents=True)
    for folder in (root, core):
        (folder / "__init__.py").touch()
    for stem in ("hub", "mid", "leaf"):
        (core / f"{stem}.py").write_text(source_of(stem, 1, 1), encoding="utf-8")
        names.append(f"{TOP}.core.{stem}")
    for number in range(modules - 3):
        package = f"package_{number // 100:03}"
        folder = root / package
        if number % 100 == 0:
            folder.mkdir()
            (folder / "__init__.py").touch()
            names.append(f"{TOP}.{package}")
        (folder / f"part_{number:05}.py").write_text(_part(number), encoding="utf-8")
        names.append(f"{TOP}.{package}.part_{number:05}")
    return names


def _part(number: int) -> str:
    """The first ten use ``mid`` itself, the next forty use what one of those ten has made of it."""
    imports = derived = ""
    if number < DIRECT:
        imports, derived = f"from {TOP}.core.mid import RATE, rated", "DERIVED = RATE * 2\n"
    elif number < DEPENDENTS:
        imports = f"from {TOP}.package_000.part_{number % DIRECT:05} import DERIVED as BASE"
        derived = "DERIVED = BASE + 1\n"
    return _MODULE.format(top=TOP, number=number, imports=imports, derived=derived)
