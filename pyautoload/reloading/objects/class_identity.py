"""Classes: the old class takes the content of the new one, so that instances, subclasses and references follow."""

from __future__ import annotations

import abc
import enum
import functools
import sys
import typing
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, MappingProxyType
from typing import Any, Protocol

from pyautoload.reloading.objects.abstract_answers import forget_answers, forget_answers_of
from pyautoload.reloading.objects.functions import underlying
from pyautoload.reloading.objects.heap import holders, living_objects
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import shape_of
from pyautoload.reloading.restart import RestartNeeded

__all__ = [
    "ClassMerge",
    "absorb",
    "class_putter",
    "fits",
    "move_instances",
    "refresh_abstract",
    "retarget_cells",
    "retire",
]

# Sets the class of an object, whatever its class makes of the attribute.
SET_CLASS: Callable[[Any, type], None] = object.__dict__["__class__"].__set__
# What belongs to one class object and is never copied to another.
_OWN = frozenset({"__class__", "__dict__", "__weakref__", "_abc_impl", "__slots__", "__subclasshook__cache__"})
_KNOWN_METACLASSES: tuple[type, ...] = (type, abc.ABCMeta, enum.EnumMeta)
_TYPING_METACLASSES = tuple(
    kind for name in ("_ProtocolMeta", "_TypedDictMeta", "NamedTupleMeta") if (kind := getattr(typing, name, None))
)
# What Python 3.11 and later put into an enum's class for each member.
_ENUM_PROPERTY: type = getattr(enum, "property", type("Never", (), {}))
# Libraries whose classes are laid out in C: a class that differs is another class.
_BY_LAYOUT_ONLY = frozenset({"msgspec", "ctypes", "_ctypes"})
# What a class has itself where no base class has it.
_BY_LAYOUT = ("__dict__", "__weakref__")
# The flag of classes that are made while a program runs.
_HEAP_TYPE = 1 << 9
_LAYOUT = ("__basicsize__", "__itemsize__", "__dictoffset__", "__weakrefoffset__")


def class_putter(cls: type) -> Callable[..., None]:
    """How to set an attribute of ``cls``: by its metaclass's own ``__setattr__`` if the user wrote one."""
    meta = type(cls)
    if meta.__setattr__ is type.__setattr__ or isinstance(cls, enum.EnumMeta):
        return type.__setattr__
    return setattr


def fits(old: type, new: type) -> bool:
    """Whether an old class can take the content of a new one, as far as that can be told before."""
    if type(old) is not type(new) or not _metaclass_allows(old) or not _same_layout(old, new):
        return False
    # Else the slot would stay, and calls with arguments would fail.
    return _has_new(new) or not _has_new(old)


def _metaclass_allows(cls: type) -> bool:
    meta = type(cls)
    if meta in _KNOWN_METACLASSES or meta in _TYPING_METACLASSES:
        return True
    return meta.__module__.partition(".")[0] not in _BY_LAYOUT_ONLY


def _same_layout(old: type, new: type) -> bool:
    if _slots(old) != _slots(new):
        return False
    return old.__bases__ != new.__bases__ or all(getattr(old, name) == getattr(new, name) for name in _LAYOUT)


class Merging(Protocol):
    """Who merges the members of classes, and keeps what changed: see ``reconcile``."""

    journal: Journal
    bodies: set[str]
    attributes: dict[str, set[str]]
    lingers: bool

    def merged(self, old: Any, new: Any) -> Any:
        """What should be bound where ``old`` was and the new code made ``new``."""

    def holds(self, old: Any, new: Any) -> int:
        """How many references to the new one there are only because it was merged."""
        ...

    def prefer(self, old: Any, new: Any) -> None:
        """From now on the new one is bound where the old one was, in all that is still to be merged."""


class ClassMerge:
    """One merge of a new class into the old one of the same name.

    Args:
        reconciler: merges the members, and keeps what changed.
        old: the class that stays.
        new: the class that the new code made.
    """

    def __init__(self, reconciler: Merging, old: type, new: type) -> None:
        self.reconciler = reconciler
        self.journal = reconciler.journal
        self.old = old
        self.new = new
        self._put = class_putter(old)
        # Old enum members by name; they stay what they are.
        self._members: dict[int, Any] = {}

    def in_place(self) -> bool:
        """Update the old class.

        Returns:
            ``False``, with nothing done, where Python or its metaclass does not allow it.
        """
        old, new, before = self.old, self.new, self.old.__bases__
        if not fits(old, new):
            return False
        if old.__bases__ != new.__bases__ and not self.take_bases():
            return False
        if isinstance(old, enum.EnumMeta):
            self._adopt_members()
        changed = self._take_members()
        if "__slots__" in new.__dict__ and old.__dict__["__slots__"] != new.__dict__["__slots__"]:
            self.journal.set_class_attribute(old, "__slots__", new.__dict__["__slots__"])
        retarget_cells(new, old, self.journal)
        if not _retire(new):
            self.reconciler.lingers = True
        if isinstance(old, abc.ABCMeta):
            refresh_abstract(old, self.journal)
        if changed or old.__bases__ != before:
            forget_answers(old)
            self.journal.afterwards(lambda: forget_answers(old))
        if changed:
            self.reconciler.attributes.setdefault(old.__qualname__, set()).update(changed)
        return True

    def take_bases(self) -> bool:
        """Let the old class have the bases of the new one; ``False`` where that is not possible."""
        old, before = self.old, self.old.__bases__
        if any(name in self.new.__dict__ and name not in old.__dict__ for name in _BY_LAYOUT):
            return False  # only the old bases gave it: Python 3.15 allows that, and instances lose their attributes
        try:
            old.__bases__ = self.new.__bases__
        except TypeError:
            return False
        self.journal.note(lambda: setattr(old, "__bases__", before))
        self.reconciler.attributes.setdefault(old.__qualname__, set()).add("__bases__")
        return True

    def _take_members(self) -> set[str]:
        old, new = self.old, self.new
        own = _OWN | _slots(old)
        changed: set[str] = set()
        for name, value in list(new.__dict__.items()):
            if name in own:
                continue
            before = old.__dict__.get(name, MISSING)
            bodies = len(self.reconciler.bodies)
            result = self._merged_member(name, before, value)
            unheld = _UNHELD + self.reconciler.holds(before, value)
            if result is before and value is not before and _is_code(value) and sys.getrefcount(value) > unheld:
                result = value  # somebody took the new one while the class was made: all are to have the same
                self.reconciler.prefer(before, value)
            if result is not before:
                self._set(name, result)
            if len(self.reconciler.bodies) != bodies or (result is not before and not _alike(before, result)):
                changed.add(name)
        for name in [name for name in old.__dict__ if name not in new.__dict__ and name not in own]:
            self._set(name, MISSING)
            changed.add(name)
        return changed - {"__firstlineno__", "__static_attributes__", "__annotations_cache__"}

    def _set(self, name: str, value: Any) -> None:
        try:
            self.journal.set_class_attribute(self.old, name, value, self._put)
        except Exception as error:
            if self._put is type.__setattr__:
                raise
            reason = f"the metaclass of {self.old.__qualname__} does not let {name} be changed: {error}"
            raise RestartNeeded(self.old.__module__, reason) from error

    def _merged_member(self, name: str, before: Any, value: Any) -> Any:
        if id(value) in self._members:
            return self._members[id(value)]
        if self._members and name in ("_member_map_", "_value2member_map_", "_hashable_values_"):
            return self._mapped(value)
        if self._members and isinstance(value, _ENUM_PROPERTY) and hasattr(value, "member"):
            if id(value.member) in self._members:
                value.member = self._members[id(value.member)]
            return value
        return self.reconciler.merged(before, value)

    def _mapped(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._members.get(id(member), member) for key, member in value.items()}
        return value

    # Enums

    def _adopt_members(self) -> None:
        """Old members stay the objects that they are and get what the new ones say; new ones move to the old class."""
        old_members: dict[str, Any] = dict(self.old.__dict__.get("_member_map_", {}))
        for name, member in self.new.__dict__.get("_member_map_", {}).items():
            if member._name_ != name:
                continue  # another name of a member, which comes under its own
            mine = old_members.get(name, MISSING)
            if mine is MISSING or mine._name_ != name or not _same_payload(mine, member):
                self._move(member)
                self._members[id(member)] = member
                continue
            self._members[id(member)] = mine
            for key, value in member.__dict__.items():
                if key != "__objclass__" and mine.__dict__.get(key, MISSING) != value:
                    self.journal.set_item(mine.__dict__, key, value)

    def _move(self, member: Any) -> None:
        member.__class__ = self.old
        if "__objclass__" in member.__dict__:
            member.__dict__["__objclass__"] = self.old


def _same_payload(old: Any, new: Any) -> bool:
    """Whether what an enum member is made of (an int, a string) is the same: that part cannot be changed."""
    for kind in (int, str, float, bytes, tuple):
        if isinstance(old, kind):
            compare: Callable[[Any, Any], Any] = kind.__eq__
            return isinstance(new, kind) and compare(old, new) is True
    return True


def _has_new(cls: type) -> bool:
    """Whether instances are made by a ``__new__`` that is written in Python."""
    return any(isinstance(base.__dict__.get("__new__"), (staticmethod, FunctionType)) for base in cls.__mro__)


def _is_code(value: object) -> bool:
    return type(value) in (FunctionType, staticmethod, classmethod, property)


def _alike(before: Any, now: Any) -> bool:
    """Whether a member that was recreated says what the former one said."""
    return before is not MISSING and Comparison().same(shape_of(before), now)


def _unheld() -> int:
    members = {"probe": object()}  # alive meanwhile, as the class is
    for _, value in list(members.items()):
        return sys.getrefcount(value)
    return 0


# What the count shows for a member that only its class holds.
_UNHELD = _unheld()


def _slots(cls: type) -> frozenset[str]:
    slots = cls.__dict__.get("__slots__", None)
    if slots is None:
        return frozenset()
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    stripped = cls.__name__.lstrip("_")
    mangled = {f"_{stripped}{name}" if name.startswith("__") and not name.endswith("__") else name for name in names}
    return frozenset(mangled | {"__slots__"})


class _Retired:
    """The base of classes whose content has moved to the old class, so that no ``__subclasses__()`` lists them."""


def retire(cls: type, journal: Journal) -> bool:
    """A class that nothing makes any more is no subclass of others.

    Returns:
        Whether that is so already, and not only when the garbage collector has come by.
    """
    before = cls.__bases__
    is_done = _retire(cls)
    journal.note(lambda: setattr(cls, "__bases__", before) if cls.__bases__ != before else None)
    return is_done


def _retire(cls: type) -> bool:
    """Whether the class is no subclass of others any more; otherwise it goes when the garbage collector comes by."""
    if cls.__bases__ == (object,):
        return True
    if isinstance(cls, enum.EnumMeta):
        return all(base.__module__ == "enum" for base in cls.__bases__)
    if not issubclass(type(cls), type):
        return False
    for base in _retired_bases(cls):
        try:
            type.__setattr__(cls, "__bases__", (base,))
        except TypeError:
            continue  # another layout
        return True
    return False


def _retired_bases(cls: type) -> Iterator[type]:
    """Bases that belong to nobody, as a class may take them by its layout."""
    layout = next(base for base in cls.__mro__ if not base.__flags__ & _HEAP_TYPE)
    if layout is object:
        yield _Retired
    yield from (_retired(layout, meta) for meta in (type, abc.ABCMeta))
    yield _retired(layout, type, ())
    solid = next((base for base in cls.__mro__[1:] if base.__dict__.get("__slots__")), None)
    if solid is not None and solid.__base__ is layout:
        slots = solid.__dict__["__slots__"]
        names = (slots,) if isinstance(slots, str) else tuple(slots)
        if all(type(name) is str and (name[:2] != "__" or name[-2:] == "__") for name in names):
            yield _retired(layout, type, names)


@functools.lru_cache(maxsize=256)
def _retired(layout: type, meta: type, slots: tuple[str, ...] | None = None) -> type:
    """The same for those whose layout is that of a built-in type, or of one with slots on top of that."""
    names = {} if slots is None else {"__slots__": slots}
    return type.__call__(meta, f"_Retired{layout.__name__}", (layout,), names)  # type: ignore[no-any-return]


def retarget_cells(new: type, old: type, journal: Journal) -> None:
    """``super()`` and ``__class__`` in methods that came from ``new`` mean ``old`` from now on."""
    for member in list(new.__dict__.values()):
        if type(member) is FunctionType and not (member.__closure__ or member.__dict__ or _annotate(member)):
            continue
        for function in underlying(member):
            for name, cell in (*_cells(function), *_cells(_annotate(function))):
                if _holds(cell, new):
                    journal.set_cell(cell, old)
                elif name == "__classdict__":
                    # What annotations look names up in, and what would keep the new class alive. It is only read.
                    journal.set_cell(cell, old.__dict__)


def _cells(function: FunctionType | None) -> Iterator[tuple[str, CellType]]:
    """The cells of a function, with the names that it has for them."""
    if function is not None and function.__closure__:
        yield from zip(function.__code__.co_freevars, function.__closure__, strict=True)


def _annotate(function: FunctionType) -> FunctionType | None:
    """What makes a function's annotations, from Python 3.14 on: it may hold the class."""
    annotate = getattr(function, "__annotate__", None)
    return annotate if isinstance(annotate, FunctionType) else None


def _holds(cell: CellType, value: object) -> bool:
    try:
        return cell.cell_contents is value
    except ValueError:
        return False


def refresh_abstract(cls: type, journal: Journal) -> None:
    """What is abstract in a class, and in its subclasses, follows its methods; what ``isinstance`` remembers goes."""
    before: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    names = {name for name, value in cls.__dict__.items() if getattr(value, "__isabstractmethod__", False)}
    for base in cls.__bases__:
        for name in getattr(base, "__abstractmethods__", ()):
            if getattr(getattr(cls, name, None), "__isabstractmethod__", False):
                names.add(name)
    if names != before:
        cls.__abstractmethods__ = frozenset(names)  # type: ignore[attr-defined]
        journal.note(lambda: setattr(cls, "__abstractmethods__", before))
    forget_answers_of(cls)
    children: list[type] = cls.__subclasses__()
    for child in children:
        if isinstance(child, abc.ABCMeta):
            refresh_abstract(child, journal)


def move_instances(replaced: list[tuple[type, type]], journal: Journal) -> dict[type, int]:
    """Give living instances of replaced classes the new class: one sweep over the heap.

    Returns:
        New class → how many instances could not be moved, because their layout is another.
    """
    targets = dict(replaced)
    stuck: dict[type, int] = {}
    for item in [item for item in living_objects() if type(item) in targets]:
        new = targets[type(item)]
        before = type(item)
        try:
            SET_CLASS(item, new)
        except TypeError:
            stuck[new] = stuck.get(new, 0) + 1
            continue
        journal.note(functools.partial(SET_CLASS, item, before))
    return stuck


def absorb(pairs: list[tuple[Any, Any]], journal: Journal) -> None:
    """Where decorators or ``__init_subclass__`` put a short-lived new object into a list, set or dict, put the old one.

    Args:
        pairs: the object that stays and the one that was merged into it.
    """
    stays = {id(new): old for old, new in pairs}
    news = [new for _, new in pairs]
    for holder in holders(news):
        if holder is news or holder is pairs or isinstance(holder, (FunctionType, MappingProxyType)):
            continue
        if isinstance(holder, list):
            _absorb_list(holder, stays, journal)
        elif isinstance(holder, set):
            for new in [item for item in holder if id(item) in stays]:
                holder.discard(new)
                holder.add(stays[id(new)])
        elif isinstance(holder, dict) and not _is_frame_or_class_dict(holder):
            for key, value in list(holder.items()):
                if id(value) in stays and key != "__objclass__":
                    journal.set_item(holder, key, stays[id(value)])
                if id(key) in stays:
                    holder[stays[id(key)]] = holder.pop(key)


def _absorb_list(holder: list[Any], stays: dict[int, Any], journal: Journal) -> None:
    before = list(holder)
    present = {id(item) for item in holder}
    after = [
        stays.get(id(item), item) for item in before if id(item) not in stays or id(stays[id(item)]) not in present
    ]

    def undo() -> None:
        holder[:] = before

    journal.note(undo)
    holder[:] = after


def _is_frame_or_class_dict(holder: dict[Any, Any]) -> bool:
    return holder is sys.modules or "__mro__" in holder
