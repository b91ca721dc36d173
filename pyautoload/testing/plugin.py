"""The pytest plugin of ``pyautoload test``: runs what is selected, and tells who used what.

It is given to pytest by ``child``, in the process that runs the tests, and is not there otherwise.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from pyautoload.testing.recorder import Context, Recorder

__all__ = ["TestPlugin"]


class TestPlugin:
    """Runs and tells.

    Args:
        recorder: knows what is used.
        tell: sends a message to who asked for the run.
        only: file → the tests in it that are to run, ``None`` for all of them; ``None`` for everything.
        known: files of which it is known what tests they have.
        first_context: the number of the first context of a fixture.
    """

    __test__ = False

    def __init__(
        self,
        recorder: Recorder,
        tell: Callable[[dict[str, Any]], None],
        only: Mapping[str, list[str] | None] | None,
        known: Iterable[str],
        first_context: int,
    ) -> None:
        self.recorder = recorder
        self.tell = tell
        self.only = None if only is None else {file: None if ids is None else set(ids) for file, ids in only.items()}
        self.known = frozenset(known)
        self._number = first_context
        # Code object → its number in messages.
        self._told: dict[int, int] = {}
        # Fixture that several tests share, and that is set up → its context.
        self._live: dict[Any, Context] = {}
        self._reports: list[pytest.TestReport] = []
        # Collected file → its context.
        self._collected: dict[str, Context] = {}

    # What is collected

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the files of which nothing is to run."""
        if self.only is None:
            return None
        path = str(collection_path)
        return True if path in self.known and path not in self.only else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Leave out arguments that name files of which nothing is to run."""
        if self.only is None:
            return
        config = session.config
        here = str(config.invocation_params.dir)

        def is_needed(argument: str) -> bool:
            path = os.path.abspath(os.path.join(here, argument.partition("::")[0]))
            return path not in self.known or path in (self.only or {})

        config.args = [argument for argument in config.args if is_needed(argument)]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """What a file needs to be collected is noted for it."""
        path = str(getattr(collector, "path", ""))
        if not os.path.isfile(path):
            report = yield
            self._tell_directory(collector, path, report)
            return report
        is_new = path not in self._collected
        context = self._collected.setdefault(path, Context(is_between=True))
        with self.recorder.on_behalf_of(context):
            report = yield
        if is_new or report.failed:
            text = str(report.longrepr) if report.failed else None
            message = {"is": "collected", "file": path, "id": collector.nodeid, "error": text}
            self.tell({**message, "used": self._used(context)})
        return report

    def _tell_directory(self, collector: pytest.Collector, path: str, report: Any) -> None:
        """A directory whose ``conftest.py`` fails is an error of its own, and all tests below it are gone."""
        if not isinstance(collector, pytest.Directory):
            return
        conftest = os.path.join(path, "conftest.py")
        text = str(report.longrepr) if report.failed else None
        file = conftest if os.path.isfile(conftest) else path
        self.tell({"is": "directory", "file": file, "directory": path, "id": collector.nodeid, "error": text})

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Tell what there is, and leave what is to run."""
        present: dict[str, list[str]] = {}
        for item in items:
            present.setdefault(str(item.path), []).append(item.nodeid)
        kept: list[pytest.Item] = []
        left: list[pytest.Item] = []
        for item in items:
            (kept if self._is_wanted(item) else left).append(item)
        self.tell({"is": "present", "files": present, "count": len(kept)})
        if left:
            items[:] = kept
            config.hook.pytest_deselected(items=left)

    def _is_wanted(self, item: pytest.Item) -> bool:
        if self.only is None:
            return True
        path = str(item.path)
        if path not in self.only:
            return path not in self.known
        wanted = self.only[path]
        return wanted is None or item.nodeid in wanted

    # What runs

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Note what a test uses, from its setup to its teardown."""
        self.tell({"is": "begin", "id": item.nodeid})
        self._reports = []
        context = Context()
        with self.recorder.on_behalf_of(context):
            outcome = yield
        message = {"is": "test", "id": item.nodeid, "file": str(item.path), **self._outcome()}
        self.tell({**message, "used": self._used(context)})
        return outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came of each phase of a test."""
        self._reports.append(report)

    def _outcome(self) -> dict[str, Any]:
        outcome, text = "passed", None
        for report in self._reports:
            if report.failed:
                outcome = "failed" if report.when == "call" or outcome == "failed" else "error"
                text = "\n".join(filter(None, [text, report.longreprtext]))
            elif report.skipped and outcome == "passed":
                outcome = "skipped"
        seconds = sum(report.duration for report in self._reports)
        return {"outcome": outcome, "seconds": round(seconds, 6), "longrepr": text}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """A fixture that several tests share uses what it needs once, for all of them."""
        if fixturedef.scope == "function":
            return (yield)
        self._number += 1
        context = self._live[fixturedef] = Context(self._number)
        with self.recorder.on_behalf_of(context):
            return (yield)

    def follow_fixtures(self) -> Callable[[], None]:
        """Note who uses which fixture, also where it is set up already; returns what ends that."""
        from _pytest.fixtures import FixtureDef

        execute, finish = FixtureDef.execute, FixtureDef.finish
        plugin = self

        @wraps(execute)
        def executed(self: Any, request: Any) -> Any:
            try:
                return execute(self, request)
            finally:
                if self in plugin._live:
                    plugin.recorder.current.used.add(plugin._live[self].number)

        @wraps(finish)
        def finished(self: Any, request: Any) -> None:
            context = plugin._live.get(self)
            if context is None:
                finish(self, request)
                return
            with plugin.recorder.on_behalf_of(context):
                finish(self, request)
            plugin.tell({"is": "fixture", "number": context.number, "used": plugin._used(context)})

        FixtureDef.execute, FixtureDef.finish = executed, finished  # type: ignore[method-assign]

        def end() -> None:
            FixtureDef.execute, FixtureDef.finish = execute, finish  # type: ignore[method-assign]

        return end

    # What is told

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell where the session is."""
        config = session.config
        self.tell({"is": "root", "root": str(config.rootpath), "ini": str(config.inipath or "")})

    def end(self, code: int) -> None:
        """Tell what belongs to nobody in particular."""
        recorder = self.recorder
        for context in self._live.values():
            self.tell({"is": "fixture", "number": context.number, "used": self._used(context)})
        for file, context in self._collected.items():
            self.tell({"is": "collected", "file": file, "id": None, "error": None, "used": self._used(context)})
        own = set(recorder.names)
        files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        self.tell(
            {
                "is": "end",
                "code": code,
                "session": self._used(recorder.session),
                "modules": {file: self._used(context) for file, context in recorder.modules.items()},
                "names": recorder.names,
                "importers": {file: sorted(others) for file, others in recorder.importers.items()},
                "dynamic": {file: sorted(names) for file, names in recorder.dynamic.items()},
                "ambient": sorted(recorder.ambient),
                "written": sorted(recorder.written),
                "loaded": [
                    [name, path if isinstance(path, str) else None] for name, path in files.items() if name not in own
                ],
            }
        )

    def _used(self, context: Context) -> dict[str, Any]:
        """A context for a message; code objects are described when they are told of first."""
        new, numbers = [], []
        for identity in list(context.codes):
            number = self._told.get(identity)
            if number is None:
                code = self.recorder.known[identity]
                number = self._told[identity] = len(self._told)
                new.append([number, code.co_filename, code.co_firstlineno, code.co_name])
            numbers.append(number)
        return {
            "new": new,
            "codes": numbers,
            "opened": sorted(context.opened),
            "listed": sorted(context.listed),
            "modules": sorted(context.modules),
            "fixtures": sorted(context.used),
            "opaque": context.is_opaque,
        }
