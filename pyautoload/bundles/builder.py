"""How a bundle is built: everything is scanned, and compiled where it is not yet, and written into one file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.bundles.place import default_place, signature
from pyautoload.bundles.writer import Content, write
from pyautoload.importing import bytecode
from pyautoload.importing.loader import PyAutoloadLoader
from pyautoload.importing.mounted_loader import MountedLoader
from pyautoload.light_stdlib import NamedTuple
from pyautoload.printable import described
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.sources.time_steps import TICK_NS, unseen_for
from pyautoload.tree.managed_paths import Config
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.registry import Namespace

if TYPE_CHECKING:
    from pyautoload.importing.eager_load import Progress

__all__ = ["BuiltBundle", "build"]


class BuiltBundle(NamedTuple):
    """What ``build_bundle()`` made.

    Attributes:
        path: the file.
        modules: how many modules it holds.
        size: in bytes.
        skipped: file → why it is not in the bundle; such a file is loaded the ordinary way.
    """

    path: str
    modules: int
    size: int
    skipped: dict[str, str]


def build(
    config: Config, path: str | os.PathLike[str] | None = None, *, tag: str = "", progress: Progress | None = None
) -> BuiltBundle:
    """Scan everything, compile what is not compiled, and write both into one file.

    Args:
        config: roots and patterns.
        path: where, as for ``AutoLoader.build_bundle``.
        tag: what log records are marked with.
        progress: called as for ``AutoLoader.build_bundle``.
    """
    place = os.path.abspath(os.fspath(path)) if path is not None else default_place(config, writing=True)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    skipped: dict[str, str] = {}
    contents = list(_contents(config, skipped, progress))
    size = write(place, signature(config), list(config.roots), contents)
    count = sum(len(content.codes) for content in contents)
    log.debug(tag, "built the bundle %s of %d modules", place, count)
    return BuiltBundle(place, count, size, skipped)


def _contents(config: Config, skipped: dict[str, str], progress: Progress | None) -> Iterator[Content]:
    made: dict[str, tuple[CodeType, int, int]] = {}
    spaces = list(_scanned(config).walk_all())
    total, done = sum(len(_files(space)) for space in spaces), 0
    for space in spaces:
        made.update(_codes(config, space, skipped))
        done += len(_files(space))
        if progress is not None:
            progress(done, total, space.name)
    # Only now the scan that counts: to compile makes `__pycache__`, and with it a new mtime for a directory. Once the
    # clock has moved on from that, a later change shows.
    if made:
        time.sleep(1.1 * max(map(_unseen_for, {os.path.dirname(file) for file in made})) / 1e9)
    tree = _scanned(config)
    for space in list(tree.walk_all()):  # all of it first: then each knows which of its directories are empty
        files = {stem: file for stem, file in space.modules.items() if file in made}
        if space.file in made and os.path.basename(space.file or "").startswith("__init__."):
            files[""] = str(space.file)
        yield Content(space, _barren(tree, space), {stem: made[file] for stem, file in sorted(files.items())})


def _unseen_for(directory: str) -> int:
    """How long (ns) another change of a directory, and of the files in it, might not show in their times."""
    try:
        return unseen_for(source_for(directory).stat(directory)[0])
    except OSError:
        return TICK_NS


def _barren(tree: ManagedTree, space: Namespace) -> dict[str, dict[str, int]]:
    """The subdirectories without Python, each with all directories that had to be listed to see that."""
    found: dict[str, dict[str, int]] = {}
    for stem in sorted(space.empty):
        listings = [listing for path in space.subdirs[stem] for listing in tree.scanner.walk(path)]
        if not any(listing.files for listing in listings):  # a file may have come since it was found empty
            found[stem] = {listing.directory: listing.stamp for listing in listings}
    return found


def _scanned(config: Config) -> ManagedTree:
    """A tree of its own: not what is known from a bundle, nor what was listed some time ago."""
    tree = ManagedTree(config, existing_modules_win=False)
    tree.use_roots()
    return tree


def _files(space: Namespace) -> list[str]:
    return [file for file in (*space.modules.values(), space.file) if file is not None and file.endswith(".py")]


def _codes(
    config: Config, space: Namespace, skipped: dict[str, str]
) -> Iterator[tuple[str, tuple[CodeType, int, int]]]:
    for file in _files(space):
        try:
            code, modified, size = _code(file)
            yield file, (_lazily(config, file, code), modified, size)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            skipped[file] = described(error)


def _lazily(config: Config, file: str, code: CodeType) -> CodeType:
    """The code as the loader runs it: with lazy imports, where those are asked for and this Python has none itself."""
    if config.lazy_for(file) is None or sys.version_info >= (3, 15):
        return code
    from pyautoload.lazy.imports.code_rewriting import rewritten

    return rewritten(code, lambda: source_for(file).read(file))


def _code(file: str) -> tuple[CodeType, int, int]:
    place = source_for(file)
    if place is not FILE_SYSTEM:
        modified, size = place.stat(file)
        return MountedLoader("", file).source_to_code(place.read(file), file), modified, size
    status = os.stat(file)
    code, _ = bytecode.cached_code(file, bytecode.cache_path(file), surely_fresh=True)
    if code is None:
        loader = PyAutoloadLoader("", file)
        code = loader.source_to_code(loader.get_data(file), file)
        bytecode.write_cache(loader, file, code, status.st_size, status.st_mtime_ns)
    return code, status.st_mtime_ns, status.st_size
