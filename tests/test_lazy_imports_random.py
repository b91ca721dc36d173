"""Random modules with random imports and uses: run eagerly, lazily, and with laziness written out by hand.

Written out, each use of a name does its import there and then. Loaded lazily, the plain text has to give the same
values and the same errors, and to run the same modules in the same order. Loaded eagerly, it gives the same values.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyautoload import AutoLoader

native = pytest.mark.skipif(sys.version_info >= (3, 15), reason="the interpreter has errors of its own")
COUNT = 5
_numbers = itertools.count()

# Kind of import → the statement, the name it binds, what uses it, and what uses it without the statement.
KINDS = {
    "value": ("from {app}.m{n} import V as x{n}", "x{n}", "x{n}", "lz('{app}.m{n}').V"),
    "renamed": ("import {app}.m{n} as y{n}", "y{n}", "y{n}.V", "lz('{app}.m{n}').V"),
    "submodule": ("from {app} import m{n} as z{n}", "z{n}", "z{n}.V", "lz('{app}.m{n}').V"),
    "relative": ("from .m{n} import f as g{n}", "g{n}", "g{n}()", "lz('{app}.m{n}').f()"),
    "class": ("from .m{n} import C as C{n}", "C{n}", "isinstance(C{n}(), C{n})", "bool(lz('{app}.m{n}').C)"),
    "dotted": ("import {app}.m{n}", "{app}", "{app}.m{n}.V", "lz('{app}.m{n}').V"),
}
WAYS = ("plain", "if", "try", "eager")


@dataclass
class Module:
    """One module: what it imports, how, and what it uses where."""

    number: int
    # kind, module, way
    imports: list[tuple[str, int, str]]
    # What uses the import of that number while the module is imported, in `f`, and in each of the other functions.
    at_once: list[int]
    in_f: list[int]
    in_functions: list[list[int]]
    # Bound to something else at the end, deleted at the end.
    rebound: list[int]
    deleted: list[int]
    raises: bool

    def text(self, app: str, *, by_hand: bool) -> str:
        lines = ["import builtins", f"builtins.runs.append('m{self.number}')", f"V = {self.number}", "class C: ..."]
        if by_hand:
            lines += ["from importlib import import_module as lz"]
        for kind, n, way in self.imports:
            statement = KINDS[kind][0].format(app=app, n=n)
            if way in ("try", "eager") or not by_hand:
                lines += _in_its_way(statement, way)
        final = self._final(app)
        lines += [f"def f(): return ({self._uses(self.in_f, app, by_hand, final)})"]
        for index, uses in enumerate(self.in_functions):
            lines += [f"def use{index}(): return ({self._uses(uses, app, by_hand, final)})"]
        lines += [f"W = ({self._uses(self.at_once, app, by_hand, {})})"]
        for name, what in final.items():
            is_bound = not by_hand or self._is_bound_by_hand(name, app)
            lines += [f"{name} = 'rebound'" if what == "rebound" else f"del {name}" if is_bound else "pass"]
        if self.raises:
            lines += ["raise ValueError(V)"]
        return "\n".join(lines) + "\n"

    def _name(self, index: int, app: str) -> str:
        kind, n, _ = self.imports[index]
        return KINDS[kind][1].format(app=app, n=n)

    def _final(self, app: str) -> dict[str, str]:
        """What becomes of names at the end of the module."""
        found = {}
        for index in self.rebound:
            found[self._name(index, app)] = "rebound"
        for index in self.deleted:
            found[self._name(index, app)] = "deleted"
        return found

    def _is_bound_by_hand(self, name: str, app: str) -> bool:
        return any(
            self._name(index, app) == name and way in ("try", "eager") for index, (_, _, way) in enumerate(self.imports)
        )

    def _uses(self, indices: list[int], app: str, by_hand: bool, final: dict[str, str]) -> str:
        uses = []
        for index in indices:
            kind, n, _ = self.imports[index]
            name = self._name(index, app)
            if name in final:
                uses.append(name if final[name] == "rebound" else f"bool({name})")
                continue
            uses.append(KINDS[kind][3 if by_hand else 2].format(app=app, n=n))
        return "".join(f"{use}, " for use in uses)


def _in_its_way(statement: str, way: str) -> list[str]:
    if way == "if":
        return ["if V is not None:", f"    {statement}"]
    if way == "try":
        return ["try:", f"    {statement}", "finally:", "    pass"]
    return [f"{statement}  # pyautoload: eager" if way == "eager" else statement]


@st.composite
def modules(draw, *, may_fail: bool):
    found = []
    for number in range(COUNT):
        later = list(range(number + 1, COUNT))
        count = draw(st.integers(0, 4)) if later else 0
        imports = [
            (draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from(later)), draw(st.sampled_from(WAYS)))
            for _ in range(count)
        ]
        some = st.lists(st.sampled_from(range(count)), max_size=3) if count else st.just([])
        # A name that several statements bind is what the last one gives: each of them only once.
        imports = list({(kind, n): (kind, n, way) for kind, n, way in imports}.values())
        most = len(imports)
        some = some.map(lambda picked, most=most: sorted({index for index in picked if index < most}))
        one = some.map(lambda picked: picked[:1])
        rebound, deleted = draw(one), draw(one) if may_fail else []
        keep_dotted = [index for index in (*rebound, *deleted) if imports[index][0] != "dotted"]
        found.append(
            Module(
                number,
                imports,
                draw(some),
                draw(some),
                [draw(some) for _ in range(2)],
                [index for index in rebound if index in keep_dotted],
                [index for index in deleted if index in keep_dotted and index not in rebound],
                may_fail and draw(st.integers(0, 5)) == 0,
            )
        )
    return found


ACTIONS = ["import", "f", "use0", "use1", "attribute", "from", "look", "copy", "star", "members"]
actions = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, COUNT - 1)), min_size=1, max_size=6)


def outcome(app: str, action: str, number: int) -> object:
    """What an action on a module gives: a value, or an error by its type and text."""
    try:
        module = importlib.import_module(f"{app}.m{number}")
        if action in ("f", "use0", "use1"):
            return getattr(module, action)()
        if action == "look":
            return module.V, len(dir(module)) > 0
        if action == "copy":
            return eval("V, W", dict(vars(module)))
        return module.W
    except Exception as error:  # noqa: BLE001
        return type(error).__name__, str(error).replace(app, "app")


def runs_of(modules, steps, *, by_hand, lazy, eager=False):
    app = f"lazyrandom{next(_numbers)}"
    builtins.runs = runs = []
    with tempfile.TemporaryDirectory() as base:
        root = Path(base, app)
        root.mkdir()
        for module in modules:
            (root / f"m{module.number}.py").write_text(module.text(app, by_hand=by_hand))
        loader = AutoLoader(root)
        if lazy:
            loader.lazy_imports()
        loader.setup()
        try:
            found = [(outcome(app, *step), list(runs)) for step in steps]
            if eager:
                loader.eager_load()
            return found
        finally:
            loader.unregister()
            del builtins.runs
            for name in [name for name in sys.modules if name.partition(".")[0] == app]:
                del sys.modules[name]


many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@native
@many
@given(modules(may_fail=True), actions)
def test_lazily_is_as_if_each_use_were_written_out(modules, steps):
    lazily = runs_of(modules, steps, by_hand=False, lazy=True)
    by_hand = runs_of(modules, steps, by_hand=True, lazy=False)
    assert lazily == by_hand


@many
@given(modules(may_fail=False), actions)
def test_lazily_gives_the_values_that_eagerly_gives(modules, steps):
    lazily = runs_of(modules, steps, by_hand=False, lazy=True, eager=True)
    eagerly = runs_of(modules, steps, by_hand=False, lazy=False)
    assert [value for value, _ in lazily] == [value for value, _ in eagerly]
    assert all(set(ran) <= set(would) for (_, ran), (_, would) in zip(lazily, eagerly, strict=True))
