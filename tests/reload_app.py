"""A small application on disk that is reloaded by the real watcher, for the tests of reloading."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pyautoload import AutoLoader
from pyautoload.reloading.result import ReloadResult

_names = itertools.count()


class App:
    """Files of one package, loaded, and reloaded when ``edit`` changes them.

    In the files ``APP`` stands for the package's name, which is another one in each test.
    """

    def __init__(self, base: Path, files: Mapping[str, str], **options: Any) -> None:
        self.name = f"app{next(_names)}"
        self.root = base / self.name
        self.root.mkdir()
        for name, text in files.items():
            self.write(name, text)
        self._arrived = threading.Condition()
        self.results: list[ReloadResult] = []
        self.loader = AutoLoader(self.root).setup()
        self.loader.enable_reloading(**{"on_reload": self._note, **options})

    def _note(self, result: ReloadResult) -> None:
        with self._arrived:
            self.results.append(result)
            self._arrived.notify_all()

    def write(self, name: str, text: str | None) -> Path:
        """Write a file, or delete it with ``None``."""
        path = self.root / name
        if text is None:
            path.unlink()
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).replace("APP", self.name), encoding="utf-8")
        return path

    def edit(self, name: str | None = None, text: str | None = None, **more: str | None) -> ReloadResult:
        """Change files (``edit("a.py", "...")`` or ``edit(a="...", b=None)``) and wait until that has been applied."""
        files = {f"{stem.replace('__', '/')}.py": content for stem, content in more.items()}
        if name is not None:
            files[name] = text
        result = self.after(lambda: self._write_at_once(files))
        if len(files) > 1:  # on a busy machine they may have come in two batches after all
            if not self.settled(lambda: self._is_taken(files)):
                self.loader.reload()  # seldom, on a busy machine, the watcher has not told of the second one
            assert self._is_taken(files), "not all files were taken"
            result = self.results[-1]
        return result

    def _write_at_once(self, files: Mapping[str, str | None]) -> None:
        """Write several files so that the watcher does not come in between."""
        reloader: Any = self.loader.reloader
        watcher = reloader._watcher
        with watcher._condition if watcher is not None else contextlib.nullcontext():
            for path, content in files.items():
                self.write(path, content)

    def _is_taken(self, files: Iterable[str]) -> bool:
        """Whether what is loaded of some files is what they hold, or a reload has failed."""
        if not self.results[-1].ok:
            return True
        reloader: Any = self.loader.reloader
        records = reloader.records
        for path in (self.root / name for name in files):
            record = records.get(records.by_path.get(str(path), ""))
            if record is not None and not (path.exists() and record.source == path.read_bytes()):
                return False
        return True

    def after(self, action: Callable[[], object]) -> ReloadResult:
        """Do something and wait for the reload that follows."""
        before = len(self.results)
        action()
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.results) > before, 20), "no reload followed"
            return self.results[-1]

    def settled(self, check: Callable[[], bool]) -> bool:
        """Wait until ``check()`` holds, which a reload may bring about."""
        deadline = time.monotonic() + 20
        with self._arrived:
            while not check():
                if time.monotonic() > deadline:
                    return False
                self._arrived.wait(0.05)  # what a reload brings about may come a little after its result
        return True

    def quiet(self, seconds: float = 0.15) -> bool:
        """Whether no reload comes for a while."""
        before = len(self.results)
        with self._arrived:
            return not self._arrived.wait_for(lambda: len(self.results) > before, seconds)

    def __call__(self, name: str) -> Any:
        """The module ``name`` of the package."""
        return importlib.import_module(f"{self.name}.{name}")

    def names(self, modules: list[str]) -> list[str]:
        """Module names without the package's name."""
        return [name.removeprefix(f"{self.name}.") for name in modules]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., App]]:
    """``app(a="X = 1", b="from APP.a import X")`` writes files and gives the ``App``."""
    made: list[App] = []

    def make(
        files: Mapping[str, str] | None = None, /, *, options: Mapping[str, Any] | None = None, **more: str
    ) -> App:
        named = {f"{stem.replace('__', '/')}.py": text for stem, text in more.items()}
        made.append(App(tmp_path, {**(files or {}), **named}, **(options or {})))
        return made[-1]

    monkeypatch.chdir(tmp_path)
    yield make
    for item in made:
        item.loader.disable_reloading()
        item.loader.unregister()


def fresh(app: App, name: str) -> dict[str, Any]:
    """What a module holds when its file is executed by itself: plain values only."""
    source = (app.root / f"{name}.py").read_text()
    names: dict[str, Any] = {"__name__": f"{app.name}.{name}", "__package__": app.name}
    exec(compile(source, name, "exec"), names)
    return {key: value for key, value in names.items() if not key.startswith("__")}


def replace_atomically(path: Path, text: str) -> None:
    """Save as many editors do: a new file beside the old one, moved over it."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    os.replace(temporary, path)


def shown(expression: str, sources: Mapping[str, str]) -> Any:
    """What a fresh process would show: the same sources under another name, executed in their order, ``user`` last."""
    package = ModuleType("fresh")
    package.__path__ = []
    names = {"fresh": package}
    try:
        for name in sources:
            names[f"fresh.{name}"] = ModuleType(f"fresh.{name}")
            setattr(package, name, names[f"fresh.{name}"])
        sys.modules.update(names)
        for name, text in sources.items():
            module = names[f"fresh.{name}"]
            exec(text.replace("APP", "fresh"), module.__dict__)
        return eval(expression, sys.modules["fresh.user"].__dict__)
    finally:
        for name in names:
            sys.modules.pop(name, None)
