"""Django in development: what it remembers of modules is brought up to date, and where it cannot be, that is said."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["DjangoCaches"]

ONCE = "Django reads it once, when it starts"


class DjangoCaches:
    """Follows the reloads of one loader.

    Args:
        loader: of a program that uses Django.
    """

    def __init__(self, loader: AutoLoader) -> None:
        self.loader = loader
        # What every admin site has: model and the class that shows it.
        self.registered: set[tuple[int, Any, type]] = set()

    def begin(self) -> None:
        """From now on."""
        signals: Any = import_module("django.core.signals")
        # The sender differs from version to version; templates are read anew for each request, as they are not modules.
        signals.request_started.connect(self._forget_templates, weak=False)
        self._allow_admin_again()
        self.registered = self._in_admin()
        self.loader.on_reload(self.reloaded)

    def reloaded(self, result: ReloadResult) -> None:
        """Bring Django up to date with a reload."""
        if result.errors:
            return
        self._allow_admin_again()
        done = {*result.patched, *result.reexecuted, *(name.rpartition(".")[0] for name in result.rebound)}
        for name in done & self._read_once():
            result.restart_required.setdefault(name, ONCE)
        for name, model in self._models_without_definition():
            result.restart_required.setdefault(name, f"the model {model} is not defined there any more")
        registered = self._in_admin()
        if registered != self.registered:
            self.registered = registered
            self._run_addresses_again(result)
        self._forget_addresses()
        self._forget_libraries()

    # What needs a restart

    def _read_once(self) -> set[str]:
        """The settings and what they import, and where apps describe themselves."""
        found = set()
        todo = [os.environ.get("DJANGO_SETTINGS_MODULE", "")]
        while todo:
            name = todo.pop()
            if name not in found and self.loader.registry.is_loaded(name):
                found.add(name)
                todo += self.loader.dependencies(name)
        registry = sys.modules.get("django.apps")
        if registry is not None and registry.apps.ready:
            found |= {type(config).__module__ for config in registry.apps.get_app_configs()}
        return found

    def _models_without_definition(self) -> Iterator[tuple[str, str]]:
        """Registered models that their modules do not have: they were deleted, or their files were."""
        registry = sys.modules.get("django.apps")
        if registry is None or not registry.apps.ready:
            return
        for model in registry.apps.get_models():
            module, name = model.__module__, model.__qualname__
            names = getattr(sys.modules.get(module), "__dict__", {})
            if "." not in name and name not in names and self._is_ours(module):
                yield module, name

    def _is_ours(self, module: str) -> bool:
        """Whether the loader manages a module, or did until its file was deleted."""
        if module in sys.modules:
            return self.loader.registry.get(module) is not None
        spaces = self.loader.dirs(namespaces=True)
        assert isinstance(spaces, Mapping)
        return any(module.startswith(f"{space}.") or not space for space in spaces.values())

    # Addresses

    def _run_addresses_again(self, result: ReloadResult) -> None:
        """The addresses of an admin site are worked out where they are included."""
        name = getattr(import_module("django.conf").settings, "ROOT_URLCONF", "")
        if name in self.loader.loaded():
            self.loader.reload(name)
        elif name:
            result.restart_required.setdefault(name, "it includes an admin site, which has changed")

    @staticmethod
    def _forget_addresses() -> None:
        resolvers = sys.modules.get("django.urls.resolvers")
        if resolvers is None or not getattr(import_module("django.conf").settings, "ROOT_URLCONF", None):
            return
        pending, seen = [resolvers.get_resolver()], set()
        while pending:
            resolver = pending.pop()
            if id(resolver) in seen or not isinstance(resolver, resolvers.URLResolver):
                continue
            seen.add(id(resolver))
            pending += resolver.__dict__.get("url_patterns", ())
            # Those that a module lists are kept by the resolver that includes it.
            resolver.__dict__.pop("url_patterns", None)
            pending += resolver.url_patterns
            resolver._reverse_dict, resolver._namespace_dict, resolver._app_dict = {}, {}, {}
            resolver._callback_strs, resolver._populated = set(), False
        import_module("django.urls.base").clear_url_caches()

    # Templates

    @staticmethod
    def _forget_templates(**_: Any) -> None:
        import_module("django.template.autoreload").reset_loaders()

    @staticmethod
    def _forget_libraries() -> None:
        """Filters and tags: a library that was recreated takes the place of the one before."""
        if "django.template.backends.django" not in sys.modules:
            return
        backends: Any = import_module("django.template.backends.django")
        for backend in import_module("django.template").engines.all():
            if isinstance(backend, backends.DjangoTemplates):
                engine = backend.engine
                engine.libraries.update(backends.get_installed_libraries())
                engine.template_libraries = engine.get_template_libraries(engine.libraries)
                engine.template_builtins = engine.get_template_builtins(engine.builtins)

    # The admin

    @staticmethod
    def _in_admin() -> set[tuple[int, Any, type]]:
        sites = sys.modules.get("django.contrib.admin.sites")
        return {
            (id(shown), model, type(shown))
            for site in (sites.all_sites if sites is not None else ())
            for model, shown in site._registry.items()  # noqa: SLF001 - no public way
        }

    def _allow_admin_again(self) -> None:
        """Running ``@admin.register(Book)`` again replaces what the same definition registered before."""
        sites = sys.modules.get("django.contrib.admin.sites")
        if sites is None or hasattr(sites.AdminSite.register, "__pyautoload__"):
            return
        register = sites.AdminSite.register

        def again(site: Any, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> Any:
            models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
            for model in models:
                shown = site._registry.get(model)  # noqa: SLF001
                if shown is not None and self._runs_again(type(shown), admin_class):
                    del site._registry[model]  # noqa: SLF001
            return register(site, models, admin_class, **options)

        again.__pyautoload__ = True  # type: ignore[attr-defined]
        sites.AdminSite.register = again

    def _runs_again(self, former: type, admin_class: type | None) -> bool:
        if admin_class is None or not self.loader.registry.get(former.__module__):
            return former.__module__.startswith("django.contrib.admin.")
        return (former.__module__, former.__qualname__) == (admin_class.__module__, admin_class.__qualname__)
