"""lazy.exports: names of a package as import statements, loaded on first use."""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType

import pytest

from pyautoload import lazy
from pyautoload.errors import EagerLoadError, LoadError

IS_315 = sys.version_info >= (3, 15)


def init(statements: str, after: str = "") -> str:
    return (
        "from pyautoload import lazy\n"
        f'__getattr__, __dir__, __all__ = lazy.exports(__name__, """{statements}""")\n{after}'
    )


@pytest.fixture
def package(tree, monkeypatch):
    """``package(statements, {"pkg/a.py": "..."})`` writes and imports ``pkg``."""

    def make(statements: str, files: dict[str, str], after: str = "") -> ModuleType:
        root = tree({"pkg/__init__.py": init(statements, after), **files})
        monkeypatch.syspath_prepend(str(root))
        return importlib.import_module("pkg")

    return make


def loaded() -> set[str]:
    return {name for name in sys.modules if name.startswith("pkg.")}


def test_a_name_is_loaded_on_first_use_under_its_alias(package):
    pkg = package("from .mymodule import myfunction as somename", {"pkg/mymodule.py": "def myfunction(): return 7"})
    assert loaded() == set()
    assert pkg.somename() == 7
    assert loaded() == {"pkg.mymodule"}
    assert not hasattr(pkg, "myfunction")


def test_every_form_of_import_statement_is_understood(package):
    pkg = package(
        """
        from .a import (A,
                        B as Bee)   # in parentheses
        from . import sub; from .deep.er import thing
        import collections.abc as abc, json
        from os.path import join, \\
            split as cut
        from .deep import er as deeper
        """,
        {
            "pkg/a.py": "class A: ...\nclass B: ...",
            "pkg/sub.py": "",
            "pkg/deep/__init__.py": "",
            "pkg/deep/er.py": "thing = 1",
        },
    )
    names = ["A", "Bee", "sub", "thing", "abc", "json", "join", "cut", "deeper"]
    assert pkg.__all__ == names
    import collections.abc
    import os.path

    assert pkg.A.__name__ == "A"
    assert pkg.Bee.__name__ == "B"
    assert (pkg.abc, pkg.join, pkg.cut) == (collections.abc, os.path.join, os.path.split)
    assert (pkg.sub.__name__, pkg.thing, pkg.deeper.__name__) == ("pkg.sub", 1, "pkg.deep.er")


def test_import_a_b_binds_a_and_two_of_them_share_the_name(package):
    pkg = package("import xml.dom\nimport xml.sax", {})
    assert pkg.xml is sys.modules["xml"]
    assert {"xml.dom", "xml.sax"} <= set(sys.modules)


def test_parents_and_siblings_are_reached_with_more_dots(tree, monkeypatch):
    root = tree({"top/__init__.py": "", "top/other.py": "x = 1", "top/in_/__init__.py": init("from ..other import x")})
    monkeypatch.syspath_prepend(str(root))
    assert importlib.import_module("top.in_").x == 1


def test_the_text_may_begin_beside_the_quotes_and_hold_comments(package):
    pkg = package("from .a import x\n    # a comment\n\n    from .a import y", {"pkg/a.py": "x = 1; y = 2"})
    assert (pkg.x, pkg.y) == (1, 2)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("from .a import", "Expected|invalid syntax|expected"),
        ("from .a import *", "write them out"),
        ("x = 1", "only import statements"),
        ("from .a import class", "invalid syntax"),
        ("from ...a import b", "beyond the top"),
        ("from __future__ import annotations", "exports nothing"),
        ("from .a import good", "exported already"),
        ("from .a import __all__", "made of"),
    ],
)
def test_a_bad_statement_is_an_error_that_names_file_and_line(package, statement, reason):
    with pytest.raises(lazy.StatementError, match=reason) as caught:
        package(f"\n    from .b import good\n    {statement}\n", {})
    assert caught.value.filename.endswith("__init__.py")
    assert caught.value.lineno == 4


def test_keywords_and_mappings_say_the_same(tree, monkeypatch):
    root = tree(
        {
            "pkg/__init__.py": """
                from pyautoload import lazy
                __getattr__, __dir__, __all__ = lazy.exports(
                    __name__, submodules=["sub"], attributes={"a": ["A", "B as Bee"], ".deep.er": ["thing"]})
            """,
            "qkg/__init__.py": """
                from pyautoload import lazy
                __getattr__, __dir__, __all__ = lazy.exports(__name__, {"a": ["A"]})
            """,
            "qkg/a.py": "A = 5",
            "pkg/a.py": "A = 1; B = 2",
            "pkg/sub.py": "",
            "pkg/deep/er.py": "thing = 3",
        }
    )
    monkeypatch.syspath_prepend(str(root))
    pkg = importlib.import_module("pkg")
    assert pkg.__all__ == ["sub", "A", "Bee", "thing"]
    assert (pkg.A, pkg.Bee, pkg.thing, pkg.sub.__name__) == (1, 2, 3, "pkg.sub")
    assert importlib.import_module("qkg").A == 5


@pytest.mark.parametrize("bad", [{"submodules": ["a b"]}, {"attributes": {"a-b": ["x"]}}, {"submodules": ["--x"]}])
def test_names_given_by_keyword_must_be_identifiers(bad):
    with pytest.raises(lazy.StatementError, match="identifiers"):
        lazy.exports(__name__, **bad)


def test_a_string_in_place_of_a_list_of_names_is_refused():
    with pytest.raises(TypeError, match="as a list"):
        lazy.exports(__name__, submodules="abc")


def test_dir_shows_everything_and_loads_nothing(package):
    pkg = package("from .a import A\nfrom .missing import B", {"pkg/a.py": "A = 1"})
    assert {"A", "B", "__all__"} <= set(dir(pkg))
    assert loaded() == set()


def test_star_import_takes_all_names_but_private_ones(package):
    package("from .a import A, _hidden, B as Bee", {"pkg/a.py": "A = 1; B = 2; _hidden = 3"})
    names: dict[str, object] = {}
    exec("from pkg import *", names)
    assert (names["A"], names["Bee"], "_hidden" in names) == (1, 2, False)


def test_what_was_resolved_is_stored_and_getattr_leaves_when_all_is(package):
    pkg = package("from .a import A\nfrom . import sub", {"pkg/a.py": "A = object()", "pkg/sub.py": ""})
    first = pkg.A
    assert vars(pkg)["A"] is first
    importlib.import_module("pkg.sub")
    _ = pkg.sub
    assert {"A", "sub"} <= set(dir(pkg))
    assert pkg.__all__ == ["A", "sub"]
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        _ = pkg.Nope


@pytest.mark.skipif(lazy.exports.__globals__["FREE_THREADED"], reason="there __getattr__ stays")
def test_the_package_is_a_plain_module_once_complete(package):
    pkg = package("from .a import A, B", {"pkg/a.py": "A = 1; B = 2"})
    _ = pkg.A
    assert "__getattr__" in vars(pkg)
    _ = pkg.B
    assert "__getattr__" not in vars(pkg)
    assert type(pkg) is ModuleType


def test_an_unknown_name_is_an_attribute_error_with_a_suggestion_to_go_by(package):
    pkg = package("from .a import Alpha", {})
    with pytest.raises(AttributeError, match="module 'pkg' has no attribute 'Alpah'") as caught:
        _ = pkg.Alpah
    assert (caught.value.name, caught.value.obj) == ("Alpah", pkg)


def test_an_attribute_error_inside_the_file_is_not_taken_for_a_missing_name(package):
    pkg = package("\nfrom .bad import Bad", {"pkg/bad.py": "import os\nos.nope"})
    with pytest.raises(LoadError) as caught:
        hasattr(pkg, "Bad")
    assert isinstance(caught.value.__cause__, AttributeError)
    assert isinstance(caught.value, ImportError)
    assert caught.value.path.endswith("bad.py")


def test_errors_carry_the_statement_and_its_line(package):
    pkg = package("\n\nfrom .bad import Bad\nfrom .good import Nope", {"pkg/bad.py": "1 / 0", "pkg/good.py": ""})
    with pytest.raises(ZeroDivisionError) as caught:
        _ = pkg.Bad
    assert any("`from .bad import Bad`" in note and "__init__.py:4" in note for note in caught.value.__notes__)
    with pytest.raises(lazy.ExportError, match=r"`from .good import Nope` .*__init__.py:5"):
        _ = pkg.Nope


def test_a_missing_file_is_a_module_not_found_error_that_names_it(package):
    pkg = package("from .gone import Gone", {})
    with pytest.raises(ModuleNotFoundError, match=r"pkg\.gone"):
        _ = pkg.Gone


def test_a_failed_name_can_be_had_after_a_fix(package, tree):
    pkg = package("from .a import A", {"pkg/a.py": "raise ValueError"})
    with pytest.raises(ValueError):
        _ = pkg.A
    tree({"pkg/a.py": "A = 'mended, and of another size'"})
    importlib.invalidate_caches()
    assert pkg.A.startswith("mended")


def test_a_circular_import_says_so(package):
    pkg = package("from .a import A", {"pkg/a.py": "from pkg import A"})
    with pytest.raises(ImportError, match=r"circular|cycle|recursive"):
        _ = pkg.A


@pytest.mark.parametrize("first", ["attribute", "module", "from", "relative"])
def test_a_function_wins_over_its_module_of_the_same_name(package, first):
    pkg = package("from .deliver import deliver\nfrom .post import Post", {
        "pkg/deliver.py": "def deliver(): return 'sent'",
        "pkg/post.py": "from .deliver import deliver\nclass Post: deliver = deliver",
    })  # fmt: skip
    if first == "attribute":
        assert pkg.deliver() == "sent"
    elif first == "relative":
        assert pkg.Post
    else:
        exec("import pkg.deliver" if first == "module" else "from pkg import deliver; deliver()", {})
    importlib.import_module("pkg.deliver")
    assert pkg.deliver() == "sent"
    assert type(pkg) is ModuleType


def test_threads_get_the_same_object_and_the_file_runs_once(package):
    numbers = range(10)
    pkg = package(
        "\n".join(f"from .slow{n} import Thing as T{n}" for n in numbers),
        {
            f"pkg/slow{n}.py": f"import time, pkg\npkg.runs.append({n})\ntime.sleep(0.01)\nclass Thing: ..."
            for n in numbers
        },
        after="runs = []\n",
    )
    for number in numbers:
        start, got = threading.Barrier(8), []

        def use(name=f"T{number}", start=start, got=got):
            start.wait()
            got.append(getattr(pkg, name))

        threads = [threading.Thread(target=use) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(got) == 8
        assert set(got) == {getattr(pkg, f"T{number}")}
    assert pkg.runs == list(numbers)


def test_two_threads_that_need_each_others_names_do_not_deadlock(package):
    pkg = package(
        "from .a import A\nfrom .b import B",
        {
            "pkg/a.py": "import time; time.sleep(0.05)\ndef A():\n    from pkg import B\n    return B\n",
            "pkg/b.py": "import time; time.sleep(0.05)\ndef B():\n    from pkg import A\n    return A\n",
        },
    )
    got = []
    threads = [threading.Thread(target=lambda name=name: got.append(getattr(pkg, name)())) for name in "AB"]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    assert set(got) == {pkg.A, pkg.B}


def test_eager_resolves_everything_at_import(package, monkeypatch):
    monkeypatch.setenv("PYAUTOLOAD_EAGER", "1")
    pkg = package("from .a import A\nfrom .b import B", {
        "pkg/a.py": "from pkg import B\nA = B + 1", "pkg/b.py": "B = 1"})  # fmt: skip
    assert (vars(pkg)["A"], vars(pkg)["B"]) == (2, 1)


def test_eager_reports_every_failure_at_once(package, monkeypatch):
    monkeypatch.setenv("PYAUTOLOAD_EAGER", "true")
    with pytest.raises(EagerLoadError) as caught:
        package("from .a import A\nfrom .gone import B\nfrom .c import C", {"pkg/a.py": "1/0", "pkg/c.py": "C = 1"})
    assert {name: type(error) for name, error in caught.value.failures.items()} == {
        "pkg.A": ZeroDivisionError,
        "pkg.B": ModuleNotFoundError,
    }


@pytest.mark.parametrize("off", ["", "0", "false", "No"])
def test_eager_can_be_switched_off_by_the_same_variable(package, monkeypatch, off):
    monkeypatch.setenv("PYAUTOLOAD_EAGER", off)
    package("from .a import A", {"pkg/a.py": "1/0"})
    assert loaded() == set()


def test_a_reload_of_the_package_forgets_what_was_loaded(package, tree):
    pkg = package("from .a import A", {"pkg/a.py": "A = 'old'"})
    assert pkg.A == "old"
    tree({"pkg/a.py": "A = 'newer'"})
    del sys.modules["pkg.a"]
    importlib.invalidate_caches()
    importlib.reload(pkg)
    assert pkg.A == "newer"


def test_what_the_package_binds_itself_before_wins(tree, monkeypatch):
    text = "A = 'own'\n" + init("from .a import A, B")
    monkeypatch.syspath_prepend(str(tree({"pkg/__init__.py": text, "pkg/a.py": "A = B = 'lazy'"})))
    pkg = importlib.import_module("pkg")
    assert (pkg.A, pkg.B) == ("own", "lazy")


def test_a_getattr_of_the_users_own_can_stand_in_front(package):
    pkg = package(
        "from .a import A",
        {"pkg/a.py": "A = 1"},
        after="_lazy = __getattr__\ndef __getattr__(name):\n    return 'mine' if name == 'own' else _lazy(name)\n",
    )
    assert (pkg.own, pkg.A, pkg.own) == ("mine", 1, "mine")
    assert lazy.registry(pkg).is_loaded("A")


def test_a_plain_module_can_export_too(tree, monkeypatch):
    monkeypatch.syspath_prepend(str(tree({"plain.py": init("from os.path import join as j\nimport json")})))
    plain = importlib.import_module("plain")
    assert plain.j("a", "b").endswith("b")
    assert plain.json is importlib.import_module("json")


def test_exports_must_be_called_by_a_module_that_exists():
    with pytest.raises(ValueError, match="called by the package itself"):
        lazy.exports("no_such_package_at_all", "from .a import b")


def test_neither_ast_nor_typing_is_imported_on_the_common_path(python):
    result = python(
        """
        import sys
        before = set(sys.modules)
        from pyautoload import lazy
        lazy.exports("__main__", "from json import dumps")
        print(sorted({"ast", "re", "typing", "logging", "inspect", "importlib.metadata"} & (set(sys.modules) - before)))
        """
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.skipif(not IS_315, reason="native lazy imports came with Python 3.15")
def test_native_lazy_imports_are_used_where_python_has_them(package):
    pkg = package("from .a import A\nfrom .deliver import deliver", {"pkg/a.py": "A = 1", "pkg/deliver.py": ""})
    assert type(vars(pkg)["A"]).__name__ == "lazy_import"
    assert type(vars(pkg)["deliver"]).__name__ == "lazy_import"
    assert pkg.A == 1
    assert vars(pkg)["A"] == 1


@pytest.mark.parametrize("mode", ["normal", "all"])
@pytest.mark.skipif(not IS_315, reason="native lazy imports came with Python 3.15")
def test_the_users_switches_for_native_lazy_imports_change_nothing(python, tree, mode):
    tree({"pkg/__init__.py": init("from .a import A"), "pkg/a.py": "A = 1"})
    code = "import sys, pkg; dir(pkg); print('pkg.a' in sys.modules, pkg.A, vars(pkg)['A'])"
    assert python(code, "-X", f"lazy_imports={mode}").stdout.split() == ["False", "1", "1"]


@pytest.mark.skipif(not IS_315, reason="native lazy imports came with Python 3.15")
def test_a_filter_that_makes_imports_eager_does_not_reach_the_exports(python, tree):
    tree({"pkg/__init__.py": init("from .a import A"), "pkg/a.py": "A = 1"})
    code = """
        import sys
        sys.set_lazy_imports_filter(lambda importer, name, names: False)
        import pkg
        print('pkg.a' in sys.modules, 'A' in vars(pkg), pkg.A)
    """
    assert python(code).stdout.split() == ["False", "False", "1"]


@pytest.mark.skipif(not IS_315, reason="native lazy imports came with Python 3.15")
def test_a_lazy_import_of_a_lazy_export_works(tree, python):
    tree({"pkg/__init__.py": init("from .a import A\nfrom .f import f"), "pkg/a.py": "A = 1", "pkg/f.py": "f = 2"})
    code = """
        import sys
        lazy from pkg import A, f
        print('pkg' in sys.modules)
        print('pkg.a' in sys.modules or A, f)
    """
    assert python(code).stdout.split() == ["False", "1", "2"]


# Threads


def test_threads_that_wait_for_a_file_that_fails_get_its_error_each(package):
    pkg = package(
        "from .fast import Fast", {"pkg/fast.py": "import time\ntime.sleep(0.05)\nimport not_installed_here\n"}
    )
    errors = in_threads(4, lambda _: pkg.Fast)
    assert [type(error) for error in errors] == [ModuleNotFoundError] * 4
    assert {error.name for error in errors} == {"not_installed_here"}


def in_threads(count, work):
    """What ``work(number)`` raised in so many threads that begin at once."""
    errors, ready = [], threading.Barrier(count)

    def run(number):
        ready.wait()
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - given back
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize(
    ("statements", "names"),
    [
        ("from .a import A\nfrom .b import B", ("A", "B")),
        ("from .a import a\nfrom .b import b", ("a", "b")),  # each takes the place of its module
        ("from .a import a, A\nfrom . import b", ("a", "A", "b")),
        ("from .deep.er import thing\nfrom . import deep", ("thing", "deep")),
    ],
)
def test_threads_that_race_for_names_get_the_same_objects_and_no_error(package, statements, names):
    files = {
        "pkg/a.py": "class A: ...\ndef a(): ...\n",
        "pkg/b.py": "class B: ...\ndef b(): ...\n",
        "pkg/deep/__init__.py": "",
        "pkg/deep/er.py": "thing = object()\n",
    }
    package(statements, files)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(60):
            for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
                del sys.modules[name]
            pkg = importlib.import_module("pkg")
            seen = []

            def work(number, pkg=pkg, seen=seen):
                order = names if number % 2 else names[::-1]
                seen.append({name: getattr(pkg, name) for name in order})

            assert in_threads(4, work) == []
            assert all(found[name] is seen[0][name] for found in seen for name in names)
    finally:
        sys.setswitchinterval(before)


# What eager imports would give


def test_the_submodules_that_statements_name_are_there_too(package):
    pkg = package(
        "from .models import Order\nfrom .deep.er import thing\nfrom os import path",
        {
            "pkg/models.py": "class Order: ...",
            "pkg/deep/__init__.py": "",
            "pkg/deep/er.py": "thing = 1",
            "pkg/x.py": "",
        },
    )
    assert loaded() == set()
    assert pkg.models.Order is pkg.Order
    assert loaded() == {"pkg.models"}
    assert pkg.deep.er.thing == 1
    assert not hasattr(pkg, "x")
    assert not hasattr(pkg, "os")
    assert pkg.__all__ == ["Order", "thing", "path"]
    assert list(lazy.registry(pkg)) == ["Order", "thing", "path"]


@pytest.mark.parametrize("use", ["from lz import Old", "import lz; lz.Old", "import lz; getattr(lz, 'Old')"])
def test_a_warning_at_the_top_of_a_file_names_the_line_that_asks(python, tree, use):
    tree(
        {
            "lz/__init__.py": init("from .old import Old"),
            "lz/old.py": "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\nclass Old: ...\n",
            "use.py": use + "\n",
        }
    )
    code = (
        "import warnings\nwith warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n    import use\nprint(*[(w.filename[-6:], w.lineno) for w in caught])\n"
    )
    assert python(code).stdout == "('use.py', 1)\n"
