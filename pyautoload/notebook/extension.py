"""What IPython calls for ``%load_ext pyautoload`` and ``%unload_ext pyautoload``."""

from __future__ import annotations

import weakref
from typing import Any

from pyautoload.notebook.shell_session import Session

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

# Shell → its session.
_sessions: weakref.WeakKeyDictionary[Any, Session] = weakref.WeakKeyDictionary()


def load_ipython_extension(shell: Any) -> None:
    """Bring edits in before each cell of this shell: ``%load_ext pyautoload``.

    Args:
        shell: IPython's ``InteractiveShell``.
    """
    if shell in _sessions:
        return
    session = Session(shell)
    session.start()
    _sessions[shell] = session


def unload_ipython_extension(shell: Any) -> None:
    """Stop that: ``%unload_ext pyautoload``."""
    session = _sessions.pop(shell, None)
    if session is not None:
        session.stop()
