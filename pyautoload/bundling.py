"""Bundles of a loader: where they lie, how they are built, and what is done when one cannot be used."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

from pyautoload import log
from pyautoload.config import inside
from pyautoload.errors import SetupError
from pyautoload.importing import bytecode
from pyautoload.importing.bundle import Bundle, BundleProblem, BundleWarning, signature_of
from pyautoload.importing.loader import PyAutoloadLoader
from pyautoload.importing.mounted import MountedLoader
from pyautoload.registry import Namespace
from pyautoload.scanner import RACY_NS
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree import ManagedTree

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.importing.eager import Progress

__all__ = ["BuiltBundle", "BundleWarning", "build", "default_place", "open_bundle", "requested"]

ENVIRONMENT = "PYAUTOLOAD_BUNDLE"
MODES = ("checked", "trusted")


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


class Request(NamedTuple):
    """What was asked for: ``mode`` is ``'checked'`` or ``'trusted'``, ``path`` is ``None`` for the default place."""

    mode: str
    path: str | None


def requested(bundle: bool | str | os.PathLike[str] | None) -> Request | None:
    """What ``AutoLoader(bundle=...)``, or else the environment, asks for; ``None``: no bundle.

    Args:
        bundle: ``True`` or ``'checked'``, ``'trusted'``, a path (checked), ``'trusted:path'``, ``False``; ``None`` for
            what ``PYAUTOLOAD_BUNDLE`` says in the same words (``1`` and ``0`` for yes and no).

    Raises:
        SetupError: it is none of these.
    """
    if bundle is None:
        bundle = os.environ.get(ENVIRONMENT, "")
        if bundle in ("", "0", "1"):
            bundle = bundle == "1"
    if isinstance(bundle, bool):
        return Request("checked", None) if bundle else None
    text = os.fspath(bundle)
    if text in MODES:
        return Request(text, None)
    mode, colon, path = text.partition(":")
    if colon and mode in MODES:
        return Request(mode, os.path.abspath(path))
    if not isinstance(bundle, str) or os.sep in text or text.endswith(".bundle"):
        return Request("checked", os.path.abspath(text))
    raise SetupError(f"bundle={bundle!r} is none of: True, False, 'checked', 'trusted', a path, 'trusted:path'")


def default_place(loader: AutoLoader, *, writing: bool = False) -> str:
    """Where the bundle of a loader lies when nothing is said: beside its first root, else in the user's cache.

    Args:
        loader: with at least one root.
        writing: whether it is about to be written, so that a place is needed that can be written to.
    """
    if not loader.config.roots:
        raise SetupError("a loader without roots has no bundle: add one with push_dir()")
    first = next(iter(loader.config.roots))
    level = f".opt-{sys.flags.optimize}" if sys.flags.optimize else ""
    name = f"{os.path.basename(first)}.{sys.implementation.cache_tag}{level}.bundle"
    beside = os.path.join(os.path.dirname(first), ".pyautoload")
    if writing:
        usable = os.access(beside if os.path.isdir(beside) else os.path.dirname(first), os.W_OK | os.X_OK)
    else:
        usable = os.path.exists(os.path.join(beside, name))
    if usable:
        return os.path.join(beside, name)
    import hashlib  # as much to import as the rest together, and seldom needed

    digest = hashlib.sha256(first.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return os.path.join(_user_cache(), f"{digest}-{name}")


def _user_cache() -> str:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "pyautoload")


def build(
    loader: AutoLoader, path: str | os.PathLike[str] | None = None, *, progress: Progress | None = None
) -> BuiltBundle:
    """Scan everything, compile what is not compiled, and write both into one file; see ``AutoLoader.build_bundle``."""
    from pyautoload.importing.bundle_writer import write

    place = os.path.abspath(os.fspath(path)) if path is not None else default_place(loader, writing=True)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    skipped: dict[str, str] = {}
    contents = list(_contents(loader, skipped, progress))
    size = write(place, _signature(loader), list(loader.config.roots), contents)
    count = sum(len(codes) for _, codes in contents)
    log.debug(loader.tag, "built the bundle %s of %d modules", place, count)
    return BuiltBundle(place, count, size, skipped)


def _contents(
    loader: AutoLoader, skipped: dict[str, str], progress: Progress | None
) -> Iterator[tuple[Namespace, Mapping[str, tuple[CodeType, int, int]]]]:
    made: dict[str, tuple[CodeType, int, int]] = {}
    spaces = list(_scanned(loader).walk_all())
    total, done = sum(len(_files(space)) for space in spaces), 0
    for space in spaces:
        made.update(_codes(space, skipped))
        done += len(_files(space))
        if progress is not None:
            progress(done, total, space.name)
    # Only now the scan that counts: to compile makes `__pycache__`, and with it a new mtime for a directory. Once the
    # clock has moved on from that, a later change shows.
    if made:
        time.sleep(1.1 * RACY_NS / 1e9)
    for space in _scanned(loader).walk_all():
        files = {stem: file for stem, file in space.modules.items() if file in made}
        if space.file in made and os.path.basename(space.file or "").startswith("__init__."):
            files[""] = str(space.file)
        yield space, {stem: made[file] for stem, file in sorted(files.items())}


def _scanned(loader: AutoLoader) -> ManagedTree:
    """A tree of its own: not what is known from a bundle, nor what was listed some time ago."""
    tree = ManagedTree(loader.config, tag=loader.tag, existing_modules_win=False)
    tree.use_roots()
    return tree


def _files(space: Namespace) -> list[str]:
    return [file for file in (*space.modules.values(), space.file) if file is not None and file.endswith(".py")]


def _codes(space: Namespace, skipped: dict[str, str]) -> Iterator[tuple[str, tuple[CodeType, int, int]]]:
    for file in _files(space):
        try:
            yield file, _code(file)
        except (OSError, SyntaxError, ValueError) as error:
            skipped[file] = f"{type(error).__name__}: {error}"


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


def _signature(loader: AutoLoader) -> tuple[object, ...]:
    config = loader.config
    roots = {path: root.namespace for path, root in config.roots.items()}
    first = os.path.dirname(next(iter(roots), ""))
    patterns = [
        # From the first root's directory where they lie there, so that the tree can be moved.
        [os.path.relpath(pattern, first) if inside(pattern, first) else pattern for pattern in globs.patterns]
        for globs in (config.ignored, config.collapsed)
    ]
    return signature_of(roots, patterns)


def open_bundle(loader: AutoLoader, request: Request) -> Bundle | None:
    """The bundle of a loader; ``None``, with one warning, where it cannot be used."""
    path = request.path or default_place(loader)
    try:
        return Bundle(path, _signature(loader), list(loader.config.roots), trusted=request.mode == "trusted")
    except BundleProblem as problem:
        warnings.warn(
            f"the bundle {path} is not used, everything is loaded the ordinary way: {problem}. "
            f"Build it again with `pyautoload build`, or loader.build_bundle()",
            BundleWarning,
            stacklevel=4,
        )
        return None
