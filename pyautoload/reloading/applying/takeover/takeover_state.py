"""What the parts of a takeover know together: the modules, and the old and new objects that were found so far."""

from __future__ import annotations

from typing import Any

from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.dependencies.changes import Changes
from pyautoload.reloading.objects.counterparts import Counterparts
from pyautoload.reloading.objects.journal import Journal
from pyautoload.reloading.objects.reconcile import Reconciler
from pyautoload.reloading.objects.value_comparison import Comparison

__all__ = ["TakeoverState"]


class TakeoverState:
    """Of all modules that one reload runs again.

    Args:
        journal: remembers how to take it back.
        changes: is told what has changed.
        anew: modules all of whose values are to be new, as others have stored into the living ones.
        apart: values, by module and name, that must not stay: something that is new holds a part of the new ones.
    """

    def __init__(self, journal: Journal, changes: Changes, anew: set[str], apart: set[tuple[str, str]]) -> None:
        self.journal = journal
        self.changes = changes
        self.anew = anew
        self.apart = apart
        # Modules that have cleaned up, so that what their values stand for is no more: a closed socket, say.
        self.cleaned: set[str] = set()
        # Module → what it was. Example: {"app.models": <FormerModule>}
        self.formers: dict[str, FormerModule] = {}
        # Module → what merges its functions and classes.
        self.reconcilers: dict[str, Reconciler] = {}
        # Old class → what it had before its statement ran again.
        self.members_before: dict[type, dict[str, Any]] = {}
        # Old class → the names that its statement binds.
        self.body_names: dict[type, tuple[str, ...]] = {}
        # id of a new class → that, and the old class that has taken its content.
        self.merged: dict[int, tuple[type, type]] = {}
        # Classes that could not be updated in place: old and new.
        self.replaced: list[tuple[type, type]] = []
        # The same by id: id of an old class → the class that stands for it now.
        self.successors: dict[int, Any] = {}
        # id of an old or a new object → the old one, the new one, and the one of them that stays.
        self.pairs: dict[int, tuple[Any, Any, Any]] = {}
        # Old objects that were bound while the code ran, by their ids.
        self.given: dict[int, Any] = {}
        # Module → its names whose living values stay. Example: {"app.models": {"cache", "User.registry"}}
        self.kept: dict[str, set[str]] = {}
        # Module → qualified name of a class → its attributes whose values stay, with what the code gave then.
        self.kept_members: dict[str, dict[str, dict[str, Any]]] = {}
        # Containers that stay and hold something else now, by their ids.
        self.changed_in_place: set[int] = set()
        # What was made for the values that stay, and was given up.
        self.counterparts = Counterparts()

    def reconciler(self, module: str) -> Reconciler:
        """What merges the functions and classes of a module; made when it is first asked for."""
        found = self.reconcilers.get(module)
        if found is None:
            found = self.reconcilers[module] = Reconciler(self.journal, module)
        return found

    def comparison(self) -> Comparison:
        """Compares values; classes that stand for each other count as one."""
        return Comparison(self.successors, self.merged)

    def pair(self, old: Any, new: Any, stays: Any) -> None:
        """Two objects stand for the same thing.

        Args:
            old: the one of before.
            new: the one that the code has made.
            stays: one of the two.
        """
        self.pairs[id(old)] = self.pairs[id(new)] = (old, new, stays)

    def release(self) -> None:
        """Do not keep alive what has come and gone: an exception may hold the frames of a reload for long."""
        for known in (self.formers, self.reconcilers, self.members_before, self.body_names, self.merged):
            known.clear()
        for objects in (self.successors, self.pairs, self.given, self.kept_members):
            objects.clear()
        self.replaced.clear()
        self.counterparts = Counterparts()
