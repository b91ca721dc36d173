"""What a process that serves tells of the libraries that it has loaded, so that the next one need not load them."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from pyautoload.serving.server.channel import Channel
from pyautoload.warm.owner import libraries

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["tell_libraries"]

# When (seconds after it began to serve) that is told: some libraries are loaded by the first requests.
_TIMES = (0.3, 3.0, 15.0, 60.0)


def tell_libraries(channel: Channel, loader: AutoLoader, over: threading.Event) -> None:
    """Tell it in a thread, a few times.

    Args:
        channel: to the supervisor.
        loader: of the program.
        over: set when nobody wants to know any more.
    """

    def tell() -> None:
        known, waited = 0, 0.0
        for moment in _TIMES:
            if over.wait(moment - waited):
                return
            waited = moment
            if len(sys.modules) > known:
                known = len(sys.modules)
                _tell(channel, loader)

    threading.Thread(target=tell, name="pyautoload-libraries", daemon=True).start()


def _tell(channel: Channel, loader: AutoLoader) -> None:
    managed = set(loader.loaded())
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    others = [(name, path) for name, path in files.items() if name not in managed]
    kept = libraries([(n, p if isinstance(p, str) else None) for n, p in others], os.getcwd())
    own = {name.partition(".")[0] for name in files.keys() - set(kept)} - {"__main__", "__mp_main__", "pyautoload"}
    channel.send("loaded", libraries=kept, own=sorted(own))
