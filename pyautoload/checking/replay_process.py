"""A process of a replay: loads a project in one state of its files, reloads it in the next ones, and says what it has.

Started by ``replay_handle`` as ``python -m pyautoload.checking.replay_process``; it reads orders from its standard
input and answers on what was its standard output, a line of JSON each.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
from typing import Any

from pyautoload.autoloader import AutoLoader
from pyautoload.checking.loader_lookup import configured, named_loader
from pyautoload.checking.survey import Survey
from pyautoload.errors import ReloadError
from pyautoload.settings import Settings, load
from pyautoload.warm.fingerprint import Fingerprint

__all__ = ["main"]


class Replayed:
    """Obeys orders.

    Args:
        project: what makes the loader: ``roots``, ``namespaces``, ``config``, ``loader``.
        reloads: whether the process is to be reloaded.
    """

    def __init__(self, project: dict[str, Any], *, reloads: bool) -> None:
        self._loader = _loader(project)
        if reloads:
            self._loader.enable_reloading(watch=False)

    def load(self) -> dict[str, Any]:
        """Import everything that is managed; what fails is tried once more when the others are there."""
        files = Survey(self._loader.config, self._loader.inflector).files
        left = sorted(name for name in files if not name.endswith("__main__"))
        while True:
            failed: dict[str, str] = {}
            for name in left:
                try:
                    importlib.import_module(name)
                except BaseException as error:  # noqa: BLE001 - told: sys.exit() in a module is one, too
                    failed[name] = f"{type(error).__name__}: {error}"[:300]
            if len(failed) in (0, len(left)):
                return {"failed": failed}
            left = sorted(failed)

    def reload(self) -> dict[str, Any]:
        """Bring all up to date."""
        try:
            result = self._loader.reload()
        except ReloadError as error:
            return {"error": str(error), "module": error.module}
        return {"restart": result.restart_required, "duration": result.duration}

    def describe(self, file: str) -> dict[str, Any]:
        """Write to a file what the loaded modules hold."""
        managed = set(self._loader.loaded())
        names = [name for name in list(sys.modules) if name in managed]
        fingerprint = Fingerprint(names)
        for name in names:
            fingerprint.module(name)
        with open(file, "wb") as output:
            pickle.dump((fingerprint.found, names), output)
        return {}


def _loader(project: dict[str, Any]) -> AutoLoader:
    if project["loader"]:
        return named_loader(project["loader"])
    settings = Settings(directory=os.getcwd())
    if project["roots"]:
        settings.roots, settings.namespaces = project["roots"], project["namespaces"]
    else:
        settings = load(project["config"])
    # Named, so that a project that is installed, too, takes the place of that, as it does where it is developed.
    stems = {root: os.path.basename(os.path.abspath(root)) for root in settings.roots}
    settings.namespaces = {root: stem for root, stem in stems.items() if stem.isidentifier()} | settings.namespaces
    described = settings.apply(AutoLoader(tag=settings.tag))
    described.unregister()
    return configured(described.config, described.inflector, described.tag)


def main() -> None:
    """Obey until there is nobody any more, and end whatever threads the modules have started."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what modules print is not an answer
    task = json.loads(sys.stdin.readline())
    sys.path[:] = task["path"]
    try:
        replayed = Replayed(task["project"], reloads=task["reloads"])
    except Exception as error:  # noqa: BLE001 - told to who asked
        print(json.dumps({"setup": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        os._exit(1)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        answer = getattr(replayed, order.pop("do"))(**order)
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
