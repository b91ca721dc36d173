"""Every error PyAutoload raises: each builds its own message and names the remedy.

What stands for a failed import is an ``ImportError`` too, never an ``AttributeError``: ``hasattr``, ``getattr`` with a
default and ``from x import y`` swallow the latter and with it the reason.
"""

from __future__ import annotations

import builtins
import sys

from pyautoload.light_stdlib import NamedTuple
from pyautoload.printable import described, printable
from pyautoload.printable import text_of as text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = [
    "ArchiveError",
    "AutoloadError",
    "CircularDependencyError",
    "ConflictError",
    "EagerLoadError",
    "ExpectedNameError",
    "ExtraMissing",
    "LoadError",
    "ModuleNotFoundError",
    "NameInflectionError",
    "PathError",
    "ProductionError",
    "ReloadError",
    "ReloadingDisabled",
    "ReloadingUnsupported",
    "ServeError",
    "SetupError",
    "SetupRequired",
    "ShipmentError",
    "WorkerReloadError",
]


class AutoloadError(Exception):
    """The base of all errors of PyAutoload."""

    def __reduce__(self) -> Any:
        # Worker processes send errors back pickled, which by default calls the class with the finished message.
        reduced: Any = super().__reduce__()
        return (_restored, reduced[:2], *reduced[2:])


def _restored(cls: type[AutoloadError], args: tuple[Any, ...]) -> AutoloadError:
    error = cls.__new__(cls, *args)
    base: Any = ImportError if isinstance(error, ImportError) else Exception
    base.__init__(error, *args)
    return error


class SetupError(AutoloadError):
    """The configuration of a loader is wrong: a root, a namespace, a pattern or a path given to it."""


class SetupRequired(AutoloadError):
    """Something was asked of a loader that only works after ``setup()``."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs a loader that is set up: finish its configuration, then call loader.setup()")


class PathError(SetupError):
    """A path that was given cannot be used for what was asked; the message says why."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{printable(path)} {problem}: {remedy}")
        self.path = path


class ArchiveError(SetupError, OSError):
    """An archive, or a member of one, cannot be read: it is damaged, encrypted, or packed in an unknown way.

    It is an ``OSError`` too, as that of a file that cannot be read.
    """

    def __init__(self, archive: str, reason: str) -> None:
        super().__init__(f"the archive {archive} cannot be read: {reason}. Make it again, or take it out of the roots")
        self.strerror = reason

    def __str__(self) -> str:
        return str(self.args[0])  # not as the system's errors, whose number it lacks


class ConflictError(SetupError):
    """Two files, or two loaders, claim the same thing; the message names both paths."""

    def __init__(self, message: str, *paths: str) -> None:
        super().__init__(message)
        self.paths = paths


class NameInflectionError(AutoloadError):
    """A stem gives no valid Python name.

    Attributes:
        path: the file or directory.
        name: the name that is not valid.
    """

    def __init__(self, path: str, name: str, reason: str) -> None:
        super().__init__(
            f"{printable(path)}: {name!r} {reason}, so it cannot be imported. Rename it, ignore it with "
            f"loader.ignore(), ignore its directory, or give its stem a name with loader.inflect()"
        )
        self.path = path
        self.name = name


class LoadError(AutoloadError, ImportError):
    """A file raised what must not leave the load as it is; ``__cause__`` is that error.

    Python takes an ``AttributeError`` that leaves a module's ``__getattr__`` for "no such attribute" and drops it. A
    ``SystemExit`` would end an eager load and all that it has to report.
    """

    def __init__(self, module: str, path: str | None, error: BaseException) -> None:
        where = f" ({printable(path)})" if path else ""
        super().__init__(f"loading {module}{where} failed: {described(error)}", name=module, path=path)


class ExpectedNameError(AutoloadError, ImportError):
    """A file does not define the name that it is expected to define.

    Attributes:
        expected: the expected name in full, ``'myapp.lib.Helpers'``.
        path: the file.
        defined: the names that the file defines instead.
    """

    def __init__(self, expected: str, path: str, defined: Sequence[str], stem: str) -> None:
        self.expected = expected
        self.defined = tuple(defined)
        short = expected.rpartition(".")[2]
        shown = ", ".join(defined[:8]) + (", ..." if len(defined) > 8 else "")
        instead = f"it defines {shown}" if defined else "it defines no name at all"
        super().__init__(
            f"expected file {printable(path)} to define {short} (reachable as {expected}), but it does not: {instead}. "
            f"{_remedy(stem, short, defined)}, or ignore the file with loader.ignore()",
            name=expected,
            path=path,
        )


def _remedy(stem: str, expected: str, defined: Sequence[str]) -> str:
    """What to do about a file that does not define its expected name."""
    from pyautoload.likely_names import RULE, TYPO, likely_name

    name, kind = likely_name(stem, expected, defined) or ("...", RULE)
    if kind == TYPO:
        return f"Rename {name} to {expected}, rename the file"
    if kind == RULE:
        return (
            f'Define {expected} there, rename the file, give the right name with loader.inflect({{"{stem}": "{name}"}})'
        )
    return f"Define {expected} there, rename the file, import {name} from the module"


class ModuleNotFoundError(AutoloadError, builtins.ModuleNotFoundError):
    """A name that the rules exclude, or that no file stands for."""

    def __init__(self, name: str, reason: str = "", path: str | None = None) -> None:
        super().__init__(
            f"No module named {name!r}" + (f": {printable(reason)}" if reason else ""), name=name, path=path
        )


class CycleStep(NamedTuple):
    """One import of a cycle: ``module`` imports the next one at ``file``:``line``."""

    module: str
    file: str
    line: int


class CircularDependencyError(AutoloadError, ImportError):
    """An import failed because managed modules import each other in a circle.

    Attributes:
        cycle: the steps, each a ``CycleStep``; the last step imports the module of the first one again.
    """

    def __init__(self, cycle: Sequence[CycleStep], wanted: str = "") -> None:
        self.cycle = tuple(cycle)
        names = [step.module for step in cycle] + ([cycle[0].module] if cycle else [])
        lines = [f"circular dependency: {' → '.join(names)}"]
        if not cycle:
            lines = [
                f"circular dependency: {wanted} is needed while another thread, which waits for this one, imports it"
            ]
        for step, target in zip(cycle, names[1:], strict=False):
            lines.append(f"  {step.module} imports {target} at {printable(step.file)}:{step.line}")
        needs = f"{wanted} is needed while {names[0]} is still being imported" if wanted and names else ""
        if needs:
            lines.append(f"  {needs}")
        lines.append(
            "To break it: import inside the function that needs the name, use the name through its namespace "
            "(`import pkg` and `pkg.Name` at the time of use), or move what both need into a third file."
        )
        super().__init__("\n".join(lines), name=names[-1] if names else None, path=cycle[-1].file if cycle else None)


if TYPE_CHECKING:
    # A file, and a line in it.
    Place = tuple[str, int | None]


def _failure_lines(failures: Mapping[str, BaseException], places: Mapping[str, Place]) -> str:
    lines = [f"{len(failures)} module{'s' if len(failures) != 1 else ''} could not be loaded:"]
    for name, error in failures.items():
        file, line = places.get(name, ("", None))
        where = f" (at {printable(file)}{f':{line}' if line else ''})" if file else ""
        first, *rest = described(error).split("\n")
        lines += [f"  {printable(name)}: {first}{where}", *(f"    {line}" for line in rest)]
    return "\n".join(lines)


if sys.version_info >= (3, 11):

    class EagerLoadError(AutoloadError, ExceptionGroup[Exception]):
        """Everything that failed during an eager load; an ``ExceptionGroup`` where Python has it.

        Attributes:
            failures: module name → exception, in the order of loading; a ``LoadError`` for what is no ``Exception``,
                such as ``SystemExit``.
            places: module name → the file that failed and the line there, ``None`` where no line is known.
            loaded: the names of the modules that were loaded all the same.
        """

        failures: dict[str, Exception]
        places: dict[str, Place]
        loaded: list[str]

        def __new__(
            cls, failures: Mapping[str, Exception], places: Mapping[str, Place] | None = None
        ) -> EagerLoadError:
            self = super().__new__(cls, _failure_lines(failures, places or {}), list(failures.values()))
            self.failures = dict(failures)
            self.places = dict(places or {})
            self.loaded = []
            return self

        def __init__(self, failures: Mapping[str, Exception], places: Mapping[str, Place] | None = None) -> None:
            super().__init__(_failure_lines(failures, places or {}), list(failures.values()))

        def derive(self, excs: Sequence[Any]) -> ExceptionGroup[Any]:
            """A part of this group, as ``except*`` and ``split`` ask for; an ordinary group."""
            return ExceptionGroup("could not be loaded", list(excs))

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self), (self.failures, self.places)

        def __str__(self) -> str:
            return _failure_lines(self.failures, self.places)

else:

    class EagerLoadError(AutoloadError):
        """Everything that failed during an eager load.

        Attributes:
            failures: module name → exception, in the order of loading; a ``LoadError`` for what is no ``Exception``,
                such as ``SystemExit``.
            places: module name → the file that failed and the line there, ``None`` where no line is known.
            loaded: the names of the modules that were loaded all the same.
            exceptions: the exceptions alone, as an ``ExceptionGroup`` has them.
        """

        def __init__(self, failures: Mapping[str, Exception], places: Mapping[str, Place] | None = None) -> None:
            super().__init__(_failure_lines(failures, places or {}))
            self.failures = dict(failures)
            self.places: dict[str, Place] = dict(places or {})
            self.loaded: list[str] = []
            self.exceptions: tuple[Exception, ...] = tuple(failures.values())

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self), (self.failures, self.places)


class ReloadError(AutoloadError):
    """A reload failed; everything was put back, the previous code is still running. ``__cause__`` is the error itself.

    Attributes:
        module: the module whose code failed.
        file: its file.
        line: the line of the error there, or ``None`` where none is known.
        result: the ``ReloadResult`` that tells what had been tried.
    """

    def __init__(self, module: str, file: str | None, line: int | None, error: BaseException) -> None:
        shown = printable(file or "")
        where = f" at {shown}:{line}" if file and line else f" in {shown}" if file else ""
        super().__init__(
            f"reloading {module} failed{where}: {described(error)}. "
            f"Nothing was changed and the previous code is still running; fix the file and save it"
        )
        self.module = module
        self.file = file
        self.line = line
        self.result: Any = None


class WorkerReloadError(ReloadError):
    """A reload failed on a worker of a cluster; all workers, and the client, keep running the previous code.

    Attributes:
        worker: the address of the worker.
        traceback: as it was printed there.
    """

    def __init__(self, worker: str, module: str, file: str | None, text: str, traceback: str) -> None:
        AutoloadError.__init__(
            self,
            f"reloading {module} failed on the worker {worker}: {text}. Nothing was changed, client and workers keep "
            f"running the previous code; fix the file and save it\n{traceback}".rstrip(),
        )
        self.worker, self.module, self.file, self.line = worker, module, file, None
        self.traceback = traceback
        self.result: Any = None


class ShipmentError(AutoloadError):
    """The code could not be taken to the workers of a cluster."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}: {remedy}")


class ReloadingDisabled(AutoloadError):
    """A reload was asked of a loader that was not told to reload."""

    def __init__(self, what: str = "reload()") -> None:
        super().__init__(
            f"{what} needs reloading: call loader.enable_reloading() first (in development, not in production)"
        )


class ReloadingUnsupported(SetupError):
    """Reloading was asked for on a Python that it cannot work on."""

    def __init__(self, implementation: str) -> None:
        super().__init__(
            f"reloading needs CPython, and this is {implementation}: leave enable_reloading() out, restart after edits"
        )


class ProductionError(SetupError):
    """What is made for development was started where the environment says production."""

    def __init__(self, sign: str) -> None:
        super().__init__(
            f"{sign} says that this is production: ReloadMiddleware changes running code, and can show source. "
            f"Leave it out there, or pass force=True if this is development after all"
        )


class ServeError(AutoloadError):
    """The development server cannot start; the message says why and what to do."""


class ExtraMissing(ServeError):
    """Something is needed that an extra of PyAutoload installs."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs {package}: {sys.executable} -m pip install 'pyautoload[{extra}]'")
