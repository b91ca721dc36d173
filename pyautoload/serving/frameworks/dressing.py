"""Dressing: what the development server of a framework adds to an application, is added here, too."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

__all__ = ["dressed"]


def dressed(application: Any, interface: str) -> Any:
    """The application as its framework's own development server would serve it.

    Args:
        application: as the program made it.
        interface: ``"wsgi"`` or ``"asgi"``.
    """
    if "quart" in sys.modules:
        _debug_quart()
    if "django.conf" in sys.modules and _runserver_serves_static_files():
        handlers: Any = import_module("django.contrib.staticfiles.handlers")
        kind = handlers.StaticFilesHandler if interface == "wsgi" else handlers.ASGIStaticFilesHandler
        return application if isinstance(application, kind) else kind(application)
    return application


def _runserver_serves_static_files() -> bool:
    """Whether ``manage.py runserver`` would: the command is that of staticfiles, and this is debugging."""
    settings = import_module("django.conf").settings
    apps = import_module("django.apps").apps
    if not settings.configured or not apps.ready or not settings.DEBUG:
        return False
    if not apps.is_installed("django.contrib.staticfiles") or not getattr(settings, "STATIC_URL", None):
        return False
    commands = import_module("django.core.management").get_commands()
    return bool(commands.get("runserver") == "django.contrib.staticfiles")


def _debug_quart() -> None:
    """``quart run`` sets it on the application, wherever that is inside of other ones: templates are read anew then."""
    quart: Any = sys.modules["quart"]
    flag = import_module("quart.helpers").get_debug_flag()
    for found in gc.get_objects():
        if issubclass(type(found), quart.Quart):
            found.debug = flag  # also where it is that already: setting it is what tells the templates
