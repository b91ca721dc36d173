"""Beyond one process: the code of a loader goes to the workers of a cluster or pool, and edits follow.

``bundle.py`` and ``managed_files.py`` say what is sent, ``member.py`` what a worker does with it, and the files that
are named after engines take it there, each over the engine's own channel. Nothing here listens.
``AutoLoader`` calls this, when it is asked to ship its code.
"""

from __future__ import annotations

from pyautoload.cluster.member import current_version

__all__ = ["current_version"]
