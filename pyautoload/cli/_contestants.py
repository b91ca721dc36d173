"""What ``pyautoload bench`` measures; each function runs in a process of its own."""

from __future__ import annotations

import importlib
import time
from typing import Any

__all__ = ["eager", "lazily", "lazy", "one_by_one", "stock"]


def stock(work: dict[str, Any]) -> dict[str, Any]:
    """Import every module with Python's own import system."""
    return _import_all(work["modules"])


def lazy(work: dict[str, Any]) -> dict[str, Any]:
    """Set the loader up: what a program waits for that loads on first use."""
    aside, _loader = _set_up(work)
    return {"loaded": 0, "failures": 0, "example": "", "aside": aside}


def one_by_one(work: dict[str, Any]) -> dict[str, Any]:
    """Set the loader up and import every module, one by one."""
    aside, _loader = _set_up(work)
    return {**_import_all(work["modules"]), "aside": aside}


def lazily(work: dict[str, Any]) -> dict[str, Any]:
    """Set the loader up with lazy imports, and import every module, one by one."""
    if work["config"].lazy is None:
        work["config"].make_lazy((), ())
    return one_by_one(work)


def eager(work: dict[str, Any]) -> dict[str, Any]:
    """Set the loader up and load everything."""
    from pyautoload.errors import EagerLoadError

    aside, loader = _set_up(work)
    try:
        loaded = loader.eager_load(force=True)
    except EagerLoadError as error:
        name, failure = next(iter(error.failures.items()))
        example = f"{name}: {type(failure).__name__}"
        return {
            "loaded": len(set(error.loaded) & set(work["modules"])),
            "failures": len(error.failures),
            "example": example,
            "aside": aside,
        }
    return {"loaded": len(set(loaded) & set(work["modules"])), "failures": 0, "example": "", "aside": aside}


def _set_up(work: dict[str, Any]) -> tuple[float, Any]:
    """The loader, and the seconds that importing PyAutoload itself took: the contest is about the user's modules."""
    began = time.perf_counter()
    from pyautoload.checking.loader_lookup import configured
    from pyautoload.importing import eager_load as eager  # noqa: F401

    aside = time.perf_counter() - began
    return aside, configured(work["config"], work["inflector"])


def _import_all(modules: list[str]) -> dict[str, Any]:
    loaded, failures, example = 0, 0, ""
    for name in modules:
        try:
            importlib.import_module(name)
            loaded += 1
        except (Exception, SystemExit) as error:  # noqa: BLE001 - counted: a tree that is autoloaded does not import without
            failures += 1
            example = example or f"{name}: {type(error).__name__}"
    return {"loaded": loaded, "failures": failures, "example": example}
