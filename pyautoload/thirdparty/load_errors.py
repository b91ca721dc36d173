"""The errors of ``load``: what cannot be had, and what is not installed for good reason."""

from __future__ import annotations

from pyautoload.errors import AutoloadError
from pyautoload.thirdparty.redaction import redacted

__all__ = ["InstallError", "InstallRefused", "TargetError", "UnloadWarning"]


class TargetError(AutoloadError, ImportError):
    """What was asked of ``load`` cannot be had: no such attribute, no such file, no valid name.

    Attributes:
        target: what was asked for.
    """

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"cannot load {target!r}: {reason}", name=target)
        self.target = target


class UnloadWarning(UserWarning):
    """Modules stayed in ``sys.modules`` as C extensions cannot be unloaded; the message names them."""


class InstallError(AutoloadError, ImportError):
    """Installing a distribution failed, nothing of it was left behind; the message says what to type.

    What is secret in a URL is not in it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class InstallRefused(AutoloadError, ValueError):
    """A package, an index or a registry is not acceptable for ``load.allow_install``.

    What is secret in a URL is not in the message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))
