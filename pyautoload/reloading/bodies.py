"""What the bodies of functions use, looked up in the source of the modules in which they stand."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from pyautoload.reloading.identity import Function
from pyautoload.reloading.statements import Parsed
from pyautoload.reloading.uses import LAMBDA, Uses, collect

__all__ = ["FunctionBodies"]


class FunctionBodies:
    """The bodies of functions.

    Args:
        parsed_of: the parsed source of a module, ``None`` for one that is not ours.
    """

    def __init__(self, parsed_of: Callable[[str], Parsed | None]) -> None:
        self._parsed_of = parsed_of
        # What the body of a function uses, looked up once. Example: {("myapp.tools", "slug"): Uses(...)}
        self._whole: dict[Function, Uses | None] = {}
        # The same without functions within it.
        self._at_once: dict[Function, Uses | None] = {}

    def whole(self, function: Function) -> Uses | None:
        """What a function's body uses, nested functions included; ``None`` where its source is not known."""
        if function not in self._whole:
            self._whole[function] = self._find(function, nested=True)
        return self._whole[function]

    def at_once(self, function: Function) -> Uses | None:
        """What a function's body uses when it is called, functions that it defines left out."""
        if function not in self._at_once:
            self._at_once[function] = self._find(function, nested=False)
        return self._at_once[function]

    def mention(self, function: Function, names: set[str]) -> bool:
        """Whether a function's body mentions one of ``names``."""
        uses = self.whole(function)
        return uses is not None and not names.isdisjoint(uses.mentioned())

    def forget(self, module: str) -> None:
        """The source of a module is another one from now on."""
        for known in (self._whole, self._at_once):
            for function in [function for function in known if function[0] == module]:
                del known[function]

    def _find(self, function: Function, *, nested: bool) -> Uses | None:
        scope = self._scope(function)
        if scope is None:
            return None
        uses = Uses.none()
        for child in scope:
            collect(child, uses, uses if nested else None)
        return uses

    def _scope(self, function: Function) -> Sequence[ast.AST] | None:
        """The statements of a function's body."""
        parsed = self._parsed_of(function[0])
        if parsed is None:
            return None
        scope: list[ast.stmt] = [item.node for item in parsed.statements]
        for part in function[1].partition(".<locals>")[0].split("."):
            if part == LAMBDA:
                return _lambdas(scope)
            node = _definition(scope, part)
            if node is None:
                return None
            scope = getattr(node, "body", [])
        return scope


def _lambdas(scope: list[ast.stmt]) -> list[ast.expr]:
    """The bodies of a module's or class's lambdas, all together: they have no names to tell them apart."""
    return [node.body for statement in scope for node in ast.walk(statement) if isinstance(node, ast.Lambda)]


def _definition(scope: list[ast.stmt], name: str) -> ast.stmt | None:
    for node in scope:
        for child in ast.walk(node) if not hasattr(node, "name") else (node,):
            if getattr(child, "name", None) == name and isinstance(child, ast.stmt):
                return child
    return None
