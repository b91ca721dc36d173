"""Stale reports: what a reload has missed, written down so that it can be seen again somewhere else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pyautoload import log
from pyautoload.tree.managed_paths import Config
from pyautoload.warm.comparison import Difference

__all__ = ["StaleReport"]

_REPLAY = '''"""Shows again what a reload missed: python replay.py [PROJECT], by default where it was found."""

import importlib
import json
import os
import pathlib
import shutil
import sys
import tempfile

from pyautoload import AutoLoader
from pyautoload.warm.fingerprint import Fingerprint

HERE = pathlib.Path(__file__).resolve().parent
report = json.loads((HERE / "report.json").read_text())
project = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else report["project"])
left_out = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__", ".*_cache")


def put(state):
    """Write the files of one state."""
    for name in report["files"]:
        source, target = HERE / state / name, copy / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif target.exists():
            target.unlink()


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
    copy = pathlib.Path(directory, "project").resolve()
    shutil.copytree(project, copy, ignore=left_out, symlinks=True)
    put("before")
    os.chdir(copy)
    sys.path[:0] = [str(copy)]
    loader = AutoLoader()
    loader.ignore(*report["ignore"]).collapse(*report["collapse"]).do_not_reload(*report["do_not_reload"])
    loader.inflect(report["inflections"])
    for root, namespace, conventions in report["roots"]:
        loader.push_dir(str(copy / root), namespace if conventions else None, conventions=conventions)
    loader.enable_reloading(watch=False).setup()
    for name in report["modules"]:
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name} cannot be imported: {error!r}")
    loader.reload()
    put("after")
    print(loader.reload())
    fingerprint = Fingerprint(report["modules"])
    for name in {each["module"] for each in report["differences"]}:
        fingerprint.module(name)
    wrong = 0
    for each in report["differences"]:
        living = fingerprint.found.get(f"{each['module']}.{each['name']}")
        wrong += living != each["fresh"]
        print("right" if living == each["fresh"] else "STALE", each["module"], each["name"], living, each["fresh"])
sys.exit(1 if wrong else 0)
'''


class StaleReport:
    """Writes reports.

    Args:
        directory: gets a directory for each.
        config: roots and patterns.
        inflections: stem → name.
    """

    def __init__(self, directory: str, config: Config, inflections: Mapping[str, str]) -> None:
        self._directory = os.path.abspath(directory)
        self._project = os.getcwd()
        self._config = config
        self._inflections = inflections

    def write(
        self,
        found: Sequence[Difference],
        before: Mapping[str, bytes],
        after: Mapping[str, bytes],
        modules: Iterable[str],
    ) -> None:
        """Write one.

        Args:
            found: what was not as in a fresh process.
            before: file → its text before the reload.
            after: file → its text after it.
            modules: those that were loaded, in order.
        """
        changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
        files = {path: self._relative(path) for path in changed}
        try:
            place = self._make(found[0].module)
            for path, name in files.items():
                for state, texts in (("before", before), ("after", after)):
                    if path in texts:
                        _write(os.path.join(place, state, name), texts[path])
            report: dict[str, Any] = {
                "project": self._project,
                **self._loader(),
                "modules": list(modules),
                "files": list(files.values()),
                "differences": [asdict(difference) for difference in found],
            }
            _write(os.path.join(place, "report.json"), json.dumps(report, indent=2).encode())
            _write(os.path.join(place, "replay.py"), _REPLAY.encode())
        except OSError as error:
            log.warning("reload", "a stale value could not be written down in %s: %s", self._directory, error)

    def _loader(self) -> dict[str, Any]:
        """How the loader is made in a copy of the project."""
        config, own = self._config, self._project.rstrip(os.sep) + os.sep
        globs = {"ignore": config.ignored, "collapse": config.collapsed, "do_not_reload": config.not_reloaded}
        patterns = {key: [each.removeprefix(own) for each in found.patterns] for key, found in globs.items()}
        roots = [(self._relative(root.path), root.namespace, root.conventions) for root in config.roots.values()]
        return {"roots": roots, **patterns, "inflections": dict(self._inflections)}

    def _relative(self, path: str) -> str:
        """A path as it is in a copy of the project; what lies outside of it keeps its place."""
        relative = os.path.relpath(path, self._project)
        return relative if not relative.startswith(os.pardir) else path

    def _make(self, module: str) -> str:
        """A directory that nobody has written to."""
        os.makedirs(self._directory, exist_ok=True)
        number = 1
        while True:
            place = os.path.join(self._directory, f"{number:03}-{re.sub(r'[^a-zA-Z0-9_.]', '_', module)}")
            try:
                os.mkdir(place)
            except FileExistsError:
                number += 1
            else:
                return place


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as output:
        output.write(data)
