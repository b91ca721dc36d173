"""Imports every module of an installed package, with or without a loader over it, and writes down what came of it.

Run in a process of its own: ``python package_probe.py REQUEST.json ANSWER.json``. It is no test itself.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import json
import os
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any
from xml.etree import ElementTree

SUFFIXES = tuple(sorted(importlib.machinery.all_suffixes(), key=len, reverse=True))


def module_names(directory: str, prefix: str) -> Iterator[str]:
    """Every module that the files below ``directory`` stand for, namespaces without code included."""
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        stem = next((entry.name[: -len(suffix)] for suffix in SUFFIXES if entry.name.endswith(suffix)), "")
        if entry.is_dir() and entry.name.isidentifier() and entry.name != "__pycache__":
            below = list(module_names(entry.path, f"{prefix}{entry.name}."))
            if below or os.path.exists(os.path.join(entry.path, "__init__.py")):
                yield prefix + entry.name
                yield from below
        elif stem and "." not in stem and not stem.startswith("__"):
            # Also what no import statement can name: Django's 0001_initial is imported by a function.
            yield prefix + stem


def listed_names(name: str, directory: str) -> list[str]:
    """What ``pkgutil.walk_packages`` says of the package; ``__main__`` modules are programs, not to be imported."""
    walk = pkgutil.walk_packages([directory], f"{name}.", onerror=lambda _name: None)
    return [module.name for module in walk if not module.name.endswith(".__main__")]


def kind(value: object) -> str:
    """What a value is, as far as two processes can agree on it."""
    if issubclass(type(value), ModuleType):
        return f"module {value.__name__}"  # type: ignore[attr-defined]
    if not issubclass(type(value), (type, FunctionType, BuiltinFunctionType)):
        # Not asked any further: an object that is made at its first use would be made now, or fail.
        return type(value).__name__
    where = [getattr(value, name, None) for name in ("__module__", "__qualname__")]
    return " ".join([type(value).__name__, *(part for part in where if isinstance(part, str))])


def described(name: str) -> dict[str, Any]:
    """An imported module, by everything that the import system gives it and the names that it has."""
    module = sys.modules[name]
    spec = getattr(module, "__spec__", None)
    path = getattr(module, "__path__", None)
    return {
        "file": getattr(module, "__file__", None),
        "package": getattr(module, "__package__", None),
        "cached": getattr(spec, "cached", None),
        "origin": getattr(spec, "origin", None),
        "spec_name": getattr(spec, "name", None),
        "has_location": getattr(spec, "has_location", None),
        "path": None if path is None else list(path),
        "doc": getattr(module, "__doc__", None),
        "names": {key: kind(value) for key, value in vars(module).copy().items() if isinstance(key, str)},
    }


def attempt(name: str) -> str | None:
    """Import a module; the type and text of what it raised, if anything."""
    try:
        importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - some modules are scripts and leave by SystemExit
        return f"{type(error).__name__}: {error}"
    return None


def outcomes(tests: list[str]) -> dict[str, str]:
    """Run tests that the package ships: test → ``passed``, ``skipped``, ``failure`` or ``error``."""
    import pytest

    pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--junitxml", "tests.xml", "--pyargs", *tests])
    cases = ElementTree.parse("tests.xml").getroot().iter("testcase")
    return {f"{case.get('classname')}.{case.get('name')}": case[0].tag if len(case) else "passed" for case in cases}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Do what was asked for.

    Args:
        request: ``name`` and ``directory`` of the package, ``autoload`` (whether a loader manages it), ``prepare``
            (statements to run first, such as Django's settings), ``tests`` (tests of its own to run instead).
    """
    name, directory = request["name"], request["directory"]
    loader = None
    if request["autoload"]:
        from pyautoload import AutoLoader

        loader = AutoLoader(directory, name).setup()
    exec(request["prepare"], {})
    if request["tests"]:
        return {"tests": outcomes(request["tests"]), "managed": loader.loaded() if loader else None}
    names = list(dict.fromkeys([name, *module_names(directory, f"{name}.")]))
    failures = {module: failure for module in names if (failure := attempt(module)) is not None}
    return {
        "failures": failures,
        "modules": {module: described(module) for module in names if module in sys.modules},
        "loaded": sorted(module for module in sys.modules if module.partition(".")[0] == name.partition(".")[0]),
        "listed": sorted(listed_names(name, directory)),
        "managed": None if loader is None else sorted(loader.loaded()),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with open(sys.argv[1], encoding="utf-8") as file:
        answer = main(json.load(file))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)
