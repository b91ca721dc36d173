"""What an import costs in time and memory, measured in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import NamedTuple

from pyautoload.thirdparty.load_errors import TargetError

__all__ = ["Cost", "Loaded", "cost_of", "size_of"]


class Cost(NamedTuple):
    """What an import costs.

    Attributes:
        seconds: the time it takes.
        memory: the resident memory that it adds, in bytes (on macOS: the rise of the peak).
        modules: how many modules it brings.
    """

    seconds: float
    memory: int
    modules: int

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.1f} ms, {self.memory / 2**20:.1f} MiB, {self.modules} modules"


class Loaded(NamedTuple):
    """What ``load`` remembers of one thing that it loaded.

    Attributes:
        seconds: the time that the first load took.
        modules: how many modules it brought.
        size: the bytes of their files.
        cached: whether the next load is answered from memory.
        uses: how often it was asked for.
    """

    seconds: float
    modules: int
    size: int
    cached: bool
    uses: int


# Runs in the child. What the module prints goes to the same stream, so the answer is the last line.
CHILD = """
import json, sys, time
order = json.loads(sys.stdin.readline())
sys.path[:] = order["path"]
def memory():
    if sys.platform == "win32":
        import ctypes, ctypes.wintypes
        class Counters(ctypes.Structure):
            _fields_ = [("cb", ctypes.wintypes.DWORD), ("faults", ctypes.wintypes.DWORD)] + [
                (name, ctypes.c_size_t) for name in ("peak", "resident", "a", "b", "c", "d", "pagefile", "peakfile")]
        counters = Counters(cb=ctypes.sizeof(Counters))
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.K32GetProcessMemoryInfo.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.wintypes.DWORD]
        kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
        return counters.resident
    if sys.platform.startswith("linux"):
        import os
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
import importlib
memory()
modules, before, start = len(sys.modules), memory(), time.perf_counter()
if order["file"]:
    import runpy
    modules, before, start = len(sys.modules), memory(), time.perf_counter()
    kept = runpy.run_path(order["target"], run_name=order["name"])
else:
    importlib.import_module(order["target"])
seconds = time.perf_counter() - start
print()
print(json.dumps([seconds, max(0, memory() - before), len(sys.modules) - modules]))
sys.stdout.flush()
import os
os._exit(0)
"""


def cost_of(target: str, is_file: bool, timeout: float = 60) -> Cost:
    """Import ``target``, a module or a file, in a child process and measure that.

    Raises:
        TargetError: the import failed there, or took longer than ``timeout`` seconds.
    """
    order = {"path": sys.path, "target": target, "file": is_file, "name": "measured"}
    try:
        child = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=json.dumps(order) + "\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TargetError(target, f"its import did not end within {timeout} seconds") from None
    if child.returncode != 0:
        lines = child.stderr.strip().splitlines()
        raise TargetError(target, f"its import failed: {lines[-1] if lines else f'exit code {child.returncode}'}")
    seconds, memory, modules = json.loads(child.stdout.splitlines()[-1])
    return Cost(seconds, memory, modules)


def size_of(modules: Iterable[str]) -> int:
    """The bytes of the modules' files."""
    total = 0
    for name in modules:
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and os.path.isfile(file):
            total += os.path.getsize(file)
    return total
