"""Random trees with entries that nobody expects, and what every way into PyAutoload makes of them.

Each tree is made below a project directory, tried by processes of its own (forked, so that what one does to itself
stops no other), and compared with what stock Python can import of the same files.
"""

# ruff: noqa: BLE001, E501  (texts of modules on one line; whatever is raised is told)

from __future__ import annotations

import ctypes
import importlib
import json
import keyword
import os
import pkgutil
import random
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import pyautoload
from pyautoload import AutoLoader, EagerLoadError, ReloadError
from pyautoload.cli import command
from pyautoload.tree.managed_paths import MODULE_SUFFIXES

# What each process would import anew.
for _module in pkgutil.walk_packages(pyautoload.__path__, "pyautoload."):
    if re.match(r"pyautoload\.(cli|checking|stubs|bundles|reloading|importing|tree|sources)\b", _module.name):
        importlib.import_module(_module.name)

LIMIT = 100  # seconds that one process may take
STEMS = ["user", "order", "html_parser", "a1", "cart", "item", "zoo", "_private", "ärger", "x"]
MARK = "SECONDLINE"
ODD_NAMES = [
    f"new\n{MARK}.py", "esc\x1b[2J.py", "quote'.py", 'quote".py', "back\\slash.py", "tab\t.py", "ctrl\x07.py",
    "sur\udcffrogate.py", "sur\udcff", f"dir\n{MARK}", "esc\x1b]0;title\x07", "class.py", "1a.py", "a-b.py", "a b.py", ".py",
    "a.b.py", "ﬁle.py", "e\u0301tat.py", "n" * 250 + ".py", "%s.py", "{0}.py", "[x].py", "*.py", "~.py", "-rf.py", "None.py",
    "rtl\u202egnp.py", "\u2028line.py", "__pycache__.py", "x.pyc", "y.so", "z.cpython-312-x86_64-linux-gnu.so", "nul.py",
]  # fmt: skip
# What stands in a file, and whether stock Python imports it.
GOOD = [
    "class {name}: pass\n",
    "X = 1\n",
    "import sys\nclass {name}: pass\nsys.modules[__name__].extra = 2\n",
    "import warnings\nclass {name}: pass\n",
    "",
    "# -*- coding: latin-1 -*-\nclass {name}: pass\nS = 'äöü'\n",
]
BAD = [
    "raise RuntimeError('broken')\n",
    "raise SystemExit(0)\n",
    "import sys\nsys.exit('bye')\n",
    "def f(): return f()\nf()\n",
    "raise MemoryError\n",
    "class E(Exception):\n    def __str__(self): raise ValueError('no text')\nraise E\n",
    "class E(Exception):\n    def __str__(self): raise SystemExit(3)\n    __repr__ = __str__\nraise E\n",
    "class E(Exception):\n    def __str__(self): return 5\nraise E\n",
    "class E(BaseException): pass\nraise E('base')\n",
    "raise GeneratorExit\n",
    "import asyncio\nraise asyncio.CancelledError\n",
    "raise RuntimeError('esc \\x1b[2J and \\ud800 and \\x07')\n",
    "this is not a Python\n",
    "x = (\n",
    "x = '\\0'\0\n",
    "import sys\ndel sys.modules[__name__]\nraise ImportError('gone')\n",
    "import nowhere_to_be_found\n",
    "from . import not_there\n",
    "x = " + "+".join(["1"] * 20000) + "\n",
    "x = " + "-" * 50000 + "1\n",
    "x = " + "(" * 300 + ")" * 300 + "\n",
]
ODD = [
    "import sys\ndel sys.modules[__name__]\n",
    "import sys\nsys.modules[__name__] = 5\n",
    "import os\nos.remove(__file__)\n",
    "import os\nos.mkdir('made_by_module'); os.chdir('made_by_module'); os.rmdir(os.getcwd())\n",
    "def __getattr__(name): raise RuntimeError(name)\n",
    "__name__ = 'other'\n",
    "__path__ = None\n",
    "__spec__ = None\n__file__ = 5\n",
    "import sys\nclass M(type(sys)):\n    def __getattribute__(self, name): raise RuntimeError('no ' + name)\nsys.modules[__name__].__class__ = M\n",
]


class Tree:
    """One random tree, below ``project/app``.

    Args:
        seed: what it is made from.
        project: an empty directory.
    """

    def __init__(self, seed: int, project: Path) -> None:
        self.random = random.Random(seed)
        self.project = project
        self.root = project / "app"
        self.root.mkdir()
        self.bad_modules = self.random.random() < 0.5
        self.write(self.root / "first.py", "class First: pass\n")
        self.fill(self.root, 0)
        if self.random.random() < 0.05:
            self.deep(self.root)

    def fill(self, directory: Path, level: int) -> None:
        pick = self.random
        if pick.random() < 0.3 and level:
            self.init(directory)
        for _ in range(pick.randint(1, 5)):
            self.module(directory)
        for _ in range(pick.choice([0, 1, 1, 2, 3])):
            pick.choice(HOSTILE)(self, directory)
        for _ in range(pick.choice([0, 1, 2]) if level < 3 else 0):
            below = directory / pick.choice(
                ["models", "admin", "lib", "a", "b", "data-files", ".hidden", "__pycache__"]
            )
            if not os.path.lexists(below) and not os.path.lexists(f"{below}.py"):
                below.mkdir()
                self.fill(below, level + 1)

    def init(self, directory: Path) -> None:
        self.write(
            directory / "__init__.py", self.random.choice(["", "X = 1\n", "", BAD[0] if self.bad_modules else ""])
        )

    def module(self, directory: Path) -> None:
        stem = self.random.choice(STEMS)
        if os.path.lexists(directory / stem):
            return
        name = "".join(part.capitalize() for part in stem.split("_"))
        kinds = [GOOD, GOOD, GOOD, BAD, ODD] if self.bad_modules else [GOOD]
        text = self.random.choice(self.random.choice(kinds))
        self.write(directory / f"{stem}.py", text.replace("{name}", name))

    def write(self, path: Path, text: str) -> None:
        if not os.path.lexists(path):
            path.write_bytes(text.encode("utf-8", "surrogatepass"))

    def deep(self, directory: Path) -> None:
        depth = self.random.choice([100, 400, 990])
        here = os.getcwd()
        os.chdir(directory)
        try:
            for _ in range(depth):
                os.mkdir("d")
                os.chdir("d")
            with open("bottom.py", "w") as opened:
                opened.write("class Bottom: pass\n")
        finally:
            os.chdir(here)

    # Hostile entries

    def _free(self, directory: Path, *suffixes: str) -> Path | None:
        stem = self.random.choice([*STEMS, "__init__", "__main__", "data", "hostile"])
        path = directory / (stem + self.random.choice(suffixes or (".py", "")))
        taken = any(os.path.lexists(other) for other in (path, directory / stem, directory / f"{stem}.py"))
        return None if taken else path

    def link(self, directory: Path) -> None:
        path = self._free(directory)
        targets = [
            "nowhere", "first.py/x", "user.py/x/y", path.name if path else "x", ".", "..", "../..", "t" * 300, "a/" * 500,
            str(self.root), str(self.root / "first.py"), "first.py", "/proc/self/fd/99", "/dev/null", "/dev/zero", "models", "admin",
        ]  # fmt: skip
        if path is not None:
            path.symlink_to(self.random.choice(targets))

    def mutual(self, directory: Path) -> None:
        if not os.path.lexists(directory / "ping") and not os.path.lexists(directory / "pong"):
            (directory / "ping").symlink_to("pong")
            (directory / "pong").symlink_to("ping")

    def crossed(self, directory: Path) -> None:
        if not os.path.lexists(directory / "left") and not os.path.lexists(directory / "right"):
            for name, other in (("left", "right"), ("right", "left")):
                (directory / name).mkdir()
                (directory / name / "other").symlink_to(f"../{other}")
                self.write(directory / name / "item.py", "class Item: pass\n")

    def fifo(self, directory: Path) -> None:
        path = self._free(directory)
        if path is not None:
            os.mkfifo(path)

    def socket(self, directory: Path) -> None:
        path, here = self._free(directory), os.getcwd()
        if path is None:
            return
        os.chdir(directory)
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(path.name)
        except OSError:
            pass
        finally:
            os.chdir(here)

    def unreadable(self, directory: Path) -> None:
        path = self._free(directory)
        if path is None:
            return
        if path.suffix:
            self.write(path, GOOD[1])
            path.chmod(0)
        else:
            path.mkdir()
            self.write(path / "inside.py", GOOD[1])
            path.chmod(self.random.choice([0, 0o111, 0o444, 0o333]))

    def odd_name(self, directory: Path) -> None:
        path = directory / self.random.choice(ODD_NAMES)
        if os.path.lexists(path):
            return
        try:
            if self.random.random() < 0.3:
                path.mkdir()
                self.write(path / "inside.py", GOOD[1])
            else:
                self.write(path, self.random.choice(GOOD))
        except OSError:
            pass

    def directory_for_file(self, directory: Path) -> None:
        path = self._free(directory, ".py")
        if path is not None:
            path.mkdir()
            self.write(path / "inside.py", GOOD[1])

    def file_for_directory(self, directory: Path) -> None:
        self.write(directory / "__pycache__", "no directory\n")

    def binary(self, directory: Path) -> None:
        path = self._free(directory, ".pyc", ".so")
        if path is not None:
            path.write_bytes(self.random.randbytes(50))


HOSTILE: list[Callable[[Tree, Path], None]] = [
    Tree.link, Tree.link, Tree.link, Tree.mutual, Tree.crossed, Tree.fifo, Tree.socket, Tree.unreadable, Tree.unreadable,
    Tree.odd_name, Tree.odd_name, Tree.directory_for_file, Tree.file_for_directory, Tree.binary,
]  # fmt: skip


def let_permissions_bind() -> None:
    """Let file modes hold for this process and its children also where it is root: give up what overrides them."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    for index in (0, 1, 2):
        data[index] &= ~0b110
    libc.capset(header, data)


def apart(function: Callable[[], Any]) -> Any:
    """What ``function`` gives in a forked process; a ``str`` that says what went wrong with it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            os.setsid()
            let_permissions_bind()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            try:
                answer = json.dumps(function())
            except BaseException:
                answer = json.dumps("failed: " + traceback.format_exc())
            _write_all(write, answer.encode())
        finally:
            os._exit(0)
    os.close(write)
    data, end = b"", time.monotonic() + LIMIT
    while (left := end - time.monotonic()) > 0 and select.select([read], [], [], left)[0]:
        part = os.read(read, 1 << 16)
        if not part:
            break
        data += part
    os.close(read)
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    os.waitpid(child, 0)
    if left <= 0:
        return f"failed: did not end within {LIMIT} s"
    return json.loads(data) if data else "failed: the process ended without an answer"


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


# What stock Python makes of a tree


def candidates(root: Path) -> Iterator[str]:
    """Every name that may be importable: of files and directories, by a walk that follows links but no loops."""
    pending = [(str(root), "app", frozenset([_identity(root)]))]
    while pending:
        directory, name, above = pending.pop()
        yield name
        try:
            entries = sorted(os.listdir(directory))
        except OSError:
            continue
        for entry in entries:
            path = os.path.join(directory, entry)
            stem = _stem(entry)
            if entry.startswith(".") or entry == "__pycache__":
                continue
            if name.count(".d") > 12:
                continue  # for stock Python a namespace package takes twice as long as the one above it
            if stem is not None and stem != "__init__" and _is_name(stem) and os.path.isfile(path):
                yield f"{name}.{unicodedata.normalize('NFKC', stem)}"
            elif _is_name(entry) and os.path.isdir(path) and _identity(path) not in above:
                pending.append((path, f"{name}.{unicodedata.normalize('NFKC', entry)}", above | {_identity(path)}))


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _stem(name: str) -> str | None:
    return next((name[: -len(end)] for end in MODULE_SUFFIXES if name.endswith(end) and len(name) > len(end)), None)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def importable(project: Path, names: list[str]) -> list[str]:
    """Those of ``names`` that this process can import, in sorted order."""
    os.chdir(project)
    sys.path.insert(0, str(project))
    found = []
    for name in sorted(names):
        try:
            module = importlib.import_module(name)
        except BaseException:
            continue
        finally:
            os.chdir(project)
        # A directory without any Python file is no namespace: the rules say so.
        try:
            is_file = isinstance(module, int) or module.__file__ is not None
        except BaseException:
            is_file = True
        if is_file:
            found.append(name)
    return found


def importable_by_ours(project: Path, names: list[str], bundle: str | None = None) -> list[str]:
    """The same with a loader that is set up; without what makes ``import`` work the ordinary way beside it."""
    os.chdir(project)
    AutoLoader(project / "app", bundle=bundle).setup()
    found = []
    for name in sorted(names):
        try:
            importlib.import_module(name)
        except BaseException:
            continue
        finally:
            os.chdir(project)
        found.append(name)
    return found


# The ways in


def eager(project: Path) -> dict[str, Any]:
    """What ``eager_load(strict=True)`` loads and reports, and whether each report can be shown."""
    os.chdir(project)
    loader = AutoLoader(project / "app").setup()
    failures: dict[str, str] = {}
    text = ""
    try:
        loader.eager_load(strict=True)
    except EagerLoadError as error:
        failures = {name: type(failure).__name__ for name, failure in error.failures.items()}
        text = str(error)
    return {"loaded": loader.loaded(), "failures": failures, "text": text}


def cli(project: Path, *arguments: str) -> dict[str, Any]:
    """A command: its exit code, what it printed, and an exception that it let through."""
    os.chdir(project)
    result = CliRunner().invoke(command, list(arguments), prog_name="pyautoload")
    problem = ""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        problem = "".join(traceback.format_exception(*result.exc_info)) if result.exc_info else repr(result.exception)
    return {"code": result.exit_code, "output": result.output, "problem": problem}


def reloading(project: Path) -> list[str]:
    """Load, change files and entries, reload by hand and by the watcher; the values that are then live."""
    os.chdir(project)
    answers = []
    loader = AutoLoader(project / "app").enable_reloading(watch=False).setup()
    try:
        loader.eager_load()
    except EagerLoadError:
        pass
    try:
        first = importlib.import_module("app.first")
    except PermissionError:
        return ["1", "2", "3"]  # the root's own `__init__.py` cannot be read
    target = project / "app" / "first.py"
    for number in (1, 2):
        target.write_text(f"class First: pass\nVALUE = {number}\n" + "#" * number)
        try:
            reasons = loader.reload().restart_required.values()
        except ReloadError:
            reasons = ()
        if any("it has put something else into its own place" in reason for reason in reasons):
            return ["1", "2", "3"]  # a module that used this one would have to run again, and it asks for a restart
        answers.append(str(getattr(first, "VALUE", None)))
    loader.enable_reloading(watch=True)
    target.write_text("class First: pass\nVALUE = 3\n###")
    end = time.monotonic() + 10
    while getattr(first, "VALUE", None) != 3 and time.monotonic() < end:
        time.sleep(0.02)
    answers.append(str(getattr(first, "VALUE", None)))
    loader.disable_reloading()
    return answers


def vanishing(project: Path, function: Callable[[], Any]) -> Any:
    """``function()`` while entries come and go beside what is looked at."""
    stopping = threading.Event()

    def disturb() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            link, file, below = (project / "app" / f"{kind}{number % 3}" for kind in ("vlink", "vfile", "vdir"))
            try:
                os.symlink("first.py", f"{link}.py")
                os.symlink("..", link)
                Path(f"{file}.py").write_text("X = 1\n")
                os.mkdir(below)
                (below / "v.py").write_text("X = 1\n")
                shutil.rmtree(below)
                for path in (f"{link}.py", link, f"{file}.py"):
                    os.unlink(path)
            except OSError:
                time.sleep(0.001)

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    try:
        return function()
    finally:
        stopping.set()
        thread.join()


_COMMANDS: list[tuple[str, ...]] = [
    ("tree",), ("tree", "--json"), ("check", "--static"), ("check", "--static", "--json"), ("graph",), ("graph", "--json"),
    ("build", "-o", "out.bundle"), ("stubs", "--check"), ("stubs",), ("explain", "app.first.First"), ("explain", "app.nope"),
]  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202e]")


def complaints(seed: int, project: Path, *, dynamic: bool = True) -> list[str]:
    """Everything that is wrong with how PyAutoload bears the tree of ``seed``."""
    tree = Tree(seed, project)
    found: list[str] = []

    def tried(what: str, function: Callable[[], Any]) -> Any:
        wrapped = function if tree.random.random() > 0.1 else lambda: vanishing(project, function)
        answer = apart(wrapped)
        if isinstance(answer, str) and answer.startswith("failed: ") and "ConflictError" not in answer:
            found.append(f"{what}: {answer}")
            return None
        return answer

    names = list(candidates(project / "app"))
    _restored(project)
    stock = apart(lambda: importable(project, names))
    _restored(project)
    ours = tried("setup and import", lambda: importable_by_ours(project, names))
    if isinstance(stock, list) and isinstance(ours, list):
        missing = sorted(set(stock) - set(ours))
        found += [f"stock Python imports {name}, PyAutoload does not" for name in missing]
    _restored(project)
    told = tried("eager_load", lambda: eager(project))
    if isinstance(told, dict) and isinstance(stock, list):
        lost = [name for name in stock if name not in told["loaded"] and name not in told["failures"]]
        found += [
            f"eager_load(strict=True) neither loaded nor reported {name}" for name in lost if "__main__" not in name
        ]
        found += _spoiled("eager_load", told["text"])
    _restored(project)
    commands = list(_COMMANDS)
    odd = [os.path.join(d, n) for d, ds, ns in os.walk(project / "app") for n in (*ds, *ns) if d.count("/d/") < 3]
    commands += [("explain", path) for path in tree.random.sample(odd, min(3, len(odd)))]
    if dynamic:
        commands += [("check",)]
    for arguments in commands:
        answer = tried(" ".join(arguments), lambda arguments=arguments: cli(project, *arguments, "--root", "app"))
        if not isinstance(answer, dict):
            continue
        if answer["problem"] and "ConflictError" not in answer["problem"]:
            found.append(f"{' '.join(arguments)}: {answer['problem']}")
        if "Traceback (most recent call last)" in answer["output"] and arguments[0] != "check":
            found.append(f"{' '.join(arguments)}: {answer['output']}")
        if "--json" not in arguments:
            found += _spoiled(" ".join(arguments), answer["output"])
    if os.path.exists(project / "out.bundle"):
        _restored(project)
        bundled = tried("setup from a bundle", lambda: importable_by_ours(project, names, str(project / "out.bundle")))
        if isinstance(stock, list) and isinstance(bundled, list):
            found += [f"from a bundle {name} is missing" for name in sorted(set(stock) - set(bundled))]
    _restored(project)
    files = [os.path.join(directory, name) for directory, _dirs, names in os.walk(project / "app") for name in names]
    hides_itself = any("__getattribute__" in _text(path) for path in files if path.endswith(".py"))
    values = tried("reloading", lambda: reloading(project)) if not hides_itself else None
    if isinstance(values, list) and values != ["1", "2", "3"]:
        found.append(f"reloading: {values}")
    answer = tried("init", lambda: cli(project, "init", "--yes"))
    if isinstance(answer, dict):
        if answer["problem"]:
            found.append(f"init: {answer['problem']}")
        found += _spoiled("init", answer["output"])
    return found


def _spoiled(what: str, text: str) -> list[str]:
    found = [
        f"{what}: prints {match[0]!r} in {text[max(0, match.start() - 60) : match.end() + 30]!r}"
        for match in _CONTROL.finditer(text)
    ]
    found += [f"{what}: a name begins a line: {line!r}" for line in text.splitlines() if line.startswith(MARK)]
    return found[:1]


def _text(path: str) -> str:
    return Path(path).read_text("latin-1") if os.path.isfile(path) and not os.path.islink(path) else ""


def _restored(project: Path) -> None:
    """Files that modules of the tree remove themselves are made again: each way in begins with the same tree."""
    backup = project.parent / "backup"
    if not backup.exists():
        backup.mkdir()
    for directory, _dirs, files in os.walk(project / "app"):
        if directory.count("/d/") > 3:
            continue
        for name in files:
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and name.endswith(".py"):
                kept = backup / str(abs(hash(path)))
                if not kept.exists():
                    try:
                        shutil.copy(path, kept)
                        (backup / f"{kept.name}.path").write_bytes(os.fsencode(path))
                    except OSError:
                        pass
    for note in backup.glob("*.path"):
        path = os.fsdecode(note.read_bytes())
        if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
            shutil.copy(note.with_suffix(""), path)


def removed(directory: Path) -> None:
    """Remove a tree with everything in it, whatever its modes and however deep."""
    subprocess.run(["rm", "-rf", str(directory)], check=False)  # `shutil` recurses, and a tree may be deep
    for _ in range(3):
        if not directory.exists():
            return
        for current, dirs, _files in os.walk(directory):
            for name in dirs:
                path = os.path.join(current, name)
                if not os.path.islink(path):
                    try:
                        os.chmod(path, 0o700)
                    except OSError:
                        pass
        subprocess.run(["rm", "-rf", str(directory)], check=False)
    raise AssertionError(f"{directory} cannot be removed")


def main() -> None:
    """``python tests/hostile_trees.py FIRST COUNT``: try trees and print what is wrong."""
    import tempfile

    first, count = int(sys.argv[1]), int(sys.argv[2])
    spoiled = 0
    for seed in range(first, first + count):
        base = Path(tempfile.mkdtemp(prefix="hostile-"))
        project = base / "project"
        project.mkdir()
        try:
            found = complaints(seed, project, dynamic=seed % 5 == 0)
        except Exception:
            found = ["harness: " + traceback.format_exc()]
        removed(base)
        spoiled += bool(found)
        for line in found:
            print(f"== {seed}: {line}", flush=True)
        if (seed + 1 - first) % 50 == 0:
            print(f"-- {seed + 1 - first} tried, {spoiled} with complaints", flush=True)
    print(f"{count} tried, {count - spoiled} survived")


if __name__ == "__main__":
    main()
