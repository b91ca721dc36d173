"""Real code bases to load: copies of installed packages without their tests and what cannot be imported by itself."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Missing, run
from benchmarks.trees import Tree


@dataclass(frozen=True)
class CodeBase:
    """A package to copy.

    Attributes:
        name: its name.
        title: for people.
        preload: another package that it needs, which is not what is measured.
    """

    name: str
    title: str
    preload: str = ""


CODE_BASES = (CodeBase("sympy", "SymPy", preload="mpmath"), CodeBase("django", "Django"))
LEFT_OUT = (
    "tests",
    "test",
    "test-examples",
    "migrations",
    "testing",
    "benchmarks",
    "*_template",
    "__pycache__",
    "*.pyc",
    "conftest.py",
)


def copied(code_base: CodeBase, work: Path) -> Tree:
    """The copy below ``work``, made once.

    Raises:
        Missing: it is not installed.
    """
    base = work / "real" / code_base.name
    listed = base / "names.txt"
    if not listed.exists():
        names = _copy(code_base.name, base)
        # What needs an optional package or a configured application goes, for both sides.
        failing = set(run([sys.executable, "-c", _FAILING, str(base), *names])["failing"])
        for name in failing:
            path = base.joinpath(*name.split("."))
            path.with_suffix(".py").unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
        kept = [name for name in names if not any(f"{name}.".startswith(f"{gone}.") for gone in failing)]
        listed.write_text("\n".join(kept) + "\n", encoding="utf-8")
    count = len(listed.read_text(encoding="utf-8").split())
    return Tree(base, base / code_base.name, listed, count, count)


_FAILING = """
import importlib, json, sys
base, *names = sys.argv[1:]
sys.path.insert(0, base)
failing = []
for name in names:
    try:
        importlib.import_module(name)
    except BaseException:
        failing.append(name)
print()
print(json.dumps({"failing": failing}))
"""


def _copy(package: str, base: Path) -> list[str]:
    """Copy the package; returns the names of its modules, sorted."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Missing(f"{package} is not installed: pip install 'pyautoload[bench]'")
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(Path(spec.origin).parent, base / package, ignore=shutil.ignore_patterns(*LEFT_OUT))
    names = []
    for file in (base / package).rglob("*.py"):
        parts = file.relative_to(base).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(name for name in names if name.rpartition(".")[2] != "__main__")
