"""A directory of very many plugins, and the package that serves them by a hand-written ``__getattr__``."""

from __future__ import annotations

import shutil
from pathlib import Path

_PLUGIN = '''"""Plugin {number}."""


class Plugin{number:06}:
    """Counts what it was given."""

    name = "plugin {number}"

    def run(self, values):
        return len(values) + {number}
'''

_HANDWRITTEN = '''"""Plugins on first use, as one writes it by hand."""

import importlib
import os
import re

__path__ = [os.path.join(os.path.dirname(__file__), os.pardir, "host", "plugins")]


def __getattr__(name):
    stem = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", name).lower()
    try:
        module = importlib.import_module(f"{__name__}.{stem}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{stem}":
            raise
        raise AttributeError(name) from None
    value = globals()[name] = getattr(module, name)
    return value


def __dir__():
    stems = [name[:-3] for name in os.listdir(__path__[0]) if name.endswith(".py")]
    return sorted("".join(part.capitalize() for part in stem.split("_")) for stem in stems)
'''


def plugin_folder(work: Path, count: int) -> Path:
    """The directory that holds ``host/plugins/`` with ``count`` plugins, and ``handwritten/``; made once."""
    base = work / f"plugins-{count}"
    done = base / ".complete"
    if not done.exists():
        shutil.rmtree(base, ignore_errors=True)
        folder = base / "host" / "plugins"
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"plugin_{number:06}.py").write_text(_PLUGIN.format(number=number), encoding="utf-8")
        (base / "handwritten").mkdir()
        (base / "handwritten" / "__init__.py").write_text(_HANDWRITTEN, encoding="utf-8")
        done.touch()
    return base
