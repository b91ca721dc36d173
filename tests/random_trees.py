"""Random edits of a tree of modules that use each other in every way that import-time code has.

A tree is made of parts (``X``, ``f``, ``K``, ...), each of which may use those of modules further down. After each
reload what is loaded is compared with a fresh import of the same files under another name.
"""

# ruff: noqa: BLE001, E501  (texts of parts on one line)

from __future__ import annotations

import enum
import functools
import importlib
import os
import random
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from pyautoload import AutoLoader, ReloadError

MODULES = ["m1", "m2", "pack", "pack.m3", "m4", "pack.m5", "m6"]
NAMES = ["X", "f", "K", "deco", "mk", "D", "E", "cached", "T"]
STYLES = 4
_trees = 0


def snapshot(value: Any, depth: int = 0) -> Any:
    """A value in terms that can be compared between two imports of the same text."""
    if depth > 7:
        return "..."
    if isinstance(value, enum.Enum):
        return ("member", value.name, snapshot(value.value, depth + 1))
    if isinstance(value, type):
        return _class(value, depth)
    if isinstance(value, (staticmethod, classmethod)):
        return (type(value).__name__, snapshot(value.__func__, depth + 1))
    if isinstance(value, functools.cached_property):
        return ("cached_property", snapshot(value.func, depth + 1))
    if isinstance(value, property):
        return ("property", snapshot(lambda: value.fget(None), depth + 1))
    if callable(value):
        return ("function", _outcome(value, depth))
    if isinstance(value, (list, tuple)):
        return [snapshot(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): snapshot(item, depth + 1) for key, item in value.items()}
    if hasattr(value, "__dict__"):
        methods = {name: _outcome(getattr(value, name), depth) for name in ("m", "q", "cm") if hasattr(value, name)}
        return ("instance", type(value).__name__, snapshot(dict(vars(value)), depth + 1), methods)
    return value


def _class(value: type, depth: int) -> Any:
    members = {
        name: snapshot(member, depth + 1)
        for name, member in sorted(vars(value).items())
        if not name.startswith(("__", "_abc")) and not (issubclass(value, enum.Enum) and name.startswith("_"))
    }
    if issubclass(value, enum.Enum):
        return ("enum", [snapshot(item, depth + 1) for item in value], members)
    fields = sorted(getattr(value, "__dataclass_fields__", ()))
    return ("class", [base.__name__ for base in value.__mro__], members, fields, value.__doc__)


def _outcome(function: Any, depth: int) -> Any:
    try:
        return snapshot(function(), depth + 1) if depth < 5 else "..."
    except TypeError:
        return "with arguments"
    except Exception as error:
        return type(error).__name__


def module_snapshot(module: Any) -> dict[str, Any]:
    """All names of a module but those of the import system."""
    return {
        name: snapshot(value)
        for name, value in sorted(vars(module).items())
        if not name.startswith("__") and type(value).__name__ not in ("module", "_Feature")
    }


class Text:
    """The parts of one module, in order.

    Args:
        rnd: source of chance.
        name: of the module, relative to the top.
        lower: modules that it uses.
    """

    def __init__(self, rnd: random.Random, name: str, lower: list[str]) -> None:
        self.name, self.lower = name, lower
        self.parts: dict[str, str] = {}
        for other in lower:
            self.parts[f"import {other}"] = _import(rnd, other)
        for part in ["top", *NAMES, "extra1", "extra2", "extra3"]:
            self.parts[part] = _PARTS.get(part, _extra)(rnd, lower)

    def renew(self, rnd: random.Random, part: str) -> None:
        """Write one part anew."""
        if part.startswith("import "):
            self.parts[part] = _import(rnd, part.removeprefix("import "))
        else:
            self.parts[part] = _PARTS.get(part, _extra)(rnd, self.lower)

    def __str__(self) -> str:
        return "\n".join(part for part in self.parts.values() if part) + "\n"


def _tag(other: str) -> str:
    return other.replace(".", "_")


def _import(rnd: random.Random, other: str) -> str:
    tag = _tag(other)
    binds = "\n".join(f"{name}_{tag} = {{}}{name}" for name in NAMES)
    style = rnd.randrange(STYLES)
    if style == 0:
        return f"from TOP.{other} import " + ", ".join(f"{name} as {name}_{tag}" for name in NAMES)
    if style == 1:
        return f"import TOP.{other} as mod_{tag}\n" + binds.replace("{}", f"mod_{tag}.")
    if style == 2:
        return f"import TOP.{other}\n" + binds.replace("{}", f"TOP.{other}.")
    if style == 3:
        package, _, stem = f"TOP.{other}".rpartition(".")
        return f"from {package} import {stem} as mod_{tag}\n" + binds.replace("{}", f"mod_{tag}.")
    return f"from TOP.{other} import *\n" + binds.replace("{}", "")


def _pick(rnd: random.Random, lower: list[str]) -> str | None:
    return rnd.choice(lower) if lower and rnd.random() < 0.7 else None


def _top(rnd: random.Random, lower: list[str]) -> str:
    lines = ["import abc, dataclasses, enum, functools", f"N = {rnd.randrange(3)}"]
    if rnd.random() < 0.2:
        lines.insert(0, f'"""Doc {rnd.randrange(3)}."""')
    if rnd.random() < 0.3:
        lines.append(f"__all__ = {rnd.sample([*NAMES, 'N'], len(NAMES) + 1)}".replace("'N', ", ""))
    return "\n".join(lines)


def _x(rnd: random.Random, lower: list[str]) -> str:
    n, other = rnd.randrange(4), _pick(rnd, lower)
    if other is None:
        return f"X = {n}"
    o = _tag(other)
    return "X = " + rnd.choice(
        [f"X_{o} + {n}", f"f_{o}() + {n}", f"K_{o}().m() + {n}", f"D_{o}().v + {n}", f"E_{o}.A.value + {n}",
         f"T_{o}['f']() + {n}", f"mk_{o}({n})()", f"cached_{o}() + {n}", f"getattr(K_{o}, 'V', {n})", f"K_{o}.V + {n}",
         f"sum(g() for g in T_{o}.values())", f"K_{o}().p + {n}"]
    )  # fmt: skip


def _body(rnd: random.Random, lower: list[str]) -> str:
    n, other = rnd.randrange(4), _pick(rnd, lower)
    if other is None:
        return rnd.choice([f"return {n}", f"return X + {n}", "return -X", f"return N + {n}"])
    o = _tag(other)
    return rnd.choice(
        [f"return f_{o}() + {n}", f"return X_{o} + {n}", f"from TOP.{other} import X as q\n    return q + {n}",
         f"import TOP.{other} as q\n    return q.f() + {n}", f"import TOP.{other}\n    return TOP.{other}.X + {n}",
         f"return cached_{o}() + {n}", f"return D_{o}({n}).v", f"return K_{o}().m()", f"return K_{o}.V + {n}",
         f"from TOP.{other} import K\n    return K().p", f"return E_{o}.A.value", f"return K_{o}.cm()",
         f"return sum(map(lambda g: g(), T_{o}.values()))"]
    )  # fmt: skip


def _f(rnd: random.Random, lower: list[str]) -> str:
    head = f"@deco_{_tag(rnd.choice(lower))}\n" if lower and rnd.random() < 0.3 else ""
    doc = f'"""About {rnd.randrange(2)}."""\n    ' if rnd.random() < 0.3 else ""
    default = f"a={rnd.choice(['1', 'X', 'N'])}" if rnd.random() < 0.3 else ""
    return f"{head}def f({default}):\n    {doc}{_body(rnd, lower)}"


def _deco(rnd: random.Random, lower: list[str]) -> str:
    n = rnd.randrange(3)
    return rnd.choice(
        [f"def deco(fn):\n    def wrapper(*a):\n        return fn(*a) + {n}\n    return wrapper",
         f"def deco(fn):\n    @functools.wraps(fn)\n    def wrapper(*a):\n        return fn(*a) + X + {n}\n    return wrapper",
         f"def deco(fn):\n    fn.mark = {n}\n    return fn",
         f"class deco:\n    def __init__(self, fn):\n        self.fn = fn\n    def __call__(self, *a):\n        return self.fn(*a) + {n}"]
    )  # fmt: skip


def _mk(rnd: random.Random, lower: list[str]) -> str:
    n = rnd.randrange(3)
    inner = rnd.choice(
        [f"return k + {n}", f"return k + X + {n}", "return k", f"nonlocal k\n        k = {n}\n        return k"]
    )
    return f"def mk(k):\n    def inner():\n        {inner}\n    return inner\nh = mk({rnd.randrange(3)})"


def _k(rnd: random.Random, lower: list[str]) -> str:
    n, other = rnd.randrange(4), _pick(rnd, lower)
    base = f"K_{_tag(other)}" if other and rnd.random() < 0.6 else rnd.choice(["", "", "abc.ABC"])
    members = [f"V = {rnd.choice([n, 'X', 'N'])}", f"def m(self):\n        return {rnd.choice([n, 'X', 'self.V', 'f()'])}",
               f"@property\n    def p(self):\n        return {rnd.choice(['X', 'self.V', '1'])} + {n}",
               f"@classmethod\n    def cm(cls):\n        return cls.V + {n}"]  # fmt: skip
    members += rnd.sample(
        [f"@staticmethod\n    def s():\n        return f() + {n}", "def __init__(self):\n        self.v = X",
         f"W = [X, {n}]", "def q(self):\n        return type(self).__name__", f"U = V + {n}", f"__z = {n}",
         "def z(self):\n        return self.__z", f"class In:\n        Q = {n}", f'"""Doc {n}."""',
         f"def __len__(self):\n        return {n + 1}", "r = functools.cached_property(lambda self: X)",
         f"@functools.lru_cache\n    def c(self):\n        return {n}"],
        rnd.randrange(0, 5),
    )  # fmt: skip
    if base.startswith("K_"):
        members[1] = rnd.choice([members[1], f"def m(self):\n        return super().m() + {n}"])
        members = [member for member in members if rnd.random() < 0.8 or member.startswith("V")]
    members.sort(key=lambda member: not member.startswith(("V", '"')))
    head = rnd.choice(["", "", "", "@functools.total_ordering\n"]) if any("__len__" in m for m in members) else ""
    if head:
        members.append("def __lt__(self, other):\n        return False")
    return f"{head}class K({base}):\n    " + "\n    ".join(members)


def _d(rnd: random.Random, lower: list[str]) -> str:
    n = rnd.randrange(3)
    fields = [f"v: int = {rnd.choice([n, 'X'])}", *rnd.sample([f"w: int = {n}", "u: object = None"], rnd.randrange(2))]
    if rnd.random() < 0.4:
        fields.append(f"def total(self):\n        return self.v + {n}")
    options = rnd.choice(["", "", "(order=True)", "(frozen=True)"])
    return f"@dataclasses.dataclass{options}\nclass D:\n    " + "\n    ".join(fields)


def _e(rnd: random.Random, lower: list[str]) -> str:
    members = [f"A = {rnd.choice([1, 2, 'X + 1'])}", *rnd.sample(["B = 10", "C = 11"], rnd.randrange(3))]
    if rnd.random() < 0.4:
        members.append(f"def label(self):\n        return self.name + '{rnd.randrange(3)}'")
    return f"class E(enum.{rnd.choice(['Enum', 'Enum', 'IntEnum'])}):\n    " + "\n    ".join(members)


def _cached(rnd: random.Random, lower: list[str]) -> str:
    decorator = rnd.choice(["functools.lru_cache", "functools.lru_cache(maxsize=3)", "functools.cache"])
    return f"@{decorator}\ndef cached():\n    {_body(rnd, lower)}"


def _t(rnd: random.Random, lower: list[str]) -> str:
    return rnd.choice(["T = {'f': f, 'h': h}", "T = {'f': f}\nT['c'] = cached", "T = dict(f=f, l=lambda: X)"])


def _extra(rnd: random.Random, lower: list[str]) -> str:
    n, other = rnd.randrange(4), _pick(rnd, lower)
    own = ["Y = f()", "OBJ = K()", "ITEMS = []\nITEMS.append(X)\nfor i in range(X % 3):\n    ITEMS.append(i)",
           "if X % 2:\n    ODD = X\nelse:\n    EVEN = X", f"def g{n}():\n    return X", "Z = [X, f(), K.__name__]",
           "try:\n    Q = 10 // X\nexcept ZeroDivisionError:\n    Q = None", "L = lambda: X * 2", "COUNT = 0\nCOUNT += X",
           "P = K().p", "M = [member.value for member in E]", "R = [g() for g in T.values()]", "del N\nN = 7",
           "S = D()\nS2 = dataclasses.replace(S)", "class J(K):\n    def m(self):\n        return super().m() + 1\nJO = J().m()",
           "REG = {}\ndef reg(fn):\n    REG[fn.__name__] = fn\n    return fn\n@reg\ndef r1():\n    return X\n@reg\ndef r2():\n    return f()",
           "def now(fn):\n    return fn()\n@now\ndef NOW():\n    return X + 1", "O = sorted([3, 1, 2], key=lambda i: -i * X)",
           "A, (B, *C) = X, (f(), 1, 2)", "while True:\n    W = X\n    break", "with open(__file__):\n    WITH = X", "G = [*map(mk, range(2))]\nG2 = [g() for g in G]", "@functools.singledispatch\ndef sd(v=None):\n    return X\n@sd.register\ndef _sd(v: int):\n    return 1",
           "assert X is not None", "F = f'{X}{f()}{K.__name__}'", "CC = (lambda v: v + X)(1)", ""]  # fmt: skip
    if other is not None:
        o = _tag(other)
        own += [f"FROM = getattr(K_{o}, 'V', None)", f"H_{o} = mk_{o}(X)", f"class J(K_{o}):\n    V = 9\nJV = J().m()",
                f"ALIAS = f_{o}\nAV = ALIAS()", f"BOUND = K_{o}().m\nBV = BOUND()", f"PART = functools.partial(f_{o})\nPV = PART()",
                f"def call(g):\n    return g()\nCALL = call(f_{o})", f"COPY = dict(T_{o})", f"from TOP.{other} import X as again",
                f"def late():\n    import TOP.{other} as z\n    return z.K().m()", f"LATE = [E_{o}.A, D_{o}().v]",
                f"TO = T_{o}.get('f')()"]  # fmt: skip
    return rnd.choice(own)


_PARTS = {
    "top": _top, "X": _x, "f": _f, "K": _k, "deco": _deco, "mk": _mk, "D": _d, "E": _e, "cached": _cached, "T": _t,
}  # fmt: skip


class Tree:
    """A tree on disk, loaded, and edited at random.

    Args:
        seed: decides everything.
        steps: how many edits.
        tell: called with what happens, to look at a failure.
    """

    def __init__(self, seed: int, steps: int = 8, tell: Any = lambda *what: None) -> None:
        global _trees
        _trees += 1
        self.rnd, self.steps, self.tell = random.Random(seed), steps, tell
        self.top = f"tree{os.getpid()}x{_trees}"
        self.base = Path(tempfile.mkdtemp())
        self.root = self.base / self.top
        self.root.mkdir()
        self.texts: dict[str, Text] = {}
        # Modules that are written as packages just now, and what was broken: module → how.
        self.packages = {"pack"}
        self.broken: dict[str, str] = {}
        # How often a restart was asked for.
        self.asked = 0
        self.loader = AutoLoader(self.root, top_level=self.top).setup().enable_reloading(watch=False)

    # The files

    def path(self, name: str) -> Path:
        place = self.root.joinpath(*name.split("."))
        return place / "__init__.py" if name in self.packages else place.with_suffix(".py")

    def write(self, name: str) -> None:
        text = str(self.texts[name]).replace("TOP", self.top) + self.broken.get(name, "")
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        self.tell("WRITE", name, text)
        path.write_text(text)

    def lower(self, name: str) -> list[str]:
        below = [other for other in MODULES[: MODULES.index(name)] if other in self.texts]
        return self.rnd.sample(below, min(len(below), self.rnd.randrange(0, 3)))

    def create(self, name: str) -> None:
        self.texts[name] = Text(self.rnd, name, self.lower(name))
        self.write(name)

    # Edits

    def edit(self) -> None:
        name = self.rnd.choice(sorted(self.texts))
        action = self.rnd.choices(
            [self.renew, self.number, self.rewrite, self.empty, self.swap, self.break_it, self.delete, self.convert,
             self.touch],
            [10, 6, 2, 3, 1, 2, 1, 1, 1],
        )[0]  # fmt: skip
        action(name)

    def renew(self, name: str) -> None:
        """One part of a module is written anew."""
        text = self.texts[name]
        text.renew(self.rnd, self.rnd.choice(list(text.parts)))
        self.write(name)

    def number(self, name: str) -> None:
        """Another number stands somewhere."""
        text = self.texts[name]
        part = self.rnd.choice([part for part in text.parts if not part.startswith("import")])
        found = list(re.finditer(r"(?<![\w.'])\d(?![\w.])", text.parts[part]))
        if found:
            at = self.rnd.choice(found).start()
            body = text.parts[part]
            text.parts[part] = body[:at] + str(self.rnd.randrange(5)) + body[at + 1 :]
        self.write(name)

    def rewrite(self, name: str) -> None:
        """All of a module is written anew."""
        self.create(name)

    def empty(self, name: str) -> None:
        """An extra goes, or a line of comment comes."""
        part = self.rnd.choice(["extra1", "extra2", "extra3"])
        self.texts[name].parts[part] = self.rnd.choice(["", "# nothing\n\n"])
        self.write(name)

    def swap(self, name: str) -> None:
        """Two extras change places."""
        parts = self.texts[name].parts
        parts["extra1"], parts["extra3"] = parts["extra3"], parts["extra1"]
        self.write(name)

    def break_it(self, name: str) -> None:
        self.broken[name] = self.rnd.choice(
            ["def (:\n", "1 / 0\n", "import TOP_nowhere.nothing\n", "from math import x\n"]
        )
        self.write(name)

    def delete(self, name: str) -> None:
        """A module goes; who uses it is written anew most times."""
        if name in self.packages or len(self.texts) < 3:
            return
        self.path(name).unlink()
        self.tell("DELETE", name)
        del self.texts[name]
        self.broken.pop(name, None)
        for other, text in list(self.texts.items()):
            if name in text.lower:
                self.create(other)

    def convert(self, name: str) -> None:
        """A module becomes a package, or the other way about."""
        if name == "pack" or "." in name:
            return
        self.path(name).unlink()
        if name in self.packages:
            shutil.rmtree(self.path(name).parent)
            self.packages.discard(name)
        else:
            self.packages.add(name)
        self.tell("CONVERT", name)
        self.write(name)

    def touch(self, name: str) -> None:
        """The same content, another time; or a module that was deleted comes again."""
        missing = [other for other in MODULES if other not in self.texts]
        if missing:
            self.create(self.rnd.choice(missing))
        else:
            os.utime(self.path(name), (self.rnd.randrange(10**9), self.rnd.randrange(10**9)))

    # The run

    def run(self) -> None:
        """Make the tree, edit it, and compare after each step.

        Raises:
            AssertionError: what is loaded differs from a fresh import.
        """
        try:
            for name in MODULES:
                self.create(name)
            self.load()
            for _ in range(self.steps):
                for _ in range(self.rnd.choice([1, 1, 1, 2, 3])):
                    self.edit()
                self.reload()
                if self.broken and self.rnd.random() < 0.5:
                    self.mend()
            self.mend()
        finally:
            self.close()

    def mend(self) -> None:
        for name in list(self.broken):
            del self.broken[name]
            if name in self.texts:
                self.write(name)
        self.reload()

    def load(self) -> None:
        for name in list(self.texts):
            try:
                importlib.import_module(f"{self.top}.{name}")
            except Exception as error:
                self.tell("LOAD", name, repr(error))

    def reload(self) -> None:
        failure = None
        before = self.state()
        try:
            result = self.loader.reload()
            self.tell("RELOAD", result)
        except ReloadError as error:
            failure = error
            self.tell("FAILED", error)
        if failure is not None:
            assert self.state() == before, "what was loaded is not as it was before the failure"
        elif result.restart_required:
            assert self.state() == before, "a restart was asked for, and something was done all the same"
            self.asked += 1
            self.restart()
        if self.broken:
            return
        fresh = self.fresh()
        wrong = {name: found for name, found in fresh.items() if isinstance(found, Exception)}
        if failure is not None:
            assert wrong, f"the tree can be imported, but the reload failed: {failure}"
            return
        loaded = [name for name in wrong if f"{self.top}.{name}" in sys.modules]
        if wrong:
            assert not loaded or result.still_failing, f"{loaded} should have failed: {wrong}"
            return
        self.load()
        for name, expected in fresh.items():
            self.compare(name, expected)

    def restart(self) -> None:
        """What was asked for, as far as one process can do it."""
        self.loader.reload(fresh=True)
        self.load()

    def compare(self, name: str, expected: dict[str, Any]) -> None:
        module = sys.modules.get(f"{self.top}.{name}")
        assert module is not None, f"{name} is not loaded"
        found = module_snapshot(module)
        if found != expected:
            keys = [key for key in {*found, *expected} if found.get(key, "<none>") != expected.get(key, "<none>")]
            lines = [f"{key}: {found.get(key, '<none>')}\n   not {expected.get(key, '<none>')}" for key in sorted(keys)]
            raise AssertionError(f"{name} differs:\n" + "\n".join(lines))

    def state(self) -> dict[str, Any]:
        """Everything that is loaded, by identity."""
        prefix = self.top + "."
        return {
            name: {key: id(value) for key, value in vars(module).items() if not key.startswith("__")}
            for name, module in list(sys.modules.items())
            if name.startswith(prefix)
        }

    def fresh(self) -> dict[str, Any]:
        """What a fresh import of the same files gives."""
        top = f"{self.top}fresh"
        shutil.copytree(self.root, self.base / top, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (self.base / top).rglob("*.py"):
            path.write_text(path.read_text().replace(self.top, top))
        loader = AutoLoader(self.base / top, top_level=top).setup()
        found: dict[str, Any] = {}
        try:
            for name in self.texts:
                try:
                    found[name] = module_snapshot(importlib.import_module(f"{top}.{name}"))
                except Exception as error:
                    found[name] = error
            return found
        finally:
            loader.unregister()
            for name in [name for name in sys.modules if name.partition(".")[0] == top]:
                del sys.modules[name]
            shutil.rmtree(self.base / top)

    def close(self) -> None:
        self.loader.disable_reloading()
        self.loader.unregister()
        for name in [name for name in sys.modules if name.partition(".")[0] == self.top]:
            del sys.modules[name]
        shutil.rmtree(self.base)


def failure_of(seed: int, steps: int = 8) -> str | None:
    """What goes wrong with a seed, if anything."""
    try:
        Tree(seed, steps).run()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
