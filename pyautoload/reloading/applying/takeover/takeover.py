"""Takeover: a module's code has run again; old objects stay who they are and take what the new ones have.

Classes come first, when they are made. Functions and values follow when the module has run to its end, by three-way
comparison: what the code gave last time, what it gives now, and what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.applying.takeover.class_attributes import ClassAttributes
from pyautoload.reloading.applying.takeover.class_statements import ClassStatements
from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.module_functions import DEFINITIONS, settle_functions
from pyautoload.reloading.applying.takeover.module_values import ModuleValues
from pyautoload.reloading.applying.takeover.name_binding import NameBinding
from pyautoload.reloading.applying.takeover.name_changes import NameChanges
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.class_identity import move_instances, retire
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.records.record import Record

__all__ = ["Takeover"]


class Takeover:
    """Brings old and new together, for all modules that one reload runs again.

    Args:
        state: what is known so far; the parts share it, and who runs the modules reads in it.
    """

    def __init__(self, state: TakeoverState) -> None:
        self.state = state
        attributes = ClassAttributes(state)
        self._classes = ClassStatements(state, attributes)
        self._values = ModuleValues(state, attributes)
        self._binding = NameBinding(state)
        self._changes = NameChanges(state)

    def expect(self, name: str, former: FormerModule, code: CodeType) -> None:
        """The code of a module is about to run again.

        Args:
            name: of the module.
            former: what it was.
            code: what will run.
        """
        self.state.formers[name] = former
        self._classes.expect(name, former, code)

    def gone(self, name: str, module: ModuleType, record: Record) -> None:
        """A module is taken out for good: what it defines goes."""
        self.state.formers[name] = former = FormerModule(module, record, frozenset())
        former.module = ModuleType(name)

    def watching_classes(self) -> AbstractContextManager[None]:
        """As long as this lasts, class statements of this thread give the old class where there is one."""
        return self._classes.watching()

    def binding(self, module: str, names: dict[str, Any]) -> dict[str, Any]:
        """What the code of a module binds its names in, as ``exec`` takes it: ``names`` with a say in each binding."""
        return self._binding.binding(module, names)

    def settle(self, name: str, module: ModuleType, fresh: dict[str, Any]) -> None:
        """A module's code has run to its end.

        Args:
            name: of the module.
            module: the module.
            fresh: what its names hold now, as shapes; those of values that are kept are replaced by the former ones.
        """
        former, names = self.state.formers[name], module.__dict__
        reconciler = self.state.reconciler(name)
        for key in self._given_names(former, names):
            fresh[key] = former.shapes[key]  # what the code gives, and not what the program has made of it since
            self.state.kept.setdefault(name, set()).add(key)
        self._classes.settle(former, names, reconciler)
        # Functions that living values hold, each with the one that stands for it in the new ones.
        twins: list[tuple[FunctionType, FunctionType]] = []
        dropped = self._values.settle(name, names, fresh, twins)
        self._classes.absorb()
        definitions = [key for key, value in fresh.items() if is_a(value, DEFINITIONS)]
        for key in definitions:
            del fresh[key]  # who holds a function is counted
        taken = Counter(id(new) for _, new in twins)
        settle_functions(self.state, former, names, reconciler, dropped=dropped, taken=taken)
        for old, new in twins:
            reconciler.merged(old, new)
        fresh.update({key: names[key] for key in definitions})
        self._program_names(former, names)
        self._changes.note(name, former, names, fresh, reconciler)
        # Who runs next meets them as they are now; those that cannot move yet may be gone by the end.
        replaced = [(old, new) for old, new in self.state.replaced if new.__module__ == name]
        if replaced:
            move_instances(replaced, self.state.journal)

    def _given_names(self, former: FormerModule, names: dict[str, Any]) -> list[str]:
        return [
            key
            for key, value in names.items()
            if id(value) in self.state.given and key in former.shapes and not is_a(value, FunctionType)
        ]

    def _program_names(self, former: FormerModule, names: dict[str, Any]) -> None:
        """What the program itself has bound in the module, and the code never did, stays."""
        if former.module.__name__ in self.state.anew:
            return  # others have bound it, who do that once more
        for name, value in former.names.items():
            if name in names or name in former.shapes or name in former.stored or name in former.imported:
                continue
            if f"{former.module.__name__}.{name}" in self.state.formers:
                continue  # a module in this package, which is imported again
            if not (name[:2] == "__" and name[-2:] == "__"):
                names[name] = value

    def standing(self, classes: Iterable[type]) -> tuple[type, ...]:
        """Those that stand for classes which the code has made: where an old one took their content, that one."""
        return self._classes.standing(classes)

    def dead(self) -> dict[int, Any]:
        """The functions and classes that no code makes any more, by their ids."""
        found: dict[int, Any] = {}
        for name, former in self.state.formers.items():
            now = {id(value) for value in former.module.__dict__.values()}
            known = {*now, *self.state.pairs}
            for value in former.names.values():
                if is_a(value, FunctionType) and value.__module__ == name and id(value) not in known:
                    found[id(value)] = value
            for cls in former.classes:
                if id(cls) not in now and (cls not in self.state.members_before or id(cls) in self.state.successors):
                    found[id(cls)] = cls
        return found

    @property
    def leaves_garbage(self) -> bool:
        """Whether there are objects that others may still find, until the garbage collector comes by."""
        return any(reconciler.lingers for reconciler in self.state.reconcilers.values()) or bool(self.dead())

    def give_up(self) -> bool:
        """Everything is put back: what was made meanwhile is nobody's subclass.

        Returns:
            Whether that is not so of some of it until the garbage collector comes by.
        """
        lingers = self._classes.give_up()
        self.state.release()
        return lingers

    def release(self) -> None:
        """Nothing is put back any more: do not keep alive what was there before."""
        self._classes.release()
        self.state.release()

    def retire(self) -> None:
        """Classes that went are nobody's subclasses any more."""
        for cls in [*self.dead().values(), *(old for old, _ in self.state.replaced)]:
            if is_a(cls, type):
                retire(cls, self.state.journal)
