"""Random edits: whatever is done to a tree, what is loaded ends as a fresh import of the final tree would leave it.

``PYAUTOLOAD_RANDOM_EXAMPLES=1000`` asks for more examples than the short run does.
"""

# ruff: noqa: BLE001

from __future__ import annotations

import importlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import random_trees
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pyautoload import AutoLoader, ReloadError

pytestmark = pytest.mark.usefixtures("small_heap")

EXAMPLES = int(os.environ.get("PYAUTOLOAD_RANDOM_EXAMPLES", "60"))
STEMS = ["a", "b", "c", "d", "e"]


def snapshot(value: Any, depth: int = 0) -> Any:
    """A value in terms that can be compared between two processes."""
    if isinstance(value, type):
        members = {k: snapshot(v, depth + 1) for k, v in sorted(vars(value).items()) if not k.startswith("__")}
        return (
            "class",
            [base.__name__ for base in value.__mro__],
            members,
            sorted(map(str, value.__abstractmethods__)) if "__abstractmethods__" in vars(value) else [],
        )
    if callable(value) and not isinstance(value, staticmethod):
        try:
            return ("function", snapshot(value(), depth + 1) if depth < 4 else "...")
        except TypeError:
            return ("function", "with arguments")
        except Exception as error:
            return ("function", type(error).__name__)
    if isinstance(value, property):
        return ("property", snapshot(lambda: value.fget(None), depth + 1))
    if isinstance(value, staticmethod):
        return ("static", snapshot(value.__func__, depth + 1))
    if isinstance(value, (list, tuple)):
        return [snapshot(item, depth + 1) for item in value]
    if hasattr(value, "__dict__"):
        return ("instance", type(value).__name__, snapshot(dict(vars(value)), depth + 1), method_values(value))
    if isinstance(value, dict):
        return {str(key): snapshot(item, depth + 1) for key, item in value.items()}
    return value


def method_values(value: Any) -> Any:
    return [value.m()] if hasattr(value, "m") else []


def module_snapshot(module: Any) -> dict[str, Any]:
    return {
        name: snapshot(value)
        for name, value in sorted(vars(module).items())
        if not name.startswith("__") and type(value).__name__ != "module"
    }


PROBE = """
import importlib, json, sys
sys.path[:0] = [{source!r}, {tests!r}]
from test_reload_random import module_snapshot
from pyautoload import AutoLoader
AutoLoader({root!r}, top_level={top!r}).setup()
found = {{}}
for name in {names!r}:
    try:
        found[name] = module_snapshot(importlib.import_module({top!r} + "." + name))
    except Exception as error:
        found[name] = type(error).__name__
print(json.dumps(found, default=repr))
"""


class Source:
    """The text of a module, made of parts that use what other modules define."""

    # How many ways of importing are used: the fifth is a star import.
    styles = 4

    def __init__(self, rnd: random.Random, stem: str, others: list[str], top: str) -> None:
        self.lines: list[str] = []
        self.rnd, self.stem, self.top = rnd, stem, top
        for other in others:
            style = rnd.randrange(self.styles)
            if style == 0:
                self.lines.append(f"from {top}.{other} import X as X_{other}, f as f_{other}, K as K_{other}")
            elif style == 1:
                self.lines.append(f"from . import {other}")
                self.lines += [f"{n}_{other} = {other}.{n}" for n in ("X", "f", "K")]
            elif style == 2:
                self.lines.append(f"import {top}.{other} as _{other}")
                self.lines += [
                    f"X_{other} = _{other}.X",
                    f"f_{other} = lambda: _{other}.f()",
                    f"K_{other} = _{other}.K",
                ]
            elif style == 4:
                self.lines.append(f"from .{other} import *")
                self.lines += [f"{n}_{other} = {n}" for n in ("X", "f", "K")]
            else:
                self.lines.append(
                    f"from .{other} import f as f_{other}, X as X_{other}\nfrom .{other} import K as K_{other}"
                )
        pick = (lambda: rnd.choice(others)) if others else (lambda: None)
        n = rnd.randrange(4)
        other = pick()
        self.lines.append(f"X = {n}" if other is None or rnd.random() < 0.5 else f"X = X_{other} + {n}")
        body = rnd.choice([f"return {n}", f"return X + {n}", f"return f_{other}() + {n}" if other else "return -X"])
        decorated = rnd.random() < 0.3
        if decorated:
            self.lines.append(f"def deco(fn):\n    def wrapper():\n        return fn() + {n}\n    return wrapper")
        self.lines.append(("@deco\n" if decorated else "") + f"def f():\n    {body}")
        base = f"K_{pick()}" if others and rnd.random() < 0.6 else ""
        members = rnd.sample(
            [
                f"V = {n}",
                f"def m(self):\n        return {n}",
                f"@property\n    def p(self):\n        return X + {n}",
                f"@staticmethod\n    def s():\n        return f() + {n}",
                "def __init__(self):\n        self.v = X",
                f"W = [X, {n}]",
                "def q(self):\n        return type(self).__name__",
            ],
            rnd.randrange(1, 5),
        )
        self.lines.append(
            f"class K({base}):\n    " + "\n    ".join(members) if base else "class K:\n    " + "\n    ".join(members)
        )
        extras = [
            "Y = f()",
            "OBJ = K()",
            "ITEMS = []\nITEMS.append(X)\nfor i in range(X % 3):\n    ITEMS.append(i)",
            "if X % 2:\n    ODD = X\nelse:\n    EVEN = X",
            f"def g{n}():\n    return X",
            "Z = [X, f(), K.__name__]",
            "try:\n    T = 10 // X\nexcept ZeroDivisionError:\n    T = None",
            "L = lambda: X * 2",
            "COUNT = 0\nCOUNT += X",
        ]
        self.lines += rnd.sample(extras, rnd.randrange(0, 4))

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


class Edits(RuleBasedStateMachine):
    """Create, edit, delete, rename, break and fix files, several at once; reload; compare now and then."""

    count = 0

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        Edits.count += 1
        self.top = f"rnd{os.getpid()}_{Edits.count}"
        self.base = Path(tempfile.mkdtemp())
        self.root = self.base / self.top
        self.root.mkdir()
        rnd = random.Random(seed)
        # Stem → text that is on disk and known to be good.
        self.files: dict[str, str] = {}
        self.broken: set[str] = set()
        for stem in STEMS[:4]:
            self._write(stem, Source(rnd, stem, self._lower(rnd, stem), self.top).text())
        self.loader = AutoLoader(self.root, top_level=self.top).setup().enable_reloading(watch=False)
        self._load()

    def _lower(self, rnd: random.Random, stem: str) -> list[str]:
        below = [other for other in STEMS[: STEMS.index(stem)] if other in self.files]
        return rnd.sample(below, rnd.randrange(0, min(3, len(below)) + 1)) if below else []

    def _write(self, stem: str, text: str) -> None:
        self.files[stem] = text
        (self.root / f"{stem}.py").write_text(text)

    def _load(self) -> None:
        for stem in self.files:
            try:
                importlib.import_module(f"{self.top}.{stem}")
            except Exception:
                pass  # it is broken just now; what counts is the state at the end

    def _reload(self) -> None:
        try:
            self.loader.reload()
        except ReloadError:
            return
        self._load()

    @rule(seed=st.integers(0, 2**32), number=st.integers(1, 3))
    def edit(self, seed: int, number: int) -> None:
        rnd = random.Random(seed)
        for stem in rnd.sample(sorted(self.files), min(number, len(self.files))):
            self._write(stem, Source(rnd, stem, self._lower(rnd, stem), self.top).text())
            self.broken.discard(stem)
        self._reload()

    @rule(seed=st.integers(0, 2**32))
    def change_a_number(self, seed: int) -> None:
        rnd = random.Random(seed)
        if not self.files:
            return
        stem = rnd.choice(sorted(self.files))
        digits = [index for index, char in enumerate(self.files[stem]) if char.isdigit()]
        digits = [i for i in digits if not self.files[stem][i - 1].isalnum() and self.files[stem][i - 1] != "_"]
        if digits and stem not in self.broken:
            index = rnd.choice(digits)
            self._write(stem, self.files[stem][:index] + str(rnd.randrange(5)) + self.files[stem][index + 1 :])
        self._reload()

    @rule(seed=st.integers(0, 2**32))
    def drop_a_line(self, seed: int) -> None:
        rnd = random.Random(seed)
        if not self.files:
            return
        stem = rnd.choice(sorted(self.files))
        source = Source(rnd, stem, self._lower(rnd, stem), self.top)
        source.lines.pop(rnd.randrange(len(source.lines)))
        self._write(stem, source.text())
        self._reload()

    @rule(stem=st.sampled_from(STEMS), kind=st.sampled_from(["syntax", "raise", "import"]))
    def break_it(self, stem: str, kind: str) -> None:
        if stem in self.files:
            ending = {"syntax": "def (:\n", "raise": "1 / 0\n", "import": f"import {self.top}.nowhere\n"}[kind]
            (self.root / f"{stem}.py").write_text(self.files[stem] + ending)
            self.broken.add(stem)
            self._reload()

    @rule()
    def fix(self) -> None:
        for stem in self.broken:
            (self.root / f"{stem}.py").write_text(self.files[stem])
        self.broken.clear()
        self._reload()

    @rule(stem=st.sampled_from(STEMS), seed=st.integers(0, 2**32))
    def delete_or_create(self, stem: str, seed: int) -> None:
        if stem in self.files:
            (self.root / f"{stem}.py").unlink()
            del self.files[stem]
            self.broken.discard(stem)
        else:
            self._write(stem, Source(random.Random(seed), stem, [], self.top).text())
        if self.files:
            self._reload()

    @invariant()
    def old_code_serves(self) -> None:
        """What was broken on the way never stops the old code: every loaded module can still be looked at."""
        for stem in STEMS:
            module = sys.modules.get(f"{getattr(self, 'top', '')}.{stem}")
            if module is not None:
                module_snapshot(module)

    def teardown(self) -> None:
        if not hasattr(self, "top"):
            return
        try:
            self.fix()
            self._check()
        finally:
            self.loader.unregister()
            for name in [name for name in sys.modules if name.partition(".")[0] == self.top]:
                del sys.modules[name]
            shutil.rmtree(self.base)

    def _check(self) -> None:
        """Compare with a tree of the same files that is imported afresh under another name."""
        good = sorted(self.files)
        fresh = self._fresh(good)
        if any(isinstance(value, str) for value in fresh.values()):
            return  # the final tree itself cannot be imported: there is nothing to compare with
        self.loader.reload()
        for stem in good:
            module = importlib.import_module(f"{self.top}.{stem}")
            assert module_snapshot(module) == fresh[stem], f"{stem} differs:\n{self.files[stem]}"

    def _fresh(self, stems: list[str]) -> dict[str, Any]:
        top = f"{self.top}_fresh"
        root = self.base / top
        root.mkdir()
        for stem in stems:
            (root / f"{stem}.py").write_text(self.files[stem].replace(self.top, top))
        loader = AutoLoader(root, top_level=top).setup()
        found: dict[str, Any] = {}
        try:
            for stem in stems:
                try:
                    found[stem] = module_snapshot(importlib.import_module(f"{top}.{stem}"))
                except Exception as error:
                    found[stem] = type(error).__name__
        finally:
            loader.unregister()
            for name in [name for name in sys.modules if name.partition(".")[0] == top]:
                del sys.modules[name]
        return found


@pytest.mark.timeout(max(120, EXAMPLES))
@pytest.mark.parametrize("styles", [4, 5], ids=["plain", "star"])
def test_random_edits_end_as_a_fresh_import_of_the_final_tree(styles, monkeypatch):
    monkeypatch.setattr(Source, "styles", styles)
    run_state_machine_as_test(
        Edits,
        settings=settings(
            max_examples=EXAMPLES if styles == 4 else EXAMPLES // 2,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            # The same sequences each time, unless somebody goes looking for new ones.
            derandomize="PYAUTOLOAD_RANDOM_EXAMPLES" not in os.environ,
            database=None,
        ),
    )


def test_a_sequence_of_edits_that_left_a_stale_value():
    machine = Edits()
    machine.start(seed=0)
    for number, seed in [(1, 0), (1, 0), (1, 0), (3, 0), (1, 0), (3, 214795), (1, 0), (1, 40334463)]:
        machine.edit(number=number, seed=seed)
    machine.teardown()


# Trees that once ended otherwise than a fresh import, by their seeds, and some that never did.
TREES = [2, 3, 5, 11, 12, 15, 16, 21, 22, 23, 42, 44, 139, 156, 50072]


@pytest.mark.parametrize("seed", TREES)
def test_a_tree_whose_parts_use_each_other_in_every_way(seed):
    assert random_trees.failure_of(seed) is None


# The same with star imports, of which nearly every name is overridden.
STAR_TREES = [1, 3, 6, 11, 14, 2000, 2021, 2034, 2056, 2060, 2069, 2080, 2081, 2083, 2088, 2092, 2096, 50038, 129391]


@pytest.mark.parametrize("seed", STAR_TREES)
def test_a_tree_with_star_imports(seed, monkeypatch):
    monkeypatch.setattr(random_trees, "STYLES", 5)
    assert random_trees.failure_of(seed) is None


@pytest.mark.skipif(EXAMPLES < 100, reason="PYAUTOLOAD_RANDOM_EXAMPLES says how many")
@pytest.mark.timeout(EXAMPLES * 20)
@pytest.mark.parametrize("styles", [4, 5], ids=["plain", "star"])
def test_more_such_trees(styles, monkeypatch):
    monkeypatch.setattr(random_trees, "STYLES", styles)
    first = random.SystemRandom().randrange(10**6)
    failures = {seed: random_trees.failure_of(seed) for seed in range(first, first + EXAMPLES)}
    assert not {seed: failure for seed, failure in failures.items() if failure is not None}


@pytest.mark.timeout(900)
def test_a_soak_of_500_edits_ends_as_a_fresh_process_sees_the_tree(tmp_path):
    import json

    machine = Edits()
    machine.start(seed=7)
    rnd = random.Random(11)
    try:
        for _ in range(500):
            action = rnd.choice([machine.edit, machine.change_a_number, machine.change_a_number, machine.drop_a_line])
            if action == machine.edit:
                machine.edit(seed=rnd.getrandbits(32), number=rnd.randrange(1, 4))
            elif rnd.random() < 0.1:
                machine.break_it(rnd.choice(STEMS), rnd.choice(["syntax", "raise", "import"]))
            elif rnd.random() < 0.05:
                machine.delete_or_create(rnd.choice(STEMS), rnd.getrandbits(32))
            else:
                action(seed=rnd.getrandbits(32))
            if not machine.files:
                machine.delete_or_create("a", 1)
        for stem in sorted(machine.files):
            machine._write(stem, Source(rnd, stem, machine._lower(rnd, stem), machine.top).text())
        machine.broken.clear()
        machine._reload()
        code = PROBE.format(
            source=str(Path(__file__).parent.parent),
            tests=str(Path(__file__).parent),
            root=str(machine.root),
            top=machine.top,
            names=sorted(machine.files),
        )
        output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        # A file that was broken, or made anew, need not be loaded at the end: it is when somebody asks for it.
        here = {stem: module_snapshot(importlib.import_module(f"{machine.top}.{stem}")) for stem in machine.files}
        assert json.loads(json.dumps(here, default=repr)) == json.loads(output)
    finally:
        machine.teardown()
