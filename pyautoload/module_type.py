"""``ModuleType`` without ``types``, which a start does not need otherwise."""

from __future__ import annotations

import sys

__all__ = ["ModuleType"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType as ModuleType
else:
    ModuleType = type(sys)
