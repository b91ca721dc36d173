"""Bundles of a loader: which one is asked for, where it lies, and what is done when it cannot be used."""

from __future__ import annotations

import os
import sys
import warnings

from pyautoload.bundles.reader import Bundle, BundleProblem, BundleWarning, signature_of
from pyautoload.errors import SetupError
from pyautoload.importing.bytecode import LAZY_FORMAT
from pyautoload.light_stdlib import NamedTuple
from pyautoload.tree.managed_paths import Config
from pyautoload.tree.paths import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["BundleWarning", "default_place", "open_bundle", "requested", "signature"]

ENVIRONMENT = "PYAUTOLOAD_BUNDLE"
MODES = ("checked", "trusted")


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
    raise SetupError(f"bundle={bundle!r} is not one of: True, False, 'checked', 'trusted', a path, 'trusted:path'")


def default_place(config: Config, *, writing: bool = False) -> str:
    """Where the bundle of a loader lies when nothing is said: beside its first root, else in the user's cache.

    Args:
        config: with at least one root.
        writing: whether it is about to be written, so that a place is needed that can be written to.
    """
    if not config.roots:
        raise SetupError("a loader without roots has no bundle: add one with push_dir()")
    first = next(iter(config.roots))
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


def signature(config: Config) -> tuple[Any, ...]:
    """What a bundle for this configuration has to be made with."""
    roots = {path: root.namespace for path, root in config.roots.items()}
    first = os.path.dirname(next(iter(roots), ""))
    patterns = [
        # From the first root's directory where they lie there, so that the tree can be moved.
        [os.path.relpath(pattern, first) if inside(pattern, first) else pattern for pattern in globs.patterns]
        for globs in (config.ignored, config.collapsed, *([config.lazy.files] if config.lazy is not None else ()))
    ]
    if config.lazy is not None:
        patterns.append([f"lazy imports {LAZY_FORMAT}"])
    return signature_of(roots, patterns)


def open_bundle(config: Config, request: Request) -> Bundle | None:
    """The bundle of a loader; ``None``, with one warning, where it cannot be used."""
    path = request.path or default_place(config)
    try:
        return Bundle(path, signature(config), list(config.roots), trusted=request.mode == "trusted")
    except BundleProblem as problem:
        warnings.warn(
            f"the bundle {path} is not used, everything is loaded the ordinary way: {problem}. "
            f"Build it again with `pyautoload build`, or loader.build_bundle()",
            BundleWarning,
            stacklevel=6,  # the line that calls setup()
        )
        return None
