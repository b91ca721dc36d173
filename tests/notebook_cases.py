"""What is edited under a notebook, and what a cell is to say then: for PyAutoload and for IPython's ``%autoreload``.

`python tests/notebook_cases.py` runs all of it in kernels and writes the table into docs/notebooks.md.
"""

from __future__ import annotations

import os
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["CASES", "MODES", "Case", "Kernel", "outcomes", "table"]

# Name in the table → the cell that begins the notebook.
MODES = {
    "PyAutoload": "%load_ext pyautoload",
    "%autoreload 2": "%load_ext autoreload\n%autoreload 2",
    "%autoreload 3": "%load_ext autoreload\n%autoreload 3",
}
_PAGE = Path(__file__).parent.parent / "docs" / "notebooks.md"
_BEGIN, _END = "<!-- table -->", "<!-- end of the table -->"


class Case(NamedTuple):
    """One edit.

    Attributes:
        title: what stands in the table.
        files: name below the case's package ``P`` → content.
        cells: what runs before the edit.
        edit: file → old text and new one.
        check: an expression that is true where the notebook is as it should be.
    """

    title: str
    files: dict[str, str]
    cells: list[str]
    edit: dict[str, tuple[str, str]]
    check: str


_MODEL = """
    LIMIT = 3
    seen = []

    class Model:
        def __init__(self, size):
            self.size = size

        def score(self):
            return self.size + LIMIT

    def fit(size, factor=2):
        return Model(size * factor)
"""

CASES = [
    Case(
        "an imported constant",
        {"model.py": _MODEL},
        ["from P.model import LIMIT"],
        {"model.py": ("LIMIT = 3", "LIMIT = 4")},
        "LIMIT == 4",
    ),
    Case(
        "an imported constant under another name, read by the notebook's own function",
        {"model.py": _MODEL},
        ["from P.model import LIMIT as most\ndef own(): return most"],
        {"model.py": ("LIMIT = 3", "LIMIT = 4")},
        "own() == 4",
    ),
    Case(
        "the body of an imported function",
        {"model.py": _MODEL},
        ["from P.model import fit"],
        {"model.py": ("size * factor", "size * factor + 1")},
        "fit(3).size == 7",
    ),
    Case(
        "a default of an imported function",
        {"model.py": _MODEL},
        ["from P.model import fit"],
        {"model.py": ("factor=2", "factor=5")},
        "fit(3).size == 15",
    ),
    Case(
        "a method, called on an object that was made before",
        {"model.py": _MODEL},
        ["from P.model import Model", "model = Model(1)"],
        {"model.py": ("self.size + LIMIT", "self.size - LIMIT")},
        "model.score() == -2",
    ),
    Case(
        "`isinstance` of old and new objects after a change of the class",
        {"model.py": _MODEL},
        ["from P.model import Model, fit", "model = Model(1)"],
        {"model.py": ("class Model:", "class Model:\n    kind = 'new'")},
        "isinstance(model, Model) and isinstance(fit(1), Model) and type(model) is Model and model.kind == 'new'",
    ),
    Case(
        "`pickle` of an object that was made before",
        {"model.py": _MODEL},
        ["from P.model import Model\nimport pickle", "model = Model(1)"],
        {"model.py": ("LIMIT = 3", "LIMIT = 5")},
        "pickle.loads(pickle.dumps(model)).score() == 6",
    ),
    Case(
        "what the notebook put into a module's list",
        {"model.py": _MODEL},
        ["import P.model", "P.model.seen.append(1)"],
        {"model.py": ("LIMIT = 3", "LIMIT = 5")},
        "P.model.seen == [1] and P.model.LIMIT == 5",
    ),
    Case(
        "`functools.partial` of a function",
        {"model.py": _MODEL},
        ["from functools import partial\nfrom P.model import fit", "big = partial(fit, 10)"],
        {"model.py": ("size * factor", "size + factor")},
        "big().size == 12",
    ),
    Case(
        "a bound method that the notebook keeps",
        {"model.py": _MODEL},
        ["from P.model import Model", "score = Model(1).score"],
        {"model.py": ("self.size + LIMIT", "self.size * 100")},
        "score() == 100",
    ),
    Case(
        "a constant that another module computes with",
        {"base.py": "RATE = 2\n", "use.py": "from P.base import RATE\nTOTAL = RATE * 10\n"},
        ["from P.use import TOTAL"],
        {"base.py": ("RATE = 2", "RATE = 3")},
        "TOTAL == 30",
    ),
    Case(
        "a constant in a default and a class body of another module",
        {
            "base.py": "RATE = 2\n",
            "use.py": """
                from P.base import RATE
                def price(rate=RATE): return rate
                class Shop:
                    rate = RATE
            """,
        },
        ["from P.use import Shop, price", "shop = Shop()"],
        {"base.py": ("RATE = 2", "RATE = 3")},
        "(price(), shop.rate) == (3, 3)",
    ),
    Case(
        "a decorator in another module",
        {
            "deco.py": """
                def twice(function):
                    def call(*args):
                        return 2 * function(*args)
                    return call
            """,
            "use.py": "from P.deco import twice\n@twice\ndef value(x): return x\n",
        },
        ["from P.use import value"],
        {"deco.py": ("return call", "return lambda *args: 3 * function(*args)")},
        "value(1) == 3",
    ),
    Case(
        "a base class in another module gets a method",
        {
            "base.py": "class Base:\n    def name(self): return 'base'\n",
            "use.py": """
                from P.base import Base
                class User(Base):
                    def name(self): return "user " + super().name()
            """,
        },
        ["from P.use import User", "user = User()"],
        {"base.py": ("return 'base'", "return self.new()\n    def new(self): return 'new'")},
        "user.name() == 'user new'",
    ),
    Case(
        "an enum gets a member: comparison with one from before",
        {"color.py": "from enum import Enum\nclass Color(Enum):\n    RED = 1\n"},
        ["from P.color import Color", "red = Color.RED"],
        {"color.py": ("RED = 1", "RED = 1\n    BLUE = 2")},
        "red is Color.RED and red == Color(1) and Color.BLUE.value == 2",
    ),
    Case(
        "a dataclass gets a field",
        {"point.py": "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int\n"},
        ["from P.point import Point", "old = Point(1)"],
        {"point.py": ("x: int", "x: int\n    y: int = 0")},
        "Point(1, 2).y == 2 and repr(Point(1, 2)).endswith('Point(x=1, y=2)') and isinstance(old, Point)",
    ),
    Case(
        "a method of a frozen dataclass",
        {
            "point.py": """
                from dataclasses import dataclass
                @dataclass(frozen=True)
                class Point:
                    x: int
                    def double(self): return self.x * 2
            """
        },
        ["from P.point import Point", "old = Point(1)"],
        {"point.py": ("self.x * 2", "self.x * 3\n    def more(self): return 1")},
        "old.double() == 3 and old.more() == 1 and old == Point(1) and hash(old) == hash(Point(1))",
    ),
    Case(
        "`singledispatch`: the body of a registered function",
        {
            "show.py": """
                from functools import singledispatch
                @singledispatch
                def show(x): return "object"
                @show.register
                def _(x: int): return "int"
            """
        },
        ["from P.show import show"],
        {"show.py": ('return "int"', 'return "number"')},
        "show(1) == 'number' and show('') == 'object'",
    ),
    Case(
        "`singledispatch` over a class of the project that changes",
        {
            "show.py": """
                from functools import singledispatch
                class Item:
                    size = 1
                @singledispatch
                def show(x): return "object"
                @show.register(Item)
                def show_item(x): return f"item {x.size}"
            """
        },
        ["from P.show import Item, show", "item = Item()"],
        {"show.py": ("size = 1", "size = 2")},
        "show(item) == 'item 2' and show(Item()) == 'item 2'",
    ),
    Case(
        "`lru_cache`: no answers of the former body",
        {"cache.py": "from functools import lru_cache\n@lru_cache\ndef value(x): return x\n"},
        ["from P.cache import value", "value(1)"],
        {"cache.py": ("return x", "return x + 1")},
        "value(1) == 2",
    ),
    Case(
        "a class gets another base",
        {"model.py": "class Base:\n    def hello(self): return 'hello'\nclass Model:\n    pass\n"},
        ["from P.model import Model", "model = Model()"],
        {"model.py": ("class Model:", "class Model(Base):")},
        "model.hello() == 'hello' and isinstance(model, Model)",
    ),
    Case(
        "a property and a class method are changed, a static method is new",
        {
            "model.py": """
                class Model:
                    @property
                    def size(self): return 1
                    @classmethod
                    def name(cls): return "a"
            """
        },
        ["from P.model import Model", "model = Model()"],
        {
            "model.py": (
                'return 1\n    @classmethod\n    def name(cls): return "a"',
                'return 2\n    @classmethod\n    def name(cls): return "b"\n    @staticmethod\n    def new(): return 3',
            )
        },
        "(model.size, model.name(), model.new()) == (2, 'b', 3)",
    ),
    Case(
        "a function that is gone",
        {"model.py": _MODEL},
        ["import P.model"],
        {"model.py": ("def fit(size, factor=2):\n    return Model(size * factor)", "")},
        "not hasattr(P.model, 'fit')",
    ),
    Case(
        "a function is renamed, and its user in another file",
        {"base.py": "def one(): return 1\n", "use.py": "from P.base import one\ndef value(): return one()\n"},
        ["from P.use import value"],
        {
            "use.py": ("import one\ndef value(): return one()", "import two\ndef value(): return two()"),
            "base.py": ("def one(): return 1", "def two(): return 2"),
        },
        "value() == 2",
    ),
    Case(
        "a new file, and an import of it",
        {"use.py": "def value(): return 1\n"},
        ["from P.use import value"],
        {
            "new.py": ("", "NEW = 7\n"),
            "use.py": ("def value(): return 1", "from P.new import NEW\ndef value(): return NEW"),
        },
        "value() == 7",
    ),
    Case(
        "`from module import *`: a name that is new",
        {"names.py": "FIRST = 1\n"},
        ["from P.names import *"],
        {"names.py": ("FIRST = 1", "FIRST = 2\nSECOND = 3")},
        "(FIRST, SECOND) == (2, 3)",
    ),
    Case(
        "new code that raises: all of the former code goes on",
        {"model.py": _MODEL},
        ["import P.model\nfrom P.model import fit"],
        {
            "model.py": (
                "def fit(size, factor=2):\n    return Model(size * factor)",
                "def fit(size, factor=2):\n    return None\nLIMIT = 9\n1 / 0",
            )
        },
        "fit(3).size == 6 and P.model.LIMIT == 3",
    ),
    Case(
        "an object with `__slots__` when a method changes",
        {"model.py": "class Slim:\n    __slots__ = ('x',)\n    def get(self): return self.x\n"},
        ["from P.model import Slim", "slim = Slim(); slim.x = 1"],
        {"model.py": ("return self.x", "return self.x + 1")},
        "slim.get() == 2 and isinstance(slim, Slim)",
    ),
    Case(
        "the line in a traceback, when a comment and a function have moved it",
        {"model.py": "def fails():\n    raise ValueError\n"},
        ["from P.model import fails"],
        {"model.py": ("def fails():", "# one more line\n\ndef other(): pass\n\ndef fails():")},
        "_line(fails) == 6",
    ),
    Case(
        "a subclass that the notebook has made",
        {"model.py": _MODEL},
        ["from P.model import Model\nclass Mine(Model):\n    pass", "mine = Mine(1)"],
        {"model.py": ("def score(self):", "def extra(self):\n        return 8\n\n    def score(self):")},
        "mine.extra() == 8 and issubclass(Mine, Model)",
    ),
]

# For the case of the line.
_PRELUDE = """
import traceback as _traceback
def _line(function):
    try:
        function()
    except ValueError as error:
        return _traceback.extract_tb(error.__traceback__)[-1].lineno
"""


class Kernel:
    """A real kernel, with a notebook whose cells are run one by one.

    Args:
        directory: that it works in.
    """

    def __init__(self, directory: Path) -> None:
        import nbformat
        from nbclient import NotebookClient

        self.format = nbformat.v4
        self.notebook = nbformat.v4.new_notebook()
        os.environ["IPYTHONDIR"] = str(directory / ".ipython")
        options = {"metadata": {"path": str(directory)}}
        self.client = NotebookClient(self.notebook, resources=options, allow_errors=True, timeout=90)
        self._manager = self.client.setup_kernel()
        self._manager.__enter__()
        # The cell that is run, as Jupyter tells the kernel; this client does not.
        self._cell_id = ""
        session = self.client.kc.session
        self._message, session.msg = session.msg, self._message_with_id

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.__exit__(None, None, None)

    def _message_with_id(self, kind: str, *args: Any, **options: Any) -> Any:
        if kind == "execute_request":
            options["metadata"] = {**(options.get("metadata") or {}), "cellId": self._cell_id}
        return self._message(kind, *args, **options)

    def run(self, source: str, again: int | None = None) -> list[dict[str, str]]:
        """Run a cell.

        Args:
            source: of it.
            again: the number of a cell that runs again, in place of a new one.

        Returns:
            Of each output MIME type → content; what was written to a stream, or raised, as ``text/plain``.
        """
        if again is None:
            self.notebook.cells.append(self.format.new_code_cell(source))
        index = len(self.notebook.cells) - 1 if again is None else again
        cell = self.notebook.cells[index]
        cell.outputs, self._cell_id = [], cell.id
        self.client.execute_cell(cell, index)
        return [_content(output) for output in cell.outputs]

    def text(self, source: str, again: int | None = None) -> str:
        """The same, all of it as text."""
        return "\n".join(output.get("text/plain", "") for output in self.run(source, again))


def _content(output: dict) -> dict[str, str]:
    if output["output_type"] == "stream":
        return {"text/plain": output["text"]}
    if output["output_type"] == "error":
        return {"text/plain": "\n".join(output["traceback"])}
    return dict(output["data"])


def outcomes(directory: Path, mode: str) -> dict[str, bool]:
    """Title of each case → whether the notebook was right after the edit.

    Args:
        directory: for the files.
        mode: one of ``MODES``.
    """
    found = {}
    packages = {f"case{number}": case for number, case in enumerate(CASES)}
    for package, case in packages.items():
        _write(directory / package / "__init__.py", "")
        for name, content in case.files.items():
            _write(directory / package / name, _of(package, textwrap.dedent(content)))
            _grow_old(directory / package / name)
    with Kernel(directory) as kernel:
        kernel.text(MODES[mode])
        kernel.text(_PRELUDE)
        for package, case in packages.items():
            for cell in case.cells:
                kernel.text(_of(package, cell))
            for name, (old, new) in case.edit.items():
                path = directory / package / name
                text = path.read_text(encoding="utf-8") if path.exists() else ""
                assert _of(package, old) in text, (case.title, old, text)
                _write(path, text.replace(_of(package, old), _of(package, new), 1) if old else _of(package, new))
            found[case.title] = kernel.text(_of(package, case.check)).splitlines()[-1:] == ["True"]
    return found


def _of(package: str, text: str) -> str:
    return text.replace("P.", f"{package}.")


def _grow_old(path: Path) -> None:
    """Two versions of a file are more than a second apart: what Python's bytecode makes of others is another matter."""
    then = time.time() - 60
    os.utime(path, (then, then))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def table(found: dict[str, dict[str, bool]], version: str) -> str:
    """The table in Markdown.

    Args:
        found: mode → title → whether it was right.
        version: of IPython.
    """
    head = ["edit", *(f"`{mode}`" if mode.startswith("%") else mode for mode in found)]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' :-: |' * len(found)}"]
    for case in CASES:
        marks = ["yes" if rights[case.title] else "no" for rights in found.values()]
        lines.append(f"| {' | '.join([case.title, *marks])} |")
    sums = [f"**{sum(rights.values())} of {len(CASES)}**" for rights in found.values()]
    lines.append(f"| {' | '.join(['right', *sums])} |")
    return "\n".join([f"With IPython {version}:", "", *lines])


def table_of_page() -> str:
    """The table that the documentation shows."""
    return _PAGE.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0].strip()


def main() -> None:
    """Run everything, and write the table into the page."""
    import tempfile

    import IPython

    found = {}
    for mode in MODES:
        with tempfile.TemporaryDirectory() as directory:
            found[mode] = outcomes(Path(directory).resolve(), mode)
    text = table(found, IPython.__version__)
    print(text)
    if _PAGE.exists() and "--print" not in sys.argv:
        page = _PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(_BEGIN)
        _PAGE.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
