"""Naming: what a file is expected to define, what it does define, and which file a name stands for."""

from __future__ import annotations

from pyautoload.errors import NameInflectionError
from pyautoload.light_stdlib import ModuleType, NamedTuple
from pyautoload.sources import source_for
from pyautoload.tree.inflector import Inflector, InflectorProtocol, PackageInflector, checked_name, folded
from pyautoload.tree.registry import ModuleRegistry, Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from weakref import WeakKeyDictionary

__all__ = ["Naming", "names_of"]


class NameIndex(NamedTuple):
    """The names of one listing of a namespace.

    Attributes:
        exact: name → stem; filled only for inflectors of the user's own, which may name a stem anything.
        loose: stem with case and underscores set aside → the stems that are this, sorted.
    """

    exact: dict[str, str]
    loose: dict[str, tuple[str, ...]]


def _is_near(stem: str, name: str) -> bool:
    """Whether two names may resemble each other: cheap, as a namespace may hold a hundred thousand."""
    first, second = folded(stem), folded(name)
    return abs(len(first) - len(second)) <= 3 and len(set(first) & set(second)) * 2 >= len(set(second))


def names_of(module: object) -> dict[str, Any]:
    """The ``__dict__`` of what stands in ``sys.modules``: none, where that is not a module or its class hides it."""
    try:
        names = module.__dict__
    except Exception:  # noqa: BLE001 - a file may give its module a class that raises anything
        return {}
    return names if isinstance(names, dict) else {}


class Naming:
    """Stems to names and names to stems, by the rules of one loader's inflector.

    Args:
        registry: what the namespaces hold.
        inflector: stems to names.
    """

    def __init__(self, registry: ModuleRegistry, inflector: InflectorProtocol | None = None) -> None:
        self.registry = registry
        self.inflector: InflectorProtocol = inflector or Inflector()
        # Listing → which stem stands for which name in it; made when a name is not found at the first guess.
        # Example: {<myapp.models>: NameIndex({}, {"htmlparser": ("html_parser",)})}
        self._indexes: WeakKeyDictionary[Namespace, NameIndex] | None = None

    # From a stem to the name

    def expected_name(self, stem: str, path: str) -> str | None:
        """The expected name of a file, ``None`` where it has none."""
        names = self.expected_names(stem, path)
        return names[0] if names else None

    def expected_names(self, stem: str, path: str) -> tuple[str, ...]:
        """The expected name of a file, then those that may stand in for it.

        Empty for ``__main__`` and its like, where the stem gives no valid name, and where it is the stem itself: that
        attribute is the module.
        """
        if stem[:2] == "__" and stem[-2:] == "__":
            return ()
        try:
            name = checked_name(self.inflector, stem, path)
        except NameInflectionError:
            return ()
        if name == stem:
            return ()
        alternatives = getattr(self.inflector, "alternatives", None)
        return (name, *alternatives(stem, path)) if alternatives is not None else (name,)

    def defined_name(self, module: object, stem: str, path: str) -> str | None:
        """Which name the loaded ``module`` defines for its stem, ``None`` where it defines none.

        That is the expected name, or, with case and underscores set aside, the first that is the stem: ``HTMLParser``
        in ``html_parser.py``.
        """
        names = names_of(module)
        likely = self.inflector.camelize(stem, path)
        if likely in names and likely != stem and likely.isascii():
            return likely  # every loaded module passes here, and nearly all of them end here
        for name in self.expected_names(stem, path):
            if name in names:
                return name
        if stem[:2] == "__" or not stem.isidentifier():
            return None
        wanted = folded(stem)
        if wanted not in folded("\n".join(names)):
            return None  # modules with many names pass here, most of them without any that is like the stem
        for name, value in list(names.items()):
            if name == stem or len(name) > len(stem) or not name[:1].isalpha() or name.islower():
                continue
            if folded(name) == wanted and not isinstance(value, ModuleType):
                return name if self._is_free(names.get("__name__"), name, stem) else None
        return None

    def similar(self, name: str, space: Namespace) -> str | None:
        """A name in a namespace that ``name`` may have been meant to be: a module, a namespace, or an expected name."""
        import difflib

        near = [(stem, path) for stem, path in list(space.modules.items()) if _is_near(stem, name)]
        names = {stem for stem, _ in near if stem.isidentifier()} | {
            stem for stem in space.subdirs if _is_near(stem, name)
        }
        for stem, path in near:
            names.update(self.expected_names(stem, path)[:1])
        names.discard(name)
        return next(iter(difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)), None)

    def _is_free(self, module_name: object, name: str, stem: str) -> bool:
        """Whether no other file of the namespace has a better claim to ``name`` than the one that matches loosely."""
        space = self.registry.namespace(module_name.rpartition(".")[0]) if isinstance(module_name, str) else None
        return space is None or self.stem_for(name, space)[0] in (stem, None)

    def bound_name(self, stem: str, path: str) -> str | None:
        """Which name a file defines for its stem, by its text: nothing is run.

        A file that cannot be read or parsed is assumed to define its expected name; one that is not source, nothing.
        """
        expected = self.expected_name(stem, path)
        if not path.endswith(".py"):
            return None
        try:
            source = source_for(path).read(path)
        except OSError:
            return expected
        import re

        name = (expected or "").encode()
        if name and re.search(rb"^(?:class|def|async def) %b\b|^%b\s*[:=]" % (name, name), source, re.MULTILINE):
            return expected
        if stem.isascii() and folded(stem).encode() not in source.replace(b"_", b"").lower():
            return None
        try:
            names = _names_bound_in(source, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return expected
        from types import SimpleNamespace

        return self.defined_name(SimpleNamespace(**dict.fromkeys(names)), stem, path)

    def owes_name(self, parent_name: str, stem: str, path: str) -> bool:
        """Whether asking for the expected name is an error where the file lacks it; for a package it is none."""
        space = self.registry.namespace(parent_name)
        return space is not None and stem in space.modules and bool(self.expected_names(stem, path))

    # From a name to the stem

    def stem_for(self, attribute: str, space: Namespace) -> tuple[str | None, bool]:
        """The stem in ``space`` that stands for ``attribute`` (``None``: no one does), and whether it does exactly."""
        if isinstance(self.inflector, Inflector):
            for guess in self.inflector.candidates(attribute):
                if self._names_exactly(attribute, guess, space):
                    return guess, True
        index = self._index(space)
        if attribute in index.exact:
            return index.exact[attribute], True
        alike = index.loose.get(folded(attribute), ())
        for stem in alike:
            if self._names_exactly(attribute, stem, space):
                return stem, True
        if alike and attribute != attribute.lower():
            return alike[0], False
        return None, False

    def _names_exactly(self, attribute: str, stem: str, space: Namespace) -> bool:
        path = space.modules.get(stem) or next(iter(space.subdirs.get(stem, ())), None)
        return path is not None and attribute in self.expected_names(stem, path)

    def _index(self, space: Namespace) -> NameIndex:
        if self._indexes is None:
            from weakref import WeakKeyDictionary

            self._indexes = WeakKeyDictionary()
        index: NameIndex | None = self._indexes.get(space)
        if index is not None:
            return index
        index = NameIndex({}, {})
        stems = {*space.subdirs, *space.modules}
        for stem in stems:
            key = folded(stem)
            known = index.loose.get(key)
            index.loose[key] = (stem,) if known is None else tuple(sorted((*known, stem)))
        # The project's own inflectors name a stem by its own letters or by a rule, so that looking at the stems that
        # are alike is enough. Others are asked for every stem.
        if type(self.inflector).camelize not in (Inflector.camelize, PackageInflector.camelize):
            for stem in sorted(stems):
                path = space.modules.get(stem) or space.subdirs[stem][0]
                for name in self.expected_names(stem, path):
                    index.exact.setdefault(name, stem)
        self._indexes[space] = index
        return index


def _names_bound_in(source: bytes, path: str) -> list[str]:
    """The names that the text of a module binds at its outermost level."""
    import symtable

    table = symtable.symtable(source, path, "exec")  # type: ignore[arg-type]
    return [symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()]
