"""Members: what a process that runs shipped code has of it. A loader over files in memory, and which version they are.

A process has one for each loader that is shipped to it. All is called by one thread at a time, while no task runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import os
import pickle
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload import log
from pyautoload.cluster.bundle import EMPTY, Bundle, Delta
from pyautoload.cluster.memory_source import MemorySource
from pyautoload.errors import ReloadError, ShipmentError
from pyautoload.sources import FILE_SYSTEM, mount, source_for

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Member", "Outcome", "current_version", "forget", "is_shipped_from_here", "member", "note_shipped_from_here"]

# Name of the shipment → what this process has of it.
_members: dict[str, Member] = {}
# The shipments that this process makes itself: its modules come from its own files.
_from_here: dict[str, int] = {}


class Outcome(NamedTuple):
    """What became of bringing the modules of a process up to date.

    Attributes:
        kind: ``"ok"``; ``"failed"``: the new code raises, all is as before; ``"restart"``: only a new process is exact.
        module: that is to blame.
        file: of that.
        text: the error, or the reason.
        traceback: of the error.
    """

    kind: str = "ok"
    module: str = ""
    file: str | None = None
    text: str = ""
    traceback: str = ""


class Member:
    """What one process has of one shipment.

    Args:
        name: of the shipment.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 0
        self.bundle: Bundle = EMPTY
        self._staged: Bundle | None = None
        # The attempt that was prepared, and the one that was applied, each with what became of it: a process may be
        # several workers.
        self._prepared: tuple[str, Outcome] = ("", Outcome())
        self._applied: tuple[str, Outcome] = ("", Outcome())
        self._source: MemorySource | None = None
        self._loader: Any = None

    # The first version

    def install(self, bundle: Bundle, version: int) -> Outcome:
        """Have this version: set the loader up, or bring up to date what is there.

        Raises:
            AutoloadError: the loader cannot be set up here.
        """
        if bundle.digest == self.bundle.digest:
            self.version = version
            return Outcome()
        if self._loader is not None and bundle.layout != self.bundle.layout:
            self._take_down()
        outcome = self._set_up(bundle) if self._loader is None else self._switch(bundle, ())
        if outcome.kind == "ok":
            self.bundle, self.version = bundle, version
        return outcome

    def renew(self, bundle: Bundle, version: int) -> None:
        """Have this version, and load all modules anew where they cannot be brought up to date."""
        if self.install(bundle, version).kind != "ok":
            assert self._source is not None
            self._source.switch(bundle.files)
            self._loader.reload(fresh=True)
            self.bundle, self.version = bundle, version

    def _set_up(self, bundle: Bundle) -> Outcome:
        config, inflector, tag = pickle.loads(bundle.layout)
        roots = [root for path, root in config.roots.items() if path not in config.ignored_roots()]
        source = self._source = MemorySource([root.path for root in roots])
        source.switch(bundle.files)
        loader = _existing(config)
        if loader is None:
            # By name: the facade stands above this.
            make: Any = importlib.import_module("pyautoload.autoloader").AutoLoader
            loader = make(inflector=inflector, tag=tag)
            for kind in ("ignored", "collapsed", "not_eager", "not_reloaded", "lazy"):
                setattr(loader.config, kind, getattr(config, kind))
            for root in roots:
                # Which names a plain root gives, its files say here, too: there is no directory on `sys.path`.
                named = root.explicit or not root.conventions
                loader.push_dir(root.path, root.namespace if named else None, source=source)
        else:
            for root in roots:
                mount(root.path, source)
        loader.on_load(self._note_lines)
        loader.setup().enable_reloading(watch=False, gate_timeout=0.0)
        self._loader = loader
        self.bundle = bundle
        log.debug(tag, "%d files are here: %s", len(bundle.files), bundle.digest)
        return self._reload(())  # what this process has loaded before, from files of its own

    def _take_down(self) -> None:
        self._loader.unload()
        self._loader.unregister()
        self._loader = self._source = None

    def _note_lines(self, name: str, value: object, path: str) -> None:
        """Tracebacks show what runs here, whatever lies under that path on this machine."""
        content = self._source.files.get(path) if self._source is not None else None
        if content is not None and path.endswith(".py"):
            text = importlib.util.decode_source(content)
            linecache.cache[path] = (len(text), None, text.splitlines(True), path)

    # The next ones

    def prepare(self, attempt: str, packed: bytes) -> Outcome:
        """Take what has changed, and compile it.

        Args:
            attempt: its name; asked again for the same one, this gives the same answer.
            packed: the delta.

        Raises:
            ShipmentError: it was made for other code than this process has.
        """
        if self._prepared[0] != attempt:
            staged = self.bundle.after(Delta.unpack(packed))
            self._prepared, self._staged = (attempt, self._compiled(staged)), staged
        return self._prepared[1]

    def _compiled(self, staged: Bundle) -> Outcome:
        loaded = self._loaded()
        for path, mark in staged.marks.items():
            if self.bundle.marks.get(path) == mark or path not in loaded or not path.endswith(".py"):
                continue
            try:
                compile(staged.files[path], path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                lines = "".join(traceback.format_exception_only(type(error), error))
                return Outcome("failed", loaded[path], path, f"{type(error).__name__}: {error}", lines)
        return Outcome()

    def _loaded(self) -> dict[str, str]:
        """File → module, of what is loaded."""
        registry = self._loader.registry
        found = ((registry.loaded_status(name), name) for name in registry.loaded())
        return {status.path: name for status, name in found if status is not None}

    def apply(self, attempt: str, forced: Iterable[str]) -> Outcome:
        """Make what was prepared live; where that fails, all is as before."""
        if self._applied[0] == attempt:
            return self._applied[1]
        staged, self._staged = self._staged, None
        if staged is None or self._prepared[0] != attempt:
            raise ShipmentError("nothing was prepared here", "save the file again")
        before = self.bundle
        outcome = self._switch(staged, forced)
        self._applied = (attempt, outcome)
        if outcome.kind == "ok":
            self.bundle = staged
        elif outcome.kind == "failed":
            self.revert_to(before)
        return outcome

    def revert_to(self, bundle: Bundle) -> Outcome:
        """Go back to a version from which this process came."""
        if self.bundle.digest == bundle.digest and self._source is not None and self._source.files is bundle.files:
            return Outcome()
        outcome = self._switch(bundle, ())
        self.bundle = bundle
        return outcome

    def _switch(self, bundle: Bundle, forced: Iterable[str]) -> Outcome:
        assert self._source is not None
        self._source.switch(bundle.files)
        return self._reload(forced)

    def _reload(self, forced: Iterable[str]) -> Outcome:
        loaded = set(self._loader.loaded())
        try:
            result = self._loader.reload(*[name for name in forced if name in loaded])
        except ReloadError as error:
            cause = error.__cause__ or error
            lines = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
            return Outcome("failed", error.module, error.file, f"{type(cause).__name__}: {cause}", lines)
        finally:
            for path, name in self._loaded().items():
                if path not in linecache.cache:
                    self._note_lines(name, None, path)
        if result.restart_required:
            module, reason = next(iter(result.restart_required.items()))
            return Outcome("restart", module, None, reason)
        return Outcome()


def member(name: str) -> Member:
    """What this process has of a shipment; made when it is first asked for."""
    return _members.setdefault(name, Member(name))


def note_shipped_from_here(name: str, version: int) -> None:
    """This process ships its own code under that name, and is at this version."""
    _from_here[name] = version


def is_shipped_from_here(name: str) -> bool:
    """Whether the modules of this process are those that the shipment is made from."""
    return name in _from_here


def forget(name: str) -> None:
    """This process ships nothing under that name any more."""
    _from_here.pop(name, None)


def _after_fork() -> None:
    # Whoever is forked runs code of his parent, and ships nothing.
    _from_here.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def current_version(name: str | None = None) -> int:
    """The version of the shipped code that this process runs; in a task, the version that the task runs on.

    Args:
        name: of the shipment, the tag of its loader; not needed where there is only one.

    Raises:
        ShipmentError: no such code was shipped to this process.
    """
    versions = {**{known.name: known.version for known in _members.values() if known.version}, **_from_here}
    if name is None and len(versions) == 1:
        return next(iter(versions.values()))
    if name is None or name not in versions:
        known = ", ".join(sorted(versions)) or "nothing"
        raise ShipmentError(
            f"which shipped code is meant? There is {known} here", "give the tag of a loader that was shipped"
        )
    return versions[name]


def _existing(config: Any) -> Any:
    """The loader that manages these roots in this process already: it was inherited from the one that forked it."""
    from pyautoload import known_loaders

    wanted = {path: root.namespace for path, root in config.roots.items()}
    if any(source_for(path) is not FILE_SYSTEM for path in wanted):
        return None
    return known_loaders.with_roots(wanted)
