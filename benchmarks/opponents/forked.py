"""A WSGI application that loads a whole tree, then uses some of it in each request."""

from __future__ import annotations

import gc
import json
import os
import random
import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.opponents.loaded import count_loaded, names_of
from pyautoload import AutoLoader

loader = AutoLoader(base_path=os.environ["FORKED_ROOT"]).setup()
loader.eager_load(freeze=os.environ["FORKED_FREEZE"] == "1")

names = names_of(os.environ["FORKED_NAMES"])
dice = random.Random(1)
requests = 0


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Use fifty classes; the first request also sees a full collection, as any long-lived worker does."""
    global requests
    requests += 1
    if requests == 1:
        gc.collect()
    answer: dict[str, Any] = {"pid": os.getpid(), "requests": requests}
    answer["loaded"] = count_loaded(names, marked=True) if requests == 1 else _loaded()
    for name in dice.sample(names, 50):
        module = sys.modules[name]
        total = getattr(module, "total", None)
        if total is not None:
            kind = next(value for value in vars(module).values() if getattr(value, "__module__", "") == name)
            total([kind(1, 10.0), kind(2, 5.0, "closed")])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _loaded() -> int:
    return sum(name in sys.modules for name in names)
