"""The loop for editors and coding agents: the tools of ``pyautoload mcp``, over the Model Context Protocol.

``sync``, ``tests`` and ``problems`` ask the ``pyautoload serve`` and ``pyautoload test`` that run in the project;
``explain`` and ``check`` read the files.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pyautoload.autoloader import AutoLoader
from pyautoload.errors import AutoloadError, SetupError
from pyautoload.settings import Settings, load
from pyautoload.warm.questions import ask

__all__ = ["Tools", "run"]

_COMMANDS = ("serve", "test")
_INSTRUCTIONS = """\
After you have edited files, call `sync`: it waits until every edit is applied, and says what was reloaded, which tests
the edits affect and how they came out, and which requests raised since. It needs `pyautoload test` or
`pyautoload serve` to run in the project. `explain` and `check` need neither."""


class Tools:
    """What can be asked of one project.

    Args:
        directory: of the project.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        # Two loaders would claim the same directories.
        self._alone = threading.Lock()

    def sync(self) -> dict[str, Any]:
        """Wait until every edit so far is applied, then say what came of it since the last call.

        `test`: files that were `reloaded` or are `broken` (with the error), the tests that were `selected` with
        reasons, `counts`, those that `failed` with their report, and all that are `failing` now. `serve`: `reloads`,
        `restarts`, what was `not_verified` by a fresh process, requests that `raised`, the edit that is `failing`.
        """
        return self._ask_all("sync", {})

    def tests(self, pattern: str = "", failed: bool = True, run: bool = False) -> dict[str, Any]:
        """The last outcomes of tests, of a running `pyautoload test`.

        Args:
            pattern: part of a test's id, or a pattern with `*`; all tests by default.
            failed: only those that fail.
            run: run them again first.
        """
        answer = ask(self.directory, "test", "tests", {"pattern": pattern, "failed": failed, "run": run})
        return answer if answer is not None else self._nobody(("test",))

    def problems(self) -> dict[str, Any]:
        """What is wrong now: files that do not compile, failing tests, edits not applied, requests that raised."""
        return self._ask_all("problems", {})

    def explain(self, subject: str) -> dict[str, Any]:
        """Say step by step what a dotted name or a path leads to: which root, which rule, which file, or why not.

        Args:
            subject: `shop.models.Order`, or `shop/models/order.py`.
        """
        from pyautoload.checking.explanation import explain

        try:
            with self._loader() as (loader, _):
                found = explain(loader, subject)
        except AutoloadError as error:
            return {"error": str(error)}
        steps = [{"ok": step.ok, "text": step.text} for step in found.steps]
        return {
            "found": found.found,
            "file": found.file,
            "name": found.name,
            "provides": found.provides,
            "steps": steps,
        }

    def check(self, imports: bool = False) -> dict[str, Any]:
        """Find every problem of the tree at once: names, conflicts, import cycles, imports of what is not there.

        Args:
            imports: import each module, too, in a process of its own; otherwise nothing is run.
        """
        from pyautoload.checking.problem_search import find_problems

        try:
            with self._loader() as (loader, settings):
                plain, base = settings.plain_modules, settings.directory
                problems = find_problems(loader, static=not imports, plain=plain, base=base)
        except AutoloadError as error:
            return {"error": str(error)}
        return {"problems": [problem.as_dict() for problem in problems]}

    @contextmanager
    def _loader(self) -> Iterator[tuple[AutoLoader, Settings]]:
        with self._alone:
            settings = load(self.directory)
            loader = settings.apply(AutoLoader(tag=settings.tag))
            try:
                yield loader, settings
            finally:
                loader.unregister()

    def _ask_all(self, question: str, arguments: dict[str, Any]) -> dict[str, Any]:
        with ThreadPoolExecutor(len(_COMMANDS)) as pool:
            asked = {kind: pool.submit(ask, self.directory, kind, question, arguments) for kind in _COMMANDS}
            answers = {kind: future.result() for kind, future in asked.items()}
        found = {kind: answer for kind, answer in answers.items() if answer is not None}
        return found or self._nobody(_COMMANDS)

    def _nobody(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        commands = " or ".join(f"`pyautoload {kind}`" for kind in kinds)
        return {"error": f"no {commands} runs in {self.directory}, by this user and this Python: start it there"}


def run(directory: str) -> None:
    """Answer over standard input and output, until these are closed.

    Args:
        directory: of the project.

    Raises:
        SetupError: the ``mcp`` package is not there.
    """
    server = _server_class()("pyautoload", instructions=_INSTRUCTIONS)
    tools = Tools(directory)
    for tool in (tools.sync, tools.tests, tools.problems, tools.explain, tools.check):
        server.tool()(_in_thread(tool))
    server.run()


def _server_class() -> Any:
    """``MCPServer`` of mcp 2, which was ``FastMCP`` before."""
    for module, name in (("mcp.server.mcpserver", "MCPServer"), ("mcp.server.fastmcp", "FastMCP")):
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue
    raise SetupError("`pyautoload mcp` needs the package mcp: pip install 'pyautoload[mcp]'")


def _in_thread(tool: Any) -> Any:
    """The same as a coroutine: while one waits, others are answered."""
    from functools import wraps

    anyio: Any = importlib.import_module("anyio")

    @wraps(tool)
    async def called(*args: Any, **kwargs: Any) -> Any:
        return await anyio.to_thread.run_sync(lambda: tool(*args, **kwargs))

    return called
