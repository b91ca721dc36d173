"""What is different now to those who use a module: its names, attributes of its classes, code of its functions."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.code.codediff import same_code
from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.reconcile import Reconciler, same_value
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.objects.values import NOT_OWN, Shape, shape_of

__all__ = ["NameChanges"]


_IMPORTED_BY_PYTHON = frozenset(
    {
        *("__name__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__", "__builtins__"),
        *("__getattr__", "__dir__", "__annotations__", "__annotate__", "__conditional_annotations__"),
    }
)


class NameChanges:
    """Tells the changes, for all modules that one reload runs again."""

    def __init__(self, state: TakeoverState) -> None:
        self._state = state
        # Classes that have stayed and have changed, by their ids.
        self._changed: set[int] = set()

    def note(
        self, module: str, former: FormerModule, names: dict[str, Any], fresh: dict[str, Any], reconciler: Reconciler
    ) -> None:
        """Everything of the module has come to rest: say what is not as it was.

        Args:
            module: its name.
            former: what it was.
            names: its dict.
            fresh: what its names hold now, as shapes.
            reconciler: has merged its functions and classes.
        """
        changes, shapes = self._state.changes, former.shapes
        for name in former.names.keys() - names.keys():
            if name in shapes and not is_a(former.names[name], ModuleType):
                changes.bound_anew(module, name, former.names[name], MISSING)
        for cls, before in self._state.members_before.items():
            if cls.__module__ == module and (decorated := self._decorated(cls, before)):
                reconciler.attributes.setdefault(cls.__qualname__, set()).update(decorated)
        self._changed.update(id(cls) for cls in self._state.members_before if self._has_changed(cls))
        for name, shape in fresh.items() if self._changed else ():
            if name in names and self._holds_changed(shape, names[name]):
                changes.name(module, name)  # the same object, and something else to who looks into it
        for qualname, attributes in reconciler.attributes.items():
            if attributes:
                changes.name(module, qualname.partition(".")[0])
                for attribute in attributes:
                    changes.attribute(attribute)
        for code in reconciler.codes:
            changes.code(code)
        for name, value in list(names.items()):
            old = former.names.get(name, MISSING)
            if name in _IMPORTED_BY_PYTHON or (name == "__doc__" and old == value):
                continue
            if old is not value:
                if old is not MISSING or name not in shapes:
                    changes.bound_anew(module, name, old, value)
                    self._note_parts(shapes.get(name), value)
            elif self._looks_otherwise(value, reconciler, is_imported=name in former.imported):
                changes.name(module, name)

    def _decorated(self, cls: type, before: dict[str, Any]) -> set[str]:
        """Attributes of a class that decorators have made otherwise than they did before."""
        now, body = vars(cls), self._state.body_names.get(cls, ())
        names = {name for name in before.keys() | now.keys() if name not in body and name not in NOT_OWN}
        return {name for name in names if not _is_alike(before.get(name, MISSING), now.get(name, MISSING))}

    def _has_changed(self, cls: type) -> bool:
        reconciler = self._state.reconcilers.get(cls.__module__)
        return reconciler is not None and bool(reconciler.attributes.get(cls.__qualname__))

    def _holds_changed(self, shape: Any, value: Any) -> bool:
        """Whether something is, or holds, a class that has stayed and has changed."""
        if is_a(value, type):
            return id(value) in self._changed
        found, seen = [shape], set[int]()
        while found:
            part = found.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            if type(part) is Shape:
                found += part.parts.values()
            elif id(part) in self._changed and is_a(part, type):
                return True
        return False

    def _looks_otherwise(self, value: Any, reconciler: Reconciler, *, is_imported: bool) -> bool:
        """Whether an object that has stayed is not what it was to who uses it."""
        if id(value) in self._state.changed_in_place:
            return not is_imported
        if is_a(value, (CACHED, staticmethod, classmethod, property)):
            value = getattr(value, "__wrapped__", None) or getattr(value, "__func__", None)
        return is_a(value, FunctionType) and value.__qualname__ in reconciler.bodies

    def _note_parts(self, before: Any, value: Any) -> None:
        """Attributes of an object that was recreated may be read by who does not name it."""
        now = shape_of(value)
        if type(before) is not Shape or type(now) is not Shape:
            return
        for key in before.parts.keys() | now.parts.keys():
            if type(key) is str:
                a, b = before.parts.get(key, MISSING), now.parts.get(key, MISSING)
                if type(a) is not type(b) or (type(a) is not Shape and a != b):
                    self._state.changes.attribute(key)


def _is_alike(before: Any, now: Any) -> bool:
    """Whether two members of a class are the same to who reads them, as far as that shows at once."""
    if before is now:
        return True
    if before is MISSING or now is MISSING:
        return False
    if is_a(before, FunctionType) and is_a(now, FunctionType):
        return same_code(before.__code__, now.__code__) and same_value(before.__defaults__, now.__defaults__)
    return True
