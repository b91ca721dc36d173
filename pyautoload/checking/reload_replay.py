"""Replays a range of commits: after each, is what a reload leaves what a fresh process has?

All of it happens in a clone in a temporary directory, which shares the objects of the repository and writes nothing
there. One process lives on and reloads from commit to commit; others load the files of one commit and end. Compared is
as after a verified reload: what differs between the commits has to be in the living process as it is in the fresh one.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pyautoload.checking.replay_handle import Ended, Handle, Loaded, without_git
from pyautoload.errors import SetupError
from pyautoload.warm.comparison import Difference, changed, differences, home

__all__ = ["Replay", "Replayed"]

# How a reload ended: as a fresh process; a restart was asked for; the files are right, and it failed all the same; the
# process ended; it differs, and nothing was said; the commit itself cannot be loaded.
EXACT, RESTART, REFUSED, DIED, STALE, BROKEN = "exact", "restart", "refused", "died", "stale", "broken"

# Commits that touch nothing of that are passed over.
_CONCERNED = (":(top,glob)**/*.py", ":(top,glob)**/pyproject.toml")


@dataclass(frozen=True)
class Replayed:
    """What came of one commit.

    Attributes:
        commit: its hash.
        subject: the first line of its message.
        outcome: ``"exact"``, ``"restart"``, ``"refused"``, ``"died"``, ``"stale"``, or ``"broken"``.
        reasons: module → why a restart is required; or what failed.
        differences: what is not as in a fresh process.
    """

    commit: str
    subject: str
    outcome: str
    reasons: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_finding(self) -> bool:
        """Whether it is one that should not be."""
        return self.outcome in (REFUSED, DIED, STALE)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "differences": [vars(each) for each in self.differences]}


class Replay:
    """Replays a range.

    Args:
        project: what makes the loader: ``roots``, ``namespaces``, ``config``, ``loader``, as on the command line.
        span: ``"FROM..TO"``; without TO up to ``HEAD``.
        timeout: how long (seconds) a process may take for one step.

    Raises:
        SetupError: there is no repository, or no such range.
    """

    def __init__(self, project: dict[str, Any], span: str, timeout: float = 60.0) -> None:
        self._top = _git(os.getcwd(), "rev-parse", "--show-toplevel").strip()
        first, dots, last = span.partition("..")
        if not first or not dots or last.startswith("."):
            raise SetupError(f"{span!r} is not a range of commits: write FROM..TO, as in v1.0..main")
        begin = _git(self._top, "rev-parse", "--verify", f"{first}^{{commit}}").strip()
        end = _git(self._top, "rev-parse", "--verify", f"{last or 'HEAD'}^{{commit}}").strip()
        found = _git(self._top, "rev-list", "--first-parent", "--reverse", f"{begin}..{end}", "--", *_CONCERNED)
        self.commits = [begin, *found.split()]
        if len(self.commits) == 1:
            raise SetupError(f"no commit in {span} changes a Python file")
        self._timeout = timeout
        self._place = os.path.relpath(os.path.realpath(os.getcwd()), os.path.realpath(self._top))
        roots = {root: self._relative(root) for root in project["roots"]}
        names = {roots[root]: name for root, name in project["namespaces"].items()}
        config = self._relative(project["config"]) if project["config"] else None
        self._project = {**project, "config": config, "roots": list(roots.values()), "namespaces": names}
        # Paths that differ between processes that have loaded the same.
        self._unstable: set[str] = set()
        self._scratch = self._copy = ""

    def _relative(self, path: str) -> str:
        """A path of the project as it is named in a copy of it, from where the command was started."""
        if os.path.relpath(os.path.realpath(path), os.path.realpath(self._top)).startswith(os.pardir):
            raise SetupError(f"{path} does not lie in the repository {self._top}, so it has no history to replay")
        return os.path.relpath(os.path.realpath(path), os.path.realpath(os.getcwd()))

    def run(self) -> Iterator[Replayed]:
        """Replay; what came of each commit but the first.

        Raises:
            SetupError: git refuses, or the loader cannot be made in the first commit.
        """
        with tempfile.TemporaryDirectory(prefix="pyautoload-", ignore_cleanup_errors=True) as directory:
            self._scratch = os.path.realpath(directory)
            self._copy = os.path.join(self._scratch, "copy")
            _git(self._top, "clone", "-q", "--shared", "--no-checkout", self._top, self._copy)
            with contextlib.closing(_Living(self._start)) as living:
                before: Loaded | None = None
                for number, commit in enumerate(self.commits):
                    _git(self._copy, "checkout", "-q", "-f", "--detach", commit)
                    _git(self._copy, "clean", "-q", "-f", "-f", "-d", "-x")
                    now = self._fresh(must=number == 0)
                    if number:
                        replayed = self._step(commit, living, before, now)
                        yield replayed
                        if replayed.outcome != EXACT:
                            living.close()
                    if now is not None:
                        living.begin()
                    before = now

    def _start(self, *, reloads: bool) -> Handle:
        place = os.path.join(self._copy, self._place)
        if not os.path.isdir(place):
            raise Ended(f"{self._place} is not there")
        path = [self._moved(each) for each in sys.path if each]
        path = [place, *(each for each in path if each != place)]
        task = {"project": self._project, "reloads": reloads, "path": path}
        return Handle(place, task, tempfile.mkdtemp(dir=self._scratch), self._timeout)

    def _moved(self, path: str) -> str:
        """A place on ``sys.path``, in the copy if it is one of the repository that git knows."""
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(self._top))
        moved = os.path.join(self._copy, relative)
        return moved if not relative.startswith(os.pardir) and os.path.exists(moved) else os.path.abspath(path)

    def _fresh(self, *, must: bool = False) -> Loaded | None:
        """What a new process has that loads the files as they are; ``None`` where it cannot."""
        try:
            process = self._start(reloads=False)
        except Ended:
            return None
        try:
            process.load()
            return process.describe()
        except (Ended, SetupError):
            if must:
                raise
            return None
        finally:
            process.close()

    def _step(self, commit: str, living: _Living, before: Loaded | None, now: Loaded | None) -> Replayed:
        subject = _git(self._copy, "show", "-s", "--format=%s", commit).strip()
        if now is None or before is None or living.process is None or before.modules & now.failed:
            return Replayed(commit, subject, BROKEN)
        try:
            answer = living.process.ask("reload")
            if "error" in answer and _parents(answer["module"]) & now.failed:
                return Replayed(commit, subject, BROKEN)
            if "error" in answer:
                return Replayed(commit, subject, REFUSED, {"": answer["error"]})
            if answer["restart"]:
                return Replayed(commit, subject, RESTART, answer["restart"])
            living.process.load()
            found = self._compare(before, now, living.process.describe())
        except Ended as error:
            return Replayed(commit, subject, DIED, {"": str(error)})
        return Replayed(commit, subject, STALE if found else EXACT, differences=found)

    def _compare(self, before: Loaded, now: Loaded, living: Loaded) -> list[Difference]:
        known = before.modules | now.modules
        for is_sure in (False, True):
            paths = {path: home(path, known) for path in changed(before, now, self._unstable)}
            found = differences(before, now, living, {path: name for path, name in paths.items() if name})
            if not found or is_sure:
                return found
            again = self._fresh()  # perhaps it differs each time
            if again is not None:
                self._unstable |= changed(now, again, ())
        return []


class _Living:
    """The process that is reloaded, while there is one.

    Args:
        start: starts one.
    """

    def __init__(self, start: Callable[..., Handle]) -> None:
        self._start = start
        self.process: Handle | None = None

    def begin(self) -> None:
        """Have one, from the files as they are."""
        if self.process is not None:
            return
        self.process = self._start(reloads=True)
        try:
            self.process.load()
            self.process.ask("reload")  # it has read all files then, before others are there
        except (Ended, SetupError):
            self.close()

    def close(self) -> None:
        """End it."""
        process, self.process = self.process, None
        if process is not None:
            process.close()


def _parents(module: str) -> set[str]:
    """The packages around a module, and itself: where one cannot be imported, it may be there and not run again."""
    parts = module.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts) + 1)}


def _git(directory: str, *words: str) -> str:
    """What git says; hooks of the user's are not run, and nothing is fetched.

    Raises:
        SetupError: there is no git, or it refuses.
    """
    quiet = {**without_git(), "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-c", f"core.hooksPath={os.devnull}", "-C", directory, *words]
    try:
        done = subprocess.run(command, env=quiet, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise SetupError("a replay of commits needs git, and there is none on the path") from error
    if done.returncode:
        raise SetupError(f"git {words[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout
