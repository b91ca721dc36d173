"""Linux's inotify by way of ctypes: one watch for each directory, and every event that the kernel has, as it has it.

watchdog, which serves the other systems, hides what is needed here: how many watches there are, which directories
got none as the limit was reached, that the kernel's queue has overflowed, that a watch has ended. It also passes each
event through three threads. See inotify(7): events keep their order, and a watch belongs to the directory, not to its
path.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import struct
import termios
import threading
import weakref
from collections.abc import Callable, Iterator

from pyautoload.reloading.watching.file_events import FileEvent

__all__ = ["Inotify"]

_ACCESSED_BY_WRITING = 0x2 | 0x4 | 0x8  # modified, attributes, closed after writing
_ENTRIES = 0x40 | 0x80 | 0x100 | 0x200  # moved from, moved to, created, deleted
_ITSELF = 0x400 | 0x800  # deleted, moved
_ONLY_DIRECTORIES = 0x01000000
_MASK = _ACCESSED_BY_WRITING | _ENTRIES | _ITSELF | _ONLY_DIRECTORIES

_IS_DIRECTORY = 0x40000000
_OVERFLOW, _GONE = 0x4000, 0x8000 | 0x2000  # ignored from now on, unmounted
# What an event says → what we call it. Moved away is as good as deleted.
_KINDS = {0x2: "modified", 0x4: "attrib", 0x8: "closed", 0x40: "deleted", 0x80: "moved", 0x100: "created"}
_KINDS[0x200] = "deleted"

_HEADER = struct.Struct("iIII")
_BUFFER = 1 << 16


class Inotify:
    """Watches directories, each by itself, and tells of what happens in them, in a thread of its own.

    Args:
        tell: called with some events in their order; must not raise.

    Raises:
        OSError: there is no inotify here, or no instance of it left.
    """

    # A watch is for the entries of one directory.
    covers_below = False
    # That a file that was written to is closed is told.
    tells_closing = True

    def __init__(self, tell: Callable[[list[FileEvent]], None]) -> None:
        self._tell = tell
        self._library = _library()
        self._descriptor = _checked(self._library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        # Written to once, to end the thread.
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # Thread 1 adds a watch while thread 2 closes: the descriptor may be another file's by then.
        self._lock = threading.Lock()
        self._closed = False
        # Whether the thread is between its waiting and the end of telling what it read.
        self._is_telling = False
        _open.add(self)
        self._thread = threading.Thread(target=self._work, name="pyautoload-inotify", daemon=True)
        self._thread.start()

    def add(self, directory: str) -> int:
        """Watch a directory; a link is followed. A directory that is watched already keeps its handle.

        Raises:
            OSError: it is none, it may not be read, or the limit is reached (``ENOSPC``).
        """
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, "watching has ended", directory)
            return _checked(self._library.inotify_add_watch(self._descriptor, os.fsencode(directory), _MASK), directory)

    def remove(self, handle: int) -> None:
        """End a watch; it is not an error if it has ended already."""
        with self._lock:
            if not self._closed:
                self._library.inotify_rm_watch(self._descriptor, handle)

    @property
    def is_alive(self) -> bool:
        """Whether events are still told."""
        return self._thread.is_alive()

    def has_told_all(self) -> bool:
        """Whether all that has happened until now was told."""
        with self._lock:
            if self._closed:
                return True
            waiting = bytearray(4)
            # What is read is told before the thread says that it is done: this order, or something is missed.
            fcntl.ioctl(self._descriptor, termios.FIONREAD, waiting)
            return not any(waiting) and not self._is_telling

    def close(self) -> None:
        """End; nothing is told afterwards, unless this is called from within ``tell``."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.write(self._wake_write, b"!")
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def abandon(self) -> None:
        """In the child of a fork: close the copies of the descriptors; the parent's watches stay."""
        if not self._closed:
            self._closed = True
            self._close_descriptors()

    def _close_descriptors(self) -> None:
        for descriptor in (self._descriptor, self._wake_read, self._wake_write):
            os.close(descriptor)

    # The thread

    def _work(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while not self._closed:
            poll.poll()
            if self._closed:
                break
            self._is_telling = True
            try:
                data = os.read(self._descriptor, _BUFFER)
            except BlockingIOError:
                self._is_telling = False
                continue
            except OSError:
                break
            self._tell(list(_parsed(data)))
            self._is_telling = False
        with self._lock:
            self._closed = True
            self._close_descriptors()


def _parsed(data: bytes) -> Iterator[FileEvent]:
    at = 0
    while at < len(data):
        handle, mask, _cookie, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
        at += length
        if mask & _OVERFLOW:
            yield FileEvent("overflow", -1, "", False)
        elif mask & (_GONE | _ITSELF):
            yield FileEvent("gone", handle, "", True)
        elif (kind := _KINDS.get(mask & (_ACCESSED_BY_WRITING | _ENTRIES))) and name:
            yield FileEvent(kind, handle, name, bool(mask & _IS_DIRECTORY))


def _library() -> ctypes.PyDLL:
    # Adding a watch takes a microsecond. Whoever releases the interpreter lock for that waits for it in a busy program,
    # some milliseconds each time.
    library = ctypes.PyDLL(None, use_errno=True)
    try:
        library.inotify_add_watch.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]
        library.inotify_rm_watch.argtypes = [ctypes.c_int, ctypes.c_int]
        library.inotify_init1.argtypes = [ctypes.c_int]
    except AttributeError as error:
        raise OSError(errno.ENOSYS, "this system has no inotify") from error
    return library


def _checked(result: int, path: str | None = None) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


# Every instance that is open, for the child of a fork.
_open: weakref.WeakSet[Inotify] = weakref.WeakSet()


def _after_fork() -> None:
    for instance in list(_open):
        instance.abandon()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
