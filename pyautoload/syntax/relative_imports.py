"""The module that an import statement names: dots count from the package in which it stands."""

from __future__ import annotations

__all__ = ["absolute_module"]


def absolute_module(name: str | None, level: int, package: str | None) -> str | None:
    """The absolute name of what an import statement names, ``None`` where the dots lead out of the tree.

    Args:
        name: as it is written, without the dots; ``None`` for ``from . import x``.
        level: the number of dots.
        package: of the module that the statement stands in; its own name where that is a package.
    """
    if level == 0:
        return name or ""
    parts = package.split(".") if package else []
    if level > len(parts):
        return None
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base
