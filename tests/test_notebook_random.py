"""Random notebooks over random edits: after the cells that are listed ran again, all is as in a fresh process."""

from __future__ import annotations

import json
import random
import re

import pytest

pytest.importorskip("ipykernel", reason="notebooks need ipykernel")
pytest.importorskip("nbclient", reason="the tests of notebooks need nbclient")

from notebook_cases import Kernel

pytestmark = pytest.mark.once

FILES = {
    "lab/__init__.py": "from .base import K0 as shown\n",
    "lab/base.py": """
        K0 = 1
        K1 = K0 + 2
        TABLE = {"a": 3}

        def f0(x):
            return x + 4

        def f1(x, y=K1):
            return f0(x) + y + 5
    """,
    "lab/middle.py": """
        from . import base
        from .base import K1, TABLE, f0

        M0 = K1 * 6

        def twice(function):
            def call(x):
                return function(x) + 7
            return call

        @twice
        def g0(x):
            return f0(x) - 8

        def g1(x):
            from .base import f1
            return f1(x) + base.K0 + TABLE["a"] + 9

        class Base:
            rate = 10

            def __init__(self, x):
                self.x = x + 11

            def get(self):
                return self.x + self.rate + self.more()

            def more(self):
                return 12
    """,
    "lab/top.py": """
        from .middle import *
        from .middle import Base, M0

        class Sub(Base):
            def more(self):
                return super().more() + 13

            @property
            def size(self):
                return self.x * 14

            def grow(self, by):
                self.x += by + 15

        def make(x):
            return Sub(x)

        T0 = make(1).get() + M0
    """,
}
IMPORTS = """
import lab
import lab.middle as middle
from functools import partial
from lab import base, shown
from lab.base import K0, K1, TABLE, f0, f1
from lab.middle import M0, g0
from lab.top import T0, Sub, make
"""
# Each is a cell; V is a variable that it makes, U and W are some that there are.
TEMPLATES = [
    "V = f0(U)",
    "V = f1(U) + W",
    "V = g0(U)",
    "V = middle.g1(U)",
    "V = base.K0 + lab.base.f0(U)",
    "V = K0 + K1 + U",
    "V = M0 - U",
    "V = T0 + shown",
    "V = TABLE['a'] + U",
    "V = Sub(U).get()",
    "o = make(U)\nV = o.size",
    "o = make(U)",
    "V = o.get() + W",
    "o.grow(U)",
    "V = [f0(n) for n in range(3)][-1]",
    "V = (lambda x: middle.g0(x))(U)",
    "V = partial(f1, U)(1)",
    "V = own(U)",
    "V += f0(1)",
    "V = V + K0",
    "items.append(f0(U))",
    "V = sum(items)",
    "box['a'] = g0(U)",
    "V = box['a'] + W",
    "for n in range(2):\n    V = f0(n) + W",
    "if f0(U) > 3:\n    V = 1\nelse:\n    V = 2",
    "def own(x):\n    return f0(x) + K0",
    "V = W",
]
FIRST = "a, b, c, d = 1, 2, 3, 4\nitems = []\nbox = {'a': 1}\nitems = items + [0]"
SHOWN = "print(repr([a, b, c, d, items, box, o.x]))"


def notebook(random_: random.Random) -> list[str]:
    """The cells of a notebook."""
    cells = [IMPORTS, FIRST, "def own(x):\n    return f0(x) * 2", "o = make(0)"]
    for _ in range(random_.randint(6, 14)):
        cell = random_.choice(TEMPLATES)
        names = {"V": random_.choice("abcd"), "U": random_.choice("abcd"), "W": random_.choice("abcd")}
        cells.append(re.sub(r"\b[VUW]\b", lambda match, names=names: names[match[0]], cell))
    return cells


@pytest.mark.parametrize("seed", [1, 3, 7, 10])
def test_the_cells_that_are_listed_are_enough(seed, tree, tmp_path, python):
    random_ = random.Random(seed)
    tree(FILES)
    cells = notebook(random_)
    with Kernel(tmp_path) as kernel:
        kernel.text("%load_ext pyautoload")
        for cell in cells:
            kernel.text(cell)
        for round_ in range(6):
            said = edit(tmp_path, random_)
            kernel.text("1")
            listing = kernel.text("%autoload stale")
            listed = [int(n) for n in re.findall(r"^  In \[(\d+)\]", listing, re.M)]
            counts = [cell.execution_count for cell in kernel.notebook.cells]
            for number in [counts.index(count) for count in listed]:
                kernel.text("", again=number)
            program = f"import json\nfor cell in json.loads({json.dumps(json.dumps(cells))}):\n    exec(cell)\n{SHOWN}"
            # Bytecode of a file that is saved twice in one second would be taken for that of the second version.
            wanted = python(program, PYTHONPYCACHEPREFIX=str(tmp_path / f"bytecode{round_}")).stdout.strip()
            assert kernel.text(SHOWN).strip() == wanted, "\n".join([said, listing, *cells])


def edit(base, random_: random.Random) -> str:
    """Change a number somewhere; says where."""
    path = base / random_.choice([name for name in FILES if "__init__" not in name])
    text = path.read_text(encoding="utf-8")
    places = list(re.finditer(r"(?<![\w.])\d+(?![\w.])", text))
    place = random_.choice(places)
    new = str(random_.randint(20, 99))
    path.write_text(text[: place.start()] + new + text[place.end() :], encoding="utf-8")
    line = text.count("\n", 0, place.start()) + 1
    return f"{path.name}:{line}: {place[0]} -> {new}"
