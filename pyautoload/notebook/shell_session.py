"""Session: what one shell of IPython has: called before and after each cell, and by ``%autoload``."""

from __future__ import annotations

from typing import Any

from pyautoload.errors import ReloadError, SetupError
from pyautoload.notebook.autoreload import Autoreload
from pyautoload.notebook.cell import code_of
from pyautoload.notebook.followed_names import Names
from pyautoload.notebook.notebook_output import Note, Part, asked_parts, error_parts, result_parts, stale_note
from pyautoload.notebook.project import Project
from pyautoload.notebook.stale_cells import StaleCells
from pyautoload.reloading.result import ReloadResult

__all__ = ["Session"]

_USAGE = "%autoload [on | off | status | stale | check | add NAME]"


class Session:
    """Brings edits in before each cell.

    Args:
        shell: IPython's ``InteractiveShell``.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.project = Project()
        self.names = Names(shell.user_ns, self.project.is_managed)
        self.cells = StaleCells(self.project, self.names)
        self.is_on = False
        self._autoreload = Autoreload(shell)
        # What failed in the last attempt, and is on disk as it was then.
        self._failing: list[ReloadError] = []
        # Module → why only a restart brings in what has changed.
        self._asked: dict[str, str] = {}
        # The cells that are running: one may run another one, `%%capture` does.
        self._running: list[Any] = []

    # Life

    def start(self) -> None:
        """Begin."""
        self.is_on = True
        try:
            self.project.begin()
        except SetupError as error:
            self._show([Part(f"nothing is watched yet, {error}", "", "error"), Part("then", "%autoload add NAME")])
        for source in self.shell.user_ns.get("In", ())[1:-1]:
            self.names.note(code_of(source, self.shell.transform_cell))
        self.shell.events.register("pre_run_cell", self.before_cell)
        self.shell.events.register("post_run_cell", self.after_cell)
        self.shell.register_magic_function(self.magic, magic_kind="line", magic_name="autoload")

    def stop(self) -> None:
        """End; what is loaded stays as it is."""
        self.is_on = False
        self.shell.events.unregister("pre_run_cell", self.before_cell)
        self.shell.events.unregister("post_run_cell", self.after_cell)
        self.shell.magics_manager.magics["line"].pop("autoload", None)
        self._autoreload.give_back()
        self.project.end()

    # Cells

    def before_cell(self, info: Any) -> None:
        """Bring in what has changed; IPython calls this."""
        if getattr(info, "store_history", False):
            self._running.clear()  # not a cell in a cell, whatever became of the one before
        self._running.append(info)
        if not self.is_on or len(self._running) > 1:
            return
        self._take_over()
        if self.project.look_for_loaders():
            self.names.look_again()
        if self.project.may_have_changed():
            self.bring_in()
        elif self._failing:
            self._show(error_parts(self._failing, again=True))

    def after_cell(self, result: Any) -> None:
        """Note what the cell has done; IPython calls this."""
        info = getattr(result, "info", None)
        is_outermost = len(self._running) == 1
        if info in self._running:
            self._running.remove(info)
        if not is_outermost or info is None or result.error_before_exec is not None:
            return
        self._take_over()
        if self.project.look_for_loaders():
            self.names.look_again()
        self.project.read_sources()
        source = info.raw_cell or ""
        code = code_of(source, self.shell.transform_cell)
        self.names.note(code)
        number = result.execution_count
        label = f"In [{number}]" if number is not None else "a cell"
        key = getattr(info, "cell_id", None) or source.strip()
        self.cells.note(key, label, source, code, result.result)

    def _take_over(self) -> None:
        if self.is_on and self._autoreload.take_over():
            text = "takes over from %autoreload, which does nothing until"
            self._show([Part(text, "%autoload off", "warning")])

    def bring_in(self) -> list[ReloadResult]:
        """Reload what has changed, let names follow, and show what was done."""
        before = self.cells.before()
        results = self.project.bring_in()
        if not results:
            return results
        failed = [error for result in results for error in (*result.errors, *result.still_failing)]
        is_known = [str(error) for error in failed] == [str(error) for error in self._failing]
        self._failing = failed
        for result in results:
            for name in (*result.patched, *result.reexecuted, *result.removed):
                self._asked.pop(name, None)
            self._asked |= result.restart_required
        names = self.names.update()
        stale = self.cells.after(before, {name for result in results for name in result.changed})
        shown = self.cells.variables(stale)
        self._show([*result_parts(results, names, self.names.lost, shown), *error_parts(failed, again=is_known)])
        return results

    def _show(self, parts: list[Part]) -> None:
        if parts:
            self.show(Note(parts))

    def show(self, note: Note) -> None:
        """Show a note in the output of the cell."""
        self.shell.display_pub.publish(note.bundle())

    # The magic

    def magic(self, line: str) -> None:
        """%autoload [on | off | status | stale | check | add NAME]

        on, off: bring in edits before each cell, or not. `off` gives `%autoreload` back what it had.
        status: what is watched, how many modules, what failed.
        stale: the cells whose code or values have changed since they ran, in the order to run them again.
        check: bring in what has changed now.
        add NAME: also the files of a directory, package or module that is not below the working directory.
        """
        word, _, argument = line.strip().partition(" ")
        does = {"on": self._on, "off": self._off, "status": self._status, "": self._status}
        does |= {"stale": self._stale, "check": self._check}
        if word == "add" and argument.strip():
            self._add(argument.strip())
        elif word in does and not argument:
            does[word]()
        else:
            self._show([Part(f"unknown: {line.strip()}; there are", _USAGE, "error")])

    def _on(self) -> None:
        self.is_on = True
        self._take_over()
        self._show([Part("on: edits are brought in before each cell")])

    def _off(self) -> None:
        self.is_on = False
        given_back = self._autoreload.give_back()
        self._show([Part("off: edits wait for", "%autoload on or %autoload check")])
        if given_back:
            self._show([Part("%autoreload does what it did before")])

    def _status(self) -> None:
        parts = [Part("on" if self.is_on else "off")]
        for loader in self.project.loaders:
            roots = ", ".join(loader.dirs())
            parts.append(Part(f"{len(loader.loaded())} modules loaded from", roots or "nowhere"))
        parts += error_parts(self._failing)
        parts += asked_parts(self._asked)
        stale = self.cells.stale()
        if stale:
            parts.append(Part(f"{len(stale)} stale, see", "%autoload stale", "warning"))
        self._show(parts)

    def _stale(self) -> None:
        self.show(stale_note(self.cells.stale()))

    def _check(self) -> None:
        if not self.bring_in():
            self._show(error_parts(self._failing, again=True) or [Part("nothing has changed")])

    def _add(self, name: str) -> None:
        try:
            directory = self.project.add(name)
        except SetupError as error:
            self._show([Part(str(error), "", "error")])
            return
        self.names.look_again()
        self._show([Part("watches", directory)])
