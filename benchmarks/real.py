"""A real code base to load: a copy of the installed SymPy without its tests and what cannot be imported alone."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from benchmarks.process import run
from benchmarks.trees import Tree

NAME = "sympy"


class NotInstalled(RuntimeError):
    """The code base is not installed here."""


def code_base(work: Path) -> Tree:
    """The copy below ``work``, made once."""
    base = work / "real"
    listed = base / "names.txt"
    if not listed.exists():
        names = _copy(base)
        # Optional back ends fail without what they are optional for: those files go, for both sides.
        failing = set(run([sys.executable, "-c", _FAILING, str(base), *names])["failing"])
        for name in failing:
            path = base.joinpath(*name.split("."))
            path.with_suffix(".py").unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
        kept = [name for name in names if not any(f"{name}.".startswith(f"{gone}.") for gone in failing)]
        listed.write_text("\n".join(kept) + "\n", encoding="utf-8")
    count = len(listed.read_text(encoding="utf-8").split())
    return Tree(base, base / NAME, listed, count, count)


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


def _copy(base: Path) -> list[str]:
    """Copy the package; returns the names of its modules, sorted."""
    spec = importlib.util.find_spec(NAME)
    if spec is None or spec.origin is None:
        raise NotInstalled(f"{NAME} is not installed: pip install 'pyautoload[bench]'")
    shutil.rmtree(base, ignore_errors=True)
    left_out = shutil.ignore_patterns("tests", "testing", "benchmarks", "__pycache__", "*.pyc", "conftest.py")
    shutil.copytree(Path(spec.origin).parent, base / NAME, ignore=left_out)
    names = []
    for file in (base / NAME).rglob("*.py"):
        parts = file.relative_to(base).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(name for name in names if name.rpartition(".")[2] != "__main__")
