"""live(): edits of any program take effect in it, whoever imported what, without configuration."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from types import ModuleType
from urllib.parse import unquote, urlparse

from pyautoload import known_loaders
from pyautoload.autoloader import AutoLoader
from pyautoload.errors import SetupError
from pyautoload.settings import nearest
from pyautoload.tree.managed_paths import outermost
from pyautoload.tree.paths import inside

__all__ = ["live"]


def live(*what: str | os.PathLike[str] | ModuleType, watch: bool = True, background: bool = True) -> AutoLoader:
    """Let edits of files take effect in this program, also in what was imported before.

    Args:
        what: packages, modules, their names, or directories and files; without any, everything below the working
            directory and all packages that are installed as editable.
        watch: watch the files; otherwise ``reload()`` and ``reload_if_changed()`` of the loader look at them. A
            worker process of ``multiprocessing`` does not watch.
        background: apply edits in the background; otherwise they wait for these two.

    Returns:
        The loader, with reloading enabled. Called again, it is the same one, which manages what was named since, too.
        Where the program has a loader of its own for a part of that, or a ``[tool.pyautoload]``, it is that one.

    Raises:
        SetupError: something that was named is not there, or has no files; the working directory is the user's home
            directory, or the file system's root.
    """
    watch = watch and not _is_child()
    places = outermost([place_of(each) for each in what] if what else _usual_places())
    loader = _loader_for(places, use_settings=not what)
    for place in places:
        if not _is_covered(place):
            loader.push_dir(place, conventions=False)
    options = loader.reloader.options if loader.reloader is not None else {}
    if loader.reloader is None or (watch and not options.get("watch")):
        loader.enable_reloading(watch=watch, background=background, in_main_thread=watch and background)
    return loader.setup()


def _is_child() -> bool:
    """Whether this is a worker process of ``multiprocessing``: its parent is the one who watches."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    # It has a parent from the moment on when its main module has been imported.
    return process.parent_process() is not None or bool(getattr(process.current_process(), "_inheriting", False))


def _loader_for(places: list[str], *, use_settings: bool) -> AutoLoader:
    """The loader that is to manage some directories: one that is there and has to do with them, else a new one."""
    for loader in known_loaders.all_loaders(set_up=True):
        if known_loaders.gives_way(loader):
            found: AutoLoader = loader
            return found
    for loader in known_loaders.all_loaders(set_up=True):
        if any(inside(root, place) or inside(place, root) for root in loader.config.roots for place in places):
            found = loader
            return found
    if use_settings and nearest(os.getcwd()) is not None:
        return AutoLoader.from_config()
    loader = AutoLoader(tag="live")
    known_loaders.note_giving_way(loader)
    return loader


def _is_covered(place: str) -> bool:
    """Whether a loader manages a directory already."""
    for loader in known_loaders.all_loaders():
        if place in loader.config.roots:
            return True
        if loader.config.root_of(place) is not None and loader.config.excluded_by(place) is None:
            return True
    return False


def place_of(what: str | os.PathLike[str] | ModuleType) -> str:
    """The directory of a package, a module, a name, or a path.

    Raises:
        SetupError: it is not there, or has no files.
    """
    if isinstance(what, ModuleType):
        path = next(iter(getattr(what, "__path__", ())), None) or getattr(what, "__file__", None)
        if not isinstance(path, str):
            raise SetupError(f"the module {what.__name__!r} has no file that could be edited: name another one")
        return _directory(path)
    text = os.fspath(what)
    if os.path.exists(text):
        return _directory(os.path.abspath(text))
    if os.sep in text or not all(part.isidentifier() for part in text.split(".")):
        raise SetupError(f"{os.path.abspath(text)} does not exist: give a directory, a file, or the name of a package")
    try:
        spec = importlib.util.find_spec(text)
    except (ImportError, ValueError) as error:
        raise SetupError(f"{text!r} cannot be found: {error}") from error
    if spec is None:
        raise SetupError(f"there is no module {text!r}, and no file of that name in {os.getcwd()}: correct the name")
    path = next(iter(spec.submodule_search_locations or ()), None) or (spec.origin if spec.has_location else None)
    if path is None:
        raise SetupError(f"the module {text!r} has no file that could be edited: name another one")
    return _directory(path)


def _directory(path: str) -> str:
    path = os.path.abspath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def _usual_places() -> list[str]:
    here = os.getcwd()
    if here in (os.path.dirname(here), os.path.expanduser("~")):
        raise SetupError(f"{here} is too much to be watched: go to the project's directory, or name packages")
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [here, *(place for place in editable_places() if not inside(own, place))]


def editable_places() -> Iterator[str]:
    """The project directories of all packages that are installed as editable."""
    for distribution in distributions(path=sys.path):
        try:
            text = distribution.read_text("direct_url.json")
            said = json.loads(text) if text else {}
        except (OSError, ValueError):
            continue
        if not said.get("dir_info", {}).get("editable"):
            continue
        address = urlparse(said.get("url", ""))
        place = unquote(address.path)
        if os.name == "nt":
            place = place.lstrip("/")
        if address.scheme == "file" and os.path.isdir(place):
            yield os.path.abspath(place)
