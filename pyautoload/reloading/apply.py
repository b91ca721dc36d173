"""One reload as a transaction: modules are brought up to date in dependency order, or everything is put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from pyautoload.inflector import folded
from pyautoload.reloading.caches import Caches
from pyautoload.reloading.calls import CallSearch, members_of, redirects
from pyautoload.reloading.classes import move_instances
from pyautoload.reloading.codediff import CodeDiff, FunctionChange, compare, documents_otherwise
from pyautoload.reloading.dependents import Need, need_of
from pyautoload.reloading.execute import Execution
from pyautoload.reloading.facts import Facts
from pyautoload.reloading.functions import FunctionIndex, is_used_up, patch_hidden
from pyautoload.reloading.journal import MISSING, Journal
from pyautoload.reloading.kinds import held_by, is_a, leads_nowhere
from pyautoload.reloading.once import defined_once, holds_any, refused_again
from pyautoload.reloading.patching import apply_patch, refresh_positions
from pyautoload.reloading.pieces import affected_pieces, pieces_of
from pyautoload.reloading.plan import NewVersion, Plan
from pyautoload.reloading.records import Record
from pyautoload.reloading.selection import Patch, Selection, note_order, select_changed, select_dependent
from pyautoload.reloading.sources import mentions, scan
from pyautoload.reloading.statements import Parsed

if TYPE_CHECKING:
    from pyautoload.reloading.reloader import Reloader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["RestartNeeded", "Transaction"]

# How often modules of a circle may run again because of each other.
_ROUNDS = 3


class RestartNeeded(Exception):
    """A module cannot be reloaded; the others can."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module}: {reason}")
        self.module = module
        self.reason = reason


class Transaction:
    """Applies a plan.

    Args:
        reloader: of the loader.
        plan: what has changed.
        result: is filled.
    """

    def __init__(self, reloader: Reloader, plan: Plan, result: ReloadResult) -> None:
        self.reloader = reloader
        self.records = reloader.records
        self.graph = reloader.graph
        self.plan = plan
        self.result = result
        self.journal = Journal()
        self.facts = Facts()
        self.search = CallSearch(reloader.parsed)
        self.caches = Caches(self.graph, self.search, self.facts)
        # Classes that were replaced: old and new.
        self.replaced: list[tuple[type, type]] = []
        # Modules that were taken out: what others took from them by `*` is known from these.
        self.gone: dict[str, object] = {}
        # Modules that the graph has to look at again.
        self.stale: list[Record] = []
        # Modules whose functions or values lead elsewhere now: what others call through them is to be traced anew.
        self.redirected: set[str] = set()
        # Those of `stale` that the graph has looked at already.
        self.renewed: list[Record] = []
        # Module → up to which fact it has been brought.
        self.seen: dict[str, int] = {}
        # Modules in which new statements only added to what was there before: a web framework may refuse that.
        self.added_to: set[str] = set()
        # The module whose code is being run, for the error.
        self.current = ""

    def run(self) -> None:
        """Do it. Whatever is raised has to be answered with ``roll_back``."""
        self._remove_gone()
        if self._only_bodies():
            return
        self._in_order()
        self._latecomers()
        if self.replaced:
            self._move_instances()

    def roll_back(self) -> list[BaseException]:
        """Put everything back."""
        failures = self.journal.roll_back()
        for record in self.renewed:
            self.graph.renew(record)
        return failures

    # The ordinary case: bodies only

    def _only_bodies(self) -> bool:
        """Patch, if nothing but function bodies changed and no import-time code calls them."""
        plan = self.plan
        if plan.gone or plan.forced or plan.is_moved or self.facts.modules():
            return False
        diffs = {}
        for name, version in plan.changed.items():
            record = self._record(name)
            diff = self._body_diff(record, version)
            if diff is None or self._matters_at_import(record, diff):
                return False
            diffs[name] = diff
        hidden: list[FunctionChange] = []
        for name, diff in diffs.items():
            self.current = name
            record = self._record(name)
            self.facts.body(name, *(change.qualname for change in diff.changed))
            hidden += apply_patch(sys.modules[name], record.path, diff, self.journal)
            self._commit_source(record, plan.changed[name], diff)
            if diff.changed:
                self.result.patched.append(name)
        patch_hidden(hidden, self.journal)
        # One that needs a restart is left out here, but has changed.
        self.result.changed = [name for name in self.result.changed if name not in diffs or diffs[name].changed]
        return True

    def _matters_at_import(self, record: Record, diff: CodeDiff) -> bool:
        """Whether import-time code called a function that has changed, or a decorator has used it up."""
        return any(
            self.graph.called_by(record.name, change.qualname)
            or is_used_up(sys.modules[record.name], record.path, change)
            for change in diff.changed
        )

    # The general case

    def _in_order(self) -> None:
        graph, plan = self.graph, self.plan
        for name, version in plan.changed.items():
            record = self._record(name)
            graph.note_imports(record, scan(version.code, record.package).imports)
        start = {*plan.changed, *plan.forced, *self.facts.modules()}
        queue = graph.ordered(graph.affected(start) - plan.gone)
        self.caches.within = set(queue)
        done: set[str] = set()
        for name in queue:
            self._module(name)
            done.add(name)
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
        record = self.records.get(name)
        if record is None or name in self.plan.skipped or self.seen.get(name) == self.facts.tick:
            return False
        if record in self.stale and record not in self.renewed:
            self.renewed.append(record)
            self.graph.renew(record)  # its code is another one by now, and imports other things
        need = need_of(self, record)
        if need:
            self._meet(record, need)
        return bool(need)

    def _module(self, name: str) -> None:
        self.current = name
        if name in self.plan.skipped or name not in self.records or not isinstance(sys.modules.get(name), ModuleType):
            return
        version = self.plan.changed.get(name)
        if version is not None:
            self._changed(name, version)
        elif name in self.plan.forced:
            self._whole(name)
        else:
            self._dependent(name)

    def _changed(self, name: str, version: NewVersion) -> None:
        record, module = self._record(name), sys.modules[name]
        need = need_of(self, record)
        if not version.everything and name not in self.plan.forced and not need.runs and self._patched(record, version):
            self._rebind(record, need)
            return
        if version.path != record.path:
            self.reloader.respecify(module, record, version.path, self.journal)
        old = self.reloader.parsed(name)
        new = Parsed(version.source, version.path)
        diff = self._body_diff(record, version) if version.path == record.path else None
        selection = Selection(self, record, new, need)
        patches: dict[int, Patch] = {}
        if old is None or version.everything or name in self.plan.forced:
            selection.everything()
            note_order(selection)
            removed = (old if old is not None else record).bound() - new.bound()
        else:
            patches, removed = select_changed(selection, old, version.code, diff)
        if selection.additions:
            self.added_to.add(name)
        index = FunctionIndex(module, record.path)
        self._commit_source(record, version)
        self.reloader.remember(name, version.code, new)
        if selection.indices or removed or patches:
            self._run(
                record, new, selection, removed, {at: self._patching(patch, index) for at, patch in patches.items()}
            )
        else:
            self._rebind(record, need)
        refresh_positions(module, record.path, version.code, self.journal)

    def _body_diff(self, record: Record, version: NewVersion) -> CodeDiff | None:
        """The functions whose bodies differ, ``None`` where that does not say all."""
        diff = compare(record.code, version.code) if record.code is not None else None
        if diff is None or not any(documents_otherwise(change) for change in diff.changed):
            return diff
        # A decorator may have taken the docstring; only the source tells whether there is a decorator.
        definitions = Parsed(version.source, version.path).definitions
        for change in diff.changed:
            item = definitions.get(change.qualname)
            if item is not None and documents_otherwise(change) and getattr(item.node, "decorator_list", None):
                return None
        return diff

    def _patched(self, record: Record, version: NewVersion) -> bool:
        """Patch the module if only bodies changed that no import-time code calls."""
        name = record.name
        diff = self._body_diff(record, version)
        if diff is None or self._matters_at_import(record, diff):
            return False
        self.facts.body(name, *(change.qualname for change in diff.changed))
        patch_hidden(apply_patch(sys.modules[name], record.path, diff, self.journal), self.journal)
        self._commit_source(record, version, diff)
        if diff.changed:
            self._note_patched(name)
        return True

    def _whole(self, name: str) -> None:
        record = self._record(name)
        parsed = self.reloader.parsed(name)
        if parsed is None:
            raise RestartNeeded(name, "its source cannot be read")
        selection = Selection(self, record, parsed, Need())
        selection.everything()
        self._run(record, parsed, selection, set())

    def _dependent(self, name: str) -> None:
        record = self._record(name)
        need = need_of(self, record)
        if need:
            self._meet(record, need)

    def _meet(self, record: Record, need: Need) -> None:
        name = self.current = record.name
        if not need.runs:
            self._rebind(record, need)
            return
        if self.plan.is_kept(record):
            raise RestartNeeded(name, "it is not to be reloaded, and what it uses at import time has changed")
        if record.code is not None and not need.missing and not need.star and self._can_run_whole(record):
            self._run_whole(record, record.code, need)
            return
        if self._run_pieces(record, need):
            return
        parsed = self.reloader.parsed(name)
        if parsed is None:
            raise RestartNeeded(name, "its source has changed since it was loaded")
        selection = Selection(self, record, parsed, need)
        select_dependent(selection)
        self._run(record, parsed, selection, set())

    def _run_pieces(self, record: Record, need: Need) -> bool:
        """Run some statements without parsing, if it is certain which; says whether that was done."""
        if record.code is None or need.missing or need.star or need.calls or self.graph.called_in(record.name):
            return False
        pieces = pieces_of(record.code)
        chosen = affected_pieces(pieces, need.changed | need.through) if pieces is not None else None
        if pieces is None or not chosen:
            return False
        selection = Selection(self, record, pieces, need)
        selection.indices, selection.reexecutes = chosen, True
        self._run(record, pieces, selection, set())
        return True

    def _can_run_whole(self, record: Record) -> bool:
        """Whether all of a module may run at once, to be reconciled afterwards.

        Nothing that it calls may leave something behind, and what it reads of itself on the way must not be an object
        whose identity counts: `class B(A)` has to see the old A.
        """
        facts = record.scanned()
        if any(alias.attribute == "*" for alias in self.graph.aliases(record.name)):
            return False  # what that binds is not to be seen in the code
        if facts.keeps_calls or holds_any(sys.modules[record.name]):
            return False
        names = sys.modules[record.name].__dict__
        return all(_has_no_identity(names.get(name)) for name in facts.own)

    # Running

    def _patching(self, patch: Patch, index: FunctionIndex) -> Callable[[], None]:
        return lambda: patch_hidden(patch(index), self.journal)

    def _run(
        self,
        record: Record,
        parsed: Parsed,
        selection: Selection,
        removed: set[str],
        patches: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        reexecutes = selection.reexecutes
        module = sys.modules[record.name]
        refusal = defined_once(module, (parsed.statements[index] for index in selection.indices))
        if refusal is not None:
            raise RestartNeeded(record.name, refusal)
        execution = Execution(module, self.journal)

        def work() -> None:
            self._bind_anew(execution, selection.need)
            execution.drop(removed | selection.unbound_first)
            execution.run(parsed, selection.indices, patches or {})

        is_changed = record.name in self.plan.changed
        self.caches.clear_before(record.name, selection.values if reexecutes else (), is_changed=is_changed)
        self._execute(record, execution, work, reexecutes=reexecutes)

    @staticmethod
    def _bind_anew(execution: Execution, need: Need) -> None:
        for local, fact in need.rebinds.items():
            if not fact.was(execution.names.get(local, MISSING)):
                continue
            if fact.is_removal:
                execution.drop([local])
            else:
                execution.bind(local, fact.new)

    def _run_whole(self, record: Record, code: CodeType, need: Need) -> None:
        execution = Execution(sys.modules[record.name], self.journal)
        self.caches.clear_before(record.name, (), is_changed=False)
        self._execute(record, execution, lambda: execution.whole(code), reexecutes=True)
        self._restore_unaffected(record, execution, need)

    def _restore_unaffected(self, record: Record, execution: Execution, need: Need) -> None:
        """State that does not depend on what changed stays, as it does where statements run one by one."""
        doubtful = [
            name
            for name, before in execution.changed.items()
            if before is not MISSING and not is_a(before, (str, int, float, bytes, tuple, type(None), type))
        ]
        parsed = self.reloader.parsed(record.name) if doubtful else None
        if parsed is not None:
            selection = Selection(self, record, parsed, need)
            select_dependent(selection)
            ran = (
                item for at, item in enumerate(parsed.statements) if at in selection.indices or item.kind == "import"
            )
            affected = {name for item in ran for name in item.binds}
            for name in set(doubtful) - affected:
                execution.bind(name, execution.before[name])
        self._collect(record, execution)

    def _execute(self, record: Record, execution: Execution, work: Callable[[], None], *, reexecutes: bool) -> None:
        name = record.name
        self.current, tick = name, self.facts.tick
        if reexecutes:
            self.reloader.fire_unload(record)
        self.records.run_as(record)
        try:
            work()
        except Exception as error:
            self._check_refusal(name, error)
            raise
        finally:
            self.records.ran()
        for other in self.records.fresh:
            self.seen.setdefault(other, tick)  # what it loaded found everything as it is
        self._collect(record, execution)
        self.seen[name] = self.facts.tick  # what it uses of itself has run
        if reexecutes:
            if name not in self.result.reexecuted:
                self.result.reexecuted.append(name)
            if name in self.result.patched:
                self.result.patched.remove(name)
            self.reloader.fire_load(record)
        else:
            self._note_patched(name)

    def _note_patched(self, name: str) -> None:
        if name not in self.result.patched and name not in self.result.reexecuted:
            self.result.patched.append(name)

    def _check_refusal(self, name: str, error: Exception) -> None:
        """A class that its metaclass, or a framework's registry, does not let us define again needs a restart."""
        if isinstance(error, (ImportError, SyntaxError, NameError)):
            return
        traceback, refused = error.__traceback__, False
        while traceback is not None:
            function = traceback.tb_frame.f_code.co_name
            refused = refused or function in ("_put_on_class", "_take_bases")
            traceback = traceback.tb_next
        if refused:
            raise RestartNeeded(name, f"a class does not allow to be changed: {error}")
        parsed = self.reloader.parsed(name)
        cls = refused_again(sys.modules[name], parsed, error) if parsed is not None else None
        if cls is not None:
            raise RestartNeeded(name, f"{cls} is known to a library, which does not take it twice: {error}")

    # Facts

    def _collect(self, record: Record, execution: Execution) -> None:
        name = record.name
        for item, before in execution.changed.items():
            self.note_value(name, item, before, execution.names.get(item, MISSING))
        reconciler = execution.reconciler
        self.facts.body(name, *reconciler.bodies)
        for cls, attributes in reconciler.attributes.items():
            self.note_attributes(name, cls, attributes)
        for module, item, before, now in execution.foreign:
            if module in self.records:
                self.note_value(module, item, before, now)
                self._spread_to_calls(module)
        self.replaced += reconciler.replaced
        self._spread_to_calls(name)

    def note_attributes(self, module: str, cls: str, attributes: set[str]) -> None:
        """Attributes of a class have changed in place."""
        self.facts.attribute(module, cls, attributes)
        value = self._class(module, cls)
        if value is None or any(_may_lead(value, name) for name in attributes):
            self.redirected.add(module)
        if value is not None and redirects(value, attributes):
            self.facts.body(*members_of(value))
        for function in self.graph.called_in(module):
            if function.partition(".")[0] == cls.partition(".")[0] and self.mentions(module, function, attributes):
                self.facts.body(module, function)

    @staticmethod
    def _class(module: str, qualname: str) -> type | None:
        value: object = sys.modules.get(module)
        for part in qualname.split("."):
            value = held_by(value).get(part) if not is_a(value, type) else value.__dict__.get(part)
        return value if is_a(value, type) else None

    def note_value(self, module: str, name: str, old: Any, new: Any) -> None:
        """A name of a module is bound to something else; so is the expected name on the namespace."""
        self.facts.value(module, name, old, new)
        if not (leads_nowhere(old) and leads_nowhere(new)):
            self.redirected.add(module)
        parent_name, _, _ = module.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is None or old is MISSING or parent.__dict__.get(name, MISSING) is not old:
            return
        if not self._is_expected(module, name) or name in self._bound_by_source(parent_name):
            return
        self.journal.set_item(parent.__dict__, name, new)
        self.facts.value(parent_name, name, old, new)
        if new is MISSING:
            self.reloader.relist_access(parent)

    def _is_expected(self, module: str, name: str) -> bool:
        stem, binder = module.rpartition(".")[2], self.reloader.binder
        return folded(name) == folded(stem) or name in binder.expected_names(stem, binder.path_of(module) or "")

    def _bound_by_source(self, package: str) -> set[str]:
        """What the package's own code imports: that is brought up to date as in any module."""
        return {alias.local for alias in self.graph.aliases(package) if alias.local is not None}

    def _spread_to_calls(self, module: str) -> None:
        """Functions that import-time code calls behave differently when a global that they read has changed."""
        names = set(self.facts.values.get(module, ()))
        if names:
            for function in self.graph.called_in(module):
                if self.mentions(module, function, names):
                    self.facts.body(module, function)

    def mentions(self, module: str, function: str, names: set[str]) -> bool:
        """Whether a function's body mentions one of ``names``."""
        uses = self.search.body((module, function))
        return uses is not None and not names.isdisjoint(uses.mentioned())

    def _rebind(self, record: Record, need: Need) -> None:
        names = sys.modules[record.name].__dict__
        for local, fact in need.rebinds.items():
            held = names.get(local, MISSING)
            if fact.was(held):
                self.journal.set_item(names, local, fact.new)
                self.result.rebound.append(f"{record.name}.{local}")
                self.note_value(record.name, local, held, fact.new)

    # The rest

    def _remove_gone(self) -> None:
        for name in sorted(self.plan.gone, reverse=True):
            self.current = name
            self.gone[name] = sys.modules.get(name)
            self.reloader.remove_module(name, self.journal)
            self.facts.gone.add(name)
            self.result.removed.append(name)

    def _move_instances(self) -> None:
        for cls, count in move_instances(self.replaced, self.journal).items():
            name = f"{cls.__module__}.{cls.__qualname__}"
            self.result.restart_required[cls.__module__] = (
                f"{count} living instance{'s' if count > 1 else ''} of {name} cannot take its new layout"
            )

    def _commit_source(self, record: Record, version: NewVersion, diff: CodeDiff | None = None) -> None:
        before = (record.code, record.source, record.stamp, record.facts, record.path)

        def undo() -> None:
            record.code, record.source, record.stamp, record.facts, record.path = before

        self.journal.note(undo)
        record.path = version.path
        facts = record.facts
        record.take(version.code, version.source, version.stamp)
        self.search.forget(record.name)
        if diff is not None and all(change.old.co_names == change.new.co_names for change in diff.changed):
            record.facts = facts  # nothing else is imported, mentioned or called than before
        else:
            self.stale.append(record)
            if before[0] is None or mentions(before[0]) != mentions(version.code):
                self.redirected.add(record.name)

    def _record(self, name: str) -> Record:
        record = self.records.get(name)
        assert record is not None
        return record


def _may_lead(cls: type, attribute: str) -> bool:
    """Whether code can be reached through an attribute of a class, or through what is inherited in its place."""
    found = (base.__dict__[attribute] for base in cls.__mro__ if attribute in base.__dict__)
    return attribute == "__bases__" or not leads_nowhere(next(found, None))


def _has_no_identity(value: object) -> bool:
    """Whether an equal value, or the same module, is as good as this one."""
    if type(value) is tuple:
        return all(map(_has_no_identity, value))
    return type(value) in _ATOMS


_ATOMS = frozenset({str, int, float, bytes, complex, bool, type(None), ModuleType})
