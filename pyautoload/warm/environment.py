"""The environment: what was read of it while libraries were imported, and whether a child's is the same there.

A library may decide by a variable at import what it is (``NUMEXPR_MAX_THREADS``, ``NO_COLOR``). A child with another
value of such a variable must not get that library from a template. What the interpreter and C libraries read by
themselves cannot be noted; it is known by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Reads", "difference", "replace"]

# Read by the interpreter, the C library, the loader of shared libraries, numerical libraries.
_BELOW = (
    "PYTHON", "LC_", "LANG", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "GOMP_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_",
    "NUMEXPR_", "NPY_", "VECLIB_", "CUDA_", "OPENSSL_", "SSL_", "HOME", "VIRTUAL_ENV",
)  # fmt: skip
# What each shell and terminal sets anew: no library is another one by these.
_SESSION = frozenset([
    "PWD", "OLDPWD", "SHLVL", "_", "WINDOWID", "TERM_SESSION_ID", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY",
    "TMUX_PANE", "PYAUTOLOAD_SERVE",  # the last: what a process that serves is to do: read by itself only
])  # fmt: skip


class _Noting(dict[bytes, bytes]):
    """In the place of the dictionary inside ``os.environ``; notes each key that is asked for."""

    def __init__(self, content: Mapping[bytes, bytes]) -> None:
        super().__init__(content)
        self.asked: set[bytes] = set()
        self.all_asked = False

    def __getitem__(self, key: bytes) -> bytes:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, bytes):
            self.asked.add(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[bytes]:
        self.all_asked = True
        return super().__iter__()


class Reads:
    """Notes what is read of ``os.environ`` between ``begin()`` and ``end()``."""

    def __init__(self) -> None:
        self._environ: Any = os.environ
        self._bytes: Any = os.environb
        self._plain: dict[bytes, bytes] = getattr(os.environ, "_data")
        self._noting = _Noting({})

    def begin(self) -> None:
        """Note from now on."""
        self._noting = _Noting(self._plain)
        self._put(self._noting)

    def _put(self, content: dict[bytes, bytes]) -> None:
        self._environ._data = content  # noqa: SLF001 - the standard library has no other way
        self._bytes._data = content  # noqa: SLF001 - the standard library has no other way

    def content(self) -> frozenset[tuple[bytes, bytes]]:
        """All variables, without noting that they were looked at."""
        return frozenset(dict.items(self._noting))

    def end(self) -> list[str] | None:
        """Note no more.

        Returns:
            The names that were read, or asked for in vain; ``None`` for all.
        """
        self._plain.clear()
        self._plain.update(dict.items(self._noting))
        self._put(self._plain)
        if self._noting.all_asked:
            return None
        return sorted(map(os.fsdecode, self._noting.asked))


def difference(before: Mapping[str, str], now: Mapping[str, str], read: list[str] | None) -> str | None:
    """The variable because of which libraries that were imported under ``before`` may not be used under ``now``.

    Args:
        before: the environment of the template.
        now: that of the process to be.
        read: what was read while the template imported; ``None`` for everything.
    """
    names = set(before) | set(now)
    relevant = {name for name in names if name.startswith(_BELOW)} | (names if read is None else names & set(read))
    return next((name for name in sorted(relevant - _SESSION) if before.get(name) != now.get(name)), None)


def replace(wanted: Mapping[str, str]) -> None:
    """Make ``os.environ`` this, in this order, and the process's own environment with it; the object stays."""
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    environ: Any = os.environ
    content: dict[bytes, bytes] = environ._data  # noqa: SLF001 - the standard library has no other way
    content.clear()
    content.update((os.fsencode(name), os.fsencode(value)) for name, value in wanted.items())
