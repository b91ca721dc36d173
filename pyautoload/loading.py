"""The life of a loader: starting, stopping, and loading what is asked for by path or by name."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import sys
from types import ModuleType

from pyautoload import loaders, log
from pyautoload.callbacks import checked_dotted_name
from pyautoload.errors import ConflictError, ExpectedNameError, ModuleNotFoundError, PathError
from pyautoload.importing.finder import PyAutoloadFinder
from pyautoload.importing.namespace import access_of, defined_names
from pyautoload.sources import source_for, unmount
from pyautoload.tree.config import check_conflicts, inside, split_module_file
from pyautoload.tree.introspection import Introspection, absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyautoload.autoloader import AutoLoader
    from pyautoload.importing.eager import Planned, Progress

__all__ = ["eager_load", "eager_load_dir", "load_file", "look_anew", "namespace_name", "resolve", "start", "stop"]


# Starting and stopping


def start(loader: AutoLoader) -> None:
    """List the first level, install the finder, attach to packages that exist already, tell who asked to be told."""
    for root in loader.config.roots.values():
        check_conflicts(root, loader.config, loader._others(), around=True)
    _open_bundle(loader)
    loader.tree.use_roots()
    for name in loader.tree.root_namespaces():
        _check_existing(loader, name)
        loader.tree.namespace(name)
    first_time = not loader._is_set_up
    finder = loader._finder or PyAutoloadFinder(loader.binder)
    finder.refresh_tops()
    loader._finder = finder
    finder.install()
    _attach_existing(loader)
    loader._is_set_up = True
    loaders.note_set_up(loader)
    loader._start_reloading()
    log.debug(loader.tag, "set up: %r", loader)
    if first_time:
        for function in list(loader.callbacks.setup):
            function()


def _open_bundle(loader: AutoLoader) -> None:
    if loader._bundle_request is None and not os.environ.get("PYAUTOLOAD_BUNDLE"):
        return
    from pyautoload.bundles import place as bundling

    drop_bundle(loader)
    request = bundling.requested(loader._bundle_request)
    if request is not None:
        loader.tree.bundle = bundling.open_bundle(loader, request)


def drop_bundle(loader: AutoLoader) -> None:
    """Go on without the bundle, if there is one."""
    bundle, loader.tree.bundle = loader.tree.bundle, None
    if bundle is not None:
        bundle.close()


def stop(loader: AutoLoader) -> None:
    """Take back what ``start`` did; what is loaded stays."""
    if loader._finder is not None:
        loader._finder.uninstall()
        loader._finder = None
    loader.disable_reloading()
    for name in loader.registry.loaded():
        access = access_of(sys.modules.get(name), loader.tree)
        if access is not None:
            access.remove()
    loader.binder.detach_externals()
    drop_bundle(loader)
    for path in loader.config.roots:
        unmount(path)
    loader._is_set_up = False
    loaders.forget(loader)


def _attach_existing(loader: AutoLoader) -> None:
    """Add what is managed to the packages that exist already, made by whomever."""
    tops = loader.tree.tops() & sys.modules.keys()
    if not tops:
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in tops or loader.registry.is_loaded(name) or not isinstance(module, ModuleType):
            continue
        if (hasattr(module, "__path__") or loader.tree.is_root(name)) and loader.tree.claims(name):
            loader.binder.attach_external(module, name)


def look_anew(loader: AutoLoader) -> None:
    """Forget what was listed: files may have come or gone. What is used next is looked up on disk."""
    loader.tree.use_roots()
    if loader._finder is not None:
        loader._finder.refresh_tops()


def _check_existing(loader: AutoLoader, name: str) -> None:
    """A namespace that was not named by the user must not be a plain module that exists: `code`, `platform`."""
    roots = [root for root in loader.config.roots.values() if root.namespace == name]
    if not roots or any(root.explicit for root in roots):
        return
    module = sys.modules.get(name)
    if module is not None:
        taken = not hasattr(module, "__path__") and getattr(module, "__spec__", None) is not None
        origin = getattr(module, "__file__", None)
    else:
        spec = importlib.util.find_spec(name) if name in sys.stdlib_module_names else None
        taken = spec is not None and spec.submodule_search_locations is None
        origin = spec.origin if spec is not None else None
    if taken:
        raise ConflictError(
            f"the root {roots[0].path} stands for the namespace {name!r}, but that is the module {origin or name}. "
            f'Rename the directory, or give the namespace another name with top_level="..."',
            roots[0].path,
            str(origin or name),
        )


# Eager loading


def eager_load(
    loader: AutoLoader,
    namespace: str | None,
    *,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
    freeze: bool = False,
) -> list[str]:
    """Load everything, or one namespace with all below it; see ``AutoLoader.eager_load``."""
    from pyautoload.importing.eager import plan

    start_at = _within(loader, namespace) if namespace is not None else [None]
    planned = [item for name in start_at for item in plan(loader.binder, name, force=force)]
    return _run(loader, planned, strict=strict, progress=progress, freeze=freeze)


def _run(
    loader: AutoLoader,
    planned: list[Planned],
    *,
    strict: bool = False,
    progress: Progress | None = None,
    freeze: bool = False,
) -> list[str]:
    from pyautoload.importing.direct import DirectImport
    from pyautoload.importing.eager import EagerLoad, collection_paused

    assert loader._finder is not None
    run = EagerLoad(loader.binder, strict=strict, progress=progress, direct=DirectImport(loader._finder))
    with collection_paused(freeze=freeze):
        return run.run(planned)


def _within(loader: AutoLoader, namespace: str) -> list[str | None]:
    """The namespaces to load for ``namespace``: itself if it is managed, or those of the roots below it."""
    if loader.tree.namespace(namespace) is not None and _is_managed_name(loader, namespace):
        return [namespace]
    return []


def _is_managed_name(loader: AutoLoader, namespace: str) -> bool:
    return namespace == "" or namespace.partition(".")[0] in loader.tree.tops()


def eager_load_dir(loader: AutoLoader, path: str | os.PathLike[str]) -> list[str]:
    """Load what lies in a directory and below it; see ``AutoLoader.eager_load_dir``."""
    from pyautoload.importing.eager import plan

    directory = absolute(path)
    if not source_for(directory).is_dir(directory):
        raise PathError(directory, "is not a directory", "eager_load_dir() takes a directory, load_file() takes a file")
    reason = loader.config.excluded_by(directory)
    if reason == "unmanaged":
        raise PathError(directory, "is not managed by this loader", "add its root with push_dir(), or correct the path")
    namespace = loader.tree.namespace_of(directory)
    if reason is not None or namespace is None or loader.config.is_not_eager(directory):
        return []
    # A namespace may have several directories, and a collapsed one belongs to the namespace above.
    root_of = loader.config.root_of
    root = root_of(directory)
    planned = [
        item for item in plan(loader.binder, namespace) if inside(item.path, directory) and root_of(item.path) == root
    ]
    return _run(loader, planned)


def namespace_name(namespace: object) -> str:
    """The name of a namespace given as a name or a module."""
    if isinstance(namespace, ModuleType):
        return namespace.__name__
    if not isinstance(namespace, str):
        raise TypeError(f"{namespace!r} is no namespace: a dotted name or a module is needed")
    return namespace and checked_dotted_name(namespace)


# One file, one name


def load_file(loader: AutoLoader, path: str | os.PathLike[str]) -> Any:
    """Load one file; see ``AutoLoader.load_file``."""
    file = absolute(path)
    source = source_for(file)
    if not source.is_file(file) and not source.is_dir(file):
        raise PathError(file, "does not exist", "correct the path")
    if not source.is_file(file) or split_module_file(os.path.basename(file)) is None:
        raise PathError(file, "is not a Python file", "load_file() takes a file that can be imported")
    reason = loader.config.excluded_by(file)
    if reason in ("ignored", "hidden"):
        raise PathError(file, f"is {reason}", "import it the ordinary way, or take it out of ignore()")
    name = Introspection(loader.tree, loader.binder.naming).module_name(file) if reason is None else None
    if name is None:
        raise PathError(file, "is not managed by this loader", "add its root with push_dir(), or correct the path")
    _check_not_shadowed(loader, file, name)
    module = importlib.import_module(name)
    actual = loader.binder.naming.defined_name(module, name.rpartition(".")[2], file)
    return module if actual is None else vars(module)[actual]


def _check_not_shadowed(loader: AutoLoader, file: str, name: str) -> None:
    parent = loader.tree.namespace(name.rpartition(".")[0])
    own = loader.tree.namespace(name)
    for space in (parent, own):
        if space is not None and file in space.shadowed:
            raise PathError(file, f"is shadowed by {space.shadowed[file]}", "rename one of them, or change their order")
    registered = loader.registry.get_path(name)
    if registered is not None and registered != file and source_for(registered).is_file(registered):
        raise PathError(file, f"is shadowed by {registered}", "rename one of them, or change their order")
    taken = _served_by(loader, name)
    if taken is not None and taken != file:
        raise PathError(file, f"is shadowed by {taken}", "rename one of them")


def _served_by(loader: AutoLoader, name: str) -> str | None:
    """The file that ``import`` takes for a name: that of another loader, or of a package that was there before."""
    status = loader.registry.loaded_status(name)
    if status is not None:
        return status.path
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None)
    spec = importlib.util.find_spec(name)
    return spec.origin if spec is not None and spec.has_location else None


def loaded_within(loader: AutoLoader, names: tuple[str, ...]) -> list[str]:
    """The loaded modules that ``names`` name, or that lie below those; all of them without names."""
    loaded = loader.registry.loaded()
    if not names:
        return loaded
    wanted = tuple(checked_dotted_name(name) for name in names)
    below = tuple(f"{name}." for name in wanted)
    return [name for name in loaded if name in wanted or name.startswith(below)]


def resolve(loader: AutoLoader, name: str) -> Any:
    """The object of a full name; see ``AutoLoader.resolve``."""
    parts = checked_dotted_name(name).split(".")
    value: Any = importlib.import_module(parts[0]) if parts[0] in loader.tree.tops() else _top_level(loader, name)
    for index, part in enumerate(parts[1:], 1):
        try:
            value = _member(value, ".".join(parts[: index + 1]), part)
        except AttributeError as error:
            if isinstance(value, ModuleType):
                raise ModuleNotFoundError(name, str(error)) from error
            raise
    return value


def _top_level(loader: AutoLoader, name: str) -> Any:
    """The object of an expected name at the top level: ``User`` in ``user.py`` of a root without a namespace."""
    top = name.partition(".")[0]
    loader.tree.refresh("")
    space = loader.tree.namespace("") if loader.tree.is_root("") else None
    stem, exact = loader.binder.naming.stem_for(top, space) if space is not None else (None, False)
    if stem is None or space is None:
        raise ModuleNotFoundError(name, "it is not managed by this loader; correct the name, or add a root for it")
    module = importlib.import_module(stem)
    if top in vars(module):
        return vars(module)[top]
    if not exact:
        raise ModuleNotFoundError(name, f"{module.__file__} defines no {top}")
    raise ExpectedNameError(top, space.modules.get(stem, str(module.__file__)), defined_names(module), stem)


def _member(value: Any, full: str, part: str) -> Any:
    if isinstance(value, ModuleType) and not hasattr(value, part) and hasattr(value, "__path__"):
        try:
            return importlib.import_module(full)
        except builtins.ModuleNotFoundError as error:
            if error.name != full:
                raise
    return getattr(value, part)
