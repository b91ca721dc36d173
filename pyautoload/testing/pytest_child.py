"""The process that runs pytest, for ``pyautoload test``: ``python -m pyautoload.testing.pytest_child JOB``.

JOB is a file with what is to be done. What came of it goes, an object a line, into a descriptor or a file of which the
job tells.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import sys
from typing import Any, TextIO

__all__ = ["main"]

# Bytecode written this soon (ns) after its source was saved may be that of an earlier version with the same size.
_SURELY_LATER_NS = 2_000_000_000


def main() -> None:
    """Run pytest as the job says, and end with its exit code."""
    with open(sys.argv[1], encoding="utf-8") as opened:
        job = json.load(opened)
    before = frozenset(sys.modules)
    if job["cord"] is not None:
        from pyautoload.warm.lifeline import depend_on

        os.set_inheritable(job["cord"], False)
        depend_on(job["cord"])
    if job["descriptor"] is not None:
        os.set_inheritable(job["descriptor"], False)
    with open(job["file"] if job["descriptor"] is None else job["descriptor"], "w", encoding="utf-8") as told:
        code = _run(job, before, told)
    sys.exit(code)


def _run(job: dict[str, Any], before: frozenset[str], told: TextIO) -> int:
    def tell(message: dict[str, Any]) -> None:
        json.dump(message, told)
        told.write("\n")
        told.flush()

    sys.argv[:] = ["pytest", *job["arguments"]]
    import pytest

    from pyautoload.testing.plugin import TestPlugin
    from pyautoload.testing.recorder import Recorder

    _trust_only_sure_bytecode()
    _accept_loaded(before)
    recorder = Recorder(job["directory"])
    plugin = TestPlugin(recorder, tell, job["only"], job["known"], job["first_context"])
    end_following = plugin.follow_fixtures()
    recorder.start()
    code = int(pytest.main(job["arguments"], plugins=[plugin]))
    recorder.stop()
    end_following()
    plugin.end(code)
    return code


def _accept_loaded(names: frozenset[str]) -> None:
    """What a template has imported already is not a reason for a warning that pytest cannot rewrite it."""
    from _pytest.assertion.rewrite import AssertionRewritingHook

    warn: Any = getattr(AssertionRewritingHook, "_warn_already_imported", None)
    if warn is None:
        return

    def warn_unless_ours(self: Any, name: str) -> None:
        if name not in names and name.partition(".")[0] != "pyautoload":
            warn(self, name)

    setattr(AssertionRewritingHook, "_warn_already_imported", warn_unless_ours)


def _trust_only_sure_bytecode() -> None:
    """Two saves within a second that leave the size look the same to who validates bytecode by these."""
    get_data = importlib.machinery.SourceFileLoader.get_data

    def get_sure_data(self: Any, path: str) -> bytes:
        if path.endswith(".pyc") and not _is_sure(importlib.util.source_from_cache(path), path):
            raise OSError("may be of an earlier version")
        return get_data(self, path)

    setattr(importlib.machinery.SourceFileLoader, "get_data", get_sure_data)
    from _pytest.assertion import rewrite

    read: Any = getattr(rewrite, "_read_pyc", None)
    if read is None:
        return

    def read_sure(source: Any, pyc: Any, *arguments: Any) -> Any:
        return read(source, pyc, *arguments) if _is_sure(source, pyc) else None

    setattr(rewrite, "_read_pyc", read_sure)
    from pyautoload.importing import bytecode

    cached_code = bytecode.cached_code

    def sure_code(path: str, cached: str | None, *, surely_fresh: bool = False) -> Any:
        return cached_code(path, cached, surely_fresh=True)

    setattr(bytecode, "cached_code", sure_code)


def _is_sure(source: Any, cached: Any) -> bool:
    try:
        return os.stat(cached).st_mtime_ns >= os.stat(source).st_mtime_ns + _SURELY_LATER_NS
    except (OSError, ValueError):
        return True  # there is nothing to read, then


if __name__ == "__main__":
    main()
