"""gunicorn with four workers: started, asked until each has worked, measured by ``/proc``, stopped."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.process import ContenderFailed, Figures, Missing, environment
from benchmarks.trees import Tree

WORKERS = 4
REQUESTS_EACH = 50
PATIENCE = 120.0  # seconds


def workers(tree: Tree, *, preload: bool, freeze: bool) -> Callable[[], Figures]:
    """What starts one such server and returns its figures."""

    def start() -> Figures:
        if importlib.util.find_spec("gunicorn") is None:
            raise Missing("gunicorn is not installed: pip install 'pyautoload[bench]'")
        if not Path("/proc/self/smaps_rollup").exists():
            raise Missing("proportional memory (PSS) is only told by Linux")
        return _measured(tree, preload=preload, freeze=freeze)

    return start


def _measured(tree: Tree, *, preload: bool, freeze: bool) -> Figures:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.set_inheritable(True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        command = [sys.executable, "-m", "gunicorn", "benchmarks.opponents.forked:app", "--log-level", "error"]
        command += ["--workers", str(WORKERS), "--bind", f"fd://{listener.fileno()}", "--timeout", "120"]
        settings = {"FORKED_ROOT": str(tree.root), "FORKED_NAMES": str(tree.names), "FORKED_FREEZE": str(int(freeze))}
        started = time.perf_counter()
        server = subprocess.Popen(
            command + (["--preload"] if preload else []),
            env=environment(**settings),
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            ready, pids = _ask(url, server, started)
            figures = {**_memory(server.pid), "ready_ms": ready, "workers": len(pids)}
            with urllib.request.urlopen(f"{url}loaded", timeout=60) as response:
                return {**figures, "loaded": json.load(response)["loaded"]}
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _ask(url: str, server: subprocess.Popen[bytes], started: float) -> tuple[float, set[int]]:
    """Send requests until each worker has answered enough: when the last one first did, and what each loaded."""
    seen: dict[int, dict[str, Any]] = {}
    ready: list[float] = []
    lock = threading.Lock()
    deadline = started + PATIENCE

    def client() -> None:
        while time.perf_counter() < deadline and server.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=60) as response:
                    answer = json.load(response)
            except OSError:
                time.sleep(0.01)
                continue
            with lock:
                seen[answer["pid"]] = answer
                if len(seen) == WORKERS and not ready:
                    ready.append((time.perf_counter() - started) * 1000)
                if len(seen) == WORKERS and all(found["requests"] >= REQUESTS_EACH for found in seen.values()):
                    return

    clients = [threading.Thread(target=client) for _ in range(2 * WORKERS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if not ready:
        server.kill()
        error = server.stderr.read().decode(errors="replace") if server.stderr else ""
        raise ContenderFailed(f"only {len(seen)} of {WORKERS} workers answered:\n{error[-2000:]}")
    return ready[0], set(seen)


def _memory(parent: int) -> dict[str, float]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    each = [_kilobytes(int(pid), "Pss") for pid in children]
    own = [_kilobytes(int(pid), "Private_Dirty") for pid in children]
    return {
        "pss_mb": (sum(each) + _kilobytes(parent, "Pss")) / 1000,
        "workers_pss_mb": sum(each) / 1000,
        "worker_mb": sum(own) / len(own) / 1000,
    }


def _kilobytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
