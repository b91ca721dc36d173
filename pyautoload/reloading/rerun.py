"""Running code of a loaded module again, in the course of a reload: what it changes is noted, and told of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from types import CodeType

from pyautoload.importing.hooked_code import code_through_hook
from pyautoload.reloading.caches import Caches
from pyautoload.reloading.classes import ClassMerge
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.execute import Execution
from pyautoload.reloading.journal import MISSING, put_on_class
from pyautoload.reloading.need import Need
from pyautoload.reloading.once import defined_once, refused_again
from pyautoload.reloading.plan import Plan
from pyautoload.reloading.record import Record
from pyautoload.reloading.result import ReloadResult
from pyautoload.reloading.selection import Selection
from pyautoload.reloading.statements import Parsed
from pyautoload.reloading.upkeep import Upkeep

__all__ = ["Rerun", "RestartNeeded"]

# What of ours puts a class in order, and may meet its metaclass there.
_CHANGES_CLASSES = frozenset({put_on_class.__code__, ClassMerge.take_bases.__code__})


class RestartNeeded(Exception):
    """A module cannot be reloaded; the others can."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module}: {reason}")
        self.module = module
        self.reason = reason


class Rerun:
    """Runs code of loaded modules again.

    Args:
        effects: what the reload has changed so far.
        plan: what has changed on disk.
        upkeep: tells the callbacks.
        result: is filled.
    """

    def __init__(self, effects: Effects, plan: Plan, upkeep: Upkeep, result: ReloadResult) -> None:
        self.effects = effects
        self.plan = plan
        self.upkeep = upkeep
        self.result = result
        self.caches = Caches(effects.graph, effects.search, effects.facts)

    def statements(
        self,
        record: Record,
        parsed: Parsed,
        selection: Selection,
        removed: Collection[str] = (),
        patches: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        """Run some statements of a module.

        Args:
            record: of the module.
            parsed: its source.
            selection: the statements.
            removed: names that go before.
            patches: what is to be done when the statement of that index is reached, -1 for before all.

        Raises:
            RestartNeeded: one of them must not run twice in a process.
        """
        module = sys.modules[record.name]
        if self.upkeep.binder.is_hooked(record.name) and record.source is not None:
            # Only the whole of it: an import hook of somebody else makes the code, which has no statements of ours.
            self.whole(record, code_through_hook(module, record.source, record.path))
            return
        refusal = defined_once(module, (parsed.statements[index] for index in selection.indices))
        if refusal is not None:
            raise RestartNeeded(record.name, refusal)
        execution = Execution(module, self.effects.journal)

        def work() -> None:
            _bind_anew(execution, selection.need)
            execution.drop({*removed, *selection.unbound_first})
            execution.run(parsed, selection.indices, patches or {})

        reexecutes, is_changed = selection.reexecutes, record.name in self.plan.changed
        self.caches.clear_before(record.name, selection.values if reexecutes else (), is_changed=is_changed)
        self._execute(record, execution, work, reexecutes=reexecutes)

    def whole(self, record: Record, code: CodeType) -> Execution:
        """Run all of a module at once."""
        execution = Execution(sys.modules[record.name], self.effects.journal)
        self.caches.clear_before(record.name, (), is_changed=False)
        self._execute(record, execution, lambda: execution.whole(code), reexecutes=True)
        return execution

    def rebind(self, record: Record, need: Need) -> None:
        """Bind anew what a module only holds."""
        names = sys.modules[record.name].__dict__
        for local, fact in need.rebinds.items():
            held = names.get(local, MISSING)
            if fact.was(held):
                self.effects.journal.set_item(names, local, fact.new)
                self.result.rebound.append(f"{record.name}.{local}")
                self.effects.note_value(record.name, local, held, fact.new)

    def note_patched(self, name: str) -> None:
        """A module was updated without running again."""
        if name not in self.result.patched and name not in self.result.reexecuted:
            self.result.patched.append(name)

    def _execute(self, record: Record, execution: Execution, work: Callable[[], None], *, reexecutes: bool) -> None:
        effects, records, name = self.effects, self.effects.records, record.name
        effects.current, tick = name, effects.facts.tick
        if reexecutes:
            self.upkeep.fire_unload(record)
        records.run_as(record)
        try:
            work()
        except Exception as error:
            self._check_refusal(name, error)
            raise
        finally:
            records.ran()
        for other in records.fresh:
            effects.seen.setdefault(other, tick)  # what it loaded found everything as it is
        effects.note_execution(record, execution)
        effects.seen[name] = effects.facts.tick  # what it uses of itself has run
        if not reexecutes:
            self.note_patched(name)
            return
        if name not in self.result.reexecuted:
            self.result.reexecuted.append(name)
        if name in self.result.patched:
            self.result.patched.remove(name)
        self.upkeep.fire_load(record)

    def _check_refusal(self, name: str, error: Exception) -> None:
        """A class that its metaclass, or a framework's registry, does not let us define again needs a restart."""
        if isinstance(error, (ImportError, SyntaxError, NameError)):
            return
        traceback, refused = error.__traceback__, False
        while traceback is not None:
            refused = refused or traceback.tb_frame.f_code in _CHANGES_CLASSES
            traceback = traceback.tb_next
        if refused:
            raise RestartNeeded(name, f"a class does not allow to be changed: {error}")
        parsed = self.effects.parsed(name)
        cls = refused_again(sys.modules[name], parsed, error) if parsed is not None else None
        if cls is not None:
            raise RestartNeeded(name, f"{cls} is known to a library, which does not take it twice: {error}")


def _bind_anew(execution: Execution, need: Need) -> None:
    for local, fact in need.rebinds.items():
        if not fact.was(execution.names.get(local, MISSING)):
            continue
        if fact.is_removal:
            execution.drop([local])
        else:
            execution.bind(local, fact.new)
