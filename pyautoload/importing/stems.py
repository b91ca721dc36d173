"""From a name that is asked for to the stem of the file that is expected to define it."""

from __future__ import annotations

from pyautoload.named_tuple import NamedTuple
from pyautoload.tree.inflector import Inflector, PackageInflector, folded
from pyautoload.tree.registry import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["NameIndex", "stem_for"]


class NameIndex(NamedTuple):
    """The names of one listing of a namespace.

    Attributes:
        exact: name → stem; filled only for inflectors of the user's own, which may name a stem anything.
        loose: stem with case and underscores set aside → the stems that are this, sorted.
    """

    exact: dict[str, str]
    loose: dict[str, tuple[str, ...]]


def stem_for(binder: Binder, attribute: str, space: Namespace) -> tuple[str | None, bool]:
    """The stem in ``space`` that stands for ``attribute`` (``None``: no one does), and whether it does so exactly."""
    inflector = binder.inflector
    if isinstance(inflector, Inflector):
        for guess in inflector.candidates(attribute):
            if _names_exactly(binder, attribute, guess, space):
                return guess, True
    index = _name_index(binder, space)
    if attribute in index.exact:
        return index.exact[attribute], True
    alike = index.loose.get(folded(attribute), ())
    for stem in alike:
        if _names_exactly(binder, attribute, stem, space):
            return stem, True
    if alike and attribute != attribute.lower():
        return alike[0], False
    return None, False


def _names_exactly(binder: Binder, attribute: str, stem: str, space: Namespace) -> bool:
    path = space.modules.get(stem) or next(iter(space.subdirs.get(stem, ())), None)
    return path is not None and attribute in binder.expected_names(stem, path)


def _name_index(binder: Binder, space: Namespace) -> NameIndex:
    index: NameIndex | None = binder.indexes.get(space)
    if index is not None:
        return index
    index = NameIndex({}, {})
    stems = {*space.subdirs, *space.modules}
    for stem in stems:
        key = folded(stem)
        known = index.loose.get(key)
        index.loose[key] = (stem,) if known is None else tuple(sorted((*known, stem)))
    # The project's own inflectors name a stem by its own letters or by a rule, so that looking at the stems that are
    # alike is enough. Others are asked for every stem.
    if type(binder.inflector).camelize not in (Inflector.camelize, PackageInflector.camelize):
        for stem in sorted(stems):
            path = space.modules.get(stem) or space.subdirs[stem][0]
            for name in binder.expected_names(stem, path):
                index.exact.setdefault(name, stem)
    binder.indexes[space] = index
    return index
