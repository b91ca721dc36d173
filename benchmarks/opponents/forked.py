"""A WSGI application that loads a whole tree, then uses a tenth of it in its requests."""

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

dice = random.Random(1)
names = names_of(os.environ["FORKED_NAMES"])
requests = 0


def _parts(name: str) -> list[Any]:
    """The class and the function ``total`` of a module: what other modules hold of it."""
    members = vars(sys.modules[name])
    kinds = [value for value in members.values() if getattr(value, "__module__", "") == name]
    return [(kind, members["total"]) for kind in kinds if isinstance(kind, type)]


hot = [part for name in dice.sample(names, max(1, len(names) // 10)) for part in _parts(name)]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Use fifty classes; the first request also sees a full collection, as any long-lived worker does."""
    global requests
    answer: dict[str, Any] = {"pid": os.getpid()}
    if environ["PATH_INFO"] == "/loaded":
        # Asked after the memory was measured: to look at each module writes to its reference count, which unshares it.
        answer["loaded"] = count_loaded(names, marked=True)
    else:
        requests += 1
        if requests == 1:
            gc.collect()
        for kind, total in dice.choices(hot, k=50):
            total([kind(1, 10.0), kind(2, 5.0, "closed")])
    answer["requests"] = requests
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
