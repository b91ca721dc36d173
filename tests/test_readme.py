"""Every Python block of the README runs as it stands, in the order of the page, and prints what it says.

A block that begins with ``# some/file.py`` goes into that file; one without a directory is a program to run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyautoload

PROJECT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A Python block, and the ``text`` block right after it, if any, which says what it prints."""

    source: str
    output: str | None

    @property
    def file(self) -> str | None:
        """``'shop/models/order.py'`` for a block that says so in its first line."""
        named = re.match(r"# ([\w/]+\.py)\n", self.source)
        return named[1] if named else None


def blocks(page: str) -> Iterator[Block]:
    found = [(match[1], match[2]) for match in FENCE.finditer(page)]
    for (language, source), (next_language, following) in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "python":
            yield Block(source, following if next_language == "text" else None)


def run(program: Path, directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, program.name],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(pyautoload.__file__).parent.parent), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, f"{program.read_text(encoding='utf-8')}\n{done.stderr}"
    return done.stdout


def test_every_python_block_of_the_readme_runs_and_prints_what_it_says(tmp_path: Path) -> None:
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    ran = 0
    for number, block in enumerate(blocks(page)):
        path = tmp_path / (block.file or f"block{number}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.source, encoding="utf-8")
        if path.parent == tmp_path:
            output = run(path, tmp_path)
            ran += 1
            assert block.output is None or output == block.output
    assert ran >= 3


def test_the_readme_links_only_to_what_is_there() -> None:
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", page) if "://" not in target]
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []
