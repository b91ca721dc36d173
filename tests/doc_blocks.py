"""The code blocks of a page of documentation, and how they are run.

A page is a directory of its own, and its blocks are worked through from top to bottom:

- ``python`` beginning with ``# some/file.py`` (or ``toml`` with ``# pyproject.toml``) is that file. A Python block
  without a name, or with one that has no directory, is a program too: it runs. A ``text`` block right after it is what
  it prints.
- ``console`` holds commands after ``$``, and what they print. ``pyautoload``, ``python``, ``pytest``, ``mypy`` run
  (``pyautoload serve`` until it serves); other commands are for the reader. A line ``...`` stands for any number of
  lines, one within a line for its rest.
- ``pyi`` beginning with ``# some/file.pyi`` is what a command has written into that file, without its header.
- ``ipython`` is a cell of a notebook: another test runs those of docs/notebooks.md in a kernel.
- ``json`` and ``toml`` are read by their parsers, ``mermaid`` has to be a diagram that exists.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import pyautoload

FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# ([\w./-]+\.(?:py|toml|pyi))\n")
# Where the package is not installed but only importable, its entry point for pytest is not there either.
PLUGIN = [] if entry_points(group="pytest11", name="pyautoload") else ["-p", "pyautoload.pytest_plugin"]
RUN = {
    "pyautoload": ["-m", "pyautoload"],
    "python": [],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", *PLUGIN],
    "mypy": ["-m", "mypy"],
}
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
FOR_READERS = {
    "pip",
    "make",
    "uv",
    "git",
    "npm",
    "code",
    "gunicorn",
    "flask",
    "uvicorn",
    "celery",
    "cd",
    "source",
    "pyright",
    "nox",
}
DIAGRAMS = {"flowchart", "sequenceDiagram", "stateDiagram-v2", "classDiagram"}
LANGUAGES = {"python", "toml", "console", "text", "json", "mermaid", "ini", "lua", "pyi", "ipython"}


class Block(NamedTuple):
    """One code block."""

    language: str
    source: str

    @property
    def file(self) -> str | None:
        """``'shop/models/order.py'`` for a block that says so in its first line."""
        named = NAMED.match(self.source)
        return named[1] if named else None


def blocks(page: str) -> list[Block]:
    """The blocks of a page; those in a list item without its indentation."""
    return [
        Block(match[2], re.sub(f"^{match[1]}", "", match[3], flags=re.MULTILINE) if match[1] else match[3])
        for match in FENCE.finditer(page)
    ]


class Page:
    """Works through a page in a directory."""

    def __init__(self, text: str, directory: Path) -> None:
        self.blocks = blocks(text)
        self.directory = directory
        # How many blocks were run or checked by something else than a look at their language.
        self.checked = 0

    def run(self) -> None:
        """Work through it; raises ``AssertionError`` where a block does not do what the page says."""
        for number, block in enumerate(self.blocks):
            following = self.blocks[number + 1] if number + 1 < len(self.blocks) else Block("", "")
            assert block.language in LANGUAGES, f"a block has the language {block.language!r}:\n{block.source}"
            if block.language == "pyi":
                self._written(block)
            elif block.file is not None:
                self._write(block)
            if block.language == "python" and (block.file is None or "/" not in block.file):
                self._python(block, following.source if following.language == "text" else None)
            elif block.language == "console":
                self._console(block)
            elif block.language == "toml":
                self._toml(block)
            elif block.language == "json":
                json.loads(block.source)
            elif block.language == "mermaid":
                assert block.source.split()[0] in DIAGRAMS
            self.checked += block.language not in ("text",)

    def _write(self, block: Block) -> Path:
        path = self.directory / (block.file or f"block{self.checked}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.source, encoding="utf-8")
        return path

    def _written(self, block: Block) -> None:
        assert block.file is not None
        expected = block.source.partition("\n")[2]
        assert (self.directory / block.file).read_text(encoding="utf-8").endswith(f"\n\n{expected}")

    def _python(self, block: Block, output: str | None) -> None:
        path = self._write(block)
        printed = self._process([path.name])
        if output is not None:
            assert matches(output, printed), f"{block.source}\nprints\n{printed}\nnot\n{output}"

    def _toml(self, block: Block) -> None:
        if sys.version_info >= (3, 11):
            import tomllib

            tomllib.loads(block.source)

    def _console(self, block: Block) -> None:
        for command, output in commands(block.source):
            words = [word for word in shlex.split(command, comments=True) if not ASSIGNMENT.fullmatch(word)]
            if words[0] not in RUN:
                assert words[0] in FOR_READERS, f"it is not said whether this is to be run: {command}"
                continue
            if words[:2] == ["pyautoload", "serve"]:
                self._stay([*words[1:], "--port", "0"], " serving ")
                continue
            if words[:2] == ["pyautoload", "test"] and "--once" not in words:
                self._stay(words[1:], "waiting for the next save")
                continue
            printed = self._process([*RUN[words[0]], *words[1:]], fails=True)
            if output.strip():
                assert matches(output, printed), f"$ {command}\nprints\n{printed}\nnot\n{output}"

    def _stay(self, arguments: list[str], sign: str) -> None:
        """Start what stays until it is told to end, and end it when it says that it is up, or has ended by itself."""
        arguments = [sys.executable, "-m", "pyautoload", *arguments]
        with subprocess.Popen(
            arguments,
            cwd=self.directory,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None
            printed = ""
            try:
                for line in process.stdout:
                    printed += line
                    if sign in line or "Error" in line:
                        break
            finally:
                process.terminate()
            assert sign in printed, f"{arguments}:\n{printed}{process.stdout.read()}"

    def _environment(self) -> dict[str, str]:
        """Without what belongs to the run of pytest that this is a part of."""
        # CI: there pytest prints its summary at full length.
        left_out = ("PYTEST", "COV_", "CI")
        source = str(Path(pyautoload.__file__).parent.parent)
        environment = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
        return {**environment, "PYTHONPATH": source, "PYTHONUTF8": "1", "NO_COLOR": "1"}

    def _process(self, arguments: list[str], *, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.directory,
            env={**self._environment(), "COLUMNS": "80" if "pytest" in arguments else "100"},
            capture_output=True,
            encoding="utf-8",
            timeout=100,
        )
        assert fails or done.returncode == 0, f"{arguments} failed:\n{done.stdout}{done.stderr}"
        return (done.stdout + done.stderr).replace(str(self.directory), "/project")


def commands(source: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output below it."""
    found: list[tuple[str, list[str]]] = []
    for line in source.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    yield from ((command, "\n".join(output)) for command, output in found)


def matches(expected: str, printed: str) -> bool:
    """Whether a program prints what the page says, ``...`` standing for anything."""
    lines = [
        ".*" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", "[^\n]*")
        for line in expected.strip().splitlines()
    ]
    found = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch("\n".join(lines), found, re.DOTALL) is not None
