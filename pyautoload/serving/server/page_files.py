"""Files that pages are made of and that are not code of the program: templates, style sheets, scripts.

The program reads them for itself whenever it needs them. When one is saved, nothing is to be reloaded but open pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from pyautoload.reloading.watching.watcher import Watcher
from pyautoload.serving.server.unmanaged_files import watch_files

__all__ = ["watch_page_files"]

# Where Flask, Django and their like have such files when they do not lie beside the code.
_PLACES = ("templates", "static")
# No data and no pictures: programs write such files themselves, and a page that made its program write one would be
# loaded again and again.
_ENDINGS = (".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".mako", ".djhtml", ".css", ".js", ".mjs")
_LIBRARIES = f"{os.sep}node_modules{os.sep}"


def watch_page_files(
    directory: str, roots: Iterable[str], changed: Callable[[list[str]], object], *, polling: bool
) -> Watcher:
    """Watch them.

    Args:
        directory: the project's; its ``templates`` and ``static`` are watched.
        roots: the loader's, with all below them.
        changed: called with the paths that were saved.
        polling: look at the files at intervals.
    """
    places = [*roots, *(os.path.join(directory, name) for name in _PLACES)]

    def saved(paths: list[str]) -> None:
        if files := [path for path in paths if path.endswith(_ENDINGS) and _LIBRARIES not in path]:
            changed(files)

    return watch_files(filter(os.path.isdir, places), _ENDINGS, saved, polling=polling)
