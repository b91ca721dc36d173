"""A module that is imported when it is first used: ``np = lazy.module("numpy")``.

``importlib.util.LazyLoader`` puts a half-made module into ``sys.modules``, where whoever walks it loads it, finds the
module at once, and makes every access slow for good. Here a stand-in is held by the asking module only; once loaded,
the real module takes its place there. Native lazy imports (Python 3.15) are no help: such an object becomes the module
only where it is read as a global variable, while this may be kept anywhere.
"""

from __future__ import annotations

import builtins
import sys
from types import ModuleType
from typing import Any

from pyautoload.errors import LoadError, ModuleNotFoundError

__all__ = ["module"]

# What tools ask of any object and no module answers: must not load anything.
PROBES = frozenset({"__wrapped__", "__test__", "__bases__", "__mro_entries__", "__iter__", "__len__", "__fspath__"})


def module(name: str) -> Any:
    """The module ``name``, imported on first access to one of its attributes.

    Args:
        name: an absolute dotted name; ``"a.b"`` gives ``a.b``.

    Returns:
        The module itself if it is imported already, else a stand-in that imports it. The error of a missing module
        comes with the first access and says where the module was asked for.

    Raises:
        ValueError: ``name`` is not a dotted name.
    """
    if not name or not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"lazy.module() takes an absolute dotted name, {name!r} is none")
    present = sys.modules.get(name)
    if present is not None and not getattr(getattr(present, "__spec__", None), "_initializing", False):
        return present
    caller = sys._getframe(1)
    return LazyModule(name, caller.f_globals, f"{caller.f_code.co_filename}:{caller.f_lineno}")


class _State:
    """What a stand-in knows: kept apart from its attributes, which are those of the module."""

    __slots__ = ("holder", "name", "real", "where")

    def __init__(self, name: str, holder: dict[str, Any], where: str) -> None:
        self.name = name
        self.where = where
        # The globals of the module that asked. Example: {"np": <lazy module 'numpy'>, ...}
        self.holder: dict[str, Any] | None = holder
        self.real: ModuleType | None = None


class LazyModule(ModuleType):
    """A stand-in for a module; everything but ``repr`` and ``__name__`` goes to the module and loads it."""

    __slots__ = ("_lazy",)

    def __init__(self, name: str, holder: dict[str, Any], where: str) -> None:
        super().__init__(name)
        object.__setattr__(self, "_lazy", _State(name, holder, where))
        # Empty, so that __name__, __doc__, __spec__ and the like are asked for, too.
        object.__getattribute__(self, "__dict__").clear()

    def __getattribute__(self, attribute: str) -> Any:
        state: _State = object.__getattribute__(self, "_lazy")
        if attribute == "__class__":
            return ModuleType if state.real is None else type(state.real)
        if state.real is None:
            if attribute == "__name__":
                return state.name
            if attribute in PROBES:
                raise AttributeError(f"module {state.name!r} has no attribute {attribute!r}")
        return getattr(_loaded(self, state), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(_loaded(self, object.__getattribute__(self, "_lazy")), attribute, value)

    def __delattr__(self, attribute: str) -> None:
        delattr(_loaded(self, object.__getattribute__(self, "_lazy")), attribute)

    def __dir__(self) -> list[str]:
        return dir(_loaded(self, object.__getattribute__(self, "_lazy")))

    def __repr__(self) -> str:
        state: _State = object.__getattribute__(self, "_lazy")
        return f"<lazy module {state.name!r}>" if state.real is None else repr(state.real)

    def __reduce__(self) -> tuple[Any, ...]:
        return module, (object.__getattribute__(self, "_lazy").name,)


def _loaded(stand_in: LazyModule, state: _State) -> ModuleType:
    """The real module, imported if need be; two threads get the same one from the import system."""
    real = state.real
    if real is not None:
        return real
    try:
        __import__(state.name)
    except AttributeError as error:
        raise LoadError(state.name, None, error) from error
    except builtins.ModuleNotFoundError as error:
        # Something else that is missing is the business of the module that needs it.
        if error.name is not None and f"{state.name}.".startswith(f"{error.name}."):
            reason = f"asked for by lazy.module({state.name!r}) at {state.where}"
            raise ModuleNotFoundError(error.name, reason, error.path) from error
        raise
    real = sys.modules[state.name]
    holder, state.real = state.holder, real
    state.holder = None
    # The asking module gets the real thing for its names, so that the stand-in costs nothing from here on.
    for key, value in list((holder or {}).items()):
        if value is stand_in and holder is not None:
            holder[key] = real
    return real
