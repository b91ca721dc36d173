"""Run inside a user namespace: a limit of watches, a root with directories, and edits in each of them."""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from pathlib import Path

from pyautoload import AutoLoader

LIMIT, LATE = int(sys.argv[1]), 3


def main() -> None:
    Path("/proc/sys/user/max_inotify_watches").write_text(str(LIMIT))
    root = Path("limited").absolute()
    names = [f"d{number}" for number in range(5)]
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "m.py").write_text("def f():\n    return 0\n")
    arrived = threading.Condition()

    def note(result: object) -> None:
        with arrived:
            arrived.notify_all()

    loader = AutoLoader(root).setup()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loader.enable_reloading(on_reload=note)
    live = {name: loader.resolve(f"limited.{name}.m").f for name in names}
    for number in range(LATE):
        name = f"late{number}"
        (root / name).mkdir()
        (root / name / "m.py").write_text("def f():\n    return 0\n")
        live[name] = loader.resolve(f"limited.{name}.m").f
    seen = []
    for edit in range(1, 3):
        for name in live:
            (root / name / "m.py").write_text(f"def f():\n    return {edit}\n")
        with arrived:
            arrived.wait_for(lambda edit=edit: {f() for f in live.values()} == {edit}, 20)
        seen.append(sorted(name for name, f in live.items() if f() == edit))
    with arrived:
        arrived.wait_for(lambda: len(loader.status().polled) + loader.status().watches == 9, 5)
    status = loader.status()
    told = {
        "seen": seen,
        "warnings": [str(each.message) for each in caught],
        "watches": status.watches,
        "polled": len(status.polled),
        "reasons": sorted(set(status.polled.values())),
        "polls": loader.reloader is not None and loader.reloader._watcher.polls,
    }
    loader.disable_reloading()
    print(json.dumps(told), flush=True)
    os._exit(0)


main()
