"""Python 3.15 and later: the exports are the interpreter's own lazy imports (PEP 810), resolved by our own code.

The interpreter puts the object into the package's dict on first use, no ``__getattr__`` is asked. What it calls to get
the object is the ``__import__`` of the builtins given here, so that names, errors and notes are the same as elsewhere.
"""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyautoload.lazy.exports import Exports

__all__ = ["bind", "is_native"]

# The interpreter makes lazy imports at module level only: this runs as the body of a module.
BODY = compile(
    "for name in names: namespace[name] = lazy_import(prefix + name, scope, scope, (), 0)", "<exports>", "exec"
)


def is_native() -> bool:
    """Whether native lazy imports would be lazy: a filter of the user may make them eager."""
    system: Any = sys
    return hasattr(builtins, "__lazy_import__") and system.get_lazy_imports_filter() is None


def bind(exports: Exports) -> None:
    """Put a native lazy import of every name that is not loaded into the package."""
    if not is_native():
        return

    def resolve(label: str, *_: Any) -> Any:
        return exports.load(exports.entries[label.rpartition(":")[2]])

    scope = {"__name__": exports.package, "__builtins__": {"__import__": resolve}}
    names = [name for name in exports.pending if name not in exports.namespace]
    body = {
        "lazy_import": builtins.__lazy_import__,  # type: ignore[attr-defined]
        "names": names,
        "namespace": exports.namespace,
        # The colon keeps the label from being the name of a module, which the import system would act upon.
        "prefix": f"{exports.package}:",
        "scope": scope,
    }
    exec(BODY, body)
