"""Which cells made their variables, or their output, with code or values that have changed since."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from pyautoload.notebook.cell import CellCode
from pyautoload.notebook.cell_dependencies import Key, Reach, Roots, key_of
from pyautoload.notebook.followed_names import Names
from pyautoload.notebook.module_definitions import Definitions, changed_names
from pyautoload.notebook.project import Project

__all__ = ["Before", "Run", "StaleCells"]

_NOTHING: Any = object()
# Two of them that are equal are the same for whoever uses them.
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


@dataclass
class Run:
    """What is known of a cell that has run, from when it ran last.

    Attributes:
        key: what tells it from other cells: the notebook's name for it, or its text.
        label: for people, ``"In [3]"``.
        source: as it was typed.
        number: of this run, among all.
        roots: where it begins to reach.
        inputs: variable that it read → key and number of the run that had made it.
        values: variables that it made, or did something to.
        definitions: functions and classes that it defined.
        why: what has changed since; empty where nothing has.
    """

    key: str
    label: str
    source: str
    number: int
    roots: Roots
    inputs: dict[str, tuple[str, int]]
    values: list[str]
    definitions: list[str]
    why: list[str] = field(default_factory=list)


@dataclass
class Before:
    """What cells reach, and what that was, before a reload.

    Attributes:
        reached: key of a cell → the keys that it reaches.
        definitions: of the modules that are reached.
        values: what the names that are reached stood for.
    """

    reached: dict[str, set[Key]]
    definitions: dict[str, Definitions]
    values: dict[Key, Any]


class StaleCells:
    """Keeps account of the cells.

    Args:
        project: tells what modules define.
        names: those that follow.
    """

    def __init__(self, project: Project, names: Names) -> None:
        self.project = project
        self.names = names
        # In the order in which the cells ran for the first time.
        self._runs: dict[str, Run] = {}
        # Variable → key and number of the run that has made it.
        self._makers: dict[str, tuple[str, int]] = {}
        # Function or class of the notebook → the code that has defined it.
        self._defined: dict[str, CellCode] = {}
        self._count = 0

    # Cells

    def note(self, key: str, label: str, source: str, code: CellCode, shown: object = None) -> None:
        """A cell has run; the names that follow know of it already.

        Args:
            key: what tells it from other cells.
            label: for people.
            source: as it was typed.
            code: what it does.
            shown: the value of its last expression; ``None`` where it has none.
        """
        self._count += 1
        roots, inputs = self._roots_of(code)
        why = [name for name, made in inputs.items() if self._is_stale(made)]
        self._look_through(key, inputs)
        values = sorted(name for name in code.values if name in self.names.namespace and not self._follows(name))
        if code.values and not values:
            roots, inputs, why = Roots(), {}, []  # all that it makes follows by itself
        values += sorted(name for name in self._changed(code, shown) if name not in values)
        self._runs[key] = run = Run(
            key, label, source, self._count, roots, inputs, values, sorted(code.definitions), why
        )
        for name in code.bound:
            self._makers.pop(name, None)
            self._defined.pop(name, None)
        for name in (*values, *run.definitions):
            self._makers[name] = (key, run.number)
        for name in code.definitions:
            self._defined[name] = code

    def _look_through(self, key: str, inputs: dict[str, tuple[str, int]]) -> None:
        """A cell that runs again may read what it has made itself: that came from what it had read before."""
        former = self._runs.get(key)
        for name, made in list(inputs.items()):
            if made[0] != key:
                continue
            del inputs[name]
            if former is not None and name in former.inputs:
                inputs[name] = former.inputs[name]

    def _changed(self, code: CellCode, shown: object) -> set[str]:
        """The variables that a cell has not made, but done something to."""
        names = set(code.changes)
        if code.last is not None and (shown is None or shown is self.names.namespace.get(code.last)):
            names.add(code.last)
        return {name for name in names - code.bound if name in self._makers}

    def _roots_of(self, code: CellCode) -> tuple[Roots, dict[str, tuple[str, int]]]:
        roots, inputs = Roots(attributes=set(code.uses.attributes)), {}
        pending, seen = list(code.uses.names), set[str]()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            if (definer := code if name in code.definitions else self._defined.get(name)) is not None:
                uses = definer.definitions[name]
                roots.attributes |= uses.attributes
                for level, module, attribute in uses.imports:
                    if level == 0 and attribute is None:
                        roots.modules.add(module)
                    elif level == 0 and attribute is not None:
                        roots.keys.add((module, attribute))
                pending += uses.names
            else:
                self._add_root(roots, name)
            if name in self._makers and name not in code.definitions and name not in code.imports:
                inputs[name] = self._makers[name]
        return roots, inputs

    def _follows(self, name: str) -> bool:
        """Whether the value of a name is changed in place by a reload: a function, a class, a module."""
        value = self.names.namespace[name]
        if isinstance(value, ModuleType):
            return self.project.is_managed(value.__name__)
        key = key_of(value) if isinstance(value, (type, FunctionType)) else None
        return key is not None and self.project.is_managed(key[0])

    def _add_root(self, roots: Roots, name: str) -> None:
        followed = self.names.followed.get(name)
        value = self.names.namespace.get(name, _NOTHING)
        if followed is not None and followed.attribute is not None:
            roots.keys.add((followed.module, followed.attribute))
        elif isinstance(value, ModuleType):
            roots.modules.add(value.__name__)
        elif isinstance(value, (type, FunctionType)) and (key := key_of(value)) is not None:
            roots.keys.add(key)
        elif value is not _NOTHING:
            mro = [key for cls in type(value).__mro__ if (key := key_of(cls)) is not None]
            roots.classes |= {key for key in mro if self.project.is_managed(key[0])}

    def _is_stale(self, made: tuple[str, int]) -> bool:
        run = self._runs.get(made[0])
        # Whichever run it was: a cell that ran again meanwhile, with nothing new, made the same.
        return run is not None and bool(run.why)

    def stale(self) -> list[tuple[Run, str]]:
        """The cells to run again and why, each after those that make what it reads.

        A cell that reads what another one has overwritten since (``x = clean(x)``) needs that recreated, too; and what
        a cell that runs again overwrites is made again by who made it last.
        """
        order = {run.key: place for place, run in enumerate(self._in_order())}
        wanted = {run.key: f"changed: {', '.join(run.why)}" for run in self._runs.values() if run.why}
        pending = list(wanted)
        while pending:
            run = self._runs[pending.pop()]
            needed = [(name, made[0]) for name, made in run.inputs.items() if self._last_maker(name) != made[0]]
            overwritten = [(name, self._last_maker(name)) for name in (*run.values, *run.definitions)]
            again = [(name, maker) for name, maker in overwritten if order.get(maker, -1) > order[run.key]]
            for name, maker in (*needed, *again):
                if maker in self._runs and maker not in wanted:
                    wanted[maker] = f"makes {name} {'anew' if (name, maker) in needed else 'again'}"
                    pending.append(maker)
        return [(self._runs[key], wanted[key]) for key in order if key in wanted]

    def _last_maker(self, name: str) -> str:
        return self._makers.get(name, ("", 0))[0]

    def _in_order(self) -> list[Run]:
        ordered: dict[str, Run] = {}

        def place(run: Run, above: frozenset[str]) -> None:
            for key, _ in run.inputs.values():
                if key in self._runs and key not in above and key not in ordered:
                    place(self._runs[key], above | {key})
            ordered.setdefault(run.key, run)

        for run in list(self._runs.values()):
            place(run, frozenset({run.key}))
        return list(ordered.values())

    def variables(self, runs: list[Run]) -> list[str]:
        """The variables that some runs have made and that are theirs still."""
        theirs = {name: (run.key, run.number) for run in runs for name in run.values}
        return [
            name for name, made in self._makers.items() if theirs.get(name) == made and name in self.names.namespace
        ]

    # Reloads

    def before(self) -> Before:
        """What there is before a reload: to be asked for while nothing has been reloaded yet."""
        classes: dict[str, set[Key]] = {}
        reached: dict[str, set[Key]] = {}
        for run in self._in_order():
            if run.why:
                continue
            given = [key for name, _ in run.inputs.values() for key in classes.get(name, ())]
            if not run.roots and not given:
                continue
            reach = Reach(self.project, run.roots, given)
            reached[run.key], classes[run.key] = reach.keys, reach.classes
        keys = {key for some in reached.values() for key in some}
        definitions = {module: self.project.definitions(module) for module, _ in keys}
        return Before(reached, definitions, {key: _value(key) for key in keys})

    def after(self, before: Before, changed: set[str]) -> list[Run]:
        """What became stale by a reload.

        Args:
            before: what there was.
            changed: the modules of which the files have changed.

        Returns:
            The cells.
        """
        differing = {key for key, value in before.values.items() if not _is_same(value, _value(key))}
        for module in changed & before.definitions.keys():
            names = changed_names(before.definitions[module], self.project.definitions(module))
            differing |= {(module, name) for name in names}
        newly: list[Run] = []
        found = -1
        while found != (found := len(newly)):  # cells that ran in another order may read from each other
            for run in self._in_order():
                if run.why:
                    continue
                because = sorted(f"{module}.{name}" for module, name in before.reached.get(run.key, set()) & differing)
                run.why = because + [name for name, made in run.inputs.items() if self._is_stale(made)]
                newly += [run] if run.why else []
        return newly


def _value(key: Key) -> Any:
    module, name = key
    if module not in sys.modules:
        return _NOTHING
    return vars(sys.modules[module]).get(name, _NOTHING)  # of methods nothing: they are compared by their text


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and isinstance(one, _PLAIN) and one == other)
