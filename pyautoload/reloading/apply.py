"""One reload as a transaction: modules are brought up to date in dependency order, or everything is put back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from pyautoload.reloading.bodyedits import body_diff, patch_bodies, patchable_diff
from pyautoload.reloading.classes import move_instances
from pyautoload.reloading.codediff import CodeDiff, FunctionChange
from pyautoload.reloading.codefacts import scan
from pyautoload.reloading.dependents import need_of
from pyautoload.reloading.edits import no_longer_taken, select_changed
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.functions import FunctionIndex, Patch, patch_hidden
from pyautoload.reloading.graph import Graph
from pyautoload.reloading.meeting import meet
from pyautoload.reloading.parsing import ParsedSources
from pyautoload.reloading.patching import move, refresh_positions
from pyautoload.reloading.plan import NewVersion, Plan
from pyautoload.reloading.record import Record
from pyautoload.reloading.rerun import Rerun, RestartNeeded
from pyautoload.reloading.result import ReloadResult
from pyautoload.reloading.selection import Selection, note_order
from pyautoload.reloading.statements import Parsed
from pyautoload.reloading.upkeep import Upkeep

__all__ = ["Transaction"]

# How often modules of a circle may run again because of each other.
_ROUNDS = 3


class Transaction:
    """Applies a plan.

    Args:
        upkeep: of the loader.
        graph: the dependencies.
        sources: the parsed sources of what is loaded.
        plan: what has changed.
        result: is filled.
    """

    def __init__(self, upkeep: Upkeep, graph: Graph, sources: ParsedSources, plan: Plan, result: ReloadResult) -> None:
        self.upkeep = upkeep
        self.records = graph.records
        self.graph = graph
        self.sources = sources
        self.plan = plan
        self.result = result
        self.effects = Effects(upkeep.binder, graph, sources.of)
        self.rerun = Rerun(self.effects, plan, upkeep, result)
        # Those of `effects.stale` that the graph has looked at already.
        self.renewed: list[Record] = []
        # Modules in which new statements only added to what was there before: a web framework may refuse that.
        self.added_to: set[str] = set()

    def run(self) -> None:
        """Do it. Whatever is raised has to be answered with ``roll_back``."""
        self._remove_gone()
        if self._only_bodies():
            return
        self._in_order()
        self._latecomers()
        if self.effects.replaced:
            self._move_instances()

    def roll_back(self) -> list[BaseException]:
        """Put everything back."""
        failures = self.effects.journal.roll_back()
        for record in self.renewed:
            self.graph.renew(record)
        return failures

    def _remove_gone(self) -> None:
        effects = self.effects
        for name in sorted(self.plan.gone, reverse=True):
            effects.current = name
            effects.gone[name] = sys.modules.get(name)
            self.upkeep.remove_module(name, effects.journal)
            effects.facts.gone.add(name)
            self.result.removed.append(name)

    def _move_instances(self) -> None:
        for cls, count in move_instances(self.effects.replaced, self.effects.journal).items():
            name = f"{cls.__module__}.{cls.__qualname__}"
            self.result.restart_required[cls.__module__] = (
                f"{count} living instance{'s' if count > 1 else ''} of {name} cannot take its new layout"
            )

    def _record(self, name: str) -> Record:
        record = self.records.get(name)
        assert record is not None
        return record

    # The ordinary case: bodies only

    def _only_bodies(self) -> bool:
        """Patch, if nothing but function bodies changed and no import-time code calls them."""
        plan, effects = self.plan, self.effects
        if plan.gone or plan.forced or plan.is_moved or effects.facts.modules():
            return False
        diffs: dict[str, CodeDiff] = {}
        for name, version in plan.changed.items():
            diff = patchable_diff(effects, self._record(name), version)
            if diff is None:
                return False
            diffs[name] = diff
        hidden: list[FunctionChange] = []
        for name, diff in diffs.items():
            effects.current = name
            hidden += patch_bodies(effects, self._record(name), plan.changed[name], diff)
            if diff.changed:
                self.result.patched.append(name)
        patch_hidden(hidden, effects.journal)
        # One that needs a restart is left out here, but has changed.
        self.result.changed = [name for name in self.result.changed if name not in diffs or diffs[name].changed]
        return True

    # The general case

    def _in_order(self) -> None:
        graph, plan = self.graph, self.plan
        for name, version in plan.changed.items():
            record = self._record(name)
            graph.note_imports(record, scan(version.code, record.package).imports)
        start = {*plan.changed, *plan.forced, *self.effects.facts.modules()}
        queue = graph.ordered(graph.affected(start) - plan.gone)
        self.rerun.caches.within = set(queue)
        for name in queue:
            self._module(name)
        # In a circle a module may have run before one whose new values it uses: once more, for those only.
        for _ in range(_ROUNDS):
            again = [name for name in queue if self._again(name)]
            if not again:
                break

    def _latecomers(self) -> None:
        """Modules that another thread has loaded meanwhile may have taken values of before."""
        fresh = [name for name in list(self.records.fresh) if name not in self.plan.changed]
        self.graph.update()
        for name in fresh:
            self._again(name)

    def _again(self, name: str) -> bool:
        effects, record = self.effects, self.records.get(name)
        if record is None or name in self.plan.skipped or effects.seen.get(name) == effects.facts.tick:
            return False
        if record in effects.stale and record not in self.renewed:
            self.renewed.append(record)
            self.graph.renew(record)  # its code is another one by now, and imports other things
        return self._dependent(record)

    def _module(self, name: str) -> None:
        self.effects.current = name
        if name in self.plan.skipped or name not in self.records or not isinstance(sys.modules.get(name), ModuleType):
            return
        record, version = self._record(name), self.plan.changed.get(name)
        if version is not None:
            self._changed(record, version)
        elif name in self.plan.forced:
            self._forced(record)
        else:
            self._dependent(record)

    def _dependent(self, record: Record) -> bool:
        """A module whose source is the same; says whether it needed anything."""
        need = need_of(self.effects, record)
        if need:
            meet(self.rerun, record, need)
        return bool(need)

    def _forced(self, record: Record) -> None:
        """A module that runs again, changed or not."""
        parsed = self.sources.of(record.name)
        if parsed is None:
            raise RestartNeeded(record.name, "its source cannot be read")
        selection = Selection(self.effects, record, parsed, need_of(self.effects, record))
        selection.everything()
        self.rerun.statements(record, parsed, selection)

    # A module whose source has changed

    def _changed(self, record: Record, version: NewVersion) -> None:
        effects, name = self.effects, record.name
        need = need_of(effects, record)
        is_whole = version.everything or name in self.plan.forced
        if not is_whole and not need.runs and self._patched(record, version):
            self.rerun.rebind(record, need)
            return
        module = sys.modules[name]
        if version.path != record.path:
            self.upkeep.respecify(module, record, version.path, effects.journal)
        old = self.sources.of(name)
        new = Parsed(version.source, version.path)
        diff = body_diff(record, version) if version.path == record.path else None
        selection = Selection(effects, record, new, need, is_strict=name in self.plan.strict)
        patches: dict[int, Patch] = {}
        if old is None or is_whole:
            selection.everything()
            note_order(selection)
            removed = (old if old is not None else record).bound() - new.bound()
            removed |= no_longer_taken(selection, old.statements if old is not None else ())
        else:
            patches, removed = select_changed(selection, old, version.code, diff)
        if selection.additions:
            self.added_to.add(name)
        index = FunctionIndex(module, record.path, record.code)
        move(index, selection.moved, effects.journal)
        effects.note_source(record, version)
        self.sources.remember(name, version.code, new)
        if selection.indices or removed or patches:
            steps = {at: self._step(patch, index) for at, patch in patches.items()}
            self.rerun.statements(record, new, selection, removed, steps)
        else:
            self.rerun.rebind(record, need)
        refresh_positions(module, record.path, version.code, effects.journal)

    def _patched(self, record: Record, version: NewVersion) -> bool:
        """Patch the module if only bodies changed that no import-time code calls."""
        diff = patchable_diff(self.effects, record, version)
        if diff is None:
            return False
        patch_hidden(patch_bodies(self.effects, record, version, diff), self.effects.journal)
        if diff.changed:
            self.rerun.note_patched(record.name)
        return True

    def _step(self, patch: Patch, index: FunctionIndex) -> Callable[[], None]:
        return lambda: patch_hidden(patch(index), self.effects.journal)
