"""Supervisor: holds the listening socket and keeps one process that serves; replaces it when a restart is needed.

The process that answers requests is a child of this one. A restart starts a second child while the first one serves
on. When the second one has loaded the program, the first one is told to accept no more; what connects meanwhile waits
in the socket's queue; the second one is told to begin; the first one finishes its requests and ends. A child that does
not come up changes nothing: the first one keeps serving until the next edit.

A child that could not reload an edit asks for a trial: a second child is started to find out whose fault that was. If
it comes up, the edit was right, and it takes over. If it does not, the edit was wrong, and the first one keeps serving.

Executing the new program in place of the old one (``exec``) needs no second process, but the old code would be gone
before it is known whether the new code starts, and everybody would wait while it does.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from pyautoload.serving.page.failure import Failure
from pyautoload.serving.server.channel import Channel
from pyautoload.serving.server.inquiries import Inquiries
from pyautoload.serving.server.keyboard import Keys
from pyautoload.serving.server.options import Options
from pyautoload.serving.server.process_start import Starter
from pyautoload.serving.server.report import Reporter
from pyautoload.serving.server.socket_handover import Handing
from pyautoload.warm.process import WarmProcess

__all__ = ["ENVIRONMENT", "Supervisor"]

# What a child is to do, as JSON: a variable, so that its command line stays short; the child takes it out.
ENVIRONMENT = "PYAUTOLOAD_SERVE"
# So many bytes of an error are passed on in it: Windows takes 32,767 for a variable.
_FAILURE = 24_000
# How long (seconds) a child may take to end when it is told to.
_QUIT = 3.0


class Child:
    """One process that serves, or is about to, or has been replaced and finishes its requests."""

    def __init__(
        self, process: subprocess.Popen[bytes] | WarmProcess, channel: Channel, reasons: dict[str, str]
    ) -> None:
        self.process = process
        self.channel = channel
        self.started = time.monotonic()
        self.started_at = time.time()
        # Why it was started. Example: {"shop.db": "do_not_reload"}
        self.reasons = reasons
        # Whether it is to find out if an edit that could not be reloaded is right.
        self.is_trial = False
        # What its "ready" said: {"interface": "wsgi", ...}; None until then.
        self.ready: dict[str, Any] | None = None
        # Why it asked for its own replacement before it was its turn: {"shop.db": "..."}.
        self.restart_wanted: dict[str, str] = {}
        # The modules that the process after it has to be able to import.
        self.restart_needs: list[str] = []
        # When it is killed if it has not ended by then.
        self.deadline: float | None = None

    def kill(self) -> None:
        """End it now."""
        if self.process.poll() is None:
            self.process.kill()


class Supervisor:
    """Runs until it is told to quit.

    Args:
        listener: listening already.
        options: what is served.
        reporter: says what happens.
    """

    def __init__(self, listener: socket.socket, options: Options, reporter: Reporter) -> None:
        self.listener = listener
        self.options = options
        self.reporter = reporter
        # The one that accepts requests; the one that loads the program to take over; those that finish their requests.
        self.current: Child | None = None
        self.next: Child | None = None
        self.leaving: list[Child] = []
        # Whether the current one only shows an error, as the program did not start.
        self.is_waiting = False
        # Signals that came, and that this process ends.
        self.quitting = 0
        # How somebody asked for a restart by hand, until that has begun. Example: "SIGUSR1"
        self._by_hand = ""
        self._keys = Keys()
        self._starter = Starter(self._ring, warm=options.warm)
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM; both are how a development server ends, so neither is an error."""
        bell, self._bell = socket.socketpair()
        for end in (bell, self._bell):
            end.setblocking(False)
        self._selector.register(bell, selectors.EVENT_READ, None)
        before = {number: signal.signal(number, self._signalled) for number in _signals()}
        if hasattr(signal, "SIGUSR1"):
            before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._restart_signalled)
        if hasattr(signal, "SIGCHLD"):
            # Only to be woken: a program that forks leaves copies of its end of the channel, so it may not close.
            before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        woken = signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        self._inquiries = Inquiries(os.getcwd(), self._ring)
        try:
            self._take_keys()
            self.next = self._start()
            while not self.quitting:
                self._step(bell)
            for child in self._children():
                child.channel.send("quit")
                child.deadline = time.monotonic() + _QUIT
            while self._children() and self.quitting < 2:
                self._step(bell)
            self.reporter.stopped()
        finally:
            self._inquiries.close()
            self._leave_keys()
            for child in self._children():
                child.kill()
                child.process.wait()
            self._starter.close()
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            bell.close()
            self._bell.close()
            self.listener.close()

    def _ring(self) -> None:
        """Wake this process up; from another thread."""
        try:
            self._bell.send(b"\0")
        except OSError:
            return  # it rings already, or all is over

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.quitting += 1

    def _restart_signalled(self, number: int, frame: FrameType | None) -> None:
        self._by_hand = signal.Signals(number).name

    # The terminal

    def _take_keys(self) -> None:
        if self._keys.is_there and self._keys not in [key.data for key in self._selector.get_map().values()]:
            self._keys.take()
            self._selector.register(self._keys, selectors.EVENT_READ, self._keys)

    def _leave_keys(self) -> None:
        if self._keys in [key.data for key in self._selector.get_map().values()]:
            self._selector.unregister(self._keys)
            self._keys.leave()

    def _read_keys(self) -> None:
        pressed = self._keys.read()
        if pressed is None:
            self._leave_keys()
        elif "r" in pressed:
            self._by_hand = "the key r"

    def _on_terminal(self, child: Child, message: dict[str, Any]) -> None:
        """The program reads from the terminal: keys are its own until it is replaced."""
        if child is self.current:
            self._leave_keys()

    def _children(self) -> list[Child]:
        return [child for child in (self.current, self.next, *self.leaving) if child is not None]

    # Waiting

    def _step(self, bell: socket.socket) -> None:
        """Wait for the next thing to happen, and do what follows from it."""
        deadlines = [child.deadline for child in self._children() if child.deadline is not None]
        left = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        for key, _ in self._selector.select(left):
            if key.data is None:
                _drain(bell)
            elif key.data is self._keys:
                self._read_keys()
            elif key.data in self._children():
                self._listen_to(key.data)
        self._reap()
        if self._by_hand and not self.quitting:
            self._restart_by_hand()
        current = self.current.channel if self.current is not None else None
        self._inquiries.go_on(current, is_changing=self.next is not None)
        now = time.monotonic()
        for child in self._children():
            if child.deadline is not None and child.deadline <= now:
                child.deadline = None
                child.kill()

    def _reap(self) -> None:
        """Look for children that have ended without closing the channel."""
        ended = [child for child in self._children() if child.process.poll() is not None]
        if not ended:
            return
        for key, _ in self._selector.select(0):
            if key.data in ended:
                self._listen_to(key.data)  # what it said last
        for child in ended:
            if child in self._children():
                self._ended(child)

    def _listen_to(self, child: Child) -> None:
        messages = child.channel.receive()
        if messages is None:
            self._ended(child)
            return
        for message in messages:
            if self.quitting:
                return  # nobody takes over any more, and a process started now would be told by nobody to end
            handle: Callable[[Child, dict[str, Any]], None] = getattr(self, f"_on_{message['what']}")
            handle(child, message)

    # What a child says

    def _on_ready(self, child: Child, message: dict[str, Any]) -> None:
        child.ready = message
        if child is not self.next:
            return
        if self.current is None:
            self._take_over(child)
        else:
            self.current.deadline = time.monotonic() + self.options.drain + 1  # it may hang
            self.current.channel.send("retire")

    def _on_retired(self, child: Child, message: dict[str, Any]) -> None:
        """It accepts nothing any more: now the next one may, and nobody gets an old answer after a new one."""
        if child is not self.current:
            return
        if self.next is None:
            self.next = self._start()  # the one that it made room for has died meanwhile
        elif self.next.ready is not None:
            self._take_over(self.next)

    def _on_restart(self, child: Child, message: dict[str, Any]) -> None:
        if child is self.next:
            child.restart_wanted, child.restart_needs = message["reasons"], message["needs"]
        if child is not self.current:
            return
        if self.next is not None and self.next.ready is not None:
            return  # it has loaded everything, and watches: it says so itself if this change came after that
        self._replace(message["reasons"], needs=message["needs"])

    def _on_trial(self, child: Child, message: dict[str, Any]) -> None:
        """An edit could not be reloaded: a fresh process shows whether it is right."""
        if child is not self.current or (self.next is not None and self.next.ready is not None):
            return
        self._replace(message["reasons"], needs=message["needs"])
        assert self.next is not None
        self.next.is_trial = True

    def _on_settled(self, child: Child, message: dict[str, Any]) -> None:
        """The edit that could not be reloaded was fixed meanwhile."""
        if child is self.current and self.next is not None and self.next.is_trial and self.next.ready is None:
            self._stop_next()

    def _on_news(self, child: Child, message: dict[str, Any]) -> None:
        """What somebody may ask for."""
        self._inquiries.news.add(message["kind"], message["content"])

    def _on_synced(self, child: Child, message: dict[str, Any]) -> None:
        """Every edit so far is applied, or has asked for another process."""
        self._inquiries.synced(child.channel, message["number"], is_changing=self.next is not None)

    def _restart_by_hand(self) -> None:
        if self.next is not None and self.next.ready is not None:
            return  # when it has taken over
        how, self._by_hand = self._by_hand, ""
        self._replace({"by hand": how})

    def _replace(self, reasons: dict[str, str], needs: list[str] | None = None) -> None:
        self._stop_next()
        self.reporter.restarting(reasons)
        self.next = self._start(reasons=reasons, needs=needs)

    def _stop_next(self) -> None:
        """Give up the one that was to take over, which has not come up yet."""
        following, self.next = self.next, None
        if following is not None:
            self._forget(following)
            following.kill()
            following.process.wait()

    def _on_loaded(self, child: Child, message: dict[str, Any]) -> None:
        """Which libraries it has: the next process is to have them from the start."""
        self._starter.learn(message["libraries"], message["own"])

    def _on_failed(self, child: Child, message: dict[str, Any]) -> None:
        if child is self.next:
            self._did_not_start(child, Failure(**message["failure"]))

    def _on_refused(self, child: Child, message: dict[str, Any]) -> None:
        """No edit of the program fixes this, so there is nothing to wait for."""
        self.reporter.error(message["reason"])
        if child is not self.next:
            return
        if self.current is None:
            raise SystemExit(1)
        self.next = None
        child.deadline = time.monotonic() + _QUIT
        self.leaving.append(child)

    # What follows

    def _start(
        self,
        waiting_for: Failure | None = None,
        since: float | None = None,
        reasons: dict[str, str] | None = None,
        needs: list[str] | None = None,
    ) -> Child:
        """Start a child.

        Args:
            waiting_for: it is to show this, and wait for an edit, in place of loading the program.
            since: edits from then on count.
            reasons: why it is started.
            needs: modules that it has to be able to import, or it has not come up.
        """
        mine, its = socket.socketpair()
        task = {
            "options": self.options.to_json(),
            "failure": waiting_for.within(_FAILURE).as_dict() if waiting_for is not None else None,
            "since": since or time.time(),
            "needs": needs or [],
            "keys": self._keys.is_there,
        }
        with its, Handing({"channel": its, "listener": self.listener}) as handing:
            given = json.dumps({**task, "sockets": handing.ticket})
            process = self._starter.start({ENVIRONMENT: given}, handing.descriptors)
            handing.over_to(process.pid)
        child = Child(process, Channel(mine), reasons or {})
        self._selector.register(mine, selectors.EVENT_READ, child)
        return child

    def _take_over(self, child: Child) -> None:
        """From now on ``child`` accepts; the one before it finishes its requests."""
        before = self.current
        was_waiting, self.is_waiting = self.is_waiting, bool(child.ready and child.ready.get("waiting"))
        self.current, self.next = child, None
        child.channel.send("serve")
        assert child.ready is not None
        took = time.monotonic() - child.started
        if before is not None:
            before.deadline = time.monotonic() + self.options.drain + 1
            self.leaving.append(before)
        if self.is_waiting:
            self.reporter.waiting(self.listener)
        elif before is None or was_waiting:
            self.reporter.serving(self.listener, self.options.target, child.ready, took)
        else:
            self.reporter.restarted(child.process.pid, took, child.reasons)
        if not self.is_waiting:
            self._inquiries.news.add("restarts", {"reasons": child.reasons, "seconds": round(took, 3)})
        self._take_keys()
        if child.restart_wanted:
            self._on_restart(child, {"reasons": child.restart_wanted, "needs": child.restart_needs})

    def _did_not_start(self, child: Child, failure: Failure) -> None:
        self.next = None
        child.deadline = time.monotonic() + _QUIT
        self.leaving.append(child)
        told = {"error": failure.summary, "place": failure.file and f"{failure.file}:{failure.line or 1}"}
        self._inquiries.news.add("restarts", {"reasons": child.reasons, "errors": [told]})
        if self.current is None:
            self.reporter.not_started(failure, serving_on=False)
            self.next = self._start(waiting_for=failure, since=child.started_at)
        else:
            self.reporter.not_started(failure, serving_on=not self.is_waiting)
            self.current.deadline = None
            self.current.channel.send("failed", failure=failure.as_dict(), trial=child.is_trial)

    def _ended(self, child: Child) -> None:
        """Its end of the channel is closed: it has ended, or is about to."""
        self._forget(child)
        try:
            code = child.process.wait(_QUIT)
        except subprocess.TimeoutExpired:
            child.kill()
            code = child.process.wait()
        if child in self.leaving:
            self.leaving.remove(child)
            return
        if code == 0 and not self.quitting:
            time.sleep(0.05)  # Ctrl-C reaches all processes at once, and a child may be quicker than our own handler
        if child is self.next:
            self.next = None
            if not self.quitting:
                self._did_not_start(child, Failure(f"the process {_how_it_ended(code)} while it started"))
                self.leaving.remove(child)
        else:
            self.current = None
            if not self.quitting:
                self._died(code)

    def _died(self, code: int) -> None:
        """The one that serves has ended by itself, and there is none now."""
        self.reporter.died(_how_it_ended(code))
        if self.next is None:
            failure = Failure(f"the process that serves {_how_it_ended(code)}")
            self.next = self._start(waiting_for=failure)
        elif self.next.ready is not None:
            self._take_over(self.next)

    def _forget(self, child: Child) -> None:
        if child.channel.fileno() != -1:
            self._selector.unregister(child.channel.connection)
            child.channel.close()


def _signals() -> list[signal.Signals]:
    """Those that mean "end"; one that the caller has us ignore, as nohup does, stays ignored."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _drain(bell: socket.socket) -> None:
    try:
        while bell.recv(4096):
            pass
    except BlockingIOError:
        return


def _how_it_ended(code: int) -> str:
    if code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"ended with exit code {code}"
