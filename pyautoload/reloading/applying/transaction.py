"""Transaction: one attempt to bring what is loaded up to what is on disk; all of it, or nothing.

Bodies of functions that nothing ran while it was imported are patched. Everything else runs again, whole modules of it:
those that have changed, then those that used what has come out differently, until nothing more follows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType, ModuleType
from typing import Any

from pyautoload.reloading.applying.cross_module_stores import StoredInto
from pyautoload.reloading.applying.irreversible_effects import check_can_run_again, check_replaced
from pyautoload.reloading.applying.module_entries import ModuleEntries
from pyautoload.reloading.applying.name_rebinding import NameRebinding
from pyautoload.reloading.applying.program_file import PROGRAM, apply_to_program
from pyautoload.reloading.applying.rerun import Reruns
from pyautoload.reloading.applying.takeover.shared_objects import kept_but_shared
from pyautoload.reloading.applying.takeover.takeover import Takeover
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.code.code_pairs import all_codes, changed_parts, moved_closures, pairs_of, same_alone
from pyautoload.reloading.code.codediff import CodeDiff, FunctionChange, call_shape, compare
from pyautoload.reloading.dependencies.affected import Affected
from pyautoload.reloading.dependencies.changes import Changes
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.objects.abstract_answers import forget_answers_of
from pyautoload.reloading.objects.adapters import refusal
from pyautoload.reloading.objects.caches import cached_in, clear_caches
from pyautoload.reloading.objects.class_identity import move_instances
from pyautoload.reloading.objects.functions import FunctionIndex, is_held_elsewhere, patch_hidden
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.library_containers import LibraryContainers
from pyautoload.reloading.objects.patching import apply_patch
from pyautoload.reloading.objects.plain_statements import acts, lost_effects, may_lose_effects, roots
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.objects.values import classes_within, shape_of
from pyautoload.reloading.planning.plan import NewVersion, Plan
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.restart import RestartNeeded
from pyautoload.reloading.result import ReloadResult
from pyautoload.tree.naming import names_of

__all__ = ["Transaction", "Widen"]


class Widen(Exception):
    """More modules have to run again, from the beginning.

    Attributes:
        names: which.
        reason: why.
        anew: whether all of their values are to be new.
        apart: values, by module and name, that must not stay.
    """

    def __init__(
        self, names: set[str], reason: str, *, anew: bool = False, apart: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(reason)
        self.names = names
        self.reason = reason
        self.anew = anew
        self.apart = set(apart)


class Transaction:
    """Applies a plan.

    Args:
        entries: of the loader.
        graph: the dependencies.
        plan: what has changed.
        result: is filled.
        also: modules that run again because an earlier attempt found that they must, with the reasons.
        anew: those of them whose values are all to be new.
        apart: values that must not stay, by module and name.
    """

    def __init__(
        self,
        entries: ModuleEntries,
        graph: Graph,
        plan: Plan,
        result: ReloadResult,
        also: dict[str, str],
        anew: set[str],
        apart: set[tuple[str, str]] | None = None,
    ) -> None:
        self.entries = entries
        self.records = graph.records
        self.graph = graph
        self.plan = plan
        self.result = result
        self.also = also
        self.journal = Journal()
        self.changes = Changes()
        self.takeover = Takeover(TakeoverState(self.journal, self.changes, anew, apart or set()))
        self.affected = Affected(graph, self.changes)
        self.stored = StoredInto(self.records, graph)
        self.reruns = Reruns(entries, graph, self.takeover, self.stored, self.journal)
        self.containers = LibraryContainers(self.journal)
        self._rebinding = NameRebinding(entries, graph, self.changes, result, self.journal)
        self._kept = self.records.all_kept()
        self._tops = frozenset(record.name.partition(".")[0] for record in self.records.all())
        # Whether a module has run before one that it depends on.
        self._circular = False
        # The module whose code is being run or changed, for the error.
        self.current = ""
        # Code of before, and what stands for it now.
        self._codes: list[tuple[CodeType, CodeType]] = []
        # Whether classes that have gone, or that were put back, are listed until the garbage collector comes by.
        self.lingers = False
        # Modules whose source is another one now.
        self.renewed: list[Record] = []

    def run(self) -> None:
        """Do it. Whatever is raised has to be answered with ``roll_back``."""
        self._remove_gone()
        patched = self._patch_bodies()
        self._run_what_is_left(patched | {PROGRAM})
        self._edit_program()
        self._forget_answers()
        self._rename_codes()
        self.records.is_known_to_graph = lambda name: False
        if self.takeover.state.replaced:
            self._move_instances()
        self.containers.finish()

    def roll_back(self) -> list[BaseException]:
        """Put everything back."""
        self.reruns.stop()
        self.records.put_back_kept(self._kept)
        self.records.is_known_to_graph = lambda name: False
        failures = self.journal.roll_back()
        self.stored.put_back()
        self.lingers = self.takeover.give_up()
        self._release()
        return failures

    def let_go(self) -> None:
        """Nothing is put back any more: do not keep alive what was there before."""
        self.journal.forget()
        self.takeover.release()
        self._release()
        for name, rerun in self.reruns.all.items():
            record = self.records.get(name)
            if record is not rerun.former:
                now = record.shapes if record is not None and record.shapes else {}
                self.lingers = self.lingers or self._has_lost_classes(rerun.former.shapes or {}, now)
                self.records.renew_shapes(rerun.former.shapes or {}, now)
                rerun.former.shapes = rerun.former.members = None
                rerun.former.classes = ()
        self._renew_imported_shapes()

    def _release(self) -> None:
        """An exception may hold the frames of a reload for long, and these what has come and gone."""
        self.changes.replaced.clear()
        self.containers.release()
        self.stored.release()

    def _has_lost_classes(self, before: dict[str, Any], now: dict[str, Any]) -> bool:
        """Whether a module held classes that functions make (``type(...)``), and holds others now."""
        lost = classes_within(before.values()) - classes_within(now.values())
        return any(base.__module__.partition(".")[0] in self._tops for cls in lost for base in cls.__mro__)

    def _renew_imported_shapes(self) -> None:
        """Modules that have not run know what they import as it is now, and not what has gone."""
        names = self.graph.affected(self.reruns.all) - self.reruns.all.keys()
        for name in sorted(names, key=self.records.order_of):
            record = self.records.get(name)
            for alias in self.graph.aliases(name) if record is not None and record.shapes else ():
                given = self.records.get(alias.module)
                shapes = given.shapes if given is not None and given.shapes else {}
                if record is None or record.shapes is None or alias.module == name:
                    continue
                if alias.attribute == "*":
                    record.shapes.update({key: shape for key, shape in shapes.items() if key in record.shapes})
                elif alias.local in record.shapes and alias.attribute in shapes:
                    record.shapes[alias.local] = shapes[alias.attribute]

    # What has gone

    def _remove_gone(self) -> None:
        for name in sorted(self.plan.gone, reverse=True):
            self.current = name
            module, record = sys.modules.get(name), self.records.get(name)
            names = dict(module.__dict__) if isinstance(module, ModuleType) else {}
            if isinstance(module, ModuleType) and record is not None:
                kept = next((cls for cls in record.classes if refusal(cls) is not None), None)
                if kept is not None:  # a registry that takes it once keeps it, too
                    raise RestartNeeded(name, f"the model {kept.__name__} is not defined there any more")
                self.takeover.gone(name, module, record)
            self.entries.remove_module(name, self.journal)
            for held, value in names.items():
                self.changes.bound_anew(name, held, value, MISSING)
            parent, _, stem = name.rpartition(".")
            self.changes.bound_anew(parent, stem, module, MISSING)
            self.result.removed.append(name)
            self.result.why[name] = "its file has gone"

    # The program's own file

    def _edit_program(self) -> None:
        version, record = self.plan.changed.get(PROGRAM), self.records.get(PROGRAM)
        if version is None or record is None:
            return
        self.current = PROGRAM
        outcome = apply_to_program(self.records, record, version, self.takeover, self.journal)
        self._take(record, version, None)
        if outcome.done:
            self.result.patched.append(PROGRAM)
            self.result.why[PROGRAM] = f"{', '.join(outcome.done[:3])} of the program itself"
        if outcome.left is not None:
            self.result.restart_required[PROGRAM] = outcome.left

    # Bodies only

    def _patch_bodies(self) -> set[str]:
        """Patch modules of which nothing but bodies of functions has changed that their own import did not run.

        Returns:
            Their names.
        """
        plan, hidden, patched = self.plan, list[FunctionChange](), set[str]()
        for name, version in plan.changed.items():
            if name == PROGRAM:
                continue
            record = self._record(name)
            diff = self._bodies(record, version) if name not in self.also and name not in plan.forced else None
            if diff is None:
                continue
            self.current = name
            patched.add(name)
            if diff.changed:
                self.changes.modules.add(name)
            self._note_who_ran(diff)
            index = FunctionIndex(sys.modules[name], record.path, record.code)
            hidden += apply_patch(index, diff, self.journal)
            self._take(record, version, diff)
            if diff.changed:
                self.result.patched.append(name)
                self.result.why[name] = f"only the body of {_listed(diff.changed)} has changed"
            else:
                self.result.changed = [other for other in self.result.changed if other != name]
        patch_hidden(hidden, self.journal)
        return patched

    def _bodies(self, record: Record, version: NewVersion) -> CodeDiff | None:
        """The functions whose bodies differ, where new code for these is all there is to it for the module itself."""
        if self.entries.binder.is_hooked(record.name):
            return None
        if record.code is None or record.is_adopted or self.records.recorder.is_blind or version.everything:
            return None
        diff = compare(record.code, version.code)
        if diff is None:
            return None
        for change in diff.changed:
            if _documentation(change.old) != _documentation(change.new):
                return None
            for old in changed_parts(change.old, change.new):
                if (record.ran and id(old) in record.ran) or _was_read(record, old, change):
                    return None
        return diff

    def _note_who_ran(self, diff: CodeDiff) -> None:
        """Other modules may have run a function, or looked at its code, while they were imported."""
        for change in diff.changed:
            for old in changed_parts(change.old, change.new):
                for record in self.records.all():
                    if (record.ran and id(old) in record.ran) or _was_read(record, old, change):
                        self.changes.code(old)
                        break

    def _take(self, record: Record, version: NewVersion, diff: CodeDiff | None) -> None:
        before = (record.code, record.source, record.stamp, record.facts, record.path)

        def undo() -> None:
            record.code, record.source, record.stamp, record.facts, record.path = before

        self.journal.note(undo)
        if record.code is not None:
            self._codes += pairs_of(record.code, version.code)
        record.take(version.code, version.source, version.stamp)
        if diff is not None:
            record.facts = before[3]
        self.renewed.append(record)

    def _forget_answers(self) -> None:
        """Answers that functions under ``lru_cache``, or abstract classes, gave may come from what has changed."""
        for name in self.graph.affected(self.plan.changed):
            record = self.records.get(name)
            for cls in record.classes if record is not None else ():
                forget_answers_of(cls)
        if self.result.patched or self.result.rebound:
            self._clear_caches({*self.plan.changed, *self.reruns.all, *self.plan.gone})

    def _clear_caches(self, changed: set[str]) -> None:
        """Empty the caches of what depends on some modules; who took something from there takes it anew.

        Otherwise what is one object in a fresh process would be one in the cache, and another one where it was taken.
        """
        for name in self.graph.affected(changed):
            record = self.records.get(name)
            if record is None or not record.has_caches:
                continue
            for code in clear_caches(sys.modules[name]):
                if any(other.ran and id(code) in other.ran for other in self.records.all()):
                    self.changes.code(code)

    def _rename_codes(self) -> None:
        """What ran or was looked at is known by the code that stands for it now."""
        pairs = self._codes
        self.records.rename_codes(pairs)
        self.journal.note(lambda: self.records.rename_codes([(b, a) for a, b in pairs]))

    # Everything else

    def _run_what_is_left(self, patched: set[str]) -> None:
        plan = self.plan
        first = {*plan.changed, *plan.forced, *self.also} - plan.skipped - plan.gone - patched - {PROGRAM}
        if not (first or self.changes or self.changes.modules):
            return
        for name in plan.changed.keys() - patched:
            self.result.why[name] = "its file has changed"
        for name in plan.forced - plan.changed.keys():
            self.result.why[name] = plan.why.get(name, "it was asked for, or a file that it read has changed")
        self.result.why.update(self.also)
        self._look_for_lost_effects(patched)
        self._run_again(first)
        self._follow()
        self.current = ""
        check_replaced(self.reruns, self.records, self.containers)
        self.containers.reconcile(self.takeover.state.pairs, self.takeover.dead())
        self.takeover.retire()
        stored = self.stored.changed() or self.stored.holding(self.takeover.dead())
        if stored:
            wanted = {name for name in stored if name not in self.takeover.state.anew}
            if wanted:
                raise Widen(wanted, self.stored.reason, anew=True)
        self._check_torn()
        self._move_closures()
        self._settle_records()

    def _move_closures(self) -> None:
        """What a function of a module has made for others, a decorator's wrapper say, stands on other lines now."""
        moved: list[FunctionChange] = []
        for rerun in self.reruns.all.values():
            if rerun.version is not None and rerun.former.code is not None:
                moved += moved_closures(rerun.former.code, rerun.version.code)
        patch_hidden([change for change in moved if is_held_elsewhere(change, [])], self.journal)

    def _check_torn(self) -> None:
        """A value that stayed gives way where something new holds a part of its twin: one object must not be two."""
        records = (record for name in self.reruns.all if (record := self.records.get(name)) is not None)
        cached = [
            shape_of(item)
            for record in self.records.all()
            if record.has_caches
            for item in cached_in(sys.modules[record.name])
        ]
        torn = kept_but_shared(self.takeover.state, records, cached) - self.takeover.state.apart
        if torn:
            module, name = min(torn)
            raise Widen(
                {place[0] for place in torn}, f"{module}.{name} shares an object with something new", apart=torn
            )

    def _look_for_lost_effects(self, patched: set[str]) -> None:
        """What a statement had done to others stays done when it goes, unless they run again, too."""
        wider: set[str] = set()
        for name in self.plan.changed.keys() - patched - self.plan.skipped:
            record, module = self._record(name), sys.modules.get(name)
            if record.source is None or not isinstance(module, ModuleType):
                continue
            changed = self.stored.changed_by_others(record) - self.takeover.state.anew
            if not changed and not _may_touch_others(module, self._tops):
                continue
            lost = lost_effects(record.source, self.plan.changed[name].source)
            for node in lost:
                if record.cleanups is None and (names := roots(node, module.__dict__, self._tops)):
                    raise RestartNeeded(
                        name, f"line {node.lineno}, which did something to {names[0]}, was edited or is gone"
                    )
            if lost or (changed and self._may_have_lost(record, self.plan.changed[name])):
                wider |= changed
        if wider:
            raise Widen(wider, "a statement that stored into it was edited or is gone", anew=True)

    def _may_have_lost(self, record: Record, version: NewVersion) -> bool:
        """Whether the new code may not do to others what the former one did while it was imported."""
        assert record.source is not None
        if may_lose_effects(record.source, version.source):
            return True
        if record.code is None or not record.ran:
            return False
        pairs = pairs_of(record.code, version.code)
        return any(id(old) in record.ran and not same_alone(old, new) for old, new in pairs)

    def _run_again(self, names: set[str]) -> None:
        # As a fresh process would begin with them: within a circle it matters who is the first.
        ordered = sorted((name for name in names if name in self.records), key=self._beginning_of)
        self.records.is_known_to_graph = lambda name: name in self.reruns.all
        for name in ordered:
            record = self._record(name)
            if name not in self.plan.changed and self.plan.is_kept(record):
                raise RestartNeeded(name, "it is not to be reloaded, and what it uses has changed")
            check_can_run_again(record)
            self.stored.is_foreign(name)  # it is asked for later, when that does not show any more
            self.stored.look_before(record, self.reruns.all.keys() | set(ordered))
            self.containers.look_before(names_of(sys.modules.get(name)), self._tops)
        self._clear_caches(set(ordered) | self.plan.gone)
        try:
            self.reruns.take_out(ordered, self.plan.changed)
            self.reruns.run(ordered)
        finally:
            self.current = self.reruns.current
        for name in sorted(ordered, key=self.records.order_of):  # as they have ended
            again = self.records.get(name)
            if again is not None and self.reruns.all[name].version is not None:
                self.graph.renew(again)
            if name not in self.result.reexecuted:
                self.result.reexecuted.append(name)
            rerun = self.reruns.all[name]
            if rerun.version is not None:
                self.changes.modules.add(name)
            if rerun.version is not None and rerun.former.code is not None:
                self._note_codes(rerun.former.code, rerun.version.code)
        for name in ordered:
            # They left together and came back as a fresh process would import them: each has seen all of the others.
            self.reruns.all[name].seen = self.changes.count

    def _note_codes(self, old: CodeType, new: CodeType) -> None:
        """Functions whose code differs, for those who ran them."""
        pairs = list(pairs_of(old, new))
        known = {id(a) for a, _ in pairs}
        for before, now in pairs:
            if not same_alone(before, now):
                self.changes.code(before)
        for before in all_codes(old):
            if id(before) not in known:
                self.changes.code(before)

    def _follow(self) -> None:
        """Run again who used what has changed, and bind anew what others only hold."""
        done = -1
        while done != self.changes.count:
            done = self.changes.count
            changed = {*self.changes.modules, *self.plan.gone}
            for name in self.graph.ordered(self.affected.candidates(changed)):
                self._dependent(name)
        if self._circular:
            raise Widen({*self.reruns.all}, "they import each other")

    def _dependent(self, name: str) -> None:
        rerun, record = self.reruns.all.get(name), self.records.get(name)
        if record is None or name in self.plan.skipped:
            return
        if name == PROGRAM:
            self._rebinding.bind_anew(record)
            return
        if rerun is not None:
            reason = self.affected.why(record, rerun.seen)
            self._circular = self._circular or (reason is not None and self._is_in_circle(name))
            self._rebinding.bind_anew(record)
            return
        reason = self.affected.why(record)
        self.current = name
        if reason is None:
            count = self.changes.count
            self._rebinding.bind_anew(record)
            # Its functions may have used the name, though its own level only holds it.
            reason = self.affected.why(record) if self.changes.count > count else None
        if reason is None:
            return
        self.result.why.setdefault(name, reason)
        self._check_effects(record)
        self._run_again({name})

    def _check_effects(self, record: Record) -> None:
        """A module that runs again because of others may do other things to others; and it may be late with that."""
        changed = self.stored.changed_by_others(record) - self.takeover.state.anew
        if changed and record.source is not None and acts(record.source):
            raise Widen({*changed, record.name}, f"{record.name}, which stored into it, runs again", anew=True)
        reach = {name for name in self.stored.reach(record) & self.reruns.all.keys() if self.stored.is_foreign(name)}
        for name, rerun in self.reruns.all.items() if reach else ():
            if rerun.former.order > record.order and not reach.isdisjoint(self.stored.reach(rerun.former)):
                raise Widen({record.name}, f"it runs before {name}, and both use what has run again")

    def _is_in_circle(self, name: str) -> bool:
        """Whether a module that has run depends on one that ran after it."""
        after = [other for other, rerun in self.reruns.all.items() if rerun.seen > self.reruns.all[name].seen]
        return name in self.graph.affected(after)

    def _settle_records(self) -> None:
        self.reruns.finish()
        for name, rerun in self.reruns.all.items():
            record = self.records.get(name)
            if record is None:
                continue
            if rerun.former.missing:
                self.renewed.append(record)  # what its imports lead to may be there now
            if rerun.version is not None and rerun.former.code is not None:
                self._codes += pairs_of(rerun.former.code, rerun.version.code)

    def _move_instances(self) -> None:
        for cls, count in move_instances(self.takeover.state.replaced, self.journal).items():
            raise RestartNeeded(
                cls.__module__,
                f"{count} living instance{'s' if count > 1 else ''} of {cls.__module__}.{cls.__qualname__} "
                "cannot take its new layout",
            )

    def _beginning_of(self, name: str) -> tuple[int, int]:
        record = self._record(name)
        return record.begun, record.order

    def _record(self, name: str) -> Record:
        record = self.records.get(name)
        assert record is not None
        return record


def _may_touch_others(module: ModuleType, managed: frozenset[str]) -> bool:
    return any(
        is_a(value, ModuleType) and value.__name__.partition(".")[0] not in managed
        for value in list(module.__dict__.values())
    )


def _was_read(record: Record, old: CodeType, change: FunctionChange) -> bool:
    """Whether somebody looked at the code while a module was imported who may care for what has changed in it."""
    found = record.reads.get(id(old)) if record.reads else None
    if found is None:
        return False
    return found[1] or call_shape(change.old) != call_shape(change.new)


def _listed(changes: list[FunctionChange]) -> str:
    return ", ".join(change.qualname for change in changes[:3]) + (" and others" if len(changes) > 3 else "")


def _documentation(code: CodeType) -> object:
    first = code.co_consts[0] if code.co_consts else None
    if sys.version_info >= (3, 14) and not code.co_flags & 0x4000000:  # CO_HAS_DOCSTRING
        return None
    return first if isinstance(first, str) else None
