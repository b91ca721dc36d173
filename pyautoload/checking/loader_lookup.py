"""From a configuration, or the name that a program gives its loader, to a loader that is set up."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pyautoload import loaders
from pyautoload.autoloader import AutoLoader

if TYPE_CHECKING:
    from pyautoload.sources import Source
    from pyautoload.tree.managed_paths import Config

__all__ = ["configured", "named_loader"]


def named_loader(name: str) -> AutoLoader:
    """The loader that a program makes itself: ``"autoload:loader"``, set up if it is not yet.

    Raises:
        ImportError, AttributeError: there is no such module, or no such name in it.
        TypeError: it is not a loader.
    """
    module, _, attribute = name.partition(":")
    value: Any = importlib.import_module(module)
    for part in (attribute or "loader").split("."):
        value = getattr(value, part)
    if not isinstance(value, AutoLoader):
        raise TypeError(f"{name} is a {type(value).__name__}, not an AutoLoader")
    return value.setup()


def configured(
    config: Config, inflector: Any, tag: str | None = None, sources: Mapping[str, Source] = MappingProxyType({})
) -> AutoLoader:
    """A loader with the given configuration, set up; of a package that makes its own loader, that one.

    Args:
        config: roots and patterns.
        inflector: stems to names.
        tag: what its log records are marked with.
        sources: root path → what holds the files below it, where that is neither the file system nor an archive.
    """
    for root in config.roots.values():
        own = os.path.join(root.path, "__init__.py")
        if root.conventions and mentions_pyautoload(own):
            # A second loader over the same directory would be a conflict.
            sys.path.insert(0, os.path.dirname(root.path))
            importlib.import_module(root.namespace)
            for loader in loaders.all_loaders(set_up=True):
                if root.path in loader.config.roots:
                    return loader
    loader = AutoLoader(inflector=inflector, tag=tag)
    loader.config.ignored, loader.config.collapsed = config.ignored, config.collapsed
    loader.config.not_eager, loader.config.not_reloaded = config.not_eager, config.not_reloaded
    loader.config.lazy = config.lazy
    for root in config.roots.values():
        namespace = root.namespace if root.explicit else None
        loader.push_dir(root.path, namespace, source=sources.get(root.path), conventions=root.conventions)
    return loader.setup()


def mentions_pyautoload(path: str) -> bool:
    """Whether a file exists and speaks of this library."""
    try:
        with open(path, "rb") as opened:
            return b"pyautoload" in opened.read()
    except OSError:
        return False
