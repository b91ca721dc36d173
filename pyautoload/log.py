"""What PyAutoload does, told to the standard logger ``pyautoload``.

``logging`` costs several milliseconds to import. Where nobody has imported it nobody can listen, so it is looked up,
not imported, and nothing is formatted unless a handler's level asks for it.
"""

from __future__ import annotations

import sys

from pyautoload.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

__all__ = ["debug", "listening", "warning"]

DEBUG = 10

# The logger, once `logging` has been imported by somebody.
_logger: logging.Logger | None = None


def listening() -> bool:
    """Whether DEBUG records reach anybody."""
    global _logger
    if _logger is None:
        module = sys.modules.get("logging")
        get_logger = getattr(module, "getLogger", None)  # half imported: not yet
        if get_logger is None:
            return False
        _logger = get_logger("pyautoload")
    return _logger.isEnabledFor(DEBUG)


def debug(tag: str, message: str, *args: object) -> None:
    """Tell ``message % args``; the record carries ``tag`` as an attribute and in front of the message."""
    if listening():
        assert _logger is not None
        _logger.debug(f"[%s] {message}", tag, *map(_shown, args), extra={"tag": tag}, stacklevel=2)


def warning(tag: str, message: str, *args: object) -> None:
    """Tell something that the user should see even where nothing was configured."""
    import logging

    logging.getLogger("pyautoload").warning(
        f"[%s] {message}", tag, *map(_shown, args), extra={"tag": tag}, stacklevel=2
    )


def _shown(value: object) -> object:
    """A path, or another text, that cannot begin a line of its own."""
    return printable(value) if isinstance(value, str) else value
