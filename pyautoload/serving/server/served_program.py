"""The program that is served: its loader, ready to reload, and its application."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import CodeType
from typing import Any, NamedTuple

from pyautoload import loaders
from pyautoload.autoloader import AutoLoader
from pyautoload.errors import ServeError, SetupError
from pyautoload.serving.application.app_dependencies import running
from pyautoload.serving.application.target import Target
from pyautoload.serving.application.unmanaged_holders import UnmanagedHolders, may_note
from pyautoload.serving.frameworks import after_reload as frameworks
from pyautoload.serving.frameworks.dressing import dressed
from pyautoload.serving.frameworks.flask_config import ConfigSources
from pyautoload.serving.frameworks.sought_modules import SoughtModules
from pyautoload.serving.middleware.base import Middleware
from pyautoload.serving.page.access import LOCAL
from pyautoload.serving.server.discovery import discovered
from pyautoload.serving.server.flask_environment import FILES, flask_variables, mentions
from pyautoload.serving.server.options import Options
from pyautoload.settings import Settings, load, nearest, read
from pyautoload.tree.paths import inside

__all__ = ["Program", "check", "load_program", "places", "set_variables", "settings_of"]


class Program(NamedTuple):
    """A program that has been loaded.

    Attributes:
        loader: manages it.
        interface: ``"wsgi"`` or ``"asgi"``.
        application: with everything that serving adds.
        holders: what modules beside the roots hold of it.
        sought: modules that libraries looked for in it, found or not.
        configuration: where Flask has its configuration from.
    """

    loader: AutoLoader
    interface: str
    application: Middleware
    holders: UnmanagedHolders
    sought: SoughtModules
    configuration: ConfigSources


def settings_of(options: Options) -> Settings:
    """What the loader is to be like: from the options, else ``pyproject.toml``, else from where the target is.

    Raises:
        SetupError: there is nothing of all that, or it is wrong.
    """
    here = os.getcwd()
    if options.roots:
        namespaces = dict(zip(options.roots, options.namespaces, strict=False))
        return Settings(directory=here, roots=list(options.roots), namespaces=namespaces)
    if options.loader is not None:
        return Settings(directory=here)
    if options.config is not None:
        return load(options.config)
    file = nearest(here)
    return read(file) if file is not None else discovered(options.target.partition(":")[0].strip(), here)


def check(options: Options) -> str:
    """Look at the options before anything is started.

    Returns:
        The project's directory.

    Raises:
        SetupError: the target is not in the form MODULE:APP, or the configuration is wrong.
    """
    module, _, name = options.target.partition(":")
    if not module or not name:
        raise SetupError(f"{options.target!r} is not in the form MODULE:APP; try {module or 'myapp.web'}:app")
    if len(options.namespaces) > len(options.roots):
        raise SetupError("there are more --namespace than --root: each belongs to the --root at its place")
    if options.loader is not None and (options.roots or options.config):
        raise SetupError("--loader names a loader that has its roots: --root and --config do not go with it")
    return settings_of(options).directory


def places(options: Options) -> list[str]:
    """The directories that the program is made from, as far as that is known without loading it."""
    try:
        settings = settings_of(options)
    except SetupError:
        return [os.getcwd()]  # the edit that broke the configuration is fixed there, too
    return [settings.directory, *(os.path.join(settings.directory, root) for root in settings.roots)]


def set_variables(settings: Settings) -> list[str]:
    """Set the variables in ``.flaskenv`` and ``.env``, for a program that uses Flask or Quart, as these would.

    Returns:
        The files that count, whether they are there or not; nothing for other programs.
    """
    roots = [os.path.join(settings.directory, root) for root in settings.roots]
    if not mentions(roots, ("flask", "quart")):
        return []
    os.environ.update(flask_variables(os.environ))
    return [os.path.join(os.getcwd(), name) for name in FILES]


def load_program(options: Options, settings: Settings, *, uses_flask: bool = True) -> Program:
    """Import the program.

    Args:
        options: which one.
        settings: of its loader, if it makes none itself.
        uses_flask: whether it may.

    Raises:
        ServeError: it is not there, or needs what is not installed; and whatever it raises itself.
    """
    # What "flask run --debug" sets, too: templates are read anew when they change.
    os.environ.setdefault("FLASK_DEBUG", "1")
    os.environ.setdefault("QUART_DEBUG", "1")
    before = loader_before_import(options, settings)
    sought, configuration = SoughtModules(before.dirs()), ConfigSources()
    sought.install()
    if uses_flask:
        configuration.install()
    module, _, _expression = options.target.partition(":")
    ran: set[CodeType] = set()
    with ExitStack() as stack:
        if may_note(before, module):
            ran = stack.enter_context(running(before))
        importlib.import_module(module)
    loader = loader_after_import(before)
    # Before the middleware, which wants to know all that needs a restart.
    frameworks.attach(loader)
    target = Target(options.target, loader, factory=options.factory)
    if options.eager:
        loader.eager_load()  # after the target, which notes what is loaded while it makes the application
    interface = options.interface if options.interface != "auto" else interface_of(target.raw)
    target.also = configuration.why_old
    target.dress(lambda application: dressed(application, interface))
    middleware: Callable[..., Middleware] = importlib.import_module(f"pyautoload.serving.{interface}").ReloadMiddleware
    application = middleware(
        target,
        loader,
        overlay=options.overlay,
        refresh=options.refresh,
        allowed_hosts=(*LOCAL, *options.hosts),
        secret=options.secret,
        force=options.force,
        **({"lifespan": options.lifespan} if interface == "asgi" else {}),
    )
    holders = UnmanagedHolders(loader, ran, target.raw)
    return Program(loader, interface, application, holders, sought, configuration)


def import_all(names: Iterable[str], loader: AutoLoader) -> None:
    """Import modules that are loaded lazily, as far as their files are there.

    Raises:
        Exception: whatever one of them raises.
    """
    for name in names:
        if loader.where(name) is not None:
            importlib.import_module(name)


def interface_of(application: Any) -> str:
    """Whether an application is ``"wsgi"`` or ``"asgi"``."""
    while hasattr(application, "func"):
        application = application.func
    call = (
        application if inspect.isroutine(application) else inspect.getattr_static(type(application), "__call__", None)
    )
    if inspect.iscoroutinefunction(call):
        return "asgi"
    try:
        parameters = inspect.signature(application).parameters.values()
    except (TypeError, ValueError):
        return "wsgi"
    taken = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return "asgi" if len([each for each in taken if each.default is each.empty]) == 3 else "wsgi"


def make_importable(settings: Settings) -> None:
    """Let the program's directory be imported from, as with ``python -m``, and roots that Python itself looks into."""
    plain = [] if settings.conventions else settings.roots
    for place in (settings.directory, *(os.path.normpath(os.path.join(settings.directory, root)) for root in plain)):
        if place not in sys.path:
            sys.path.insert(0, place)


def loader_before_import(options: Options, settings: Settings) -> AutoLoader:
    """The loader with which the program is imported, set up and noting what it loads.

    It gives way to one that the program sets up itself for the same directory.
    """
    if options.loader is not None:
        from pyautoload.checking.loader_lookup import named_loader

        loader = named_loader(options.loader)
    else:
        loader = settings.apply(AutoLoader(tag=settings.tag, bundle=settings.bundle))
        loaders.note_provisional(loader)
    # Before anything is loaded, so that every change from now on is noticed. Watching begins when all is loaded.
    loader.enable_reloading(watch=False)
    return loader.setup()


def loader_after_import(before: AutoLoader) -> AutoLoader:
    """The loader that manages the program now: the one of before, or the program's own, to which that gave way.

    Raises:
        ServeError: there is none.
    """
    if before.is_set_up:
        return before
    roots = list(before.dirs())
    for loader in loaders.all_loaders(set_up=True):
        if any(inside(one, other) or inside(other, one) for one in loader.dirs() for other in roots):
            if loader.reloader is None:
                loader.enable_reloading(watch=False)
            return loader
    raise ServeError(
        f"the program made a loader of its own for {roots[0]} and did not set it up: call setup() on it, "
        f"or name the loader with --loader MODULE:NAME"
    )
