"""What is asked of all loaders of the process at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

from pyautoload import known_loaders
from pyautoload.errors import EagerLoadError
from pyautoload.known_loaders import note_provisional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["all_loaders", "eager_load_all", "eager_load_namespace", "note_provisional", "scoped_loader"]


def all_loaders(*, set_up: bool = False) -> list[AutoLoader]:
    """The loaders of this process, those that are set up first.

    Args:
        set_up: leave out the others.
    """
    return known_loaders.all_loaders(set_up=set_up)


def eager_load_all(*, except_for: object = ()) -> list[str]:
    """Eager load every loader that is set up.

    Args:
        except_for: loaders that are left out, such as those of library packages: one or several, each as a loader, its
            tag (of a package's own loader the package's name), the namespace of one of its roots, or that module.

    Returns:
        The names of the modules that were loaded.

    Raises:
        EagerLoadError: with the failures of all of them; each loader has loaded what it could.
    """
    left_out = _loaders(except_for)
    return _of_all(lambda loader: [] if loader in left_out else loader.eager_load())


def _loaders(given: object) -> list[AutoLoader]:
    """The loaders that are meant by loaders, tags, namespaces or modules.

    Raises:
        TypeError: it is none of these.
        ValueError: no loader that is set up is meant by it.
    """
    if isinstance(given, (str, ModuleType)) or not isinstance(given, Iterable):
        given = (given,)
    found: list[AutoLoader] = []
    for each in given:
        name = each.__name__ if isinstance(each, ModuleType) else each
        known = all_loaders(set_up=True)
        if isinstance(name, str):
            meant = [
                one
                for one in known
                if one.tag == name or name in {root.namespace for root in one.config.roots.values()}
            ]
        elif each in all_loaders():
            meant = [one for one in all_loaders() if one is each]
        else:
            raise TypeError(f"except_for= takes loaders, their tags, namespaces or modules, not {each!r}")
        if not meant:
            raise ValueError(
                f"except_for={name!r} is not a loader that is set up: there are {', '.join(one.tag for one in known)}"
            )
        found += meant
    return found


def _of_all(load: Callable[[AutoLoader], list[str]]) -> list[str]:
    loaded: list[str] = []
    failures: dict[str, Exception] = {}
    places: dict[str, tuple[str, int | None]] = {}
    for loader in all_loaders(set_up=True):
        try:
            loaded += load(loader)
        except EagerLoadError as error:
            failures.update(error.failures)
            places.update(error.places)
            loaded += error.loaded
    if failures:
        combined = EagerLoadError(failures, places)
        combined.loaded = loaded
        raise combined
    return loaded


def eager_load_namespace(namespace: str | ModuleType) -> list[str]:
    """Eager load what each loader that is set up manages below a namespace.

    Args:
        namespace: a dotted name or a module.

    Returns:
        The names of the modules that were loaded.

    Raises:
        TypeError: neither a name nor a module.
        EagerLoadError: with the failures of all of them.
    """
    return _of_all(lambda loader: loader.eager_load_namespace(namespace))


@contextmanager
def scoped_loader() -> Iterator[AutoLoader]:
    """A loader for the length of a ``with`` block: at its end the loader is unregistered, also after an exception."""
    from pyautoload.autoloader import AutoLoader

    loader = AutoLoader()
    try:
        yield loader
    finally:
        loader.unregister()
