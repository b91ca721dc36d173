"""A session: runs the tests that are selected, and keeps the recording, once or at each save."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyautoload.testing import recorded_dependencies as recordings
from pyautoload.testing.recorded_dependencies import Collected, Tested, Used, resolved
from pyautoload.testing.run_process import Processes
from pyautoload.testing.run_report import Report
from pyautoload.testing.selection import Selection, select
from pyautoload.testing.snapshot import Snapshot, look

__all__ = ["Session"]

# pytest's exit codes.
_OK, _FAILED, _INTERRUPTED, _NO_TESTS = 0, 1, 2, 5


@dataclass
class _Run:
    """What a run has told so far."""

    codes: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    tests: list[dict[str, Any]] = field(default_factory=list)
    collected: list[dict[str, Any]] = field(default_factory=list)
    directories: list[dict[str, Any]] = field(default_factory=list)
    fixtures: dict[int, dict[str, Any]] = field(default_factory=dict)
    present: dict[str, list[str]] | None = None
    end: dict[str, Any] | None = None
    # The test that has begun and not ended.
    running: str | None = None


class Session:
    """Tests of one project.

    Args:
        directory: of the project.
        arguments: for pytest.
        report: told of what happens.
        is_warm: whether runs are forked from a template.
        is_quiet: whether what pytest prints is kept back.
    """

    def __init__(
        self, directory: str, arguments: Sequence[str], report: Report, *, is_warm: bool, is_quiet: bool
    ) -> None:
        self.directory = directory
        self.arguments = list(arguments)
        self.report = report
        self.is_quiet = is_quiet
        # What pytest printed in the last run, where that is kept back.
        self.output = ""
        # The exit code so far.
        self.code = 0
        # File that cannot be compiled → why, as it was looked at last.
        self.broken: dict[str, str] = {}
        self.processes = Processes(directory, is_warm=is_warm)
        self._place = recordings.place_of(directory, arguments)
        self.recording, thrown = recordings.read(self._place, recordings.key_of(arguments))
        if thrown is not None:
            report.note(thrown)
        self.processes.prepare([(name, path) for name, path in self.recording.loaded])

    def close(self) -> None:
        """End what is kept warm."""
        self.processes.close()

    # What is to run

    def take_edits(self, *, hold_broken: bool) -> Selection:
        """Look at the files, and note what has to run because of what has changed.

        Args:
            hold_broken: whether files that cannot be compiled leave everything as it is.
        """
        recording = self.recording
        now = look(self.directory, recording.snapshot, recording.opened(), recording.listed())
        selection = select(recording, now, self.directory)
        self.broken = selection.broken
        if hold_broken and selection.broken:
            return selection
        self._keep(selection)
        recording.snapshot = now
        return selection

    def _keep(self, selection: Selection) -> None:
        recording = self.recording
        for path in selection.changed:
            if path not in recording.snapshot.facts or os.path.exists(path):
                continue
            recording.forget_file(path)
            recording.modules.pop(path, None)
        if selection.everything is not None:
            recording.is_all_pending = recording.is_all_pending or selection.everything
        for path, why in selection.files.items():
            if os.path.exists(path):
                recording.pending[path] = why
        for name, why in selection.tests.items():
            if name in recording.tests:
                self._want(name, why)

    def _want(self, name: str, why: str) -> None:
        there = self.recording.pending.setdefault(self.recording.tests[name].file, {})
        if isinstance(there, dict):
            there.setdefault(name, why)

    def want_all(self, why: str) -> None:
        """Run everything next."""
        self.recording.is_all_pending = why

    def want(self, names: Iterable[str], why: str) -> None:
        """Run these next: tests, and files that could not be collected."""
        wanted = frozenset(names)
        for name in wanted & self.recording.tests.keys():
            self._want(name, why)
        for file, collected in self.recording.collected.items():
            if collected.error and collected.id in wanted:
                self.recording.pending[file] = why

    def failing(self) -> list[str]:
        """The tests that did not pass last, and the files that could not be collected."""
        failed = [name for name, tested in self.recording.tests.items() if tested.outcome in ("failed", "error")]
        return failed + [each.id for each in self.recording.collected.values() if each.error]

    @property
    def is_pending(self) -> bool:
        """Whether anything is to run."""
        return self.recording.is_all_pending is not None or bool(self.recording.pending)

    def reasons(self) -> dict[str, list[str]]:
        """Test, or file with tests that are not known yet → why it is to run."""
        recording, found = self.recording, dict[str, list[str]]()
        whole = {file: why for file, why in recording.pending.items() if isinstance(why, str)}
        for name, tested in recording.tests.items():
            if recording.is_all_pending is not None:
                found[name] = [recording.is_all_pending]
            elif tested.file in whole:
                found[name] = [whole[tested.file]]
        for file, why in recording.pending.items():
            if isinstance(why, dict):
                found.update({name: [each] for name, each in why.items() if name not in found})
            elif not any(tested.file == file for tested in recording.tests.values()):
                found[os.path.relpath(file, self.directory)] = [why]
        return found

    # Running

    def run(self) -> int:
        """Run what is pending; returns pytest's exit code."""
        recording = self.recording
        self.report.selected(self.reasons(), max(len(recording.tests), 1), recording.is_all_pending)
        began, run = time.monotonic(), _Run()
        try:
            try:
                code = self._run(self._job(), run)
            finally:
                self._take(run)
            self._tell_end(run, time.monotonic() - began, code)
        finally:
            # After all was told, as nobody is to wait for it. Who is killed before that finds the former recording
            # with the former files, and the same edits again.
            recordings.write(self._place, recording)
        self.processes.prepare([(name, path) for name, path in recording.loaded])
        return code

    def _tell_end(self, run: _Run, seconds: float, code: int) -> None:
        if run.running is not None:
            self.report.tested(run.running, "error", 0.0, f"the process ended while it ran (exit code {code})")
        if self.is_quiet and code not in (_OK, _FAILED, _NO_TESTS):
            self.report.trouble(self.output)
        self.report.ran(seconds, code)

    def _run(self, job: dict[str, Any], run: _Run) -> int:
        def told(message: dict[str, Any]) -> None:
            self._told(run, message)

        if not self.is_quiet:
            return self.processes.run(job, told, None)
        with tempfile.TemporaryFile() as output:
            try:
                return self.processes.run(job, told, output.fileno())
            finally:
                output.seek(0)
                self.output = output.read().decode("utf-8", "replace")

    def verdict(self, code: int) -> int:
        """The exit code that says how all tests are, of which the last run had some.

        Args:
            code: of the last run.
        """
        if code not in (_OK, _NO_TESTS):
            return code
        if self.failing():
            return _FAILED
        return _OK if self.recording.tests else code

    def _job(self) -> dict[str, Any]:
        recording = self.recording
        only: dict[str, list[str] | None] | None = None
        if recording.is_all_pending is None:
            only = {file: None if isinstance(why, str) else list(why) for file, why in recording.pending.items()}
        arguments = list(self.arguments)
        if importlib.util.find_spec("xdist") is not None:
            arguments.append("-n0")  # what workers do is not recorded
        known = [file for file, collected in recording.collected.items() if not collected.error]
        return {
            "directory": self.directory,
            "arguments": arguments,
            "only": only,
            "known": known,
            "first_context": max(recording.fixtures, default=0),
        }

    def _told(self, run: _Run, message: dict[str, Any]) -> None:
        for number, file, line, name in message.get("used", {}).get("new", ()):
            run.codes[number] = file, line, name
        kind = message["is"]
        if kind == "begin":
            run.running = message["id"]
        elif kind == "test":
            run.running = None
            run.tests.append(message)
            self.report.tested(message["id"], message["outcome"], message["seconds"], message["longrepr"])
        elif kind == "collected":
            run.collected.append(message)
            if message["error"]:
                self.report.tested(message["id"], "error", 0.0, message["error"])
        elif kind == "directory":
            run.directories.append(message)
            if message["error"]:
                self.report.tested(message["id"], "error", 0.0, message["error"])
        elif kind == "fixture":
            run.fixtures[message["number"]] = message["used"]
        elif kind == "present":
            run.present = message["files"]
        elif kind == "end":
            for used in (message["session"], *message["modules"].values()):
                for number, file, line, name in used["new"]:
                    run.codes[number] = file, line, name
            run.end = message

    # What came of it

    def _take(self, run: _Run) -> None:
        """Take what a run has told into the recording."""
        recording = self.recording
        if run.end is None:
            if run.running is not None and run.running in recording.tests:
                self._want(run.running, "it did not come to its end")
            return  # what belongs together was not told: it runs again
        before = recording.snapshot
        changing = self._changing(before)

        def used(message: dict[str, Any]) -> Used:
            return resolved(message, run.codes, before.facts, changing)

        self._take_modules(run.end, used)
        recording.fixtures.update({number: used(each) for number, each in run.fixtures.items()})
        self._take_collected(run, used)
        for message in run.tests:
            recording.tests[message["id"]] = Tested(
                message["file"], used(message["used"]), message["outcome"], message["seconds"], message["longrepr"]
            )
        self._take_directories(run)
        self._settle(run)
        recording.clean()
        self._take_files(run, before, changing, set(run.end["written"]))

    def _changing(self, before: Snapshot) -> set[str]:
        """Python files that were saved during the run."""
        now = look(self.directory, before)
        return {
            path
            for path in before.facts.keys() | now.facts.keys()
            if path not in now.facts
            or path not in before.facts
            or now.facts[path].content != before.facts[path].content
        }

    def _take_modules(self, end: dict[str, Any], used: Any) -> None:
        recording = self.recording
        session = used(end["session"])
        session.opaque = False  # what plugins start, to ask the system or git, is not the project
        recording.session.add(session)
        recording.modules.update({file: used(each) for file, each in end["modules"].items()})
        recording.names.update(end["names"])
        for kind in ("importers", "dynamic"):
            known = getattr(recording, kind)
            for file, others in end[kind].items():
                known[file] = sorted({*known.get(file, ()), *others})
        recording.ambient = sorted({*recording.ambient, *end["ambient"]})
        known_names = {name for name, _ in recording.loaded}
        recording.loaded += [each for each in end["loaded"] if each[0] not in known_names]

    def _take_collected(self, run: _Run, used: Any) -> None:
        recording = self.recording
        seen: dict[str, Collected] = {}
        for message in run.collected:
            there = seen.setdefault(message["file"], Collected(id=message["id"] or ""))
            there.used.add(used(message["used"]))
            if message["error"]:
                there.error = "\n".join(filter(None, [there.error, message["error"]]))
                there.id = message["id"]
        recording.collected.update(seen)

    def _take_directories(self, run: _Run) -> None:
        """A directory that cannot be collected stands in the recording as its ``conftest.py``."""
        recording = self.recording
        for message in run.directories:
            file, name, error = message["file"], message["id"], message["error"]
            known = recording.collected.get(file)
            if error is None:
                if known is not None and known.id == name:
                    recording.forget_file(file)
                continue
            below = message["directory"] + os.sep
            for other in [other for other in recording.collected if other.startswith(below)]:
                recording.forget_file(other)
            recording.collected[file] = Collected(id=name, error=error)

    def _settle(self, run: _Run) -> None:
        """What has run is not pending any more, and tests that are not there are forgotten."""
        recording = self.recording
        done = {message["id"] for message in run.tests}
        present = run.present if run.present is not None else {}
        looked_at = {message["file"] for message in (*run.collected, *run.directories)}
        if recording.is_all_pending is not None and run.present is not None:
            for file in list(recording.collected):
                if file not in looked_at:
                    recording.forget_file(file)
            reason, recording.is_all_pending = recording.is_all_pending, None
            recording.pending = {file: dict.fromkeys(names, reason) for file, names in present.items()}
        if run.present is None:
            return
        for file in looked_at:
            names = set(present.get(file, ()))
            for name in [name for name, tested in recording.tests.items() if tested.file == file and name not in names]:
                del recording.tests[name]
        for file, why in list(recording.pending.items()):
            if isinstance(why, str) and (file in looked_at or file not in recording.collected):
                why = dict.fromkeys(present.get(file, ()), why)
            if isinstance(why, str):
                continue
            left = {name: each for name, each in why.items() if name not in done and name in present.get(file, why)}
            if left:
                recording.pending[file] = left
            else:
                del recording.pending[file]

    def _take_files(self, run: _Run, before: Snapshot, changing: set[str], written: set[str]) -> None:
        """The files that tests read are known now as they are; those that tests write are so after them."""
        recording = self.recording
        opened, listed = recording.opened(), recording.listed()
        now = look(self.directory, before, opened, listed)
        digests: dict[str, str | None] = {}
        if any(each["used"]["opaque"] for each in run.tests):
            written |= opened - before.facts.keys()  # processes that tests start may write what others read
        for path in opened:
            is_same = before.stamps.get(path) == now.stamps.get(path)
            if path in before.digests and not (path in written or is_same):
                digests[path] = before.digests[path]  # saved meanwhile: that is an edit
            elif path in written or is_same:
                digests[path] = now.digests[path]
            else:
                digests[path] = "it was saved while the tests ran"
        stamps = {
            path: stamp
            for path, stamp in {**before.stamps, **now.stamps}.items()
            if (path in now.stamps or path in changing) and not (path in now.facts and path not in before.facts)
        }
        for path in changing:
            if path in before.stamps:
                stamps[path] = before.stamps[path]
        recording.snapshot = Snapshot(stamps, before.facts, digests, now.listings)
