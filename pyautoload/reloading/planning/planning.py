"""From what may have changed to what has: files are compared by content, directories listed anew, sources compiled."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING

from pyautoload.errors import ConflictError, ReloadError
from pyautoload.importing.adoption import adopt
from pyautoload.importing.plain_finder import forget_listings, name_now, place_now
from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.planning.plan import NewVersion, Plan
from pyautoload.reloading.records.lookups import differs, entries_of
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records
from pyautoload.reloading.records.signature import Signature, is_same_file, signature
from pyautoload.reloading.records.source_reading import complete, read_settled
from pyautoload.sources import source_for
from pyautoload.tree.managed_paths import MODULE_SUFFIXES

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["Planner"]


class Planner:
    """Makes plans.

    Args:
        binder: of the loader.
        records: of the loaded modules.
    """

    def __init__(self, binder: Binder, records: Records) -> None:
        self.binder = binder
        self.tree = binder.tree
        self.registry = binder.registry
        self.records = records
        # Module → the version of its file for which a restart was asked for: said once, not again and again.
        self.refused: dict[str, Signature | None] = {}
        # Such a module → all files of the attempt that asked: when one of them is another one, all are tried again.
        self._together: dict[str, frozenset[str]] = {}
        # Modules that were to run again because of a file or a directory, in an attempt that asked → what those were.
        self.asked: dict[str, object] = {}
        # Whether directories have changed, and what follows from that was not carried out yet.
        self._unsettled = False

    def unsettled(self) -> None:
        """A directory was found changed, and is listed anew already."""
        self._unsettled = True

    def settled(self) -> None:
        """The last plan was carried out."""
        self._unsettled = False

    def plan(self, batch: Batch | None, forced: Iterable[str] = (), without: Container[str] = ()) -> Plan:
        """What has to be done.

        Args:
            batch: what may have changed; ``None`` to look at everything.
            forced: modules that are to run again in any case.
            without: files that are left as they were.

        Raises:
            ReloadError: a changed file does not compile.
        """
        plan = Plan(is_kept=self.is_kept, forced=set(forced), held=without)
        again = self._to_be_tried_again()
        if again and batch is not None:
            batch = batch._replace(paths=batch.paths | again)
        if self._has_plain_roots:
            self._look_at_plain_roots(batch)
        created = self._not_yet_known(batch)
        self._unsettled = self._list_anew(batch, plan) or self._unsettled
        plan.added = sorted({*plan.added, *(name for name in created if self._is_there(name))})
        hinted = batch.paths if batch is not None else set()
        for record in self._candidates(batch):
            if record.path not in without and (not without or self._path_now(record.name) not in without):
                self._look_at(record, plan, by_content=record.path in hinted)
        self._look_at_data(batch, plan, without)
        self._look_at_lookups(batch, plan)
        self._leave_asked(plan, set(forced), is_all=batch is None or batch.everything)
        if self._unsettled:
            self._look_at_namespaces(plan)
        return plan

    def ask(self, plan: Plan) -> None:
        """Nothing of a plan can be applied without a restart: that is said once.

        Args:
            plan: which is empty afterwards.
        """
        for name, version in plan.changed.items():
            self.refused[name] = version.stamp
        self.asked.update({name: plan.inputs[name] for name in plan.forced & plan.inputs.keys()})
        data = [path for files in plan.data.values() for path in files]
        changed = [
            record.path for name in (*plan.changed, *plan.gone) if (record := self.records.get(name)) is not None
        ]
        together = frozenset((*changed, *data, *plan.directories))
        self._together.update(dict.fromkeys((*plan.changed, *(plan.forced & plan.inputs.keys())), together))
        plan.changed.clear()
        plan.forced.clear()

    def waiting(self) -> list[str]:
        """The modules whose last edit was not applied, as that needs a restart."""
        return sorted({*self.refused, *self.asked})

    def applied(self, plan: Plan) -> None:
        """A plan was carried out."""
        self._forget_refusals({*plan.changed, *plan.forced, *plan.gone})

    def _forget_refusals(self, names: Iterable[str]) -> None:
        for name in names:
            self.refused.pop(name, None)
            self.asked.pop(name, None)
            self._together.pop(name, None)

    def start_over(self) -> None:
        """Everything is loaded anew."""
        self._forget_refusals(self.waiting())

    def _to_be_tried_again(self) -> set[str]:
        """The files of edits that asked together with one that is another one now: without that they may do."""
        found: set[str] = set()
        for name, stamp in self.refused.items():
            record = self.records.get(name)
            if record is not None and signature(record.path) != stamp:
                found |= self._together.get(name, frozenset())
        names = [name for name, paths in self._together.items() if not found.isdisjoint(paths)]
        self._forget_refusals(names)
        return found

    def _leave_asked(self, plan: Plan, forced: set[str], *, is_all: bool) -> None:
        """What asked because of a file or directory that is still the same does not ask again."""
        for name, state in list(self.asked.items()):
            if plan.inputs.get(name, self) == state and name not in forced:
                plan.forced.discard(name)
                plan.data.pop(name, None)
            elif name in plan.inputs or is_all:
                del self.asked[name]

    def is_kept(self, record: Record) -> bool:
        """Whether the user said that a module is not to be reloaded."""
        globs = self.tree.config.not_reloaded
        if not globs:
            return False
        root = self.tree.config.root_of(record.path)
        path = record.path
        while root is not None and len(path) >= len(root.path):
            if globs.matches(path):
                return True
            path = os.path.dirname(path)
        return False

    # Plain roots

    @property
    def _has_plain_roots(self) -> bool:
        return self.tree.config.has_plain_roots

    def _look_at_plain_roots(self, batch: Batch | None) -> None:
        """Files there are what an import would find; and what was imported past us is taken in."""
        forget_listings([path for path, root in self.tree.config.roots.items() if not root.conventions])
        adopt(self.binder)
        directories = batch.directories if batch is not None else ()
        if batch is None or batch.everything or any(map(self.tree.config.is_plain, directories)):
            self._unsettled = True

    def _plain_candidates(self, batch: Batch) -> Iterator[Record]:
        """Modules there may share a file, and a new file or directory may have come in front of one of them."""
        paths = {path for path in (*batch.created, *batch.paths) if self.tree.config.is_plain(path)}
        stems = {os.path.splitext(os.path.basename(path))[0] for path in paths}
        stems |= {os.path.basename(os.path.dirname(path)) for path in paths if path.endswith("__init__.py")}
        for record in self.records.all() if paths else ():
            if record.path in paths or record.name.rpartition(".")[2] in stems:
                yield record

    # Directories

    def _not_yet_known(self, batch: Batch | None) -> list[str]:
        """The modules that newly made files stand for, as far as these are not listed."""
        found = []
        for path in _files(batch.created) if batch is not None else ():
            stem, suffix = os.path.splitext(os.path.basename(path))
            name = self.tree.namespace_of(os.path.dirname(path))
            space = self.registry.namespace(name) if name is not None else None
            if suffix == ".py" and path not in self.records.by_path and self.tree.config.is_plain(path):
                plain = name_now(path)
                found += [plain] if plain is not None and plain not in self.records else []
            if suffix != ".py" or name is None or path in self.records.by_path:
                continue
            if stem != "__init__" and (space is None or stem not in space.modules):
                found.append(f"{name}.{stem}" if name else stem)
        return found

    def _is_there(self, name: str) -> bool:
        if self._has_plain_roots and (place := place_now(name)) is not None and self.tree.config.is_plain(place):
            return True
        return self.tree.namespace(name.rpartition(".")[0]) is not None and self.registry.get(name) is not None

    def _list_anew(self, batch: Batch | None, plan: Plan) -> bool:
        if batch is None:
            names = [space.name for space in self.registry.namespaces()]
            return bool([name for name in names if self._relist(name, plan, only_if_changed=True)])
        if batch.everything:
            names = [space.name for space in self.registry.namespaces()]
        else:
            found = {self.tree.namespace_of(directory) for directory in batch.directories}
            names = sorted(name for name in found if name is not None)
        for name in names:
            self._relist(name, plan, only_if_changed=False)
        return bool(names)

    def _relist(self, name: str, plan: Plan, *, only_if_changed: bool) -> bool:
        space = self.registry.namespace(name)
        if space is None:
            return bool(name) and self.registry.namespace(name.rpartition(".")[0]) is not None
        before = set(space.modules) if only_if_changed else None
        changed = self.tree.refresh(name) if only_if_changed else self.tree.relist(name)
        space = self.registry.namespace(name)
        if space is not None and before is not None:
            prefix = f"{name}." if name else ""
            plan.added += sorted(prefix + stem for stem in set(space.modules) - before)
        return changed or space is None

    # Modules

    def _candidates(self, batch: Batch | None) -> list[Record]:
        if batch is None or batch.everything:
            return self.records.all()
        found: dict[str, Record] = {}
        for path in batch.paths:
            name = self.records.by_path.get(path)
            if name is not None and (record := self.records.get(name)) is not None:
                found[name] = record
        for directory in batch.directories:
            for name in self._below(directory):
                record = self.records.get(name)
                if record is not None:
                    found[name] = record
        if self._has_plain_roots:
            found.update((record.name, record) for record in self._plain_candidates(batch))
        return [found[name] for name in sorted(found, key=lambda item: found[item].order)]

    def _below(self, directory: str) -> list[str]:
        """Loaded modules whose file, or the place of whose file, may have changed with a directory's entries."""
        prefix = directory.rstrip(os.sep) + os.sep
        return [name for path, name in list(self.records.by_path.items()) if path.startswith(prefix)]

    def _look_at(self, record: Record, plan: Plan, *, by_content: bool = False) -> None:
        stamp = signature(record.path)
        path = self._path_now(record.name)
        moved = path is not None and path != record.path
        if record.name == "__main__" and stamp is None:
            return  # the program goes on without its file
        if stamp is None or moved:
            self._look_at_moved(record, path if moved else None, plan)
            return
        if stamp == record.stamp and not by_content:
            return
        if record.is_pending:
            complete(record)
            if record.stamp == stamp:
                return
        if not record.is_source:
            self._refuse(record, stamp, "it is an extension module, or bytecode without source", plan)
            return
        self._look_at_source(record, stamp, plan)

    def _look_at_source(self, record: Record, stamp: Signature, plan: Plan) -> None:
        try:
            source, stamp = read_settled(record.path, stamp, had_content=record.stamp is None or record.stamp.size != 0)
        except OSError:
            plan.gone.add(record.name)
            return
        if source == record.source:
            record.stamp = stamp
            self.refused.pop(record.name, None)
            return
        if self.refused.get(record.name) == stamp:
            return  # a restart was asked for, and is still to come
        if self.is_kept(record):
            self._refuse(record, stamp, "it is not to be reloaded, and its file has changed", plan)
            return
        plan.changed[record.name] = self._compiled(record, source, record.path, stamp)

    def _refuse(self, record: Record, stamp: Signature, reason: str, plan: Plan) -> None:
        if self.refused.get(record.name) != stamp:
            self.refused[record.name] = stamp
            plan.refused[record.name] = reason

    def _compiled(self, record: Record, source: bytes, path: str, stamp: Signature | None) -> NewVersion:
        try:
            code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ReloadError(record.name, path, getattr(error, "lineno", None), error) from error
        everything = path != record.path or self.binder.is_hooked(record.name)
        return NewVersion(source, code, path, stamp, everything)

    def _path_now(self, name: str) -> str | None:
        status = self.registry.loaded_status(name) if self._has_plain_roots else None
        if status is not None and self.tree.config.is_plain(status.path):
            return self._plain_path_now(name, status.path)
        parent = name.rpartition(".")[0]
        if self.registry.namespace(parent) is None:
            return None
        space, stem = self.registry.namespace(parent), name.rpartition(".")[2]
        is_directory = space is not None and stem in space.subdirs
        below = self.tree.child(space, stem) if space is not None and is_directory else None
        path = self.registry.get_path(name)
        if path is not None and is_directory and below is None and not path.endswith(MODULE_SUFFIXES):
            return None  # a directory in which no Python is left, `__pycache__` say
        return path

    def _plain_path_now(self, name: str, path: str) -> str | None:
        """The file that an import would find now; that of before where none is found and it is still there."""
        found = place_now(name) if name not in self.binder.pinned else None
        if found is not None and self.tree.config.is_plain(found):
            return found
        return path if signature(path) is not None else None

    def _look_at_moved(self, record: Record, path: str | None, plan: Plan) -> None:
        """The file has gone, or another one stands for the module now."""
        stamp = signature(path) if path is not None else None
        if path is None or stamp is None:
            plan.gone.add(record.name)
        elif source_for(path).is_dir(path):
            plan.changed[record.name] = NewVersion(b"", compile(b"", path, "exec"), path, stamp, everything=True)
        elif not path.endswith(".py"):
            self._refuse(record, stamp, "an extension module has taken its place", plan)
        else:
            source = source_for(path).read(path)
            plan.changed[record.name] = self._compiled(record, source, path, stamp)

    # Everything else

    def _look_at_data(self, batch: Batch | None, plan: Plan, without: Container[str]) -> None:
        """Files that modules read while they were imported."""
        readers = self.records.readers
        paths = (
            list(readers) if batch is None or batch.everything else [path for path in batch.paths if path in readers]
        )
        for path in paths:
            if path in without:
                continue
            stamp = signature(path)
            for name in list(readers[path]):
                record = self.records.get(name)
                if record is None or record.files is None:
                    continue
                if is_same_file(record.files.get(path), stamp, path):
                    record.files[path] = stamp
                    continue
                if self.is_kept(record):
                    self._refuse(
                        record, stamp or Signature(0, 0, 0, 0), f"it is not to be reloaded, and {path} changed", plan
                    )
                    continue
                plan.data.setdefault(name, {})[path] = stamp
                if name not in plan.changed:
                    plan.forced.add(name)
                    plan.inputs[name] = dict(plan.data[name])

    def _look_at_lookups(self, batch: Batch | None, plan: Plan) -> None:
        """Modules that did without one that is there now, or listed a directory in which entries have come or gone."""
        lookups = self.records.lookups
        for name in [name for name in lookups.seekers if self._is_otherwise(name)]:
            seekers = [record for record in self._known(lookups.seekers[name]) if name in (record.missing or ())]
            plain = name.lstrip("+").replace(":", ".")
            what = f"{plain} has gone, which it found" if name[0] == "+" else f"{plain} has come, which it did not find"
            self._force(seekers, what, what, plan)
        touched = None if batch is None or batch.everything else _touched(batch)
        for directory in list(lookups.listers) if touched is None else touched & lookups.listers.keys():
            listers = [r for r in self._known(lookups.listers[directory]) if self._lists_otherwise(r, directory)]
            reason = f"what lies in {directory} has changed, which it listed"
            self._force(listers, reason, (reason, entries_of(directory)), plan)
            plan.directories.update([os.path.join(directory, "")] if listers else [])

    def _known(self, names: Iterable[str]) -> list[Record]:
        return [record for name in list(names) if (record := self.records.get(name)) is not None]

    def _is_otherwise(self, name: str) -> bool:
        """Whether a name that was not found is there now, or one that was found (``+myapp.fast``) is not.

        ``myapp:Fast`` is what a file may be expected to define.
        """
        above, _, expected = name.partition(":")
        try:
            if name[0] == "+":
                return not self.tree.has(name[1:]) and not (self._has_plain_roots and place_now(name[1:]) is not None)
            if not expected and self.tree.has(name):
                return True
            space = self.tree.namespace(above) if expected else None
        except ConflictError:
            return False  # whoever imports it is told
        if expected:
            return space is not None and self.binder.naming.stem_for(expected, space)[0] is not None
        return self._has_plain_roots and (place := place_now(name)) is not None and self.tree.config.is_plain(place)

    def _lists_otherwise(self, record: Record, directory: str) -> bool:
        before = (record.listings or {}).get(directory)
        return before is not None and differs(directory, before, self.records.own)

    def _force(self, records: Iterable[Record], reason: str, state: object, plan: Plan) -> None:
        for record in records:
            if record.name in plan.changed or record.name in plan.gone:
                continue
            if self.is_kept(record):
                stamp = record.stamp or Signature(0, 0, 0, 0)
                self._refuse(record, stamp, f"it is not to be reloaded, and {reason}", plan)
                continue
            plan.forced.add(record.name)
            plan.why.setdefault(record.name, reason)
            plan.inputs.setdefault(record.name, state)

    def _look_at_namespaces(self, plan: Plan) -> None:
        """Loaded packages without code of their own: gone, or given code."""
        for name in self.registry.loaded():
            if name in self.records or name in self.binder.externals:
                continue
            status = self.registry.loaded_status(name)
            path = self._path_now(name)
            if status is None or self.tree.is_root(name) or status.path.endswith(MODULE_SUFFIXES):
                continue  # a module without a record is one that another thread has not quite loaded
            if path is None or signature(path) is None:
                plan.gone.add(name)
            elif path.endswith(".py"):
                record = Record(name, status.path, compile(b"", status.path, "exec"), name)
                record.source = b""
                self.records.add(record)
                self._look_at_moved(record, path, plan)


def _touched(batch: Batch) -> set[str]:
    """The directories of which an entry may have come or gone."""
    return {*batch.directories, *map(os.path.dirname, (*batch.paths, *batch.created))}


def _files(paths: Iterable[str]) -> Iterator[str]:
    """Files, and those in directories: what lies in a new directory may have come before that was watched."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for directory, _, names in os.walk(path):
            yield from (os.path.join(directory, name) for name in names)
