"""Lifecycle: what starts with ``setup()`` and stops with ``unregister()``."""

from __future__ import annotations

import os
import sys

from pyautoload.errors import ConflictError
from pyautoload.importing.binder import Binder
from pyautoload.importing.namespace_access import access_of
from pyautoload.light_stdlib import ModuleType
from pyautoload.printable import printable
from pyautoload.sources import unmount
from pyautoload.tree.managed_paths import Config, Root
from pyautoload.tree.registry import Loaded, ModuleRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.importing.finder import PyAutoloadFinder
    from pyautoload.importing.plain_finder import PlainFinder

__all__ = ["Lifecycle", "taken_namespace"]


class Lifecycle:
    """Holds what is there between ``setup()`` and ``unregister()``: bundle, first listing, finder, hooks in packages.

    Args:
        binder: of the loader.
        bundle: which bundle is asked for, as for ``AutoLoader``.
    """

    def __init__(self, binder: Binder, bundle: bool | str | os.PathLike[str] | None) -> None:
        self.binder = binder
        self.tree = binder.tree
        self.is_set_up = False
        # On `sys.meta_path`, from `start()` to `stop()`.
        self.finder: PyAutoloadFinder | None = None
        # The same for what lies in roots without conventions.
        self._plain_finder: PlainFinder | None = None
        self._bundle_request = bundle
        # What loaders have loaded that gave way to this one: module name → file, and its mtime then.
        self._inherited: dict[str, Loaded] = {}

    def inherit(self, registry: ModuleRegistry) -> None:
        """Take over what another loader has loaded, and gave way to this one; done by ``start()``."""
        for name in registry.loaded():
            status = registry.loaded_status(name)
            if status is not None:
                self._inherited[name] = status

    def start(self) -> None:
        """List the first level, install the finder, attach to packages that exist already.

        Called again, it takes over roots that have come since.

        Raises:
            ConflictError: a root stands for a namespace that is a module of Python's; nothing is installed.
        """
        self._open_bundle()
        self.tree.use_roots()
        for name in self.tree.root_namespaces():
            _check_existing(self.tree.config, name)
            self.tree.namespace(name)
        from pyautoload.importing.finder import PyAutoloadFinder  # what only a loader that is set up needs

        finder = self.finder or PyAutoloadFinder(self.binder)
        finder.refresh_tops()
        self.finder = finder
        finder.install()
        self._install_plain_finder()
        self._take_over()
        self._attach_existing()
        self._adopt()
        self.is_set_up = True

    def _install_plain_finder(self) -> None:
        if not self.tree.config.has_plain_roots or self._plain_finder is not None:
            return
        from pyautoload.importing.plain_finder import PlainFinder

        self._plain_finder = PlainFinder(self.binder)
        self._plain_finder.install()

    def _adopt(self) -> None:
        """Take in what was imported before."""
        if self.tree.config.has_plain_roots or self.binder.reloading or self.tree.tops() & sys.modules.keys():
            from pyautoload.importing.adoption import adopt

            adopt(self.binder)

    def stop(self) -> None:
        """Take back what ``start`` did; what is loaded stays."""
        if self._plain_finder is not None:
            self._plain_finder.uninstall()
            self._plain_finder = None
        if self.finder is not None:
            self.finder.uninstall()
            self.finder = None
        for name in self.tree.registry.loaded():
            access = access_of(sys.modules.get(name), self.tree)
            if access is not None:
                access.remove()
        self.binder.detach_externals()
        self.drop_bundle()
        for path in self.tree.config.roots:
            unmount(path)
        self.is_set_up = False

    def look_anew(self) -> None:
        """Forget what was listed: files may have come or gone. What is used next is looked up on disk."""
        self.tree.use_roots()
        if self.finder is not None:
            self.finder.refresh_tops()

    def drop_bundle(self) -> None:
        """Go on without the bundle, if there is one."""
        bundle, self.tree.bundle = self.tree.bundle, None
        if bundle is not None:
            bundle.close()

    def _open_bundle(self) -> None:
        if self._bundle_request is None and not os.environ.get("PYAUTOLOAD_BUNDLE"):
            return
        from pyautoload.bundles import place

        self.drop_bundle()
        request = place.requested(self._bundle_request)
        if request is not None:
            self.tree.bundle = place.open_bundle(self.tree.config, request)

    def _take_over(self) -> None:
        """Go on with what a loader has loaded that gave way to this one, where it has the same name here."""
        inherited, self._inherited = self._inherited, {}
        for name, (path, mtime_ns) in inherited.items():
            module = sys.modules.get(name)
            if isinstance(module, ModuleType) and self.tree.config.is_plain(path):
                self.tree.registry.mark_loaded(name, path, mtime_ns)
                continue
            self.tree.namespace(name.rpartition(".")[0])
            space = self.tree.namespace(name)
            if not isinstance(module, ModuleType) or self.tree.registry.get_path(name) != path:
                continue
            self.tree.registry.mark_loaded(name, path, mtime_ns)
            if space is not None:
                self.binder.attach(module, name)

    def _attach_existing(self) -> None:
        """Add what is managed to the packages that exist already, made by whomever."""
        tree = self.tree
        tops = tree.tops() & sys.modules.keys()
        if not tops:
            return
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] not in tops or tree.registry.is_loaded(name):
                continue
            if not isinstance(module, ModuleType):
                continue
            if (hasattr(module, "__path__") or tree.is_root(name)) and tree.claims(name):
                self.binder.attach_external(module, name)


def _check_existing(config: Config, name: str) -> None:
    """A namespace that was not named by the user must not be that of others: `email`, `code`, an installed package."""
    roots = [root for root in config.roots.values() if root.namespace == name]
    if not roots or any(root.explicit for root in roots):
        return
    from pyautoload.importing.installed import hidden_by

    for root in roots:
        taken = hidden_by(name, root.path)
        if taken is not None:
            raise taken_namespace(root, taken)


def taken_namespace(root: Root, taken: str) -> ConflictError:
    """The error for a root whose namespace is a module or package of others."""
    name = root.namespace
    kind = "of the standard library" if name in sys.stdlib_module_names else "that is there already"
    return ConflictError(
        f"the root {printable(root.path)} stands for the namespace {name!r}, but that is the module {taken} {kind}, "
        f"which could not be imported any more. "
        f'Rename the directory, or give the namespace another name with top_level="..."; if the files are to be added '
        f'to that package, say so with top_level="{name}"',
        root.path,
        taken,
    )
