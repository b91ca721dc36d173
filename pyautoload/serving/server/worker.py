"""The process that serves: loads the program, tells the supervisor how that went, serves, reloads, and makes room.

Started by the supervisor as ``python -m pyautoload.serving.server.worker``.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

from pyautoload.errors import ExtraMissing, ReloadError, ServeError, SetupError
from pyautoload.serving.application.reload_session import Outcome
from pyautoload.serving.page.failure import Failure, described
from pyautoload.serving.server.channel import Channel
from pyautoload.serving.server.graceful_server import Handover, Server, Service
from pyautoload.serving.server.loaded_libraries import tell_libraries
from pyautoload.serving.server.news import TellingReporter
from pyautoload.serving.server.options import EVENTS, Options
from pyautoload.serving.server.socket_handover import received

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult
    from pyautoload.reloading.watching.watcher import Watcher
    from pyautoload.serving.middleware.base import Middleware
    from pyautoload.serving.server.served_program import Program
    from pyautoload.serving.server.unmanaged_files import UnmanagedFiles
    from pyautoload.warm.verifier import Verification

__all__ = ["main"]

ENVIRONMENT = "PYAUTOLOAD_SERVE"
# How long (seconds) the process may be there after it was told to end; the supervisor, if there is one, allows less.
_LAST = 5.0
# An application that took longer (seconds) to make is not made again in this process: requests would have to share it.
_SLOW = 1.0
# The time (seconds) of a file may be this much earlier than the clock was when it was saved.
_TICK = 0.02
# What a program does that reads from the terminal.
_READS_TERMINAL = frozenset({"builtins.input", "builtins.breakpoint", "pdb.Pdb"})


class Worker:
    """One process that serves.

    Args:
        options: what is served.
        listener: shared with the supervisor, and with the process before and after this one.
        channel: to the supervisor.
        since: the program was not read before that, in seconds since the epoch.
        needs: modules that have to be importable, or the program does not start.
    """

    def __init__(
        self, options: Options, listener: socket.socket, channel: Channel, since: float, needs: Iterable[str] = ()
    ) -> None:
        self.options = options
        self.listener = listener
        self.channel = channel
        self.since = since
        self.needs = list(needs)
        self.directory = os.getcwd()
        self.reporter = TellingReporter(self.directory, channel)
        self.server: Server | None = None
        self.loader: AutoLoader | None = None
        # Around the program's application.
        self.application: Middleware | None = None
        self.unmanaged: UnmanagedFiles | None = None
        self.program: Program | None = None
        # How many modules there were when those beside the roots were looked for; held while that is done.
        self._modules = 0
        self._looking = threading.Lock()
        self.page_files: Watcher | None = None
        # Set when this process may accept connections, or need not any more.
        self._turn = threading.Event()
        # Set when this process makes room for the next one.
        self._leaves = threading.Event()
        self._is_over = False
        self._is_retired = False
        # Module or file → why it needs a restart; kept until the restart has succeeded, which ends this process.
        self._needs_restart: dict[str, str] = {}
        # Where only an error is shown: looks for an edit since then.
        self._try_again: Callable[[], None] | None = None

    # Told from outside

    def listen_to_supervisor(self) -> None:
        """In a thread of its own; when the supervisor has gone, there is nobody to serve for."""
        for message in self.channel:
            what = message["what"]
            if what == "serve":
                self._turn.set()
            elif what == "retire" and self.server is not None:
                self.server.retire()
            elif what == "failed":
                self.successor_failed(Failure(**message["failure"]), trial=message["trial"])
            elif what == "sync":
                # A reload may wait for requests, and what the supervisor says meanwhile has to be heard.
                threading.Thread(target=self.catch_up, args=(message["number"],), daemon=True).start()
            elif what == "quit":
                break
        self.quit()
        # Threads of the program may keep the process, and a supervisor that was killed cannot end it.
        time.sleep(_LAST)
        os._exit(1)

    def catch_up(self, number: int) -> None:
        """Apply every edit that there is by now, and say so."""
        try:
            if self._try_again is not None:
                self._try_again()
            elif self.unmanaged is not None and not self._is_retired:
                if self.loader is not None and self.loader.reloader is not None:
                    self.loader.reloader.catch_up()
                self.unmanaged.catch_up()
        finally:
            self.channel.send("synced", number=number)

    def quit(self, number: int = 0, frame: FrameType | None = None) -> None:
        """End soon; also what signals do."""
        self._is_over = True
        server = self.server
        if server is None:
            os._exit(0)  # the program is being loaded: no way to end that is sure to get through
        self._turn.set()
        server.quit()

    def successor_failed(self, failure: Failure, *, trial: bool) -> None:
        """The process that should have replaced this one did not start; with ``trial``, the edit was wrong."""
        from pyautoload.serving.server.startup_error import StartupErrorServer

        if isinstance(self.server, StartupErrorServer):
            self.server.show(failure)
        elif self.application is not None:
            self.application.restart_failed(failure, trial=trial)

    def await_turn(self) -> bool:
        """Say that everything is prepared, and wait to be told to begin."""
        server = self.server
        assert server is not None
        self.channel.send("ready", interface=self.interface, server=server.name, waiting=server.name == "waiting")
        self._turn.wait()
        if self.loader is not None and not self._is_over:
            tell_libraries(self.channel, self.loader, self._leaves)
        return not self._is_over

    def retired(self) -> None:
        """No connection is accepted any more: changes are the next process's affair."""
        self._is_retired = True
        self._leaves.set()
        self.channel.send("retired")
        if self.application is not None:
            self.application.close()  # open pages ask again, and find the next process
        # A reload that waits for requests to end is waited for: not by the thread that these may need to end.
        threading.Thread(target=self._stop_watching, daemon=True).start()

    def _stop_watching(self) -> None:
        if self.unmanaged is not None:
            self.unmanaged.stop()
        if self.page_files is not None:
            self.page_files.stop()
        if self.loader is not None and self.loader.reloader is not None:
            self.loader.enable_reloading(watch=False)

    # Serving

    interface = ""

    def serve(self) -> None:
        """Load the program and serve it."""
        try:
            server = self.load()
        except ExtraMissing as error:
            self.channel.send("refused", reason=str(error))
            return
        except (ServeError, SetupError) as error:
            self.channel.send("failed", failure=Failure(str(error)).as_dict())
            return
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raises while it is loaded
            self.channel.send("failed", failure=Failure.of(error, self.directory).as_dict())
            return
        self.server = server
        if self._is_over:
            return
        try:
            server.run(Handover(self.await_turn, self.retired))
        except ServeError as error:
            self.channel.send("failed", failure=Failure(str(error)).as_dict())

    def load(self) -> Server:
        """Load the program, begin to watch, and make the server for it."""
        from pyautoload.serving.server import served_program
        from pyautoload.serving.server.page_files import watch_page_files
        from pyautoload.serving.server.unmanaged_files import UnmanagedFiles

        settings = served_program.settings_of(self.options)
        served_program.make_importable(settings)
        variables = served_program.set_variables(settings)
        loaded = served_program.load_program(self.options, settings, uses_flask=bool(variables))
        served_program.import_all(self.needs, loaded.loader)
        self.interface, self.loader, self.application = loaded.interface, loaded.loader, loaded.application
        self.application.hand_over_after(_SLOW)
        self.loader.on_reload(self.reloaded)
        self._watch(self.loader)
        self.unmanaged = UnmanagedFiles(
            settings.directory,
            self.loader.dirs(),
            self.outside_changed,
            polling=self.options.polling,
            read=[*variables, *loaded.configuration.files],
            managed=self.loader.is_managed,
        )
        self.program = loaded
        self.unmanaged.start(self.since)
        loaded.holders.look_at(self.unmanaged.modules())
        if self.options.refresh:
            self.page_files = watch_page_files(
                settings.directory, self.loader.dirs(), self.page_files_changed, polling=self.options.polling
            )
        return self._server(loaded.application)

    def _watch(self, loader: AutoLoader) -> None:
        """Apply changes in the background, in the way that the program asked for if it did."""
        reloader = loader.reloader
        if reloader is not None and reloader.watches and not (self.options.polling or self.options.verify):
            return
        options = {**(reloader.options if reloader is not None else {}), "watch": True}
        if self.options.polling:
            options["polling"] = True
        if self.options.verify:
            options |= {"verify": True, "report_stale": self.options.report_stale}
            loader.on_verified(self.verified)
        loader.enable_reloading(**options, gate_timeout=reloader.gate.timeout if reloader is not None else 2.0)

    def _server(self, application: Middleware) -> Server:
        options = self.options
        service = Service(
            application, self.listener, options.drain, EVENTS, self.reporter, options.requests, self.answered
        )
        try:
            if self.interface == "wsgi":
                from pyautoload.serving.server.werkzeug_server import WerkzeugServer

                return WerkzeugServer(service)
            from pyautoload.serving.server.uvicorn_server import UvicornServer

            return UvicornServer(service)
        except ModuleNotFoundError as error:
            if error.name not in ("werkzeug", "uvicorn"):
                raise
            what = f"{options.target} is a {self.interface.upper()} application, and that"
            raise ExtraMissing(what, error.name, self.interface) from error

    def wait_for_edit(self, failure: Failure) -> None:
        """Show why the program did not start, until an edit is worth another try."""
        from pyautoload.serving.server import served_program
        from pyautoload.serving.server.startup_error import StartupErrorServer
        from pyautoload.serving.server.unmanaged_files import (
            SOURCES,
            changed_since,
            forget_bytecode,
            watch_files,
        )

        options = self.options
        self.server = StartupErrorServer(
            self.listener, failure, self.directory, options.hosts, refresh=options.refresh, secret=options.secret
        )
        places = served_program.places(self.options)

        def try_again(paths: list[str]) -> None:
            forget_bytecode(paths)
            self.restart(dict.fromkeys(map(self._shown, paths), ""))

        def look() -> None:
            since, self.since = self.since, time.time() - _TICK
            if missed := changed_since(places, since):
                try_again(missed)

        watcher = watch_files(places, SOURCES, try_again, polling=self.options.polling)
        look()
        self._try_again = look
        self.server.run(Handover(self.await_turn, self.retired))
        watcher.stop()

    # Reloading

    def reloaded(self, result: ReloadResult) -> None:
        """Tell what a reload did; ask for a new process where it says so, or the last one did not start."""
        if self._is_retired:
            return
        outcome = self.application.outcome if self.application is not None else Outcome()
        self._needs_restart.update(result.restart_required)
        if not result.errors:
            self._needs_restart.update(self._what_else_is_old(result, outcome))
        if result.errors:
            self.reporter.reload(result)
            self._try(result.errors)
        elif outcome.failure is not None:
            self.reporter.not_made(outcome.failure)
            self._ask_for_trial({self.options.target: described(outcome.failure)}, [])
        elif self._needs_restart:
            self.restart(self._needs_restart)
        else:
            self.reporter.reload(result, outcome.anew)
            self.channel.send("settled")

    def _what_else_is_old(self, result: ReloadResult, outcome: Outcome) -> dict[str, str]:
        """What a reload leaves as it was, outside of the modules that it knows, and why."""
        assert self.program is not None
        assert self.unmanaged is not None
        self.unmanaged.read = list({*self.unmanaged.read, *self.program.configuration.files})
        with self._looking:
            self.unmanaged.look()
            found = {**self.program.holders.why_old(result), **self.program.sought.why_restart(result)}
            self.program.holders.look_at(self.unmanaged.modules())
        copied = self.program.configuration.why_old(result)
        if copied is not None and outcome.anew is None:
            found[self.options.target] = copied
        return found

    def verified(self, outcome: Verification) -> None:
        """A fresh process has shown what this one should be like: where it is not, and stays so, a new one serves."""
        if outcome.ok or self._is_retired:
            return
        told = {each.module: f"differs from a fresh process: {each.name}" for each in outcome.differences}
        self.channel.send("news", kind="not_verified", content=told)
        self._needs_restart.update(told)
        self.restart(self._needs_restart)

    def _try(self, errors: list[ReloadError]) -> None:
        """Have a fresh process find out if an edit is right that could not be reloaded.

        A file that is not Python is wrong everywhere, so nothing needs to be tried.
        """
        causes = {error.module: error.__cause__ or error for error in errors}
        if not any(isinstance(cause, (SyntaxError, UnicodeError)) for cause in causes.values()):
            self._ask_for_trial({name: described(cause) for name, cause in causes.items()}, list(causes))

    def _ask_for_trial(self, reasons: dict[str, str], needs: list[str]) -> None:
        told = {name: f"not reloadable here: {why}" for name, why in reasons.items()}
        self.channel.send("trial", reasons={**self._needs_restart, **told}, needs=needs)

    def answered(self) -> None:
        """A request is done: modules beside the roots that it has imported are watched from now on, too."""
        count = len(sys.modules)
        if count == self._modules or self.program is None or self.unmanaged is None or self._is_retired:
            return
        if self._looking.acquire(blocking=False):  # several requests end at once: one of them looks
            try:
                self._modules = count
                self.unmanaged.look()
                self.program.holders.look_at(self.unmanaged.modules())
            finally:
                self._looking.release()

    def outside_changed(self, paths: list[str]) -> None:
        """A file that is not the loader's has changed."""
        self._needs_restart.update({path: self._why_unmanaged(path) for path in paths})
        self.restart(self._needs_restart)

    def _why_unmanaged(self, path: str) -> str:
        """What to tell of a file beside the roots; a package can be made a root, so that edits need no restart."""
        top = path.partition(os.sep)[0]
        if top == path or not os.path.isfile(os.path.join(self.directory, top, "__init__.py")):
            return "not under a root of the loader"
        return f'not under a root of the loader: add "{top}" to the roots in [tool.pyautoload], and it is reloaded'

    def page_files_changed(self, paths: list[str]) -> None:
        """A template, a style sheet or the like was saved."""
        if self.application is not None and not self._is_retired:
            self.reporter.refresh(list(map(self._shown, paths)))
            self.application.refresh()

    def restart(self, reasons: dict[str, str]) -> None:
        """Ask for a new process; of no use is one that cannot import what the edit was about."""
        needs = [name for name in self.loader.loaded() if name in reasons] if self.loader is not None else []
        self.channel.send("restart", reasons=reasons, needs=needs)

    def _shown(self, path: str) -> str:
        return path.removeprefix(self.directory.rstrip(os.sep) + os.sep)


def _is_news(record: logging.LogRecord) -> bool:
    """A failed reload is told by the reporter; whatever else is logged is not."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(isinstance(argument, ReloadError) for argument in arguments)


def _tell_when_terminal_is_read(channel: Channel) -> None:
    """Let the supervisor leave the keys to a debugger, or whatever else the program reads them for."""
    told = False

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal told
        if event in _READS_TERMINAL and not told:
            told = channel.send("terminal")

    sys.addaudithook(audit)


def main() -> None:
    """What the supervisor starts."""
    task: dict[str, Any] = json.loads(os.environ.pop(ENVIRONMENT))
    options = Options.from_json(task["options"])
    sockets = received(task["sockets"])
    channel = Channel(sockets["channel"])
    worker = Worker(options, sockets["listener"], channel, task["since"], task["needs"])
    worker.listener.setblocking(False)
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), worker.quit)
    if hasattr(signal, "SIGUSR1"):
        # Meant for the supervisor; sent to all processes of the group it must not end this one.
        signal.signal(signal.SIGUSR1, lambda number, frame: None)
    if task["keys"]:
        _tell_when_terminal_is_read(channel)
    logging.getLogger("pyautoload").addFilter(_is_news)
    threading.Thread(target=worker.listen_to_supervisor, name="pyautoload-serve", daemon=True).start()
    sys.argv[:] = [options.target]
    if task["failure"] is None:
        worker.serve()
    else:
        worker.wait_for_edit(Failure(**task["failure"]))


if __name__ == "__main__":
    main()
