"""Names for a prompt: every expected name is there, and loaded when a line uses it."""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from pyautoload.tree.inflector import folded

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["Names", "names_in"]


class Names:
    """Puts into a prompt's namespace what a line is about to use.

    Args:
        loader: set up.
        namespace: what the prompt runs in; names that it has already are left as they are.
    """

    def __init__(self, loader: AutoLoader, namespace: dict[str, Any]) -> None:
        self.loader = loader
        self.namespace = namespace
        # What was put there → the value then; so that a reload takes back its own only.
        self._given: dict[str, Any] = {}
        # Short name → full names. Example: {"Post": ["blog.models.Post"]}
        self._known: dict[str, list[str]] = {}
        self.refresh()

    def refresh(self) -> None:
        """List the names anew, and give those that were given before once more: after a reload."""
        before = [name for name, value in self._given.items() if self.namespace.get(name) is value]
        for name in before:
            del self.namespace[name]
        self._given.clear()
        self._known = {}
        for space in self.loader.tree.walk_all():
            for stem, path in sorted(space.modules.items()):
                for name in self.loader.binder.naming.expected_names(stem, path)[:1]:
                    self._add(name, f"{space.name}.{name}" if space.name else name)
            if space.name and "." not in space.name:
                self._add(space.name, space.name)
        # The rest of the line that reloads may use them.
        list(self.provide(before))

    def _add(self, short: str, full: str) -> None:
        self._known.setdefault(short, []).append(full)

    def candidates(self, name: str) -> list[str]:
        """The full names that a short one may stand for: by its exact spelling, else with case set aside."""
        if name in self._known:
            return self._known[name]
        if name.islower() or not name[:1].isalpha():
            return []
        return [full for short, names in self._known.items() if folded(short) == folded(name) for full in names]

    def provide(self, names: Iterable[str]) -> Iterator[str]:
        """Give the names that the namespace lacks.

        Yields:
            For each that cannot be given, why.
        """
        import builtins

        for name in names:
            if name in self.namespace or hasattr(builtins, name):
                continue
            full = self.candidates(name)
            if len(full) > 1:
                yield f"{name} may be {' or '.join(full)}: write it in full"
            elif full:
                head, _, _last = full[0].rpartition(".")
                wanted = f"{head}.{name}" if head else name
                try:
                    value = self.loader.resolve(wanted)
                except ModuleNotFoundError as error:
                    if error.name != wanted:
                        raise
                    continue  # spelled in a way that the file does not define: the line itself says so
                self.namespace[name] = self._given[name] = value

    def completions(self, text: str) -> list[str]:
        """The short names that begin with ``text``."""
        return sorted(name for name in self._known if name.startswith(text))


def names_in(code: CodeType) -> set[str]:
    """The names that a piece of code may look up globally, its functions included."""
    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= names_in(constant)
    return found
