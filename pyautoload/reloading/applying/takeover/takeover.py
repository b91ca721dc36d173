"""Takeover: a module's code has run again; old objects stay who they are and take what the new ones have.

Classes come first, when they are made: ``class K`` runs as it does in a fresh process, then the old ``K`` takes
everything that the new one has, and it is the old one that decorators, subclasses and registries get to see. Functions
and values follow when the module has run to its end, by three-way comparison: what the code gave last time, what it
gives now, and what is there.
"""

from __future__ import annotations

import abc
import builtins
import enum
import functools
import gc
import re
import sys
import threading
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.code.nested import is_deferred
from pyautoload.reloading.dependencies.changes import Changes
from pyautoload.reloading.objects.adapters import adapted, refusal
from pyautoload.reloading.objects.classes import SET_CLASS, absorb, class_putter, fits, retire
from pyautoload.reloading.objects.counterparts import Counterparts, ids_within
from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.reconcile import Reconciler
from pyautoload.reloading.objects.safe_inspection import held_by, is_a
from pyautoload.reloading.objects.values import ATOMS, NOT_OWN, NOT_STATE, Comparison, Shape, is_plain, shape_of
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.restart import RestartNeeded

__all__ = ["Former", "Takeover"]

_DEFINITIONS = (FunctionType, type, staticmethod, classmethod, property, CACHED)


class Former:
    """A module as it was before its code ran again.

    Attributes:
        module: the module object.
        names: a copy of its dict.
        shapes: what its names held when its code had run, as far as that is known.
        members: the same for the attributes of its classes.
        classes: the classes that the module made.
        imported: names that are bound by imports: what they mean is decided where they come from.
        stored: names of a package that were stored when files in it were loaded, and will be again.
    """

    def __init__(
        self, module: ModuleType, record: Record, imported: frozenset[str], stored: frozenset[str] = frozenset()
    ) -> None:
        self.module = module
        self.names = dict(module.__dict__)
        self.shapes = record.shapes or {}
        self.members = record.members or {}
        self.classes = record.classes
        self.imported = imported
        self.stored = stored


class _Binding(dict[str, Any]):
    """The local names of a module's code: empty, so that reading goes on to the module's dict; writing asks first."""

    def __init__(self, names: dict[str, Any], bound: Callable[[str, Any], Any]) -> None:
        self._names = names
        self._bound = bound

    def __setitem__(self, name: str, value: Any) -> None:
        self._names[name] = self._bound(name, value)

    def __delitem__(self, name: str) -> None:
        del self._names[name]


_FILLED_IN_PLACE = (list, dict, set)
# Objects written in C that are no more than who they are, or cannot change.
_GIVEN_AT_ONCE = frozenset({object, tuple, frozenset, typing.TypeVar, typing.ParamSpec, re.Pattern, ContextVar})


class Takeover:
    """Brings old and new together, for all modules that one reload runs again.

    Args:
        journal: remembers how to take it back.
        changes: is told what has changed.
    """

    def __init__(self, journal: Journal, changes: Changes) -> None:
        self.journal = journal
        self.changes = changes
        self.formers: dict[str, Former] = {}
        # Classes that could not be updated in place: old and new.
        self.replaced: list[tuple[type, type]] = []
        # Old class → what it had before its statement ran again.
        self._members: dict[type, dict[str, Any]] = {}
        # Old class → the names that its statement binds.
        self._bodies: dict[type, tuple[str, ...]] = {}
        # (module, qualified name) → old class, where there is one of that name and one statement that makes it.
        self._waiting: dict[tuple[str, str], type] = {}
        # New classes whose content an old one has taken, but that somebody may hold: old and new.
        self._leaked: list[tuple[type, type]] = []
        # id of a new class → that, and the old class that has taken its content.
        self._merged: dict[int, tuple[type, type]] = {}
        # Classes that have stayed and have changed, by their ids.
        self._changed: set[int] = set()
        # id of an old class → the class that stands for it now.
        self._twins: dict[int, Any] = {}
        self._reconcilers: dict[str, Reconciler] = {}
        # id of an old or a new object → the old one, the new one, and the one of them that stays.
        self.twins: dict[int, tuple[Any, Any, Any]] = {}
        # Module → its names whose living values stay.
        self.kept: dict[str, set[str]] = {}
        # Module → qualified name of a class → its attributes whose values stay, with what the code gave then.
        self.kept_members: dict[str, dict[str, dict[str, Any]]] = {}
        # Containers that stay and hold something else now, by their ids.
        self.changed_in_place: set[int] = set()
        # Old objects that were bound while the code ran.
        self._given: dict[int, Any] = {}
        # Module, old class, and the new one whose content it cannot take.
        self._unfit: list[tuple[str, type, type]] = []
        # Classes that statements made.
        self._created: list[type] = []
        # Modules all of whose values are to be new, as others have stored into the living ones.
        self.anew: set[str] = set()
        # Those of them that have cleaned up, so that what their values stand for is no more: a closed socket, say.
        self.cleaned: set[str] = set()
        # Values, by module and name, that must not stay: something that was made anew holds a part of the new ones.
        self.apart: set[tuple[str, str]] = set()
        self._counterparts = Counterparts()
        self._thread = 0

    # Before

    def expect(self, name: str, former: Former, code: CodeType) -> None:
        """The code of a module is about to run again."""
        self.formers[name] = former
        once = {qualname for qualname, number in _class_statements(code).items() if number == 1}
        found: dict[str, list[type]] = {}
        for cls in former.classes:
            found.setdefault(cls.__qualname__, []).append(cls)
        for qualname, classes in found.items():
            if qualname in once and len(classes) == 1:
                self._waiting[(name, qualname)] = classes[0]

    def gone(self, name: str, module: ModuleType, record: Record) -> None:
        """A module is taken out for good: what it defines goes."""
        self.formers[name] = former = Former(module, record, frozenset())
        former.module = ModuleType(name)

    @contextmanager
    def watching_classes(self) -> Iterator[None]:
        """As long as this lasts, class statements of this thread give the old class where there is one."""
        original = builtins.__build_class__
        self._thread = threading.get_ident()

        def build(body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
            if threading.get_ident() == self._thread:
                self._check(body)
            new = original(body, name, *bases, **keywords)
            if threading.get_ident() != self._thread or not isinstance(new, type):
                return new
            return self._made(body, new)

        builtins.__build_class__ = build
        try:
            yield
        finally:
            builtins.__build_class__ = original

    def _check(self, body: FunctionType) -> None:
        module = body.__globals__.get("__name__", "")
        old = self._waiting.get((module, getattr(body, "__qualname__", "")))
        reason = refusal(old) if old is not None else None
        if reason is not None:
            raise RestartNeeded(module, reason)

    def _made(self, body: FunctionType, new: type) -> type:
        name = body.__globals__.get("__name__", "")
        self._created.append(new)
        self.changes.attribute("__subclasses__")
        old = self._waiting.pop((name, new.__qualname__), None)
        if old is None or new.__module__ != name:
            return new
        self._bodies[old] = body.__code__.co_names
        if not fits(old, new):
            self._unfit.append((name, old, new))  # a decorator may make a class of it that fits
            return new
        return self._taken(self._reconciler(name), old, new)

    def _taken(self, reconciler: Reconciler, old: type, new: type) -> type:
        """The old class with the content of the new one; the new one where that is not possible."""
        _check_fields(reconciler.module, old, new)
        self._members[old] = dict(vars(old))
        is_known = _may_be_known(new)
        result: type = reconciler.merged(old, new)
        if result is old:
            self._merged[id(new)] = (new, old)
            adapted(old, self.journal)
            if is_known:
                self._leaked.append((old, new))
            self._class_state_at_once(reconciler.module, old)
        else:
            self._give_way(reconciler, old, new)
        return result

    def standing(self, classes: Iterable[type]) -> tuple[type, ...]:
        """Those that stand for classes which the code has made: where an old one took their content, that one."""
        found = [self._merged[id(cls)][1] if id(cls) in self._merged else cls for cls in classes]
        return tuple({id(cls): cls for cls in found}.values())

    def _give_way(self, reconciler: Reconciler, old: type, new: type) -> None:
        """The new class stands for the old one from now on."""
        self._members.setdefault(old, dict(vars(old)))
        self._twins[id(old)] = new
        self.replaced.append((old, new))
        self.changes.name(reconciler.module, new.__qualname__.partition(".")[0])

    def _reconciler(self, name: str) -> Reconciler:
        found = self._reconcilers.get(name)
        if found is None:
            found = self._reconcilers[name] = Reconciler(self.journal, name)
        return found

    # Meanwhile

    def binding(self, module: str, names: dict[str, Any]) -> dict[str, Any]:
        """What the code of a module binds its names in, as ``exec`` takes it: ``names`` with a say in each binding."""
        return _Binding(names, lambda name, value: self._bound(module, name, value))

    def _bound(self, module: str, name: str, new: Any) -> Any:
        """What is bound to a name: the old object at once where it is the same as the new one.

        So all that the code makes of it from there on (defaults, closures, base classes) holds the old one.
        """
        former = self.formers[module]
        old = former.names.get(name, MISSING)
        kind = type(new)
        if old is new or type(old) is not kind or name in former.imported or kind in ATOMS or id(old) in self._given:
            return new
        if kind is FunctionType:
            if sys.getrefcount(new) > _UNHELD_VALUE or (new.__module__, new.__qualname__) != (module, name):
                return new
            if old.__qualname__ != name or old.__code__.co_freevars != new.__code__.co_freevars:
                return new
            self._given[id(old)] = old
            return self._reconciler(module).merged(old, new)
        if kind not in _GIVEN_AT_ONCE and kind not in _FILLED_IN_PLACE and not (is_plain(kind) and kind is not object):
            return new  # it may hold what cannot be seen, and be used up: a file, an iterator
        if (module in self.anew and kind not in _GIVEN_AT_ONCE) or is_a(new, (type, ModuleType, *_DEFINITIONS)):
            return new
        given = former.shapes.get(name, MISSING)
        comparison = Comparison(self._twins, self._merged)
        if given is MISSING or (module, name) in self.apart:
            return new
        if not comparison.same(given, new) or comparison.functions:
            return new
        self._given[id(old)] = old
        self._counterparts.note(module, name, given, new)
        held = held_by(old)
        if held:
            content = dict(held)
            self.journal.note(lambda: _restore(held, content))
        elif kind in _FILLED_IN_PLACE:
            copy = kind(old)
            self.journal.note(lambda: _refill(old, copy))
        return old

    # After

    def settle(self, name: str, module: ModuleType, fresh: dict[str, Any]) -> None:
        """A module's code has run to its end.

        Args:
            name: of the module.
            module: the module.
            fresh: what its names hold now, as shapes; those of values that are kept are replaced by the former ones.
        """
        former, names = self.formers[name], module.__dict__
        reconciler = self._reconciler(name)
        for key in self._given_names(former, names):
            fresh[key] = former.shapes[key]  # what the code gives, and not what the program has made of it since
        comparison = Comparison(self._twins, self._merged)
        self._classes(former, names, reconciler)
        # Functions that living values hold, each with the one that stands for it in the new ones.
        twins: list[tuple[FunctionType, FunctionType]] = []
        self._class_state(name, former, comparison, twins)
        replaced: list[tuple[str, Any, Any]] = []
        given_up = self._values(former, names, fresh, comparison, twins, replaced)
        del comparison  # it holds what was given up
        any_given_up = bool(given_up)
        for name_of, _, new in given_up:
            self._counterparts.note(name, name_of, former.shapes.get(name_of), new)
        while replaced:
            name_of, old, new = replaced.pop()
            del names[name_of], fresh[name_of]
            fills = type(new) in _FILLED_IN_PLACE and sys.getrefcount(new) <= _UNHELD_LOCAL
            if fills:
                self._fill(old, new)
            else:
                self._pair(old, new, new)
            names[name_of] = old if fills else new
            fresh[name_of] = shape_of(names[name_of])
            del new
        while given_up:
            name_of, old, new = given_up.pop()
            if sys.getrefcount(new) > _UNHELD_LOCAL + self._counterparts.count(new) and type(new) not in ATOMS:
                # Others hold the new one: it stands for both, unless the program has made something of the old one.
                is_new = Comparison(inside=True).same(former.shapes.get(name_of), old)
                self._pair(old, new, new if is_new else old)
                names[name_of] = new if is_new else old
                if is_new:
                    fresh[name_of] = shape_of(new)
                    self.kept[name].discard(name_of)
            del new
        self._absorb()
        definitions = [key for key, value in fresh.items() if is_a(value, _DEFINITIONS)]
        for key in definitions:
            del fresh[key]  # who holds a function is counted
        self._functions(former, names, reconciler, dropped=any_given_up, taken=Counter(id(new) for _, new in twins))
        for old, new in twins:
            reconciler.merged(old, new)
        fresh.update({key: names[key] for key in definitions})
        self._program_names(former, names)
        self._note(name, former, names, fresh, reconciler)

    def _given_names(self, former: Former, names: dict[str, Any]) -> list[str]:
        return [
            key
            for key, value in names.items()
            if id(value) in self._given and key in former.shapes and not is_a(value, FunctionType)
        ]

    def _classes(self, former: Former, names: dict[str, Any], reconciler: Reconciler) -> None:
        """Classes that no statement made under their name: by a decorator, ``type()``, ``namedtuple()``."""
        for name, new in list(names.items()):
            old = former.names.get(name, MISSING)
            if old is new or not is_a(new, type) or not is_a(old, type) or id(old) in self._twins:
                continue
            if new.__qualname__ != old.__qualname__ or name in former.imported:
                continue
            if not any(old is cls for cls in former.classes):
                continue
            if new.__module__ != reconciler.module or old in self._members:
                continue
            if (reason := refusal(old)) is not None:
                raise RestartNeeded(reconciler.module, reason)
            if any(new is item for _, _, item in self._unfit):
                self._give_way(reconciler, old, new)  # it did not fit when it was made, and others have it by now
            elif self._taken(reconciler, old, new) is old:
                names[name] = old
                self._leaked.append((old, new))
                _move(new, old)
        for module, old, new in self._unfit:
            if module == reconciler.module and old not in self._members:
                self._give_way(reconciler, old, new)

    def _class_state(
        self,
        name: str,
        former: Former,
        comparison: Comparison,
        twins: list[tuple[FunctionType, FunctionType]],
    ) -> None:
        """What the program has put into class attributes stays where the code gives what it gave before."""
        if name in self.anew:
            return
        classes = [(cls, before) for cls, before in self._members.items() if cls.__module__ == name]
        # Descriptors that the class statements have recreated: what is made of them goes with them.
        made_anew = {id(value) for cls, before in classes for key, value in before.items() if _is_anew(cls, key, value)}
        for cls, before in classes:
            known = former.members.get(cls.__qualname__, {})
            for attribute, value in list(before.items()):
                comparison.functions.clear()
                if not self._is_state(cls, attribute, value, known.get(attribute, MISSING), comparison):
                    continue
                if made_anew and not made_anew.isdisjoint(_elements(value)):
                    continue
                self._keep_attribute(cls, attribute, value, known.get(attribute, MISSING))
                for old, new in comparison.functions:
                    if vars(cls).get(new.__name__) is new:  # what is kept holds the old one: the class has that, too
                        self.journal.set_class_attribute(cls, new.__name__, old, class_putter(cls))
                twins += comparison.functions

    def _class_state_at_once(self, name: str, cls: type) -> None:
        """The same as soon as the class is made, where it shows by then: what comes after it sees what stays."""
        former, before = self.formers.get(name), self._members[cls]
        if former is None or name in self.anew:
            return
        known, comparison = former.members.get(cls.__qualname__, {}), Comparison(self._twins, self._merged)
        if any(_is_anew(cls, attribute, value) for attribute, value in before.items()):
            return
        for attribute in known.keys() & before.keys():
            comparison.functions.clear()
            value = before[attribute]
            if self._is_state(cls, attribute, value, known[attribute], comparison) and not comparison.functions:
                self._keep_attribute(cls, attribute, value, known[attribute])

    def _keep_attribute(self, cls: type, attribute: str, value: Any, given: Any) -> None:
        name, place = cls.__module__, f"{cls.__qualname__}.{attribute}"
        self._counterparts.note(name, place, given, vars(cls).get(attribute))
        self.journal.set_class_attribute(cls, attribute, value, class_putter(cls))
        self.kept.setdefault(name, set()).add(place)
        if given is not MISSING:  # it holds the functions of then
            self.kept_members.setdefault(name, {}).setdefault(cls.__qualname__, {})[attribute] = given
        self._reconciler(name).attributes.get(cls.__qualname__, set()).discard(attribute)

    def _is_state(self, cls: type, attribute: str, value: Any, given: Any, comparison: Comparison) -> bool:
        """Whether what a class attribute held is the program's own, as the code gives what it gave before.

        Args:
            cls: the class.
            attribute: the name.
            value: what it held.
            given: what the code gave before.
            comparison: compares that with what the code gives now.
        """
        if type(value) in NOT_STATE or attribute in NOT_OWN or is_a(value, type) or hasattr(value, "__get__"):
            return False
        if attribute[:2] == "__" or (cls.__module__, f"{cls.__qualname__}.{attribute}") in self.apart:
            return False
        changed = self._reconciler(cls.__module__).attributes.get(cls.__qualname__)
        if changed and attribute not in self._bodies.get(cls, ()):
            return False  # derived from the class by somebody else, and it is another class now
        now = vars(cls).get(attribute, MISSING)
        if now is value:
            return False
        if given is MISSING or now is MISSING:
            return given is now
        return comparison.same(given, now)

    def _values(
        self,
        former: Former,
        names: dict[str, Any],
        fresh: dict[str, Any],
        comparison: Comparison,
        twins: list[tuple[FunctionType, FunctionType]],
        replaced: list[tuple[str, Any, Any]],
    ) -> list[tuple[str, Any, Any]]:
        """Values that are as the code gave them before stay; gives these, each with the new one that was given up.

        The functions in them are added to ``twins``, each with the one that the new value holds; values that are
        others now to ``replaced``, by their names, the old one and the new one.
        """
        given_up: list[tuple[str, Any, Any]] = []
        for name, new in list(names.items()):
            old = former.names.get(name, MISSING)
            if old is new or old is MISSING or name not in fresh or name in former.imported:
                continue
            if is_a(new, _DEFINITIONS):
                continue
            given = former.shapes.get(name, MISSING)
            if former.module.__name__ in self.anew:
                given = shape_of(old)
            comparison.functions.clear()
            comparison.hashed.clear()
            is_apart = former.module.__name__ in self.cleaned or (former.module.__name__, name) in self.apart
            if given is MISSING or is_apart or not comparison.same(given, new):
                if type(old) is type(new) and type(new) not in ATOMS:
                    replaced.append((name, old, new))
                continue
            names[name] = old
            self.kept.setdefault(former.module.__name__, set()).add(name)
            given_up.append((name, old, new))
            for container in comparison.hashed:
                self._rehash(container)
            fresh[name] = given
            twins += comparison.functions
        return given_up

    def _fill(self, old: Any, new: Any) -> None:
        """A list, dict or set of before gets what the new one holds: others may hold it."""
        content = type(old)(old)
        self.journal.note(lambda: _refill(old, content))
        _refill(old, new)
        self.changed_in_place.add(id(old))

    def _rehash(self, container: Any) -> None:
        """A dict or set that stays finds its keys again, whatever their hash is now."""
        _fill_again(container)
        self.journal.afterwards(lambda: _fill_again(container))

    def _functions(
        self, former: Former, names: dict[str, Any], reconciler: Reconciler, *, dropped: bool, taken: Counter[int]
    ) -> None:
        """Functions and what wraps them: the old object stays unless somebody holds the new one."""
        pairs = [name for name in _pairs_of_definitions(former.names, names) if name not in former.imported]
        if dropped and any(_held(names, name) > _UNHELD + taken[id(names[name])] for name in pairs):
            gc.collect(1)
        for name in pairs:
            if id(former.names[name]) in self._given:
                continue  # it stands for an earlier binding of the name
            held = _held(names, name) > _UNHELD + taken[id(names[name])]
            old, new = former.names[name], names[name]
            result = reconciler.merged(old, new)
            if not held or result is new:
                names[name] = result
            self._pair(old, new, names[name])

    def _program_names(self, former: Former, names: dict[str, Any]) -> None:
        """What the program itself has bound in the module, and the code never did, stays."""
        for name, value in former.names.items():
            if name in names or name in former.shapes or name in former.stored or name in former.imported:
                continue
            if not (name[:2] == "__" and name[-2:] == "__"):
                names[name] = value

    def _absorb(self) -> None:
        """Put the old class where a metaclass or ``__init_subclass__`` has put the new one."""
        leaked = list(self._leaked)
        self._leaked.clear()
        if leaked:
            absorb(leaked, self.journal)

    def torn(self, records: Iterable[Record], cached: Iterable[Any]) -> set[tuple[str, str]]:
        """Values that have stayed although something else holds a part of what was made for them.

        Args:
            records: of the modules that have run again.
            cached: what the modules' caches hold, as shapes.

        Returns:
            Module and name of each; what is one object in a fresh process is two.

        Raises:
            RestartNeeded: the program has changed such a value, and that would be lost.
        """
        standing = ids_within(cached)
        for record in records:
            kept = self.kept.get(record.name, ())
            shapes = [shape for name, shape in (record.shapes or {}).items() if name not in kept]
            for cls in record.classes:
                shapes += [value for value in vars(cls).values() if type(value) in NOT_STATE]
                members = (record.members or {}).get(cls.__qualname__, {})
                shapes += [shape for name, shape in members.items() if f"{cls.__qualname__}.{name}" not in kept]
            standing |= ids_within(shapes)
        found = self._counterparts.held(standing)
        for module, name in found:
            self._check_unchanged(module, name)
        return found

    def _check_unchanged(self, module: str, place: str) -> None:
        former = self.formers[module]
        qualname, _, name = place.rpartition(".")
        given = former.members.get(qualname, {}).get(name) if qualname else former.shapes.get(name)
        if type(given) is Shape and not Comparison(inside=True).same(given, given.value):
            raise RestartNeeded(
                module, f"{place}, which the program has changed, is held by something that was recreated"
            )

    # What has changed

    def _pair(self, old: Any, new: Any, stays: Any) -> None:
        self.twins[id(old)] = self.twins[id(new)] = (old, new, stays)

    def dead(self) -> dict[int, Any]:
        """The functions and classes that no code makes any more, by their ids."""
        found: dict[int, Any] = {}
        for name, former in self.formers.items():
            now = {id(value) for value in former.module.__dict__.values()}
            for value in former.names.values():
                if is_a(value, FunctionType) and value.__module__ == name and id(value) not in {*now, *self.twins}:
                    found[id(value)] = value
            for cls in former.classes:
                if id(cls) not in now and (cls not in self._members or id(cls) in self._twins):
                    found[id(cls)] = cls
        return found

    @property
    def leaves_garbage(self) -> bool:
        """Whether there are objects that others may still find, until the garbage collector comes by."""
        return any(reconciler.lingers for reconciler in self._reconcilers.values()) or bool(self.dead())

    def give_up(self) -> None:
        """Everything is put back: what was made meanwhile is nobody's subclass."""
        for cls in self._created:
            retire(cls, Journal())
        self._created.clear()

    def retire(self) -> None:
        """Classes that went are nobody's subclasses any more."""
        for cls in [*self.dead().values(), *(old for old, _ in self.replaced)]:
            if is_a(cls, type):
                retire(cls, self.journal)

    def _has_changed(self, cls: type) -> bool:
        reconciler = self._reconcilers.get(cls.__module__)
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

    def _note(
        self, module: str, former: Former, names: dict[str, Any], fresh: dict[str, Any], reconciler: Reconciler
    ) -> None:
        changes, shapes = self.changes, former.shapes
        for name in former.names.keys() - names.keys():
            if name in shapes and not is_a(former.names[name], ModuleType):
                changes.bound_anew(module, name, former.names[name], MISSING)
        self._changed.update(id(cls) for cls in self._members if self._has_changed(cls))
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

    def _looks_otherwise(self, value: Any, reconciler: Reconciler, *, is_imported: bool) -> bool:
        """Whether an object that has stayed is not what it was to who uses it."""
        if id(value) in self.changed_in_place:
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
                    self.changes.attribute(key)


def _refill(container: Any, content: Any) -> None:
    if type(container) is list:
        container[:] = content
    else:
        container.clear()
        container.update(content)


def _fill_again(container: Any) -> None:
    if is_a(container, dict):
        items = list(container.items())
        container.clear()
        container.update(items)
    elif is_a(container, set):
        members = list(container)
        container.clear()
        container.update(members)


def _pairs_of_definitions(before: dict[str, Any], names: dict[str, Any]) -> list[str]:
    """Names of functions and their wrappers that were recreated. A function of its own: its variables hold them."""
    return [
        name
        for name, new in names.items()
        if is_a(new, _DEFINITIONS)
        and not is_a(new, type)
        and (old := before.get(name, MISSING)) is not new
        and type(old) is type(new)
    ]


_IMPORTED_BY_PYTHON = frozenset(
    {
        *("__name__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__", "__builtins__"),
        *("__getattr__", "__dir__", "__annotations__", "__annotate__", "__conditional_annotations__"),
    }
)


def _class_statements(code: CodeType, prefix: str = "") -> Counter[str]:
    """Qualified name → how many statements at import time make a class of it."""
    found: Counter[str] = Counter()
    for const in code.co_consts:
        if isinstance(const, CodeType) and not is_deferred(const):
            if const.co_name.startswith("<"):
                found += _class_statements(const, prefix)
                continue
            name = prefix + const.co_name
            found[name] += 1
            found += _class_statements(const, f"{name}.")
    return found


def _restore(names: dict[str, Any], content: dict[str, Any]) -> None:
    names.clear()
    names.update(content)


def _move(new: type, old: type) -> None:
    """Objects that were made meanwhile, and subclasses, of the class that gave its content away."""
    for item in gc.get_objects():
        if type(item) is new:
            try:
                SET_CLASS(item, old)
            except TypeError:
                continue
    children: list[type] = type.__subclasses__(new)
    for child in children:
        try:
            child.__bases__ = tuple(old if base is new else base for base in child.__bases__)
        except TypeError:
            continue


def _held(names: dict[str, Any], name: str) -> int:
    return sys.getrefcount(names[name])


class _Counting(dict[str, Any]):
    def __setitem__(self, name: str, value: Any) -> None:
        self.count = self._counted(name, value)

    def _counted(self, name: str, value: Any) -> int:
        return (lambda module, key, new: sys.getrefcount(new))("", name, value)


def _unheld_value() -> int:
    probe = _Counting()
    exec("def f(): pass", {}, probe)
    return probe.count


def _unheld_local() -> int:
    """Of a local variable: from Python 3.14 on, passing it as an argument is no reference of its own."""
    new = object()
    return sys.getrefcount(new)


# What the counts show where nobody else holds the object.
_UNHELD_VALUE = _unheld_value()
_UNHELD_LOCAL = _unheld_local()
_UNHELD = _held({"probe": FunctionType(_held.__code__, {})}, "probe")


def _check_fields(module: str, old: type, new: type) -> None:
    """Named tuples that live cannot get the fields of a new definition."""
    fields = getattr(old, "_fields", None)
    if not issubclass(old, tuple) or fields == getattr(new, "_fields", None):
        return
    alive = sum(1 for item in gc.get_objects() if type(item) is old)
    if alive:
        raise RestartNeeded(module, f"{alive} living {old.__qualname__} cannot get the fields of the new definition")


def _is_anew(cls: type, attribute: str, value: Any) -> bool:
    """Whether a descriptor of a class, other than functions and what Python makes of them, has given way."""
    return type(value) not in NOT_STATE and hasattr(type(value), "__get__") and vars(cls).get(attribute) is not value


def _elements(value: Any, depth: int = 2) -> set[int]:
    """The ids of what a container holds, and of what containers in it hold."""
    if not depth or not is_a(value, (tuple, list, dict, set, frozenset)):
        return set()
    held = list(value.values()) if is_a(value, dict) else list(value)
    return {id(item) for item in held}.union(*(_elements(item, depth - 1) for item in held))


# Metaclasses that keep no class anywhere but in its own members.
_KEEP_NOTHING = (type, abc.ABCMeta, enum.EnumMeta)


def _may_be_known(cls: type) -> bool:
    """Whether somebody may have got hold of a class while it was made: its metaclass, a base class, a descriptor."""
    if type(cls) not in _KEEP_NOTHING:
        return True
    if any("__init_subclass__" in vars(base) for base in cls.__mro__[1:-1]):
        return True
    return any(hasattr(type(value), "__set_name__") for value in list(vars(cls).values()) if not _is_common(value))


def _is_common(value: object) -> bool:
    return type(value) in (FunctionType, property, functools.cached_property, staticmethod, classmethod)
