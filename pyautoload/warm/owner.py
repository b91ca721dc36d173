"""The owner of templates: has one made that fits, has a new one made when it does not any more, asks it for children.

A template is made in the background. Until there is one, and where none can be, whoever asks is told why, and starts a
cold process. One that is stale is never used: each order looks at the files first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pyautoload.warm import environment, wire
from pyautoload.warm.files import Files, is_of_the_project

__all__ = ["Owner", "Refused", "Template", "interpreter_flags", "libraries", "why_unsupported"]

# So many times a template is begun anew because it was found out what has to be left out.
_TRIES = 8


class Refused(Exception):
    """There is no warm process, for the reason in the text."""


@dataclass
class Template:
    """A template process that can be asked for children."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    # The writing end of a pipe: the template ends when it is closed.
    cord: int
    environment: dict[str, str]
    files: Files = field(init=False)
    # What was read of the environment; None for everything.
    read: list[str] | None = None
    # Module → why it is not in it.
    left_out: dict[str, str] = field(default_factory=dict)
    count: int = 0
    took: float = 0.0
    made: float = 0.0

    def end(self) -> None:
        """End it; children go on."""
        self.let_go()
        self.process.kill()
        self.process.wait()

    def let_go(self) -> None:
        """Close what leads to it, so that it ends when nobody else has that."""
        self.control.close()
        if self.cord >= 0:
            os.close(self.cord)
            self.cord = -1


class Owner:
    """Owns the templates of one project.

    Args:
        directory: of the project, in which the template is started.
        gently: whether a template leaves the processor to others while it is made.
        session: whether it is in a session of its own, which a terminal's signals do not reach.
        told: called with a line on what was done, in another thread.
        variables: of the template's environment, in place of this process's own.
    """

    def __init__(
        self,
        directory: str,
        *,
        gently: bool = True,
        session: bool = False,
        told: Callable[[str], object] = lambda line: None,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.directory = directory
        self._variables = variables
        self.gently = gently
        self.session = session
        self.told = told
        self.template: Template | None = None
        # What the next template is to have, in order; a dictionary for its order. Example: {"os": None, "flask": None}
        self._wanted: dict[str, None] = {}
        self._unwanted: frozenset[str] = frozenset()
        self._left_out: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._lock = threading.Lock()  # over the attributes here: the maker's thread and those who ask
        self._work = threading.Event()
        # Set while no template is being made.
        self.rested = threading.Event()
        self.rested.set()
        self._maker: threading.Thread | None = None
        self._making: Template | None = None
        self._is_closed = False
        self.why = "no template has been made yet"
        _owners.add(self)

    # What is wanted

    def want(self, modules: Iterable[str], unwanted: Iterable[str] = ()) -> None:
        """Have a template made that has some libraries, beside those that were wanted before.

        Args:
            modules: their names, in the order in which they were imported.
            unwanted: names of modules and top-level packages that must not be in it.
        """
        if why_unsupported():
            return
        with self._lock:
            self._unwanted |= frozenset(unwanted)
            known = len(self._wanted)
            self._wanted.update(dict.fromkeys(modules))
            if self._is_closed or (len(self._wanted) == known and (self.template or self._maker)):
                return
            self._begin()
            if self._maker is None:
                self._maker = threading.Thread(target=self._make_all, name="pyautoload-warm", daemon=True)
                self._maker.start()

    def refresh(self) -> None:
        """Have a new template made if the one that there is does not fit the files any more."""
        with self._lock:
            template = self.template
        if template is not None and (reason := _unfit(template)):
            self._discard(template, reason)

    def _discard(self, template: Template, reason: str) -> None:
        with self._lock:
            if self.template is template:
                self.template = None
                self.why = f"{reason}, a new template is being made"
                self._left_out, self._failed = {}, {}
                self._begin()
        template.end()

    # Making

    def _begin(self) -> None:
        """With the lock held."""
        self.rested.clear()
        self._work.set()

    def _make_all(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            if self._is_closed:
                return
            try:
                made = self._make()
            except OSError as error:
                made, self.why = None, f"no template could be started ({error})"
            with self._lock:
                before, self.template = self.template, made
                closed = self._is_closed
                if not self._work.is_set():
                    self.rested.set()
            if before is not None:
                before.end()
            if closed and made is not None:
                made.end()
            if made is not None:
                self.told(_description(made))

    def _make(self) -> Template | None:
        """Begin anew until nothing is imported any more that has to be left out."""
        began = time.monotonic()
        for _ in range(_TRIES):
            with self._lock:
                if self._is_closed:
                    return None
                names, left_out, failed = list(self._wanted), dict(self._left_out), dict(self._failed)
                template = self._making = _start(
                    self.directory, {**os.environ, **self._variables}, session=self.session
                )
                unwanted = sorted(self._unwanted)
            recipe = {"directory": self.directory, "modules": names, "left_out": left_out, "failed": failed}
            wire.send(template.control, {**recipe, "unwanted": unwanted, "gently": self.gently})
            received = wire.receive(template.control)
            with self._lock:
                self._making = None
            if received is None:
                template.end()
                self.why = "the template ended while it was being made"
                return None
            answer = received[0]
            self._left_out, self._failed = answer["left_out"], answer["failed"]
            if answer["is_spoilt"] or answer["saved"]:
                template.end()
                if answer["is_spoilt"] and (self._left_out, self._failed) == (left_out, failed):
                    self.why = "the libraries leave something behind"
                    return None
                continue
            template.files = Files.from_dict(answer["files"])
            template.read, template.count = answer["read"], answer["count"]
            template.left_out = answer["failed"] | answer["left_out"]
            template.made = time.monotonic()
            template.took = template.made - began
            return template
        self.why = "the libraries did not come to rest"
        return None

    # Asking

    def ask(self, ordered: dict[str, Any], descriptors: Sequence[int]) -> Template:
        """Ask for a child.

        Args:
            ordered: from ``orders.order``.
            descriptors: a socket to who waits for it, and those that it is to have.

        Returns:
            The template that was asked.

        Raises:
            Refused: there is none, or none that fits.
        """
        if reason := why_unsupported():
            raise Refused(reason)
        with self._lock:
            template = self.template
        if template is None:
            raise Refused(self.why)
        if reason := _unfit(template):
            self._discard(template, reason)
            raise Refused(self.why)
        place = _place(ordered["arguments"], ordered["directory"])
        if hidden := template.files.hidden(template.files.tops, place):
            raise Refused(f"{place} has a module with the name of the library {next(iter(hidden))}")
        name = environment.difference(template.environment, ordered["environment"], template.read)
        if name is not None:
            raise Refused(f"the variable {name} is another one than the libraries were imported with")
        age = time.monotonic() - template.made
        ordered = {**ordered, "why": f"from a template with {template.count} modules, made {age:.0f} s ago"}
        with self._lock:
            is_sent = wire.send(template.control, ordered, descriptors)
        if not is_sent:
            self._discard(template, "the template has ended")
            raise Refused(self.why)
        return template

    def close(self) -> None:
        """End the template, and make none any more; children go on."""
        with self._lock:
            self._is_closed = True
            template, self.template = self.template, None
            making = self._making
        self._work.set()
        self.rested.set()
        if making is not None:
            with contextlib.suppress(ProcessLookupError):
                making.process.send_signal(signal.SIGKILL)
        if template is not None:
            template.end()
        if self._maker is not None and self._maker is not threading.current_thread():
            self._maker.join(5)

    def after_fork(self) -> None:
        """In a fork of the owner, which is none: nothing here may keep the template alive."""
        self._is_closed = True
        for template in (self.template, self._making):
            if template is not None:
                template.let_go()
        self.template = self._making = None
        self._lock = threading.Lock()


def why_unsupported() -> str | None:
    """Why there are no warm processes on this system; ``None`` where there are."""
    if not hasattr(os, "fork") or not hasattr(socket, "send_fds"):
        return f"{sys.platform} has no fork"
    return None


def interpreter_flags() -> list[str]:
    """``-O``, ``-W``, ``-X`` of this process, for the next one."""
    return list(subprocess._args_from_interpreter_flags())  # type: ignore[attr-defined]


def libraries(modules: Iterable[tuple[str, str | None]], directory: str) -> list[str]:
    """The modules, given with their files, that a template may have: nothing that is written in the project."""
    kept = []
    for name, path in modules:
        if name.partition(".")[0] in ("__main__", "__mp_main__"):
            continue
        if path is None or not is_of_the_project(path, directory):
            kept.append(name)
    return kept


def _start(directory: str, variables: dict[str, str], *, session: bool) -> Template:
    mine, its = socket.socketpair()
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, *interpreter_flags(), "-m", "pyautoload.warm.template", str(its.fileno()), str(reading)],
            cwd=directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(its.fileno(), reading),
            start_new_session=session,
        )
    except BaseException:
        mine.close()
        os.close(writing)
        raise
    finally:
        its.close()
        os.close(reading)
    return Template(process, mine, writing, variables)


def _place(arguments: Sequence[str], directory: str) -> str:
    """Where a program is imported from."""
    if arguments[0] in ("-m", "-c"):
        return directory
    script = os.path.join(directory, arguments[0])
    return script if os.path.isdir(script) else os.path.dirname(os.path.realpath(script))


def _unfit(template: Template) -> str | None:
    if template.process.poll() is not None:
        return "the template has ended"
    return template.files.changed()


def _description(template: Template) -> str:
    line = f"a template with {template.count} modules was made in {template.took:.1f} s"
    if template.left_out:
        shown = [f"{name} ({reason.splitlines()[0][:80]})" for name, reason in list(template.left_out.items())[:3]]
        more = f" and {len(template.left_out) - 3} more" if len(template.left_out) > 3 else ""
        line += f"; left out: {', '.join(shown)}{more}"
    return line


# Every owner of this process, for a fork of it.
_owners: weakref.WeakSet[Owner] = weakref.WeakSet()


def _after_fork() -> None:
    for owner in list(_owners):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
