"""Files that the loader does not manage but the program was made from: when one changes, only a restart helps.

These are the program's own modules beside the roots (``wsgi.py``, ``autoload.py``), ``pyproject.toml``, and files that
are read once, when the program starts: ``.env``.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import ModuleType

from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.watching.watcher import Watcher
from pyautoload.sources.regular import read_regular
from pyautoload.tree.managed_paths import outermost
from pyautoload.tree.paths import inside

__all__ = ["SOURCES", "UnmanagedFiles", "changed_since", "forget_bytecode", "watch_files"]

# What a program is made of.
SOURCES = (".py", ".toml")
# Editors write in several steps, and a restart is not cheap.
_DEBOUNCE = 0.05


class UnmanagedFiles:
    """Watches them.

    Args:
        directory: the project's; modules of other places are libraries.
        roots: the loader's: what lies in them is not our affair.
        changed: called with the paths that have changed, relative to ``directory``.
        polling: look at the files at intervals.
        read: further files, which the program reads when it starts; they need not be there yet.
        managed: whether a path below the roots is the loader's: what it ignores can be imported all the same.
    """

    def __init__(
        self,
        directory: str,
        roots: Iterable[str],
        changed: Callable[[list[str]], object],
        *,
        polling: bool,
        read: Iterable[str] = (),
        managed: Callable[[str], bool] = lambda path: True,
    ) -> None:
        self.managed = managed
        self.read = list(read)
        self.directory = os.path.abspath(directory)
        self.roots = list(roots)
        self.changed = changed
        # Path → its content, as a change of time or place is none. Example: {"/shop/wsgi.py": b"import autoload..."}
        self.known: dict[str, bytes | None] = {}
        self._watcher = Watcher(
            [], self._apply, debounce=_DEBOUNCE, polling=polling, wanted=self._is_wanted, idle=lambda: None
        )

    def start(self, since: float) -> None:
        """Begin to watch; what was saved while the program was being imported may have been read before that.

        Args:
            since: when that began, in seconds since the epoch.
        """
        self._watcher.start()
        self.look()
        if missed := [path for path in self.known if _is_saved_since(path, since)]:
            forget_bytecode(missed)
            self.changed([os.path.relpath(path, self.directory) for path in missed])

    def look(self) -> None:
        """Take in what has been imported since."""
        for path in self._files():
            if path not in self.known:
                self.known[path] = _content(path)
        self._watcher.also({os.path.dirname(path) for path in self.known})

    def catch_up(self) -> None:
        """Look at all of them now."""
        self._apply(Batch(set(), set(), set(), everything=True))

    def stop(self) -> None:
        """No more."""
        self._watcher.stop()

    def modules(self) -> Iterator[ModuleType]:
        """The program's modules that the loader does not manage."""
        libraries = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(file, str) or not isinstance(module, ModuleType) or not inside(file, self.directory):
                continue
            if any(inside(file, other) for other in libraries):
                continue
            if not any(inside(file, root) for root in self.roots) or not self.managed(file):
                yield module

    def _files(self) -> list[str]:
        mine = [str(module.__file__) for module in self.modules()]
        return [os.path.join(self.directory, "pyproject.toml"), *self.read, *mine]

    def _is_wanted(self, path: str) -> bool:
        return path in self.known

    def _apply(self, batch: Batch) -> None:
        changed = []
        for path in sorted(self.known if batch.everything else self.known.keys() & batch.paths):
            content = _content(path)
            if content != self.known[path] and (content is not None or path in self.read):
                self.known[path] = content
                changed.append(path)
        if changed:
            forget_bytecode(changed)
            self.changed([os.path.relpath(path, self.directory) for path in changed])


def watch_files(
    directories: Iterable[str], endings: tuple[str, ...], changed: Callable[[list[str]], object], *, polling: bool
) -> Watcher:
    """Watch all files of some kinds, but for hidden ones and those in hidden directories.

    Args:
        directories: with all below them.
        endings: of the names of these files.
        changed: called with the paths, those of directories that were made or moved among them.
        polling: look at the files at intervals.
    """
    tops = outermost(map(os.path.abspath, directories))

    def is_wanted(path: str) -> bool:
        if not path.endswith(endings):
            return False
        top = next((top for top in tops if inside(path, top)), "")
        return f"{os.sep}." not in path.removeprefix(top)

    def apply(batch: Batch) -> None:
        if batch.paths:
            changed(sorted(batch.paths))

    watcher = Watcher(tops, apply, debounce=_DEBOUNCE, polling=polling, wanted=is_wanted, idle=lambda: None)
    watcher.start()
    return watcher


def changed_since(directories: Iterable[str], since: float) -> list[str]:
    """The Python files below directories that were saved from a moment on, in seconds since the epoch."""
    found: set[str] = set()
    for directory in directories:
        for parent, below, files in os.walk(directory):
            below[:] = [name for name in below if not name.startswith(".") and name != "__pycache__"]
            paths = (os.path.join(parent, name) for name in files if name.endswith(SOURCES))
            found.update(path for path in paths if _is_saved_since(path, since))
    return sorted(found)


def forget_bytecode(paths: Iterable[str]) -> None:
    """Remove the bytecode that Python has cached for files that have changed.

    Python asks for the size and for the second in which a file was saved. A file that is saved twice in one second,
    with the same size, would bring the former text into the new process, and into all after it.
    """
    for path in paths:
        if path.endswith(".py"):
            with suppress(OSError, NotImplementedError):  # there is none, or Python caches none
                os.unlink(importlib.util.cache_from_source(path))


def _is_saved_since(path: str, since: float) -> bool:
    try:
        saved = os.stat(path).st_mtime
    except OSError:
        return False
    return since <= saved <= time.time()  # a time in the future says nothing


def _content(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except OSError:
        return None
