"""`%load_ext pyautoload`, in real kernels."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel", reason="notebooks need ipykernel")
pytest.importorskip("nbclient", reason="the tests of notebooks need nbclient")

from doc_blocks import blocks
from notebook_cases import MODES, Kernel, outcomes, table, table_of_page

pytestmark = pytest.mark.once

MODEL = """
    LIMIT = 3

    class Model:
        def __init__(self, size):
            self.size = size

        def score(self):
            return self.size + LIMIT

        def name(self):
            return "model"

    def factor():
        return 2

    def fit(size):
        return Model(size * factor())
"""
Edit = Callable[..., None]


@pytest.fixture
def kernel(tree, tmp_path) -> Iterator[Kernel]:
    """A kernel in which `lab/model.py` can be imported and edits are brought in."""
    tree({"lab/__init__.py": "", "lab/model.py": MODEL})
    with Kernel(tmp_path) as kernel:
        kernel.text("%load_ext pyautoload")
        yield kernel


@pytest.fixture
def edit(tmp_path) -> Edit:
    """`edit("old", "new")` changes `lab/model.py`."""

    def change(old: str, new: str, file: str = "lab/model.py") -> None:
        path = tmp_path / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def test_an_imported_constant_has_its_new_value_and_the_cell_says_so(kernel, edit):
    kernel.text("from lab.model import LIMIT, Model")
    kernel.text("model = Model(1)")
    edit("LIMIT = 3", "LIMIT = 4")
    out = kernel.text("LIMIT, model.score(), isinstance(model, Model)")
    assert out.splitlines() == ["autoload: reloaded lab.model; new value of LIMIT", "(4, 5, True)"]
    assert kernel.text("LIMIT") == "4"


def test_modules_that_were_imported_before_are_brought_in_too(tree, tmp_path, edit):
    tree({"lab/__init__.py": "", "lab/model.py": MODEL})
    with Kernel(tmp_path) as kernel:
        kernel.text("from lab.model import LIMIT, Model, fit\nmodel = fit(1)")
        kernel.text("%load_ext pyautoload")
        edit("self.size + LIMIT", "self.size - LIMIT")
        assert kernel.text("model.score(), isinstance(model, Model)").endswith("(-1, True)")


def test_a_name_that_a_cell_has_assigned_to_stays(kernel, edit):
    kernel.text("from lab.model import LIMIT")
    kernel.text("LIMIT = 3")
    edit("LIMIT = 3", "LIMIT = 4")
    assert kernel.text("LIMIT").splitlines() == ["autoload: reloaded lab.model", "3"]


def test_stale_variables_are_named_and_their_cells_listed_in_order(kernel, edit):
    kernel.text("from lab.model import fit")
    kernel.text("model = fit(3)")
    kernel.text("score = model.score()")
    kernel.text("other = 5")
    edit("return 2", "return 10")
    assert (
        kernel.text("other")
        .splitlines()[0]
        .endswith("stale, as it came from what has changed: model, score; cells to run again: %autoload stale")
    )
    assert kernel.text("%autoload stale").splitlines() == [
        "autoload: run 2 cells again, in this order",
        "  In [3]  model = fit(3)  # changed: lab.model.factor",
        "  In [4]  score = model.score()  # changed: model",
    ]
    kernel.text("", again=2)
    assert kernel.text("%autoload stale").splitlines()[1:] == ["  In [4]  score = model.score()  # changed: model"]
    kernel.text("", again=3)
    assert kernel.text("%autoload stale; score".partition(";")[0]) == "autoload: no cell is stale"
    assert kernel.text("score") == "33"


UNREACHED = [
    ('return "model"', 'return "other"'),  # a method that nobody called
    ("def factor():", "# a comment\n\n\ndef factor():"),
    ("def fit(size):", 'def fit(size):\n    """Fit."""'),
    ("LIMIT = 3", "LIMIT = 5"),  # score() reads it, which was not called
    ("class Model:", "def new():\n    return fit(1)\n\n\nclass Model:"),
]


def test_what_a_cell_does_not_reach_makes_nothing_stale(kernel, edit):
    kernel.text("import lab.model")
    kernel.text("model = lab.model.fit(3)")
    for old, new in UNREACHED:
        edit(old, new)
        kernel.text("1")
        assert (old, kernel.text("%autoload stale")) == (old, "autoload: no cell is stale")


REACHING = [
    ["import lab.model as m", "x = m.fit(3)"],
    ["from lab import model", "def own(): return model.fit(1)", "x = own()"],
    ["from lab.model import *", "x = [fit(n) for n in range(3)]"],
    ["import lab.model\nx = lab.model.fit(3)"],
    ["from lab.model import fit", "%time x = fit(3)"],
    ["from lab.model import fit", "%%capture\nx = fit(3)"],
    ["from lab.model import fit", "for n in range(2):\n    x = fit(n)"],
    ["from functools import partial\nfrom lab.model import fit", "half = partial(fit, 1)", "x = half()"],
    ["from lab.model import fit", "class Own:\n    def get(self): return fit(1)", "own = Own()", "x = own.get()"],
    ["from lab.model import fit", "f = fit", "x = f(1)"],
    ["from lab.model import fit", "x = 0", "x += fit(1).size"],
    ["from lab.model import fit", "y = fit(1)", "x, z = y, 2"],
    ["from lab.model import fit", "if (x := fit(1)): pass"],
    ["from lab.model import fit", "x = []", "x.append(fit(1))"],
    ["from lab.model import fit", "x = {}", "x['a'] = fit(1)"],
    ["from lab.model import fit", "x = fit(0); x = 1", "class Box: pass\nx = Box()", "x.a = fit(1)\nx.a"],
    ["from lab.use import indirect", "x = indirect()"],
    ["def own():\n    from lab.model import fit\n    return fit(1)", "x = own()"],
    ["import lab.use", "x = lab.use.Sub(1).score2()"],
]
USE = """
    from .model import Model, fit

    def indirect():
        return fit(1)

    class Sub(Model):
        def score2(self):
            return self.inner()

        def inner(self):
            from . import model
            return model.factor()
"""


def test_however_a_cell_reaches_it(kernel, edit, tree):
    tree({"lab/use.py": USE})
    for number, cells in enumerate(REACHING):
        for cell in cells:
            kernel.text(cell)
        edit(f"return {number + 2}", f"return {number + 3}")
        out = kernel.text("1").splitlines()[0]
        assert "x" in out.partition("changed: ")[2].partition(";")[0].split(", "), (cells, out)


def test_a_cell_whose_text_is_edited_takes_the_place_of_what_it_was(kernel, edit):
    kernel.text("from lab.model import factor")
    kernel.text("x = factor()")
    kernel.text("x = factor()")  # the same text in another cell
    kernel.notebook.cells[2].source = "y = 1"
    kernel.text("", again=2)
    edit("return 2", "return 10")
    kernel.text("1")
    assert kernel.text("%autoload stale").splitlines()[1:] == ["  In [4]  x = factor()  # changed: lab.model.factor"]


def test_what_was_overwritten_is_made_anew(kernel, edit):
    kernel.text("from lab.model import factor")
    kernel.text("x = [1]")
    kernel.text("x = [n * factor() for n in x]")
    kernel.text("x.append(factor())")
    kernel.text("x.count(1)")
    edit("return 2", "return 10")
    assert "changed: x;" in kernel.text("1")
    assert kernel.text("%autoload stale").splitlines() == [
        "autoload: run 4 cells again, in this order",
        "  In [3]  x = [1]  # makes x anew",
        "  In [4]  x = [n * factor() for n in x]  # changed: lab.model.factor",
        "  In [5]  x.append(factor())  # changed: lab.model.factor, x",
        "  In [6]  x.count(1)  # changed: x",
    ]
    for again in (2, 3, 4, 5):
        kernel.text("", again=again)
    assert kernel.text("%autoload stale") == "autoload: no cell is stale"
    assert kernel.text("x") == "[10, 10]"


def test_a_cell_that_reads_what_it_has_made_of_something_stale_stays_stale(kernel, edit):
    kernel.text("from lab.model import factor")
    kernel.text("x = factor()")
    kernel.text("x = x + 1")
    edit("return 2", "return 10")
    kernel.text("1")
    kernel.text("", again=3)
    assert "  In [6]  x = x + 1  # changed: x" in kernel.text("%autoload stale").splitlines()
    for again in (2, 3):
        kernel.text("", again=again)
    assert kernel.text("%autoload stale") == "autoload: no cell is stale"
    assert kernel.text("x") == "11"


def test_a_name_that_its_module_has_no_longer_is_kept_and_told(kernel, edit):
    kernel.text("from lab.model import factor, fit")
    edit("def factor():\n    return 2", "")
    edit("size * factor()", "size * 5")
    out = kernel.text("factor(), fit(1).size").splitlines()
    assert out == ["autoload: reloaded lab.model; gone from its module, and kept here: factor", "(2, 5)"]
    assert kernel.text("1") == "1"


def test_what_needs_a_restart_is_told_and_stays_in_the_status(kernel, edit):
    kernel.text("from pyautoload import AutoLoader\nloader = AutoLoader('lab').do_not_reload('lab/model.py').setup()")
    kernel.text("from lab.model import factor")
    edit("return 2", "return 3")
    out = kernel.text("factor()").splitlines()
    assert out[0].startswith("autoload: restart the kernel for lab.model: ")
    assert out[1:] == ["2"]
    assert out[0].partition(": ")[2] in kernel.text("%autoload status")


def test_an_error_names_file_and_line_until_it_is_mended(kernel, edit):
    kernel.text("from lab.model import fit")
    edit("return 2", "return (")
    assert kernel.text("fit(1).size").splitlines() == [
        "autoload: lab/model.py:15: SyntaxError: '(' was never closed; still running the previous code of lab.model",
        "2",
    ]
    assert kernel.text("fit(1).size").splitlines() == [
        "autoload: still running the previous code of lab.model (lab/model.py:15)",
        "2",
    ]
    edit("return (", "return 5")
    assert kernel.text("fit(1).size").splitlines() == ["autoload: reloaded lab.model", "5"]
    assert kernel.text("fit(1).size") == "5"


def test_a_traceback_shows_the_lines_that_are_on_disk(kernel, edit):
    kernel.text("from lab.model import fit")
    edit("def factor():\n    return 2", "# one\n# two\ndef factor():\n    return 1 / 0")
    out = kernel.text("fit(1)")
    assert "lab/model.py:17" in out
    assert "1 / 0" in _plain(out)


def test_nothing_is_brought_in_while_a_cell_runs(kernel, tmp_path):
    kernel.text("from lab.model import factor\nfrom pathlib import Path\nimport time")
    out = kernel.text(
        "path = Path('lab/model.py')\n"
        "path.write_text(path.read_text().replace('return 2', 'return 3'))\n"
        "time.sleep(0.3)\n"
        "get_ipython().run_cell('first = factor()')\n"
        "first"
    )
    assert out == "2"
    assert kernel.text("factor()").endswith("3")


def test_it_takes_over_from_autoreload_and_gives_back(kernel, edit):
    note = "autoload: takes over from %autoreload, which does nothing until %autoload off"
    assert kernel.text("%load_ext autoreload\n%autoreload 3") == note
    kernel.text("from lab.model import Model\nmodel = Model(1)")
    edit("self.size + LIMIT", "self.size * 100")
    assert kernel.text("model.score(), type(model) is Model").endswith("(100, True)")
    assert "%autoreload does what it did before" in kernel.text("%autoload off")
    assert (
        kernel.text("%autoload on").splitlines()
        == [
            "autoload: on: edits are brought in before each cell",
            note,
        ]
        or kernel.text("1") == "1"
    )


def test_off_waits_and_check_brings_in(kernel, edit):
    kernel.text("from lab.model import factor")
    kernel.text("%autoload off")
    edit("return 2", "return 3")
    assert kernel.text("factor()") == "2"
    assert kernel.text("%autoload check") == "autoload: reloaded lab.model"
    assert kernel.text("factor()") == "3"
    assert kernel.text("%autoload check") == "autoload: nothing has changed"
    assert kernel.text("%autoload of").startswith("autoload: unknown: of; there are %autoload [on")


def test_a_directory_elsewhere_can_be_added(kernel, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "far.py").write_text("FAR = 1\n", encoding="utf-8")
    kernel.text(f"import sys; sys.path.append({str(other)!r})\nfrom far import FAR")
    assert kernel.text("%autoload add far") == f"autoload: watches {other}"
    assert str(other) in kernel.text("%autoload status")
    (other / "far.py").write_text("FAR = 22\n", encoding="utf-8")
    assert kernel.text("FAR").endswith("22")
    assert "there is no module 'nowhere'" in kernel.text("%autoload add nowhere")


def test_jupyter_gets_html_and_its_text_is_escaped(kernel, edit):
    kernel.text("from lab.model import LIMIT")
    kernel.text("is_less = LIMIT < 4")
    edit("LIMIT = 3", "LIMIT = 4")
    shown = kernel.run("%autoload stale")
    assert ["text/html" in each for each in shown] == [True, True]
    assert "<code>is_less = LIMIT &lt; 4</code>" in shown[1]["text/html"]


def test_a_loader_that_a_cell_sets_up_waits_for_the_next_cell(kernel, edit):
    kernel.text("from pyautoload import AutoLoader\nloader = AutoLoader('lab').enable_reloading().setup()")
    kernel.text("import lab\nfit = lab.model.fit")
    edit("return 2", "return 7")
    assert kernel.text("fit(1).size").splitlines() == ["autoload: reloaded lab.model", "7"]


def test_unloading_it_ends_all_of_it(kernel, edit):
    kernel.text("from lab.model import factor")
    kernel.text("%unload_ext pyautoload")
    edit("return 2", "return 3")
    assert kernel.text("factor()") == "2"
    assert "not found" in kernel.text("%autoload status")
    kernel.text("%load_ext pyautoload")
    assert kernel.text("factor()").splitlines()[-1] == "3"
    kernel.text("%reload_ext pyautoload")
    edit("return 3", "return 4")
    assert kernel.text("factor()").splitlines() == ["autoload: reloaded lab.model", "4"]


def test_the_terminal_gets_plain_text(tree, python, tmp_path):
    tree({"lab/__init__.py": "", "lab/model.py": MODEL})
    code = """
        from pathlib import Path
        from IPython.terminal.interactiveshell import TerminalInteractiveShell
        import sys
        sys.path.insert(0, "")
        shell = TerminalInteractiveShell.instance()
        path = Path("lab/model.py")
        def run(cell):
            shell.run_cell(cell, store_history=True)
        run("%load_ext pyautoload")
        run("from lab.model import fit")
        run("model = fit(1)")
        path.write_text(path.read_text().replace("return 2", "return 3"))
        run("print(fit(1).size)")
        run("%autoload stale")
    """
    out = python(code, IPYTHONDIR=str(tmp_path / ".ipython"), TERM="dumb").stdout.splitlines()
    assert "autoload: reloaded lab.model; stale, as it came from what has changed: model;" in _plain("\n".join(out))
    assert "  In [3]  model = fit(1)  # changed: lab.model.factor" in out


def test_accessors_of_pandas_follow(kernel, edit, tmp_path):
    pytest.importorskip("pandas", reason="about pandas")
    (tmp_path / "lab" / "accessor.py").write_text(
        "import pandas\n\n"
        '@pandas.api.extensions.register_dataframe_accessor("lab")\n'
        "class Lab:\n"
        "    def __init__(self, frame):\n"
        "        self.frame = frame\n\n"
        "    def total(self):\n"
        "        return int(self.frame.x.sum())\n",
        encoding="utf-8",
    )
    kernel.text("import pandas, lab.accessor\nframe = pandas.DataFrame({'x': [1, 2]})")
    assert kernel.text("frame.lab.total()") == "3"
    edit("self.frame.x.sum()", "self.frame.x.sum() * 100", "lab/accessor.py")
    assert kernel.text("frame.lab.total(), pandas.DataFrame({'x': [2]}).lab.total()").endswith("(300, 200)")


def test_the_page_is_right(tree, tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "notebooks.md").read_text(encoding="utf-8")
    load, imports, use = [block.source for block in blocks(page) if block.language == "ipython"][:3]
    shown = next(block.source for block in blocks(page) if block.language == "text")
    tree({"lab/__init__.py": "", "lab/model.py": MODEL})
    with Kernel(tmp_path) as kernel:
        kernel.text(load)
        kernel.text(imports)
        path = tmp_path / "lab" / "model.py"
        path.write_text(path.read_text(encoding="utf-8").replace("LIMIT = 3", "LIMIT = 4").replace("* f", "+ f"))
        assert kernel.text(use).strip() == shown.strip()


@pytest.mark.parametrize("mode", MODES)
def test_the_table_of_the_page_is_what_real_kernels_give(mode, tmp_path):
    found = outcomes(tmp_path, mode)
    if mode == "PyAutoload":
        assert [title for title, is_right in found.items() if not is_right] == []
    version = importlib.metadata.version("ipython")
    if not table_of_page().startswith(f"With IPython {version}:") or sys.version_info[:2] != (3, 12):
        pytest.skip("the table of the page was made with another IPython, or on another Python")
    column = list(MODES).index(mode) + 2
    rows = [line.split(" | ") for line in table_of_page().splitlines() if line.startswith("| ")][2:-1]
    assert [row[column - 1].strip(" |") for row in rows] == ["yes" if right else "no" for right in found.values()]
    assert table({mode: found}, version).count("\n") == len(rows) + 5 - 1


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
