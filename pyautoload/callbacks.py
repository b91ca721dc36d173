"""What users asked to be told: on set-up, on load, on unload."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__all__ = ["Callbacks", "Hooks", "checked_dotted_name"]


def checked_dotted_name(name: object) -> str:
    """``name``, if it is a dotted name.

    Raises:
        TypeError: it is not a string.
        ValueError: it is not a dotted name.
    """
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is not a name: a string such as 'myapp.models.User' is needed")
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(
            f"{name!r} is not a dotted name: identifiers joined by dots are needed, as in 'myapp.models.User'"
        )
    return name


class Hooks:
    """Functions for one kind of event, some for one name, some for all."""

    def __init__(self) -> None:
        # Name → functions, in the order of definition. Example: {"myapp.models.User": [warm_cache]}
        self._named: dict[str, list[Function]] = {}
        self._general: list[Function] = []
        # Whether there is any function; an attribute, as each loaded module asks for it.
        self.wanted = False

    def add(self, name: object, function: Function | None) -> Any:
        """Add a function for ``name``, or for all names; usable as a decorator.

        ``add(name, fn)``, ``@add(name)``, ``add(fn)`` and ``@add`` in the words of ``AutoLoader.on_load``.
        """
        if function is None and callable(name):
            self._general.append(name)
            self.wanted = True
            return name
        if name is None and function is None:
            return lambda fn: self.add(fn, None)
        functions = self._named.setdefault(checked_dotted_name(name), [])
        if function is None:
            return lambda fn: self.add(name, fn)
        if not callable(function):
            raise TypeError(f"{function!r} cannot be called: pass a function")
        functions.append(function)
        self.wanted = True
        return function

    def wants(self, name: str) -> bool:
        """Whether any function would be called for ``name``."""
        return bool(self._general) or name in self._named

    def fire_named(self, name: str, value: object, path: str) -> None:
        """Call the functions for ``name``, with ``(value, path)``."""
        for function in list(self._named.get(name, ())):
            function(value, path)

    def fire_general(self, name: str, value: object, path: str) -> None:
        """Call the functions for all names, with ``(name, value, path)``."""
        for function in list(self._general):
            function(name, value, path)


def is_of_callback(error: BaseException) -> bool:
    """Whether an error came from a function of the user's that was to be told of a module."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in _FIRING:
            return True
        traceback = traceback.tb_next
    return False


_FIRING = frozenset({Hooks.fire_named.__code__, Hooks.fire_general.__code__})


class Callbacks:
    """All hooks of one loader. They outlive reloads."""

    def __init__(self) -> None:
        self.setup: list[Callable[[], object]] = []
        self.load = Hooks()
        self.unload = Hooks()

    @staticmethod
    def fire(hooks: Hooks, module_name: str, module: object, expected: tuple[str, object] | None, path: str) -> None:
        """Tell of one file: the functions for the module, for the expected name, then those for all.

        Args:
            hooks: ``load`` or ``unload``.
            module_name: the module.
            module: the module object.
            expected: the expected name in full and its value, ``None`` where the file defines none.
            path: the file, or the directory of an implicit namespace.
        """
        if not hooks.wanted:
            return
        hooks.fire_named(module_name, module, path)
        name, value = expected or (module_name, module)
        if expected is not None:
            hooks.fire_named(name, value, path)
        hooks.fire_general(name, value, path)
