"""What frameworks remember of modules, and have to forget after a reload."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["attach"]

# Loaders whose reloads are followed.
_attached: WeakSet[AutoLoader] = WeakSet()


def attach(loader: AutoLoader) -> None:
    """Let the frameworks that a program uses follow its reloads.

    Args:
        loader: of the program, which is loaded; call it before ``on_reload`` functions that want to know all that needs
            a restart.
    """
    if "django.conf" in sys.modules and loader not in _attached:
        from pyautoload.serving.frameworks.django_caches import DjangoCaches

        _attached.add(loader)
        DjangoCaches(loader).begin()
