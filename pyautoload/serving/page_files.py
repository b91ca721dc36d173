"""Files that pages are made of and that are no code of the program: templates, style sheets, scripts.

The program reads them for itself whenever it needs them. When one is saved, nothing is to be reloaded but open pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from pyautoload.config import inside
from pyautoload.reloading.batch import Batch
from pyautoload.reloading.watcher import Watcher

__all__ = ["PageFiles"]

# Where Flask, Django and their like have such files when they do not lie beside the code.
_PLACES = ("templates", "static")
# No data and no pictures: programs write such files themselves, and a page that made its program write one would be
# loaded again and again.
_SUFFIXES = (".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".mako", ".djhtml", ".css", ".js", ".mjs")
# What builds assets writes several files.
_DEBOUNCE = 0.05


class PageFiles:
    """Watches them.

    Args:
        directory: the project's; its ``templates`` and ``static`` are watched.
        roots: the loader's, with all below them.
        changed: called with the paths that were saved.
        polling: look at the files at intervals.
    """

    def __init__(
        self, directory: str, roots: Iterable[str], changed: Callable[[list[str]], object], *, polling: bool
    ) -> None:
        self._changed = changed
        places = [*roots, *(os.path.join(directory, name) for name in _PLACES)]
        places = [path for path in places if os.path.isdir(path)]
        tops = [path for path in places if not any(path != other and inside(path, other) for other in places)]
        self._tops = tops
        self._watcher = Watcher(
            tops, self._apply, debounce=_DEBOUNCE, polling=polling, wanted=self._is_wanted, idle=lambda: None
        )

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()

    def stop(self) -> None:
        """No more."""
        self._watcher.stop()

    def _is_wanted(self, path: str) -> bool:
        if not path.lower().endswith(_SUFFIXES):
            return False
        top = next((top for top in self._tops if inside(path, top)), "")
        return f"{os.sep}." not in path[len(top) :] and f"{os.sep}node_modules{os.sep}" not in path

    def _apply(self, batch: Batch) -> None:
        if paths := sorted(filter(self._is_wanted, batch.paths)):
            self._changed(paths)
