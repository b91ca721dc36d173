"""``@load.requires``: names that one function can use, without putting them into its module."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

__all__ = ["provide"]

F = TypeVar("F", bound=Callable[..., Any])


class Scope(dict[str, Any]):
    """The globals of one function: those of its module, live, with the provided names before them."""

    def __init__(self, real: dict[str, Any], provided: Mapping[str, Any]) -> None:
        # The interpreter reads these from the dict itself, not through __getitem__.
        super().__init__({key: value for key, value in real.items() if key[:2] == "__"})
        self.real = real
        self.provided = provided

    def __getitem__(self, name: str) -> Any:
        if name in self.provided:
            return self.provided[name]
        return self.real[name]

    def __contains__(self, name: object) -> bool:
        return name in self.provided or name in self.real


def provide(function: F, names: tuple[str, ...], find: Callable[[], Mapping[str, Any]]) -> F:
    """``function`` with ``names`` to use; what they stand for is found before each call.

    A parameter of that name gets the object as its argument; else the name is a global of this function alone.

    Raises:
        TypeError: it is not a plain function; or it assigns globals and does not take all names as parameters.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"requires() decorates functions written with def, not {function!r}")
    wanted = set(names)
    taken = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name in wanted and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    provided: dict[str, Any] = {}
    body: FunctionType = function
    if wanted - set(taken):
        if _assigns_globals(function.__code__):
            raise TypeError(
                f"{function.__qualname__} assigns to a global, which names that it alone can see do not allow: "
                f"take them as parameters, def {function.__name__}(..., *, {', '.join(names)})"
            )
        body = _with_globals(function, Scope(function.__globals__, provided))

    def arguments(given: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        found = find()
        provided.update(found)
        bound = signature.bind_partial(*given, **keywords).arguments if taken else {}
        return {**keywords, **{name: found[name] for name in taken if name not in bound}}

    signature = inspect.signature(function)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_async(*given: Any, **keywords: Any) -> Any:
            return await body(*given, **arguments(given, keywords))

        return cast(F, call_async)

    @functools.wraps(function)
    def call(*given: Any, **keywords: Any) -> Any:
        return body(*given, **arguments(given, keywords))

    return cast(F, call)


def _with_globals(function: FunctionType, scope: Scope) -> FunctionType:
    made = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__qualname__ = function.__qualname__
    return made


def _assigns_globals(code: CodeType) -> bool:
    """Whether ``code`` or a function within it says ``global x`` and binds it: that would bypass the scope."""
    if any(step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") for step in dis.get_instructions(code)):
        return True
    return any(_assigns_globals(inner) for inner in code.co_consts if isinstance(inner, CodeType))
