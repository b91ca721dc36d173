"""Attribute access: ``myapp.models.User`` loads ``myapp/models/user.py``."""

from __future__ import annotations

import sys

from pyautoload import log
from pyautoload.errors import ExpectedNameError, LoadError
from pyautoload.frames.hidden_frames import imported, is_initializing, part_of_import, users_frames
from pyautoload.frames.walkers import is_walking
from pyautoload.importing.completion import Completion
from pyautoload.light_stdlib import ModuleType
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.naming import Naming, names_of
from pyautoload.tree.registry import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["NamespaceAccess", "access_of", "is_hook", "look_again"]

# Without a GIL the hook stays: thread 1 may miss the name, thread 2 store it and take the hook away, and thread 1 then
# find no hook either.
_GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()


class NamespaceAccess:
    """Gives one package the attributes that its files stand for (PEP 562 ``__getattr__`` and ``__dir__``).

    What was resolved is stored in the package's ``__dict__``, so each name passes here once. When every name is
    stored, ``__getattr__`` is taken out again: its mere presence costs each attribute access its specialisation.
    """

    def __init__(self, module: ModuleType, name: str, tree: ManagedTree, naming: Naming) -> None:
        self.module = module
        self.name = name
        self.tree = tree
        self.naming = naming
        # The package's own hooks, which come first. Example: an `__init__.py` with its own `__getattr__`.
        self.own_getattr: Callable[[str], Any] | None = None
        self.own_dir: Callable[[], Any] | None = None
        # What is still to be loaded.
        self.completion = Completion(module, name, tree, naming)
        # The `__all__` that a complete implicit namespace has in place of the one worked out on demand.
        self._all: list[str] | None = None

    # Hooks in the module's dict

    def install(self) -> None:
        """Put the hooks into the package's ``__dict__``; the ones that it has itself are asked first."""
        names = self.module.__dict__
        own, own_dir = names.get("__getattr__"), names.get("__dir__")
        if not self._is_among(own, "own_getattr"):
            self.own_getattr = own
            names["__getattr__"] = self.resolve
            if self._all is not None and names.get("__all__") is self._all:
                del names["__all__"]
        if not self._is_among(own_dir, "own_dir"):
            self.own_dir = own_dir
            names["__dir__"] = self.listing

    def rejoin(self) -> None:
        """Install the hooks again if the package's code has replaced them by its own since."""
        hook = self.module.__dict__.get("__getattr__")
        if hook is not None and hook is not self.own_getattr:
            self.install()

    def remove(self) -> None:
        """Take the hooks out again, and put the package's own ones back."""
        self._remove_getattr()
        self._unlink("__dir__", "own_dir")

    def _remove_getattr(self) -> None:
        self._unlink("__getattr__", "own_getattr")

    # Several loaders may serve one package. Each access then has the one before it in the place of the package's own
    # hooks, so that the earlier loader is asked first.

    def _is_among(self, hook: object, own: str) -> bool:
        while (owner := _owner_of(hook)) is not None:
            if owner is self:
                return True
            hook = getattr(owner, own)
        return False

    def _unlink(self, key: str, own: str) -> None:
        names = self.module.__dict__
        hook = names.get(key)
        if _owner_of(hook) is self:
            _put_back(names, key, getattr(self, own))
            return
        while (owner := _owner_of(hook)) is not None:
            hook = getattr(owner, own)
            if _owner_of(hook) is self:
                setattr(owner, own, getattr(self, own))
                return

    def relisted(self) -> None:
        """The namespace was listed anew: names may have come that are not stored yet."""
        self.completion.relisted(self.tree.registry.namespace(self.name))
        self.install()
        self.settle()

    def forgotten(self, stem: str) -> None:
        """The module ``stem`` has been unloaded."""
        self.completion.forgotten(stem)
        self.install()

    # Attribute access

    @part_of_import
    def resolve(self, attribute: str) -> Any:
        """The value for an attribute that is not stored: the package's ``__getattr__``."""
        try:
            return self._resolve(attribute)
        except BaseException as error:
            error.__traceback__ = users_frames(error.__traceback__)
            raise error  # not a plain `raise`, which goes on with the former traceback before Python 3.11

    @part_of_import
    def _resolve(self, attribute: str) -> Any:
        own_error: AttributeError | None = None
        if type(self.module) is not ModuleType:
            give_class_back(self.module)
        if self.own_getattr is not None:
            try:
                value = self.own_getattr(attribute)
                if attribute == "__all__" and _owner_of(self.own_getattr) is not None and self._is_implicit():
                    return sorted({*value, *self._public_names()})
                return value
            except AttributeError as error:
                own_error = error
        dunder = attribute.startswith("__") and attribute.endswith("__")
        if is_walking():
            pass  # what is loaded it has found
        elif not dunder or attribute == "__version__":
            found, value = self._lookup(attribute)
            if not found and self.tree.refresh(self.name):
                found, value = self._lookup(attribute)
            if found:
                return value
            self._miss(attribute)
        elif attribute == "__all__" and self._is_implicit():
            return self._public_names()
        if not dunder and not is_initializing(self.module):
            from pyautoload.importing.suggestions import cannot_import

            refused = cannot_import(self.naming, self.module, attribute, self.tree.registry.namespace(self.name))
            if refused is not None:
                raise refused
        if own_error is not None:
            raise own_error
        raise AttributeError(f"module {self.name!r} has no attribute {attribute!r}", name=attribute, obj=self.module)

    def _miss(self, attribute: str) -> None:
        """No file stands for an attribute: one may come that does."""
        space = self.tree.registry.namespace(self.name)
        if self.tree.on_missed is not None and (space is None or self.naming.stem_for(attribute, space)[0] is None):
            self.tree.on_missed(f"{self.name}:{attribute}")

    @part_of_import
    def _lookup(self, attribute: str) -> tuple[bool, Any]:
        space = self.tree.namespace(self.name)
        # A package that renamed itself (setuptools._distutils becomes distutils) imports its own modules by that name.
        if space is None or self.module.__dict__.get("__name__") != self.name:
            return False, None
        if attribute in space.modules or self.tree.child(space, attribute) is not None:
            module = self._import(attribute)
            if not is_initializing(module):
                self.module.__dict__.setdefault(attribute, module)
            return True, module
        stem, exact = self.naming.stem_for(attribute, space)
        if stem is None:
            return False, None
        return self._expected_value(attribute, stem, space, exact)

    @part_of_import
    def _expected_value(self, attribute: str, stem: str, space: Namespace, exact: bool) -> tuple[bool, Any]:
        module = self._import(stem)
        # Loading stores the name; nothing else need be done when it is there now.
        if attribute in self.module.__dict__:
            return True, self.module.__dict__[attribute]
        if attribute in module.__dict__:
            value = module.__dict__[attribute]
            if not is_initializing(module):
                self.module.__dict__[attribute] = value
            return True, value
        full = self._full(stem)
        if is_initializing(module):
            from pyautoload.importing.cycle_explanation import unfinished

            raise unfinished(full, attribute)
        actual = self.naming.defined_name(module, stem, getattr(module, "__file__", None) or "")
        if actual is not None and self._may_stand_in(attribute, actual, stem):
            self.module.__dict__[attribute] = module.__dict__[actual]
            return True, module.__dict__[actual]
        path = space.modules.get(stem)
        if not exact or path is None:
            return False, None
        raise ExpectedNameError(f"{self.name}.{attribute}", path, defined_names(module), stem)

    def _may_stand_in(self, attribute: str, actual: str, stem: str) -> bool:
        """Whether ``actual`` is what ``attribute`` asks for: ``__version__`` where ``VERSION`` was asked, not more."""
        return attribute != actual and stem == "version" and {attribute, actual} == {"VERSION", "__version__"}

    @part_of_import
    def _import(self, stem: str) -> ModuleType:
        full = self._full(stem)
        try:
            # Not by attribute of the parent: on builds without a GIL that can come back here without end.
            return imported(full)
        except AttributeError as error:
            # Python would take it for "no such attribute", drop the reason and run the file again.
            raise LoadError(full, self.tree.registry.get_path(full), error) from error

    # Names

    def listing(self) -> list[str]:
        """What ``dir(package)`` shows: what is loaded and what can be."""
        names = set(self.own_dir() if self.own_dir is not None else self.module.__dict__)
        self.tree.refresh(self.name)
        space = self.tree.namespace(self.name)
        if space is not None:
            self.tree.told_of(space)
            names.update(stem for stem in space.modules if stem.isidentifier())
            names.update(stem for stem in space.subdirs if self.tree.child(space, stem) is not None)
            names.update(self.tree.leads(self.name))
            names.update(self._expected_names(space))
        return sorted(names)

    def _expected_names(self, space: Namespace) -> list[str]:
        """What the files define for their stems: found without running those that are not loaded.

        Not what is merely expected of them: ``inspect.getmembers`` and test runners take each name that is listed.
        """
        found: list[str | None] = []
        for stem, path in space.modules.items():
            module = sys.modules.get(self._full(stem))
            if module is None or is_initializing(module):
                found.append(self.naming.bound_name(stem, path))
            else:
                found.append(self.naming.defined_name(module, stem, path))
        return [name for name in found if name is not None]

    def _public_names(self) -> list[str]:
        """``__all__`` of an implicit namespace: what its files define for their stems, and what was put there."""
        space = self.tree.namespace(self.name)
        if space is not None:
            self.tree.told_of(space)
        names = {name for name in self.module.__dict__ if self._full(name) not in sys.modules}
        for stem, path in space.modules.items() if space is not None else ():
            if self._full(stem) not in sys.modules and (name := self.naming.bound_name(stem, path)) is not None:
                names.add(name)
        return sorted(name for name in names if name[0] != "_")

    def _is_implicit(self) -> bool:
        space = self.tree.namespace(self.name)
        return space is not None and space.file is None and getattr(self.module, "__file__", None) is None

    def _full(self, stem: str) -> str:
        return f"{self.name}.{stem}"

    # Completion

    def stored(self, stem: str, module: ModuleType) -> None:
        """The module ``stem`` has been loaded, and its expected name is stored unless nothing is expected of it."""
        space = self.tree.registry.namespace(self.name)
        if space is None:
            return
        # The import system binds it a moment later; without the hook nothing else would answer for it until then.
        self.module.__dict__.setdefault(stem, module)
        if self.completion.stored(stem, space):
            self.settle()

    def settle(self) -> None:
        """Take the hook out if nothing is left that it could load, and nothing can come.

        Python asks no other part of a module for a name that is not there, so that a file which is written later would
        not be found without the hook.
        """
        space = self.tree.registry.namespace(self.name)
        if space is None or not self.completion.is_complete(space):
            return
        names = self.module.__dict__
        if not _GIL or not is_hook(names.get("__getattr__")) or self.tree.may_grow(space):
            return
        if self._is_implicit() and "__all__" not in names and _owner_of(self.own_getattr) is None:
            prefix = self._full("")
            names["__all__"] = self._all = [n for n in names if n[0] != "_" and prefix + n not in sys.modules]
        self._remove_getattr()
        log.debug(self.tree.tag, "%s is complete: attribute access is that of any module now", self.name)


def look_again(module: ModuleType, access: NamespaceAccess) -> None:
    """Let a package that is still running have the hooks again when it has put a ``__getattr__`` of its own in place.

    Its code may do so after the loader was set up, and nobody is told when it has run: the first name that is missed
    is. Until then the package is of a class of its own.

    Args:
        module: the package.
        access: serves it.
    """
    plain = type(module)
    if plain.__getattribute__ is not ModuleType.__getattribute__ or hasattr(plain, "__getattr__"):
        return

    class RunningPackage(plain):  # type: ignore[valid-type, misc]
        """A package that was set up by its own code."""

        def __getattr__(self, name: str) -> Any:
            give_class_back(self)
            if is_hook(names_of(self).get("__getattr__")):
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
            access.rejoin()
            return getattr(self, name)

    RunningPackage.__name__ = RunningPackage.__qualname__ = plain.__name__
    RunningPackage.__module__ = plain.__module__
    setattr(RunningPackage, _PLAIN, plain)
    module.__class__ = RunningPackage


# Where the class of a running package keeps the one that it is to have again.
_PLAIN = "__pyautoload_plain__"


def give_class_back(module: ModuleType) -> None:
    """End what ``look_again`` began, if the package has run."""
    plain = vars(type(module)).get(_PLAIN)
    if plain is not None and not is_initializing(module):
        module.__class__ = plain


def access_of(module: object, tree: ManagedTree | None = None) -> NamespaceAccess | None:
    """The access that serves a package, ``None`` for one that has none.

    Args:
        module: the package.
        tree: of the loader that serves it, where several do.
    """
    hook = names_of(module).get("__dir__")
    # Each loaded module passes here.
    while isinstance(owner := getattr(hook, "__self__", None), NamespaceAccess):
        if tree is None or owner.tree is tree:
            return owner
        hook = owner.own_dir
    return None


def defined_names(module: ModuleType) -> list[str]:
    """The public names that a module defines itself, for a message; imported ones only where there are no others."""
    public = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    own = [name for name, value in public.items() if getattr(value, "__module__", module.__name__) == module.__name__]
    return own or list(public)


def _owner_of(hook: object) -> NamespaceAccess | None:
    owner = getattr(hook, "__self__", None)
    return owner if isinstance(owner, NamespaceAccess) else None


def is_hook(hook: object) -> bool:
    """Whether a package's ``__getattr__`` or ``__dir__`` is that of a ``NamespaceAccess``."""
    return _owner_of(hook) is not None


def _put_back(names: dict[str, Any], key: str, own: object) -> None:
    if own is None:
        names.pop(key, None)
    else:
        names[key] = own
