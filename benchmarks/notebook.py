"""What a cell of a notebook pays for its edits being brought in: PyAutoload against IPython's ``%autoreload``.

`python -m benchmarks.notebook [MODULES]` makes so many modules (1,000), imports all of them in an IPython shell, and
measures what runs before and after a cell. Medians, in milliseconds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MODES = {
    "PyAutoload": "%load_ext pyautoload",
    "%autoreload 2": "%load_ext autoreload\n%autoreload 2",
    "%autoreload 3": "%load_ext autoreload\n%autoreload 3",
}
_MODULE = '''"""Module {number}."""

LIMIT = {number}


class Model{number}:
    def __init__(self, size):
        self.size = size

    def score(self):
        return self.size + LIMIT


def fit{number}(size):
    return Model{number}(size * 2)
'''


def write_project(directory: Path, count: int) -> None:
    """A package of so many modules, each of which imports an earlier one."""
    package = directory / "lab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for number in range(count):
        above = f"from lab.m{number // 2} import fit{number // 2}\n" if number else ""
        (package / f"m{number}.py").write_text(above + _MODULE.format(number=number))
    (package / "all.py").write_text("".join(f"import lab.m{number}\n" for number in range(count)))


def measure(mode: str, count: int) -> None:
    """Print what one way costs, in this process."""
    from IPython.core.interactiveshell import InteractiveShell

    sys.path.insert(0, "")
    shell: Any = InteractiveShell.instance()
    shell.run_cell(_MODES[mode])
    cells = [
        f"import lab.all\nfrom lab.m{count - 1} import fit{count - 1}, LIMIT",
        f"x = fit{count - 1}(1)",
        "y = x.score()",
    ]
    for cell in cells:
        shell.run_cell(cell, store_history=True)
    time.sleep(1)
    quiet = _timed(shell, "1", 200)
    path = Path(f"lab/m{count - 1}.py")
    edits = []
    for number in range(11):
        path.write_text(path.read_text().replace(f"size * {number + 2}", f"size * {number + 3}"))
        time.sleep(0.05)
        edits += _timed(shell, "1", 1)
    head = f"{mode:15} nothing changed {statistics.median(quiet):7.3f} (most {max(quiet):.3f})"
    print(f"{head}, a body edited {statistics.median(edits):7.1f} (first {edits[0]:.1f})")


def _timed(shell: Any, cell: str, times: int) -> list[float]:
    """What is called before and after a cell, in milliseconds."""
    spent: list[float] = []
    trigger: Callable[..., Any] = shell.events.trigger

    def timed(event: str, *args: Any, **options: Any) -> None:
        start = time.perf_counter()
        trigger(event, *args, **options)
        spent[-1] += (time.perf_counter() - start) * 1000

    shell.events.trigger = timed
    for _ in range(times):
        spent.append(0.0)
        shell.run_cell(cell, store_history=True)
    shell.events.trigger = trigger
    return spent


def main() -> None:
    """Each way in a process of its own."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    for mode in _MODES:
        with tempfile.TemporaryDirectory() as directory:
            write_project(Path(directory), count)
            code = f"from benchmarks.notebook import measure; measure({mode!r}, {count})"
            here = str(Path(__file__).parent.parent)
            env = {**os.environ, "PYTHONPATH": here, "IPYTHONDIR": os.path.join(directory, ".ipython")}
            subprocess.run([sys.executable, "-c", code], cwd=directory, env=env, check=True)


if __name__ == "__main__":
    main()
