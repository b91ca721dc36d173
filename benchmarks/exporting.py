"""Packages that export the same many names in different ways."""

from __future__ import annotations

import shutil
from pathlib import Path

_MODULE = '''"""One of the exported names."""


class Thing{number:04}:
    """Adds up."""

    def __init__(self, value={number}):
        self.value = value

    def plus(self, other):
        return self.value + other
'''

_HANDWRITTEN = '''"""Names on first use, as one writes it by hand (PEP 562)."""

import importlib

_NAMES = {names}


def __getattr__(name):
    try:
        stem = _NAMES[name]
    except KeyError:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}") from None
    value = globals()[name] = getattr(importlib.import_module(f"{{__name__}}.{{stem}}"), name)
    return value


def __dir__():
    return sorted(_NAMES)
'''

_ATTACHED = '''"""Names on first use by lazy_loader."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={submodules})
'''

_STUBBED = '''"""Names on first use by lazy_loader, as the stub beside this file declares them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
'''

_EXPORTED = '''"""Names on first use by pyautoload."""

from pyautoload.lazy import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    """
{imports}
    """,
)
'''

_CONVENTIONAL = '''"""Names on first use by convention: nothing is declared."""

from pyautoload import AutoLoader

AutoLoader.for_package().setup()
'''


def exporting_packages(work: Path, count: int) -> Path:
    """The directory with the packages, each of ``count`` names; made once."""
    base = work / f"exporting-{count}"
    done = base / ".complete"
    if done.exists():
        return base
    shutil.rmtree(base, ignore_errors=True)
    stems = [f"thing_{number:04}" for number in range(count)]
    classes = [f"Thing{number:04}" for number in range(count)]
    imports = [f"from .{stem} import {name}" for stem, name in zip(stems, classes, strict=True)]
    inits = {
        "handwritten": _HANDWRITTEN.format(names=dict(zip(classes, stems, strict=True))),
        "attached": _ATTACHED.format(submodules={stem: [name] for stem, name in zip(stems, classes, strict=True)}),
        "stubbed": _STUBBED,
        "exported": _EXPORTED.format(imports="\n".join(f"    {line}" for line in imports)),
        "conventional": _CONVENTIONAL,
        "eager": "\n".join(imports) + "\n",
    }
    for package, init in inits.items():
        folder = base / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(init, encoding="utf-8")
        for number, stem in enumerate(stems):
            (folder / f"{stem}.py").write_text(_MODULE.format(number=number), encoding="utf-8")
    (base / "stubbed" / "__init__.pyi").write_text("\n".join(imports) + "\n", encoding="utf-8")
    done.touch()
    return base
