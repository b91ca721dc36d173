"""Process pools of this machine: each task says which version it needs, and its process catches up before it begins.

A process of a pool runs one task at a time, so nothing else has to be waited for. The code lies in a directory that
only this user can read, a file for each version; which one, and what must be in it, comes through the pool's own pipe.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import tempfile
import traceback
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.cluster.bundle import EMPTY, Bundle, Delta
from pyautoload.cluster.member import Member, member
from pyautoload.cluster.shipment import Shipment, ShipmentStatus
from pyautoload.errors import ShipmentError

if TYPE_CHECKING:
    from pyautoload.reloading.gate import Pass

__all__ = ["PoolShipment", "ship_to"]

# After so many edits all files are written anew, so that a new process need not follow each of them.
_WHOLE_EVERY = 32

# What a process of a pool was brought to last: name → the directory of that shipment.
_directories: dict[str, str] = {}


class Stamp(NamedTuple):
    """What a task needs.

    Attributes:
        name: of the shipment.
        directory: where its versions lie.
        whole: the last version of which all files were written.
        version: the one that is needed.
        digest: what stands for the files of that version.
    """

    name: str
    directory: str
    whole: int
    version: int
    digest: str


class PoolShipment(Shipment):
    """The code of a loader in the processes of a pool.

    Args:
        loader: what is shipped.
        pool: a ``ProcessPoolExecutor`` or a ``multiprocessing.Pool``.

    Raises:
        ShipmentError: it is no such pool, or the loader is not set up.
    """

    def __init__(self, loader: Any, pool: Any) -> None:
        super().__init__(loader)
        # Its lifetime is ours, and that of the pool.
        self._directory = tempfile.TemporaryDirectory(prefix="pyautoload-shipment-", ignore_cleanup_errors=True)
        self._whole = 1
        self._sent = 0
        self._stamp = self._write_whole(1, self._bundle)
        _take_over(pool, self)
        self._begin_to_follow(1, is_pool=True)

    def running(self) -> Pass:
        """No reload happens in the midst of it."""
        passed: Pass = self._loader.running()
        return passed

    @property
    def stamp(self) -> Stamp:
        """What a task needs that is sent now."""
        return self._stamp

    def status(self) -> ShipmentStatus:
        """How far the processes are that have run a task."""
        workers = {}
        for name in sorted(os.listdir(self._directory.name)):
            if name.startswith("at-") and _is_alive(int(name[3:])):
                with open(os.path.join(self._directory.name, name), encoding="ascii") as file:
                    workers[f"process {name[3:]}"] = int(file.read() or 0)
        return ShipmentStatus(self.version, workers, self._sent, self._bytes_of_last)

    def _send(self, delta: Delta, packed: bytes, later: Bundle, forced: list[str]) -> None:
        self._write(f"delta-{self.version + 1}", packed)

    def _commit(self, later: Bundle) -> dict[str, str]:
        version = self.version + 1
        if version - self._whole >= _WHOLE_EVERY:
            self._stamp = self._write_whole(version, later)
        else:
            self._stamp = self._stamp._replace(version=version, digest=later.digest)
        self.version = version
        return {"process pool": f"version {version}, each process before its next task"}

    def _cancel(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._directory.name, f"delta-{self.version + 1}"))

    def _write_whole(self, version: int, bundle: Bundle) -> Stamp:
        self._write(f"whole-{version}", bundle.whole().pack())
        self._whole = version
        return Stamp(self.name, self._directory.name, version, version, bundle.digest)

    def _write(self, name: str, content: bytes) -> None:
        self._sent += len(content)
        with open(os.path.join(self._directory.name, name), "wb") as file:
            file.write(content)


def ship_to(loader: Any, pool: Any) -> PoolShipment:
    """See ``AutoLoader.ship_to``."""
    return PoolShipment(loader, pool)


# In the process that has the pool


class Stamped:
    """A function for a pool; where it arrives, its code is up to date before it is looked up.

    Args:
        function: what is to be called.
        shipment: whose code it is.
    """

    def __init__(self, function: Callable[..., Any], shipment: PoolShipment) -> None:
        self._function = function
        self._shipment = shipment

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """For a pool of threads, which has the code anyway."""
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled by a thread of the pool, later: the version is that of now, never an older one.
        with self._shipment.running():
            return _arrive, (tuple(self._shipment.stamp), pickle.dumps(self._function))


def _take_over(pool: Any, shipment: PoolShipment) -> None:
    """Have everything that is given to a pool go through ``Stamped``."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing.pool import Pool, ThreadPool

    if isinstance(pool, ProcessPoolExecutor):
        names = ["submit"]
    elif isinstance(pool, Pool) and not isinstance(pool, ThreadPool):
        # The other methods call these.
        names = ["apply_async", "_map_async", "imap", "imap_unordered"]
    else:
        raise ShipmentError(
            f"{pool!r} is no pool of processes", "give a ProcessPoolExecutor or a multiprocessing.Pool to ship_to()"
        )
    for name in names:
        setattr(pool, name, _stamping(getattr(type(pool), name), weakref.ref(pool), shipment))


def _stamping(method: Callable[..., Any], pool: Callable[[], Any], shipment: PoolShipment) -> Callable[..., Any]:
    def stamping(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        stamped = function if isinstance(function, Stamped) else Stamped(function, shipment)
        # A process may be forked here: not in the midst of a reload.
        with shipment.running():
            return method(pool(), stamped, *args, **kwargs)

    return stamping


def _is_alive(process: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


# In a process of the pool


class _Failing:
    """Raises when it is called what may not be raised before: a pool ends with what it cannot unpickle."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._error


def _arrive(stamp: tuple[Any, ...], pickled: bytes) -> Callable[..., Any]:
    """The function of a task, in a process that runs the version that it needs, or a later one."""
    try:
        _bring_to(Stamp(*stamp))
        function: Callable[..., Any] = pickle.loads(pickled)
    except Exception as error:  # noqa: BLE001 - is raised by the task
        error.__cause__ = error.__cause__ or _told(error)
        return _Failing(error)
    return function


def _told(error: Exception) -> Exception:
    """What shows in the process that waits for the result where it came from."""
    return ShipmentError("in a process of the pool", "".join(traceback.format_exception(error)).rstrip())


def _bring_to(stamp: Stamp) -> None:
    mine = member(stamp.name)
    is_same = _directories.get(stamp.name) == stamp.directory
    if is_same and mine.version >= stamp.version:
        return
    mine.renew(_bundle_of(stamp, mine if is_same else None), stamp.version)
    _directories[stamp.name] = stamp.directory
    with open(os.path.join(stamp.directory, f"at-{os.getpid()}"), "w", encoding="ascii") as file:
        file.write(str(stamp.version))


def _bundle_of(stamp: Stamp, mine: Member | None) -> Bundle:
    """The files of a version: those that are here and what has changed since."""
    if mine is not None and mine.version >= stamp.whole:
        bundle, version = mine.bundle, mine.version
    else:
        bundle, version = EMPTY.after(_read(stamp, f"whole-{stamp.whole}")), stamp.whole
    while version < stamp.version:
        version += 1
        bundle = bundle.after(_read(stamp, f"delta-{version}"))
    if bundle.digest != stamp.digest:
        raise ShipmentError(f"version {stamp.version} does not hold what its task says", "make the pool anew")
    return bundle


def _read(stamp: Stamp, name: str) -> Delta:
    with open(os.path.join(stamp.directory, name), "rb") as file:
        return Delta.unpack(file.read())
