"""The application within the site."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Every file in ``models/`` is a model."""

    name = "library"

    def import_models(self) -> None:
        """Load the models: Django has to know all of them, and would look into ``library.models`` only."""
        super().import_models()
        for found in pkgutil.iter_modules(self.models_module.__path__, "library.models."):
            import_module(found.name)
