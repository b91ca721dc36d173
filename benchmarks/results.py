"""What a run leaves as JSON: the machine it was made on, then every figure with all its values."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.measure import Result
from benchmarks.plan import Plan
from benchmarks.trees import average_bytes

FORMAT = 1


def machine() -> dict[str, Any]:
    """Where a run was made; no name or path of the machine."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
        "platform": " ".join([platform.system(), *platform.release().split(".")[:1]]),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "pyautoload": _version("pyautoload"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "from a checkout"


def document(
    plan: Plan, found: dict[str, list[Result]], titles: dict[str, tuple[str, str]], failed: dict[str, str]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "minutes": round((time.time() - plan.started) / 60, 1),
        "rounds": plan.rounds,
        "sizes": list(plan.sizes),
        "module_bytes": average_bytes(),
        "benchmarks": {
            name: {
                "title": titles[name][0],
                "text": titles[name][1],
                "made": time.strftime("%Y-%m-%d"),
                "results": [asdict(result) for result in results],
            }
            for name, results in found.items()
        },
        "failed": failed,
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write all of it or nothing: a run of an hour may be about to read what is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def updated(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """The figures of ``earlier``, those of ``later`` in the place of what was measured again.

    Raises:
        SystemExit: they were made on different machines or Pythons, so that they do not belong together.
    """
    # Whether PyAutoload was installed or not makes no other machine of it.
    if {**earlier["machine"], "pyautoload": ""} != {**later["machine"], "pyautoload": ""}:
        raise SystemExit("the figures to be updated were made on another machine or Python: make a full run")
    benchmarks = {**earlier["benchmarks"], **later["benchmarks"]}
    failed = {name: why for name, why in earlier["failed"].items() if name not in later["benchmarks"]}
    return {
        **earlier,
        "made": later["made"],
        "module_bytes": later["module_bytes"],
        "minutes": earlier["minutes"] + later["minutes"],
        "benchmarks": dict(sorted(benchmarks.items())),
        "failed": {**failed, **later["failed"]},
    }


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise SystemExit(f"{path} is of another format: make a new run with python -m benchmarks all")
    return content
