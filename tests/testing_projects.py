"""Small projects with tests, random edits of them, and what a cold run of pytest says of each version."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

COLD = """
import json, sys, pytest
found = {}
class Plugin:
    def pytest_collectreport(self, report):
        if report.failed:
            found[report.nodeid] = "error"
    def pytest_runtest_logreport(self, report):
        if report.failed:
            found[report.nodeid] = "failed" if report.when == "call" or found.get(report.nodeid) == "failed" else "error"
        elif report.skipped:
            found.setdefault(report.nodeid, "skipped")
        elif report.when == "call":
            found.setdefault(report.nodeid, "passed")
with open(sys.argv[1], "w") as out:
    code = pytest.main(["--continue-on-collection-errors", "-p", "no:cacheprovider", *sys.argv[2:]], plugins=[Plugin()])
    json.dump([int(code), found], out)
"""

PLAIN = {
    "app/__init__.py": "",
    "app/config.py": "LIMIT = 3\nRATES = {'a': 1, 'b': 2}\nNAMES = ['x', 'y']\n",
    "app/base.py": "class Base:\n    factor = 2\n    def size(self):\n        return self.factor * self.one()\n"
    "    def one(self):\n        return 1\n",
    "app/calc.py": "from app import config\nfrom app.base import Base\n\ndef total(x):\n    return x + config.LIMIT\n\n"
    "def rate(name):\n    return config.RATES[name]\n\nclass Box(Base):\n    factor = 4\n    def one(self):\n        return 5\n\n"
    "def late():\n    from app import tables\n    return tables.FIRST\n",
    "app/tables.py": "from app.calc import total\nFIRST = total(1)\nSQUARES = [n * n for n in range(3)]\n",
    "app/registry.py": "FOUND = {}\n\ndef register(function):\n    FOUND[function.__name__] = function(2)\n"
    "    return function\n",
    "app/plugins.py": "from app.registry import register\n\n@register\ndef double(n):\n    return n * 2\n\n@register\n"
    "def triple(n):\n    return n * 3\n",
    "app/optional.py": "try:\n    from app.extra import VALUE\nexcept ImportError:\n    VALUE = 7\n",
    "app/dynamic.py": "import importlib\n\ndef load(name):\n    return importlib.import_module('app.' + name).FIRST\n",
    "app/reading.py": "import pathlib\nHERE = pathlib.Path(__file__).parent\n\ndef words():\n"
    "    return (HERE / 'words.txt').read_text().split()\n\ndef parts():\n"
    "    return sorted(path.name for path in HERE.glob('part*.txt'))\n",
    "app/words.txt": "one two 3\n",
    "app/part1.txt": "1\n",
    "tests/test_calc.py": "import pytest\nfrom app.calc import Box, late, rate, total\nfrom app import calc\n\n"
    "def test_total():\n    assert total(1) == 4\n\n@pytest.mark.parametrize('name, value', [('a', 1), ('b', 2)])\n"
    "def test_rate(name, value):\n    assert rate(name) == value\n\nclass TestBox:\n    def test_size(self):\n"
    "        assert Box().size() == 20\n    def test_one(self):\n        assert Box().one() == 5\n\n"
    "def test_late():\n    assert late() == 4\n\ndef test_module():\n    assert calc.total(0) == 3\n",
    "tests/test_tables.py": "import pytest\nfrom app.tables import FIRST, SQUARES\n\ndef test_first():\n"
    "    assert FIRST == 4\n\n@pytest.mark.parametrize('n', SQUARES)\ndef test_square(n):\n    assert n in (0, 1, 4)\n",
    "tests/test_plugins.py": "from app import plugins, registry\n\ndef test_double():\n"
    "    assert registry.FOUND['double'] == 4\n\ndef test_triple():\n    assert registry.FOUND['triple'] == 6\n\n"
    "def test_call():\n    assert plugins.double(1) == 2\n",
    "tests/test_optional.py": "from app.optional import VALUE\n\ndef test_value():\n    assert VALUE == 7\n",
    "tests/test_dynamic.py": "from app.dynamic import load\n\ndef test_load():\n    assert load('tables') == 4\n",
    "tests/test_dynamic_too.py": "from app.dynamic import load\n\ndef test_load_too():\n    assert load('tables') == 4\n",
    "tests/test_reading.py": "from app.reading import parts, words\n\ndef test_words():\n"
    "    assert words() == ['one', 'two', '3']\n\ndef test_parts():\n    assert parts() == ['part1.txt']\n",
    "tests/test_alone.py": "def test_alone():\n    assert 1 == 1\n",
}

FIXTURES = {
    "lib/__init__.py": "from lib.core import make\n",
    "lib/core.py": "from lib import values\n\ndef make(n):\n    return [helper(i) for i in range(n)]\n\ndef helper(i):\n"
    "    return i + values.START\n\ndef close(thing):\n    thing.clear()\n",
    "lib/values.py": "START = 1\nEND = 9\n",
    "lib/cases.json": "[1, 2]\n",
    "tests/conftest.py": "import json, pathlib\nimport pytest\nfrom lib import core\n\n@pytest.fixture(scope='session')\n"
    "def shared():\n    thing = core.make(3)\n    yield thing\n    core.close(thing)\n\n@pytest.fixture(scope='module')\n"
    "def derived(shared):\n    return sum(shared)\n\n@pytest.fixture\ndef small():\n    return 2\n\n"
    "@pytest.fixture(autouse=True)\ndef always():\n    limit = 5\n    yield limit\n\n"
    "def pytest_generate_tests(metafunc):\n    if 'case' in metafunc.fixturenames:\n"
    "        path = pathlib.Path(core.__file__).with_name('cases.json')\n"
    "        metafunc.parametrize('case', json.loads(path.read_text()))\n",
    "tests/test_shared.py": "def test_shared(shared):\n    assert shared == [1, 2, 3]\n\ndef test_len(shared):\n"
    "    assert len(shared) == 3\n\ndef test_free():\n    assert 2 == 2\n",
    "tests/test_derived.py": "import pytest\n\ndef test_derived(derived):\n    assert derived == 6\n\n"
    "def test_dynamic(request):\n    assert request.getfixturevalue('derived') == 6\n\ndef test_small(small):\n"
    "    assert small == 2\n",
    "tests/test_cases.py": "def test_case(case):\n    assert case < 3\n\ndef test_auto(always):\n    assert always == 5\n",
    "tests/deep/__init__.py": "",
    "tests/deep/conftest.py": "import pytest\nfrom lib.values import END\n\n@pytest.fixture\ndef small():\n    return END\n",
    "tests/deep/test_deep.py": "from lib import values\n\ndef test_small(small):\n    assert small == 9\n\n"
    "def test_shared(shared):\n    assert shared[0] == 1\n\ndef test_end(monkeypatch):\n"
    "    monkeypatch.setattr('lib.values.START', 4)\n    from lib.core import helper\n    assert helper(1) == 5\n",
    "tests/test_unit.py": "import unittest\nfrom lib import make\n\nclass Test(unittest.TestCase):\n    @classmethod\n"
    "    def setUpClass(cls):\n        cls.made = make(2)\n    def setUp(self):\n        self.n = 2\n    def test_made(self):\n"
    "        self.assertEqual(self.made, [1, 2])\n    def test_n(self):\n        self.assertEqual(self.n, 2)\n",
}

MANAGED = {
    "pyproject.toml": "[tool.pyautoload]\nroots = ['shop']\n",
    "shop/models/order.py": "from shop.models.item import Item\n\nclass Order:\n    tax = 2\n    def total(self):\n"
    "        return Item().price() + self.tax\n",
    "shop/models/item.py": "PRICE = 10\n\nclass Item:\n    def price(self):\n        return PRICE\n",
    "shop/html_parser.py": "class HTMLParser:\n    depth = 3\n    def parse(self):\n        return 6\n",
    "shop/services.py": "import shop\n\ndef order_total():\n    return shop.models.Order().total()\n\n"
    "def by_name(name):\n    return getattr(shop.models, name)\n",
    "tests/test_order.py": "import shop\nfrom shop.models import Order\n\ndef test_total():\n"
    "    assert Order().total() == 12\n\ndef test_attribute():\n    assert shop.models.item.PRICE == 10\n",
    "tests/test_item.py": "from shop.models import Item\n\ndef test_price():\n    assert Item().price() == 10\n",
    "tests/test_parser.py": "import shop\n\ndef test_depth():\n    assert shop.HTMLParser.depth == 3\n\ndef test_parse():\n"
    "    assert shop.HTMLParser().parse() == 6\n",
    "tests/test_services.py": "from shop.services import by_name, order_total\n\ndef test_order_total():\n"
    "    assert order_total() == 12\n\ndef test_by_name():\n    assert by_name('Order').tax == 2\n",
    "tests/test_services_too.py": "from shop import services\n\ndef test_by_name():\n"
    "    assert services.by_name('item').PRICE == 10\n",
}

PROJECTS = {"plain": PLAIN, "fixtures": FIXTURES, "managed": MANAGED}

# What may come into being: path → content, where the project has the directory.
NEW = {
    "app/extra.py": "VALUE = 8\n",
    "app/part2.txt": "2\n",
    "app/conftest.py": "",
    "tests/test_new.py": "def test_new():\n    assert 1 == 1\n",
    "tests/deep/test_more.py": "def test_more(small):\n    assert small == 9\n",
    "tests/test_late.py": "def test_extra():\n    import app.optional\n    assert app.optional.VALUE == 8\n",
    "shop/models/parcel.py": "class Parcel:\n    weight = 4\n",
    "tests/test_parcel.py": "def test_parcel():\n    import shop\n    assert shop.models.Parcel.weight == 4\n",
    "tests/helpers.py": "START = 1\n",
    "tests/notes.md": "1\n",
    "lib/other.json": "[]\n",
}


class Project:
    """A project that changes at random.

    Args:
        directory: where it is made.
        files: its first version.
        seed: of what happens to it.
    """

    def __init__(self, directory: Path, files: dict[str, str], seed: int) -> None:
        self.directory = directory
        self.files = dict(files)
        self.first = dict(files)
        self.random = random.Random(seed)
        for name in files:
            self._write(name)

    def _write(self, name: str) -> None:
        path = self.directory / name
        if name not in self.files:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.files[name], encoding="utf-8")

    def edit(self) -> str:
        """One edit or a few at once; says what was done."""
        return "; ".join(self._edit() for _ in range(self.random.choice((1, 1, 1, 2, 3))))

    def _edit(self) -> str:
        kinds = [self._number] * 10 + [
            self._line,
            self._line,
            self._name,
            self._new,
            self._new,
            self._gone,
            self._revert,
        ]
        kinds += [self._broken, self._test]
        return self.random.choice(kinds)()

    def _pick(self, suffix: str = "") -> str:
        return self.random.choice(
            sorted(name for name in self.files if name.endswith(suffix) and name != "pyproject.toml")
        )

    def _number(self) -> str:
        name = self._pick()
        found = list(re.finditer(r"(?<![\w.])\d+", self.files[name]))
        if not found:
            return f"{name} has no number"
        match = self.random.choice(found)
        text = self.files[name]
        new = str(int(match[0]) + self.random.choice((1, -1, 2)))
        self.files[name] = text[: match.start()] + new + text[match.end() :]
        self._write(name)
        return f"{name}: {match[0]} at {match.start()} is {new}"

    def _line(self) -> str:
        name = self._pick(".py")
        lines = self.files[name].splitlines(keepends=True)
        lines.insert(self.random.randrange(len(lines) + 1) if self.random.random() < 0.2 else 0, "# nothing\n")
        self.files[name] = "".join(lines)
        self._write(name)
        return f"{name}: another comment"

    def _name(self) -> str:
        name = self._pick(".py")
        found = re.findall(r"(?:def |class |^)([A-Za-z_]\w{2,})(?=\(| = |:)", self.files[name], re.MULTILINE)
        if not found:
            return f"{name} has no name"
        old = self.random.choice(found)
        new = old[:-2] if old.endswith("_q") else f"{old}_q"
        self.files[name] = re.sub(rf"\b{old}\b", new, self.files[name])
        self._write(name)
        return f"{name}: {old} is {new}"

    def _new(self) -> str:
        places = {os.path.dirname(name) for name in self.first}
        found = [name for name in sorted(NEW) if os.path.dirname(name) in places and name not in self.files]
        if not found:
            return "nothing new"
        name = self.random.choice(found)
        self.files[name] = NEW[name]
        self._write(name)
        return f"{name} is new"

    def _gone(self) -> str:
        name = self._pick()
        del self.files[name]
        self._write(name)
        return f"{name} is gone"

    def _revert(self) -> str:
        changed = [name for name in sorted({*self.first, *self.files}) if self.first.get(name) != self.files.get(name)]
        for name in changed:
            if name in self.first:
                self.files[name] = self.first[name]
            else:
                del self.files[name]
            self._write(name)
        return "all as at first"

    def _broken(self) -> str:
        name = self._pick(".py")
        self.files[name] += "def (\n" if self.random.random() < 0.3 else "raised = 1 // 1\n"
        self._write(name)
        return f"{name}: another end"

    def _test(self) -> str:
        tests = [name for name in sorted(self.files) if os.path.basename(name).startswith("test_")]
        if not tests:
            return "no tests"
        name = self.random.choice(tests)
        number = self.random.randrange(100)
        self.files[name] += f"\ndef test_more_{number}():\n    assert {number} % 3\n"
        self._write(name)
        return f"{name}: another test"


def cold(directory: Path, place: Path) -> tuple[int, dict[str, str]]:
    """What a cold run of everything says: exit code, test → outcome."""
    out = place / "cold.json"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-c", COLD, str(out)], cwd=directory, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    code, found = json.loads(out.read_text())
    return code, found
