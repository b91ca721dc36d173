"""Target: the application that is served, made from what was given, and anew when the code that made it changes."""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.errors import ModuleNotFoundError, SetupError
from pyautoload.serving.application.app_dependencies import AppDependencies, imported_names, record

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["Target"]


class _Expression(NamedTuple):
    """``"myapp.web:create_app('test', debug=True)"``, taken apart."""

    module: str
    path: tuple[str, ...]
    is_call: bool
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


class Target:
    """An application, wherever it comes from.

    It is made at once. After a reload ``remade`` gives the new one, if there is one:

    * what a module holds (``"myapp.web:app"``) is taken anew when the module has another object under that name; where
      the loader does not manage that module (``"wsgi:app"``), the managed one counts that it has the object from;
    * what a function makes (``"myapp.web:create_app()"``, or a callable with ``factory=True``) is recreated when a
      function that ran at the time has changed, or a module that such a function belongs to, or takes a value from,
      was executed again. Functions that were only registered, views say, are patched in place and make no difference;
    * an application object given as such stays what it is.

    Args:
        application: the object, the string, or the callable.
        loader: of the modules.
        factory: whether the object, or what the string names, is to be called.

    Raises:
        SetupError: the string is no ``MODULE:NAME``, or there is no such name; and whatever the application's code
            raises.
    """

    def __init__(self, application: Any, loader: AutoLoader, *, factory: bool = False) -> None:
        self._loader = loader
        self._given = application
        self._expression = parse(application) if isinstance(application, str) else None
        self._is_made = factory or (self._expression is not None and self._expression.is_call)
        # What ran when a function made the application.
        self._usage: AppDependencies | None = None
        # What ran when it was started (ASGI).
        self._start: AppDependencies | None = None
        # How long (seconds) making it took, the last time.
        self.took = 0.0
        # Whether the last try to make it anew, or to start it, failed: then each reload is a reason to try again.
        self.failed = False
        # What else may ask for another application.
        self.also: Callable[[ReloadResult], str | None] = lambda result: None
        # The application as the program made it, and as it is served; how one becomes the other.
        self.raw: Any = self._make()
        self.application: Any = self.raw
        self._dress: Callable[[Any], Any] = lambda application: application
        self._next: tuple[Any, Any] = (None, None)
        if self._expression is not None and not self._is_made:
            self._expression = self._home(self._expression)

    def why_remake(self, result: ReloadResult) -> str | None:
        """Why a reload asks for another application, ``None`` where it does not: ``"shop.web.create_app has changed"``.

        An application that a module holds is not made: whether there is another one shows when it is looked up.
        """
        if result.errors or not self._is_made or not _has_changed(result):
            return None
        if self.failed:
            return "it could not be made before"
        why = self._usage.why_affected(result) if self._usage is not None else "it was never made"
        return why or self.why_start_again(result) or self.also(result)

    def why_start_again(self, result: ReloadResult) -> str | None:
        """Why a reload asks for another start of the same application, ``None`` where it does not."""
        return self._start.why_affected(result) if self._start is not None and not result.errors else None

    def started(self, ran: Iterable[CodeType]) -> None:
        """The application was started, and this code ran meanwhile."""
        self._start = AppDependencies(self._loader, ran, set())

    def remade(self, result: ReloadResult) -> Any | None:
        """The application after a reload, ``None`` where it is the one of before. Whoever takes it calls ``take``.

        Raises:
            SetupError: the name is gone; and whatever the application's code raises.
        """
        if result.errors or (self._expression is None and not self._is_made):
            return None
        if self._is_made and self.why_remake(result) is None:
            return None
        self.failed = True
        made = self._make()
        self.failed = False
        if made is self.raw:
            return None
        self._next = (made, self._dress(made))
        return self._next[1]

    def dress(self, how: Callable[[Any], Any]) -> None:
        """Serve what ``how`` makes of the application, this one and each that follows."""
        self._dress = how
        self.application = how(self.raw)

    def take(self, application: Any) -> None:
        """From now on this one is the application."""
        self.application = application
        if self._next[1] is application:
            self.raw = self._next[0]

    def _make(self) -> Any:
        if not self._is_made:
            return self._given if self._expression is None else look_up(self._expression)
        began = time.monotonic()
        made, self._usage = record(self._loader, self._call(), self._usage)
        self.took = time.monotonic() - began
        if made is None:
            raise SetupError(f"{self} returned None where an application was expected: does it end in a return?")
        return made

    def _home(self, expression: _Expression) -> _Expression:
        """The managed module and name that the application has, where the module that was named is not managed."""
        loaded = self._loader.loaded()
        if expression.module in loaded:
            return expression
        for module in loaded:
            names = getattr(sys.modules.get(module), "__dict__", {})
            for name, value in list(names.items()):
                if value is self.raw and name not in imported_names(self._loader, module):
                    return expression._replace(module=module, path=(name,))
        return expression

    def _call(self) -> Callable[[], Any]:
        """What makes the application. Its module is imported here: that is not part of the making."""
        expression = self._expression
        function = look_up(expression) if expression is not None else self._current(self._given)
        if not callable(function):
            raise SetupError(f"{self} is to be called, but it is {function!r}: leave factory, or the (), out")
        return partial(function, *expression.arguments, **expression.keywords) if expression is not None else function

    def _current(self, function: Callable[..., Any]) -> Any:
        """The function that was given, or what its module holds in its place now."""
        module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
        reloader = self._loader.reloader
        if self._usage is None or "<" in name or reloader is None or module not in reloader.records:
            return function
        value: Any = sys.modules.get(str(module))
        for part in name.split("."):
            value = getattr(value, part, None)
        return value if callable(value) else function

    def __str__(self) -> str:
        return self._given if isinstance(self._given, str) else repr(self._given)


def _has_changed(result: ReloadResult) -> bool:
    """Whether any code is another one; where files came and went that making the application wrote itself, none is."""
    return bool(
        result.changed or result.patched or result.reexecuted or result.rebound or result.added or result.removed
    )


def parse(text: str) -> _Expression:
    """Take ``"module:name"``, ``"module:name.attribute"``, ``"module:name()"`` or ``"module:name(literals)"`` apart.

    Raises:
        SetupError: it is none of these.
    """
    module, _, rest = text.partition(":")
    wrong = SetupError(f'{text!r} is not an application: write "module:name", or "module:function()" to have it made')
    try:
        node = ast.parse(rest.strip(), mode="eval").body
        call = node if isinstance(node, ast.Call) else None
        arguments = tuple(ast.literal_eval(each) for each in call.args) if call else ()
        keywords = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords} if call else {}
    except (SyntaxError, ValueError):
        raise wrong from None
    name = ast.unparse(call.func if call else node)
    path = tuple(name.split("."))
    if not all(part.isidentifier() for part in (*module.split("."), *path)):
        raise wrong
    return _Expression(module, path, call is not None, arguments, keywords)


def _imported(expression: _Expression) -> ModuleType:
    try:
        return importlib.import_module(expression.module)
    except ImportError as error:
        hint = ""
        if getattr(error, "name", None) == expression.module and "." not in expression.module:
            here = [name.removesuffix(".py") for name in os.listdir() if name.isidentifier() or name.endswith(".py")]
            hint = _did_you_mean(expression.module, here)
        if not hint:
            raise
        raise ModuleNotFoundError(expression.module, hint.removeprefix("; ")) from None


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [one for one in names if not one.startswith("_")], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def look_up(expression: _Expression) -> Any:
    """What the expression names, before any call.

    Raises:
        SetupError: there is no such name.
    """
    value: Any = _imported(expression)
    for part in expression.path:
        try:
            value = getattr(value, part)
        except AttributeError as error:
            # Of the module itself, or from within its own `__getattr__`: the cause tells.
            hint = _did_you_mean(part, vars(value) if isinstance(value, ModuleType) else ())
            raise SetupError(f"{expression.module} has no {'.'.join(expression.path)}: {error}{hint}") from error
    return value
