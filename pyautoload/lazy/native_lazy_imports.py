"""Python 3.15 and later: the exports are the interpreter's own lazy imports (PEP 810), resolved by our own code.

The interpreter puts the object into the package's dict on first use, no ``__getattr__`` is asked. What it calls to get
the object is the ``__import__`` of the builtins given here, so that names, errors and notes are the same as elsewhere.
"""

from __future__ import annotations

import builtins
import sys

from pyautoload.frames.hidden_frames import part_of_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["bind", "is_native"]

# The interpreter makes lazy imports at module level only: this runs as the body of a module.
BODY = compile(
    "for name in names: namespace[name] = lazy_import(prefix + name, scope, scope, (), 0)", "<exports>", "exec"
)


def is_native() -> bool:
    """Whether native lazy imports would be lazy: a filter of the user may make them eager."""
    system: Any = sys
    return hasattr(builtins, "__lazy_import__") and system.get_lazy_imports_filter() is None


def bind(package: str, namespace: dict[str, Any], names: list[str], load: Callable[[str], Any]) -> None:
    """Put a native lazy import of each name into a package.

    Args:
        package: its name.
        namespace: its ``__dict__``.
        names: what it exports and has not loaded.
        load: gives the object for a name.
    """
    if not is_native():
        return

    @part_of_import
    def resolve(label: str, *_: Any) -> Any:
        return load(label.rpartition(":")[2])

    scope = {"__name__": package, "__builtins__": {"__import__": resolve}}
    body = {
        "lazy_import": builtins.__lazy_import__,  # type: ignore[attr-defined]
        "names": names,
        "namespace": namespace,
        # The colon keeps the label from being the name of a module, which the import system would act upon.
        "prefix": f"{package}:",
        "scope": scope,
    }
    exec(BODY, body)
