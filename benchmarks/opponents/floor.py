"""The floor below any eager load: read, unmarshal and run every code object, with no import protocol at all.

Nothing is found, checked, locked or bound, so this is no way to load a program; it says what cannot be saved.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
from importlib.util import cache_from_source
from types import ModuleType
from typing import Any

from benchmarks.opponents.loaded import MARKER, names_of
from benchmarks.opponents.stopwatch import Stopwatch

HEADER = 16  # magic number, flags, mtime and size
LARGE = 1 << 16  # more than a bytecode file of a generated module has
CHUNK = 16  # code objects in one marshal stream: strings are shared, and the objects are still in the cache when run


def _sources(tree: str, names: list[str]) -> list[tuple[str, str]]:
    found = []
    for name in names:
        path = os.path.join(tree, *name.split("."))
        package = os.path.join(path, "__init__.py")
        found.append((name, package if os.path.exists(package) else f"{path}.py"))
    return found


def files(tree: str, names: str, checked: int = 0) -> dict[str, Any]:
    """From the ordinary ``.pyc`` files; with ``checked`` each source is looked at, as has to be done in earnest."""
    sources = _sources(tree, names_of(names))
    compiled = [(name, cache_from_source(source)) for name, source in sources]
    gc.disable()
    with Stopwatch() as watch:
        for (_, source), (name, path) in zip(sources, compiled, strict=True):
            if checked:
                os.stat(source)
            descriptor = os.open(path, os.O_RDONLY)
            data = os.read(descriptor, LARGE)
            os.close(descriptor)
            _run(name, marshal.loads(data[HEADER:]))
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "loaded": _loaded(compiled)}


def one_file(tree: str, names: str) -> dict[str, Any]:
    """From one file that holds all code objects."""
    compiled = [(name, cache_from_source(source)) for name, source in _sources(tree, names_of(names))]
    packed = f"{names}.{sys.implementation.cache_tag}.{CHUNK}.packed"
    if not os.path.exists(packed):
        _pack(compiled, packed)
    with open(f"{packed}.index", "rb") as file:
        places = marshal.load(file)
    gc.disable()
    with Stopwatch() as watch:
        descriptor = os.open(packed, os.O_RDONLY)
        for offset, length in places:
            for name, code in marshal.loads(os.pread(descriptor, length, offset)):
                _run(name, code)
        os.close(descriptor)
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "loaded": _loaded(compiled)}


def _pack(compiled: list[tuple[str, str]], packed: str) -> None:
    codes = []
    for name, path in compiled:
        with open(path, "rb") as file:
            codes.append((name, marshal.loads(file.read()[HEADER:])))
    places = []
    with open(packed, "wb") as file:
        for start in range(0, len(codes), CHUNK):
            data = marshal.dumps(codes[start : start + CHUNK])
            places.append((file.tell(), len(data)))
            file.write(data)
    with open(f"{packed}.index", "wb") as file:
        marshal.dump(places, file)


def _run(name: str, code: Any) -> None:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(code, module.__dict__)


def _loaded(compiled: list[tuple[str, str]]) -> int:
    return sum(
        MARKER in vars(sys.modules[name]) or path.rpartition(os.sep)[2].startswith("__init__.")
        for name, path in compiled
    )
