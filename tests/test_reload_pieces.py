"""Statements taken from a code object: those that a parser finds, each runs alone, and doubt is left to the parser."""

from __future__ import annotations

import pytest

from pyautoload.reloading.pieces import affected_pieces, pieces_of

PLAIN = '''"""Doc."""
import functools
from os.path import join as joined, sep

LIMIT = len(sep) + 1
NAMES = (LIMIT, "a", LIMIT * 2)
OTHER = dict(a=[1, 2])


def function(value, size=LIMIT, *, other=None):
    return value + size


@functools.lru_cache(maxsize=None)
def cached():
    return LIMIT


class Base:
    """Of Base."""

    x = 1

    def method(self):
        return [self for _ in range(3)]


class Derived(Base):
    limit = LIMIT
    both = joined("a", "b")


DOUBLE = LIMIT * 2
'''


def pieces(text):
    return pieces_of(compile(text, "file.py", "exec", dont_inherit=True))


def affected(text, *names):
    found = pieces(text)
    chosen = affected_pieces(found, set(names)) if found is not None else None
    return None if chosen is None else {name for index in chosen for name in found.statements[index].binds}


def test_each_statement_is_found_with_what_it_binds():
    found = pieces(PLAIN)
    binds = [sorted(item.binds) for item in found.statements if "__doc__" not in item.binds]
    assert binds == [
        ["functools"],
        ["joined", "sep"],
        ["LIMIT"],
        ["NAMES"],
        ["OTHER"],
        ["function"],
        ["cached"],
        ["Base"],
        ["Derived"],
        ["DOUBLE"],
    ]


def test_statements_run_one_by_one_do_what_the_module_does():
    whole, single = {"__name__": "m"}, {"__name__": "m"}
    exec(compile(PLAIN, "file.py", "exec", dont_inherit=True), whole)
    found = pieces(PLAIN)
    for item in found.statements:
        exec(found.compiled(item), single)
    assert single.keys() == whole.keys()
    assert (single["NAMES"], single["DOUBLE"], single["OTHER"]) == (whole["NAMES"], whole["DOUBLE"], whole["OTHER"])
    assert single["function"](1) == whole["function"](1)
    assert single["Derived"].__mro__[1] is single["Base"]
    assert single["Derived"].both == whole["Derived"].both


def test_one_statement_alone_binds_nothing_else_and_says_its_line():
    found = pieces("import os\nX = 1\n\n\nY = MISSING\nZ = 3\n")
    names = {}
    with pytest.raises(NameError) as caught:
        exec(found.compiled(found.statements[2]), names)
    assert caught.value.__traceback__.tb_next.tb_lineno == 5
    assert names.keys() <= {"__builtins__"}


def test_what_uses_a_name_directly_or_through_others_is_affected():
    assert affected("from a import X\nY = X + 1\nZ = Y\nW = 1\nclass C:\n    z = Z\n", "X") == {"Y", "Z", "C"}
    assert affected("import a\nY = a.b.X\nW = a.c\n", "X") == {"Y"}
    assert affected(PLAIN, "joined") == {"Derived"}


@pytest.mark.parametrize(
    "text",
    [
        "from a import X\nif X:\n    Y = X\n",
        "from a import X\ntry:\n    Y = X\nexcept ValueError:\n    Y = 1\n",
        "from a import X\nfor Y in X:\n    pass\n",
        "from a import X\nY = X or 1\n",
        "from a import X\nwith X:\n    Y = 1\n",
        "from a import X\nregister(X)\n",
        "from a import X\nY = []\nY += X\n",
        "from a import X\nY = {}\nY[1] = X\n",
        "from a import X\nY, Z = X\n",
        "from a import X\nY = X\ndel Y\n",
        "from a import X\nY = 1\nY = X\n",
        "from a import X\nY = X\nfrom b import *\n",
        "from a import X\ndef f(y=X):\n    pass\n",
        "from a import X\n@X\ndef f():\n    pass\n",
        "from a import X\n@X\nclass C:\n    pass\n",
        "from a import X\nf = lambda y=X: y\n",
        "from __future__ import annotations\nfrom a import X\nclass C:\n    y: X\n",
        "from __future__ import annotations\nfrom a import X\ndef f(y: list[X]) -> None:\n    pass\n",
        "from a import X\ndef f(y: X) -> None:\n    pass\n",
        "from a import X\nclass C:\n    def f(self, y: X) -> None:\n        pass\n",
    ],
)
def test_whatever_is_not_plain_is_left_to_the_parser(text):
    found = affected(text, "X")
    # Where Python evaluates an annotation at once, it is one more use of the name.
    assert found is None or ("y: X" in text and found == {"C"})


def test_names_in_texts_that_are_no_annotations_only_cost_time():
    assert affected("from a import X\n'''X.'''\nY = X\nZ = 'XX'\n", "X") in ({"Y"}, None)
    assert affected("from a import X\nY = X\nZ = 'AXE'\n", "X") == {"Y"}
