"""The options that say which tree a command is about, and the project that they describe."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from pyautoload.autoloader import AutoLoader
from pyautoload.printable import described, printable
from pyautoload.settings import Settings, load

__all__ = ["Project", "project_options"]


class Project:
    """Which tree a command is about.

    Args:
        roots: directories from ``--root``; they take the place of the configuration.
        namespaces: from ``--namespace``, for the roots in the same order.
        config: a ``pyproject.toml``, or a directory in the project.
        loader_name: ``"module:name"`` of a loader that the program makes itself.
    """

    def __init__(
        self,
        roots: tuple[str, ...] = (),
        namespaces: tuple[str, ...] = (),
        config: str | None = None,
        loader_name: str | None = None,
    ) -> None:
        if len(namespaces) > len(roots):
            raise click.UsageError("there are more --namespace than --root: each belongs to the --root at its place")
        if loader_name is not None and (roots or config):
            raise click.UsageError("--loader names a loader that has its roots: --root and --config do not go with it")
        self.loader_name = loader_name
        # What the options said, for processes that are about the same tree in another place.
        self.asked_for: dict[str, Any] = {
            "roots": list(roots),
            "namespaces": dict(zip(roots, namespaces, strict=False)),
            "config": config,
            "loader": loader_name,
        }
        self.settings = Settings(directory=os.getcwd())
        if roots:
            self.settings.roots = list(roots)
            self.settings.namespaces = dict(zip(roots, namespaces, strict=False))
        elif loader_name is None:
            self.settings = load(config)
        self._loader: AutoLoader | None = None

    @property
    def directory(self) -> str:
        """What paths are shown relative to, and what the program's own modules are imported from."""
        return self.settings.directory

    def loader(self) -> AutoLoader:
        """The loader, not set up, so that nothing of the user's code is run (unless ``--loader`` asks for that)."""
        if self._loader is None:
            if self.loader_name is not None:
                return self.running_loader()
            self._loader = self.settings.apply(AutoLoader(tag=self.settings.tag))
            click.get_current_context().call_on_close(self._loader.unregister)
        return self._loader

    def make_importable(self) -> None:
        """Let the program's directory be imported from, as with ``python -m``."""
        if self.directory not in sys.path:
            sys.path.insert(0, self.directory)

    def running_loader(self) -> AutoLoader:
        """The loader, set up, for commands that run the user's code."""
        from pyautoload.checking.loader_lookup import configured, named_loader

        self.make_importable()
        if self.loader_name is not None:
            self._loader = _named(named_loader, self.loader_name)
        else:
            described = self.loader()
            described.unregister()
            self._loader = configured(described.config, described.inflector, described.tag)
            click.get_current_context().call_on_close(self._loader.unregister)
        return self._loader

    def shown(self, path: str) -> str:
        """A path as it is shown: relative to the project where it lies in it, without control characters."""
        prefix = self.directory.rstrip(os.sep) + os.sep
        return printable(path.removeprefix(prefix))


def _named(find: Callable[[str], AutoLoader], name: str) -> AutoLoader:
    try:
        return find(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise click.UsageError(f"--loader {name}: {described(error)}") from error


def project_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--root``, ``--namespace``, ``--config`` and ``--loader`` to a command, which gets a ``Project`` first."""

    @click.option("--root", "roots", multiple=True, metavar="DIR", help="A root, in place of the configuration.")
    @click.option("--namespace", "namespaces", multiple=True, metavar="NAME", help="The namespace of that root.")
    @click.option("--config", metavar="PATH", help="A pyproject.toml, or a directory in the project.")
    @click.option("--loader", "loader_name", metavar="MODULE:NAME", help="A loader that your program makes; runs it.")
    @functools.wraps(function)
    def command(
        *args: Any,
        roots: tuple[str, ...],
        namespaces: tuple[str, ...],
        config: str | None,
        loader_name: str | None,
        **options: Any,
    ) -> Any:
        return function(Project(roots, namespaces, config, loader_name), *args, **options)

    return command
