"""Lazy imports: nobody sees the difference, except by what is not loaded."""

# ruff: noqa: E501  (texts of files on one line)

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyautoload import AutoLoader, SetupError

NATIVE = sys.version_info >= (3, 15)
native = pytest.mark.skipif(sys.version_info >= (3, 15), reason="the interpreter does it")
# What Python 3.15 itself shows: what stands for the name in a raw dict, and a package without its lazy submodule.
raw = pytest.mark.skipif(sys.version_info >= (3, 15), reason="Python 3.15 shows its own lazy objects there")

# What is imported lazily. Each module notes that it was run.
FILES = {
    "app/runs.py": "names = []\ndef note(name): names.append(name)\n",
    "app/target.py": """
        import app.runs
        app.runs.note("target")
        LIMIT = 3
        class Error(Exception): pass
        class Base:
            def __init__(self, value=0): self.value = value
            __match_args__ = ("value",)
        def decorate(function):
            function.decorated = True
            return function
        """,
}
CLIENT = """
    import app.runs  # pyautoload: eager
    from app.target import LIMIT, Base, Error, decorate
    import app.target as module
    {body}
    """


@pytest.fixture
def lazily(tree, monkeypatch):
    """``lazily({"app/client.py": ...})``: the files, imported by a loader with lazy imports."""

    def make(files, *patterns, **options):
        root = tree({**FILES, **files})
        loader = AutoLoader(root / "app").lazy_imports(*patterns, **options)
        return loader.setup()

    return make


def client(lazily, body):
    """The module ``app.client`` with ``body`` behind its lazy imports."""
    lazily({"app/client.py": CLIENT.format(body=body)})
    import app.client

    return app.client


def runs():
    return sys.modules["app.runs"].names


# Where a name is used → whether it is used while the module is imported.
USES = {
    "isinstance": ("def use(): return isinstance(Base(), Base)", False),
    "issubclass": ("def use():\n        class C(Base): ...\n        return issubclass(C, Base)", False),
    "is": ("def use():\n        from app import target\n        return Base is target.Base", False),
    "except": (
        "def use():\n        from app import target\n        try: raise target.Error\n        except Error: return True",
        False,
    ),
    "globals": ("def use(): return globals()['LIMIT'] == 3", False),
    "globals get": ("def use(): return globals().get('LIMIT') == 3", False),
    "eval": ("def use(): return eval('LIMIT + 0') == 3", False),
    "exec": (
        "def use():\n        found = {}\n        exec('x = LIMIT', globals(), found)\n        return found['x'] == 3",
        False,
    ),
    "copied": ("def use(): return eval('LIMIT', dict(globals())) == 3", False),
    "match": (
        "def use():\n        match Base(5):\n            case Base(value): return value == 5",
        False,
    ),
    "lambda": ("use = lambda: LIMIT == 3", False),
    "comprehension": ("def use(): return [LIMIT for _ in range(1)] == [3]", False),
    "generator": ("def use(): return list(LIMIT for _ in range(1)) == [3]", False),
    "f-string": ("def use(): return f'{LIMIT}' == '3'", False),
    "method": ("class A:\n        def m(self): return LIMIT == 3\n    def use(): return A().m()", False),
    "pickled": (
        "def use():\n        import pickle\n        return pickle.loads(pickle.dumps(Base)) is module.Base",
        False,
    ),
    "module": ("def use(): return module.LIMIT == 3", False),
    "base": ("class C(Base): ...\n    def use(): return C().value == 0", True),
    "decorator": ("@decorate\n    def use(): return use.decorated", True),
    "default": ("def use(limit=LIMIT): return limit == 3", True),
    "class body": ("class C:\n        limit = LIMIT\n    def use(): return C.limit == 3", True),
    "annotation": (
        "def f(x: Base) -> Error: ...\n    def use():\n        import typing\n        return typing.get_type_hints(f)['x'] is Base",
        sys.version_info < (3, 14),
    ),
    "condition": ("if LIMIT: VALUE = True\n    def use(): return VALUE", True),
    "global": (
        "def change():\n        global LIMIT\n        LIMIT += 1\n    def use():\n        change()\n        return LIMIT == 4",
        False,
    ),
}


@pytest.mark.parametrize(
    "use", [pytest.param(use, marks=raw) if use in ("globals", "globals get") else use for use in USES]
)
def test_a_use_gets_the_object_and_the_module_is_run_by_that(lazily, use):
    body, at_import = USES[use]
    module = client(lazily, body)
    assert runs() == (["target"] if at_import else [])
    assert module.use() is True
    assert runs() == ["target"]


def attribute(module):
    return module.LIMIT


def from_import(_):
    from app.client import LIMIT

    return LIMIT


def star_import(_):
    names = {}
    exec("from app.client import *", names)
    return names["LIMIT"]


def members(module):
    import inspect

    return dict(inspect.getmembers(module))["LIMIT"]


def each_of_dir(module):
    return next(getattr(module, name) for name in dir(module) if name == "LIMIT")


def each_key(module):
    return next(getattr(module, name) for name in list(vars(module)) if name == "LIMIT")


def patched(module):
    from unittest import mock

    with mock.patch("app.client.LIMIT", 5):
        assert module.LIMIT == 5
    return module.LIMIT


def by_path(_):
    import pkgutil

    return pkgutil.resolve_name("app.client:LIMIT")


def through_doctest(module):
    names = dict(vars(module))
    return eval("LIMIT", names)


@pytest.mark.parametrize(
    "use", [attribute, from_import, star_import, members, each_of_dir, each_key, patched, by_path, through_doctest]
)
def test_others_get_the_object_too(lazily, use):
    module = client(lazily, "")
    assert runs() == []
    assert use(module) == 3
    assert runs() == ["target"]
    assert module.LIMIT == 3


@pytest.mark.parametrize(
    "code",
    [
        "'LIMIT' in vars(module)",
        "'LIMIT' in dir(module)",
        "sorted(dir(module))",
        "[name for name in vars(module) if name == 'LIMIT']",
        "len(vars(module))",
        "{name for name in dir(module)}",
        "{name: 1 for name in vars(module)}",
        "repr(vars(module))",
        "dict(vars(module))",
        "[value for value in vars(module).values()]",
    ],
)
def test_a_look_at_the_names_runs_nothing(lazily, code):
    assert eval(code, {"module": client(lazily, "")})
    assert runs() == []


@pytest.mark.parametrize(
    "body",
    [
        "LIMIT = 7",
        "for LIMIT in [7]: pass",
        "def LIMIT(): ...",
        "class LIMIT: ...",
        "del LIMIT",
        "def change():\n        global LIMIT\n        LIMIT = 7\n    change()",
        "def change():\n        global LIMIT\n        del LIMIT\n    change()",
        "try: import json as LIMIT\n    finally: pass",
        "import sys\n    sys.modules[__name__].LIMIT = 7",
        "from app.runs import names as LIMIT",
    ],
)
def test_a_name_that_is_bound_anew_or_deleted_runs_nothing(lazily, body):
    module = client(lazily, body)
    assert runs() == []
    if "del" in body:
        with pytest.raises(AttributeError):
            module.LIMIT  # noqa: B018
    else:
        assert module.LIMIT != 3
    assert runs() == []
    assert module.Base


@pytest.mark.parametrize(
    ("statement", "is_lazy"),
    [
        ("import app.target", True),
        ("import app.target as other", True),
        ("from app.target import LIMIT as other", True),
        ("from app import target", True),
        ("from .target import (LIMIT,\n        Base)", True),
        ("from . import target, runs", True),
        ("if True:\n        import app.target", True),
        ("for _ in (1,):\n        import app.target", True),
        ("import app.runs; import app.target", True),
        ("from app.target import *", False),
        ("try: import app.target\n    except ImportError: pass", False),
        ("try: pass\n    finally:\n        import app.target", NATIVE),
        ("try: pass\n    except ImportError: pass\n    else:\n        import app.target", NATIVE),
        ("import contextlib\n    with contextlib.suppress(ImportError):\n        import app.target", False),
        ("class C:\n        import app.target", False),
        ("def f():\n        import app.target\n    f()", False),
        ("import app.target  # pyautoload: eager", False),
        ("import app.target  # noqa  # pyautoload: eager because", False),
        ("from app.target import (\n        LIMIT,  # pyautoload: eager\n    )", False),
    ],
)
def test_which_statements_are_lazy(lazily, statement, is_lazy):
    lazily({"app/client.py": f"    import app.runs  # pyautoload: eager\n    {statement}\n"})
    import app.client  # noqa: F401

    assert runs() == ([] if is_lazy else ["target"])


def test_an_error_comes_at_the_use_with_the_statement_as_its_cause_and_the_next_use_tries_again(lazily, tmp_path):
    lazily({"app/client.py": "\nfrom app.bad import VALUE\ndef use(): return VALUE\n", "app/bad.py": "1 / 0"})
    import app.client

    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            app.client.use()
        cause = caught.value.__cause__
        assert isinstance(cause, ImportError)
        assert cause.__traceback__.tb_lineno == 2
        assert cause.__traceback__.tb_frame.f_code.co_filename == app.client.__file__
    (tmp_path / "app/bad.py").write_text("VALUE = 'mended'")
    assert app.client.use() == "mended"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from app.target import nothing as x", "cannot import name 'nothing' from 'app.target'"),
        ("import app.nothing as x", "No module named 'app.nothing'"),
        ("from .nothing import x", "No module named 'app.nothing'"),
        ("import nothing_at_all as x", "No module named 'nothing_at_all'"),
    ],
)
def test_the_error_says_what_the_statement_would(lazily, statement, message):
    lazily({"app/client.py": f"{statement}\ndef use(): return x"})
    import app.client

    with pytest.raises(ImportError, match=message):
        app.client.use()


def test_an_attribute_error_is_not_taken_for_a_missing_attribute(lazily):
    lazily({"app/client.py": "import app.bad as bad", "app/bad.py": "None.nothing"})
    import app.client

    with pytest.raises((ImportError, AttributeError), match="nothing"):
        hasattr(app.client, "bad")


def test_submodules_bind_their_package(lazily):
    lazily(
        {
            "app/client.py": "import app.deep.one\nimport app.deep.two as two\nimport app.deep.three\n"
            "def use(): return app.deep.one.X, two.X, app.deep.three.X",
            "app/deep/one.py": "X = 1",
            "app/deep/two.py": "X = 2",
            "app/deep/three.py": "X = 3",
        }
    )
    import app.client

    assert app.client.use() == (1, 2, 3)


LIBRARY = {
    "library/__init__.py": "import builtins\nbuiltins.ran = ['library']\ndef inside(): return deep.X",
    "library/deep/__init__.py": "import builtins\nbuiltins.ran.append('deep')\nX = 1",
    "library/deep/er.py": "import builtins\nbuiltins.ran.append('deeper')\nY = 2",
    "library/broken.py": "1 / 0",
}


@pytest.mark.parametrize(
    ("use", "ran"),
    [
        ("library", ["library"]),
        ("library.deep.X", ["library", "deep"]),
        ("library.deep.er.Y", ["library", "deep", "deeper"]),
        pytest.param("library.inside()", ["library", "deep"], marks=raw),
    ],
)
def test_a_submodule_is_imported_when_the_attribute_is_used(lazily, monkeypatch, tmp_path, use, ran):
    import builtins

    lazily({**LIBRARY, "app/client.py": f"import library.deep.er, library.broken\ndef use(): return {use}"})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(builtins, "ran", [], raising=False)
    import app.client

    assert builtins.ran == []
    assert app.client.use()
    assert builtins.ran == ran
    with pytest.raises(ZeroDivisionError):
        app.client.library.broken  # noqa: B018


def test_a_submodule_is_there_for_others_that_count_on_it(lazily, monkeypatch, tmp_path):
    lazily({**LIBRARY, "app/client.py": "import library.deep", "app/other.py": "import library\nX = library.deep.X"})
    monkeypatch.syspath_prepend(tmp_path)
    import app.client
    import app.other

    import library

    assert app.other.X == 1
    assert app.client.library is library
    assert {type(name) for name in vars(library)} == {str}


def test_an_eager_load_resolves_submodules_of_libraries(lazily, monkeypatch, tmp_path):
    loader = lazily({**LIBRARY, "app/client.py": "import library.deep.er"})
    monkeypatch.syspath_prepend(tmp_path)
    loader.eager_load()
    assert "library.deep.er" in sys.modules


def test_a_process_ends_quietly_with_names_unresolved(lazily, python):
    lazily({"app/client.py": CLIENT.format(body="import library.deep.er, json, decimal")})
    code = "from pyautoload import AutoLoader; AutoLoader('app').lazy_imports().setup(); import app.client as c; c.json"
    done = python(code)
    assert (done.stdout, done.stderr) == ("", "")


def test_code_that_runs_in_a_copy_of_the_names(lazily):
    module = client(lazily, "")
    early, late = dict(vars(module)), dict(vars(module))
    code = compile("def f(): return LIMIT, Base.__name__\nX = f()", "copied", "exec")
    exec(code, early)
    assert module.LIMIT == 3
    exec(code, late)
    assert early["X"] == late["X"] == (3, "Base")


def test_many_names_of_one_package(lazily):
    files = {f"app/many/m{n}.py": f"def f{n}(): return {n}" for n in range(60)}
    text = "".join(f"from .m{n} import f{n}\n" for n in range(60))
    lazily({**files, "app/many/__init__.py": text})
    import app.many

    order = [str(name) for name in vars(app.many)]
    assert [getattr(app.many, f"f{n}")() for n in range(0, 60, 7)] == list(range(0, 60, 7))
    assert [getattr(app.many, f"f{n}")() for n in range(60)] == list(range(60))
    assert [name for name in vars(app.many) if name in order] == order
    assert {type(name) for name in vars(app.many)} == {str}


def test_a_function_of_its_modules_name_stays_the_function(lazily):
    lazily({"app/pkg/__init__.py": "from .deliver import deliver", "app/pkg/deliver.py": "def deliver(): return 1"})
    import app.pkg.deliver

    assert app.pkg.deliver() == 1
    from app.pkg import deliver

    assert deliver() == 1


def test_modules_that_import_each_other_just_work(lazily):
    lazily(
        {
            "app/user.py": "from app.post import Post\nclass User:\n    def posts(self): return [Post()]",
            "app/post.py": "from app.user import User\nclass Post:\n    def author(self): return User()",
        }
    )
    import app.post
    import app.user

    assert isinstance(app.user.User().posts()[0].author(), app.user.User)


def test_a_circle_of_uses_while_importing_is_an_error(lazily):
    lazily(
        {
            "app/user.py": "from app.post import Post\nclass User(Post): ...",
            "app/post.py": "from app.user import User\nclass Post(User): ...",
        }
    )
    with pytest.raises(ImportError):
        import app.user  # noqa: F401


@pytest.mark.parametrize("except_for", ["app.target", "app.target.LIMIT", ("json", "app.target"), "app"])
def test_modules_can_be_kept_eager(lazily, except_for):
    lazily(
        {"app/client.py": "import app.runs  # pyautoload: eager\nfrom app.target import LIMIT"}, except_for=except_for
    )
    import app.client  # noqa: F401

    assert runs() == ["target"]


def test_an_eager_import_that_fails_shows_its_line(lazily):
    lazily({"app/client.py": "\n\nimport app.bad", "app/bad.py": "1 / 0"}, except_for=["app.bad"])
    with pytest.raises(ZeroDivisionError) as caught:
        import app.client  # noqa: F401
    assert {entry.lineno + 1 for entry in caught.traceback if Path(entry.path).name == "client.py"} == {3}


def test_only_some_files_are_lazy(lazily):
    source = "import app.runs  # pyautoload: eager\nimport app.target"
    lazily({"app/api/one.py": source, "app/two.py": source}, "api")
    import app.api.one

    assert runs() == []
    import app.two  # noqa: F401

    assert runs() == ["target"]


def test_it_has_to_be_said_before_setup(lazily):
    loader = lazily({})
    with pytest.raises(SetupError, match="before setup"):
        loader.lazy_imports()


@pytest.mark.parametrize("name", ["a b", "", 5, "a..b"])
def test_what_stays_eager_has_to_be_names(tmp_path, name):
    with pytest.raises(SetupError, match="except_for"):
        AutoLoader(tmp_path, "app").lazy_imports(except_for=[name])


@pytest.mark.parametrize("used", [["LIMIT", "Base", "Error", "decorate", "module"], ["LIMIT"]])
@native
def test_once_resolved_the_names_are_ordinary_keys(lazily, used):
    module = client(lazily, "")
    order = [str(name) for name in vars(module)]
    for name in used:
        getattr(module, name)
    assert {type(name) for name in vars(module) if name in used} == {str}
    assert [str(name) for name in vars(module)] == order
    # All of them are of one module, so that the others could be bound without running anything.
    assert {type(name) for name in vars(module)} == {str}


def test_a_loaded_module_is_bound_at_once(lazily):
    lazily({"app/client.py": "import sys, os.path\nfrom os import getcwd\nimport os.path as p"})
    import app.client

    assert {type(name) for name in vars(app.client)} == {str}
    assert app.client.p is app.client.os.path


def test_threads_that_use_a_name_at_once_get_one_object(lazily):
    import threading

    module = client(lazily, "def use(): return Base")
    found = []
    barrier = threading.Barrier(8)

    def use():
        barrier.wait()
        found.append(module.use())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    assert runs() == ["target"]


def test_an_eager_load_resolves_everything(lazily):
    loader = lazily({"app/client.py": CLIENT.format(body=""), "app/other.py": "from app.client import Base, module"})
    loader.eager_load()
    for name in ("app.client", "app.other"):
        assert {type(value).__name__ for value in vars(sys.modules[name]).values()}.isdisjoint(
            {"LazyImport", "lazy_import"}
        )
        assert {type(key) for key in vars(sys.modules[name])} == {str}


def test_an_eager_load_reports_what_cannot_be_resolved(lazily):
    from pyautoload import EagerLoadError

    loader = lazily({"app/client.py": "import nothing_at_all\nfrom app.target import nothing", "app/fine.py": "X = 1"})
    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    assert list(caught.value.failures) == ["app.client"]
    assert isinstance(caught.value.failures["app.client"], ImportError)


CACHE = """
    import sys
    from pyautoload import AutoLoader
    loader = AutoLoader("app")
    if sys.argv[1:] == ["lazy"]:
        loader.lazy_imports()
    loader.setup()
    import app.client
    print("app.target" in sys.modules, app.client.use())
    """


@native
def test_the_stock_cache_never_holds_lazy_code(lazily, tmp_path, python):
    lazily({"app/client.py": "from app.target import LIMIT\ndef use(): return LIMIT"})
    for argument, is_loaded in [("lazy", False), ("plain", True), ("lazy", False), ("plain", True)]:
        code = CACHE.replace("sys.argv[1:] == ['lazy']".replace("'", '"'), str(argument == "lazy"))
        assert python(code).stdout.split() == [str(is_loaded), "3"]
    caches = sorted(path.name for path in (tmp_path / "app/__pycache__").glob("client.*"))
    assert len(caches) == 2
    plain = python("import sys; sys.path.insert(0, '.'); import app.client; print('app.target' in sys.modules)")
    assert plain.stdout.split() == ["True"]


@native
def test_an_edit_is_followed(lazily, tmp_path, python):
    lazily({"app/client.py": "from app.target import LIMIT\ndef use(): return LIMIT"})
    code = CACHE.replace('sys.argv[1:] == ["lazy"]', "True")
    python(code)
    (tmp_path / "app/client.py").write_text("from app.target import LIMIT\ndef use(): return LIMIT + 10\n")
    assert python(code).stdout.split() == ["False", "13"]


@pytest.mark.parametrize("mode", ["checked", "trusted"])
def test_from_a_bundle(tree, python, mode):
    tree({**FILES, "app/client.py": "from app.target import LIMIT\ndef use(): return LIMIT"})
    build = "AutoLoader('app').lazy_imports().build_bundle()"
    python(f"from pyautoload import AutoLoader; {build}")
    code = CACHE.replace('AutoLoader("app")', f'AutoLoader("app", bundle="{mode}")')
    done = python(code.replace('sys.argv[1:] == ["lazy"]', "True"))
    assert (done.stdout.split(), done.stderr) == (["False", "3"], "")
    # It is a bundle for a loader with lazy imports, and for no other.
    plain = python(code)
    assert plain.stdout.split() == ["True", "3"]
    assert "other patterns" in plain.stderr


def test_the_code_of_a_module_can_be_had_as_it_was_written(tree, python):
    tree({**FILES, "app/client.py": "from app.target import LIMIT\nif __name__ == '__main__': print(LIMIT)"})
    code = """
        import runpy
        from pyautoload import AutoLoader
        AutoLoader("app").lazy_imports().build_bundle()
        AutoLoader("app", bundle=True).lazy_imports().setup()
        runpy.run_module("app.client", run_name="__main__", alter_sys=True)
        """
    assert python(code).stdout.split() == ["3"]


def test_a_star_import_of_lazy_names_leaves_ordinary_keys(lazily):
    lazily({"app/client.py": "from app.target import LIMIT, Base", "app/all.py": "from app.client import *\nX = Base"})
    import app.all

    assert {type(name) for name in vars(app.all)} == {str}
    assert app.all.LIMIT == 3


@raw
def test_what_is_copied_gets_the_object_too(lazily):
    module = client(lazily, "")
    copy = dict(vars(module))
    assert module.LIMIT == 3
    assert copy["LIMIT"] == 3


def test_settings(tree):
    tree(
        {
            **FILES,
            "pyproject.toml": '[tool.pyautoload]\nroots = ["app"]\n'
            '[tool.pyautoload.lazy_imports]\nfiles = ["api"]\nexcept_for = ["app.runs"]\n',
            "app/api/one.py": "import app.runs\nimport app.target",
            "app/two.py": "import app.runs\nimport app.target",
        }
    )
    loader = AutoLoader.from_config().setup()
    import app.api.one

    assert runs() == []
    import app.two  # noqa: F401

    assert runs() == ["target"]
    loader.unregister()


@pytest.mark.parametrize("value", ['"yes"', "{ file = [] }", "{ except_for = 3 }"])
def test_settings_that_are_wrong(tree, value):
    tree({"app/": "", "pyproject.toml": f'[tool.pyautoload]\nroots = ["app"]\nlazy_imports = {value}\n'})
    with pytest.raises(SetupError, match="lazy_imports"):
        AutoLoader.from_config()


def test_run_lazily(tree, python):
    """A program of the project, and a package that knows nothing of this."""
    main = "import sys, app.client\nprint('app.target' in sys.modules, sys.argv[1:], app.client.use(), __name__)"
    tree(
        {
            **FILES,
            "app/client.py": "from app.target import LIMIT\ndef use(): return LIMIT",
            "app/__main__.py": main,
            "program.py": main,
        }
    )
    expected = "False ['one', '--two'] 3 __main__\n"
    run = (
        "import sys\nfrom pyautoload.__main__ import main\nsys.argv[1:] = ['run', '--lazy', {}, 'one', '--two']\nmain()"
    )
    assert python(run.format("'-m', 'app'")).stdout == expected
    failed = python(run.format("'program.py'"), check=False)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "[tool.pyautoload]" in failed.stderr
    tree({"pyproject.toml": '[tool.pyautoload]\nroots = ["app"]\n'})
    for program in ("'program.py'", "'-m', 'app'"):
        assert python(run.format(program)).stdout == expected
    code = main.replace("__name__", "'__main__'")
    assert python(run.format(f"'-c', {code!r}")).stdout == expected


@pytest.mark.parametrize("mode", ["normal", "all"])
@pytest.mark.parametrize("lazily", [True, False])
@pytest.mark.skipif(not NATIVE, reason="the syntax and the switch of Python 3.15")
def test_an_eager_load_resolves_those_of_the_interpreter_too(tree, python, mode, lazily):
    says = "lazy import library.deep.er\nlazy from app.target import LIMIT"
    tree({**FILES, **LIBRARY, "app/client.py": says, "app/other.py": "import library.deep.er, library.broken"})
    code = f"""
        import sys, types, builtins
        from pyautoload import AutoLoader, EagerLoadError
        loader = AutoLoader("app")
        if {lazily}: loader.lazy_imports()
        try:
            loader.setup().eager_load()
        except EagerLoadError as error:
            print({{name: type(error).__name__ for name, error in error.failures.items()}})
        print("library.deep.er" in sys.modules, "app.target" in sys.modules)
        names = ("app.client", "app.target") if "app.other" not in sys.modules else ("app.client", "app.other")
        print([name for name in names for value in vars(sys.modules[name]).values()
               if type(value) is types.LazyImportType])
        """
    lines = python(code, "-X", f"lazy_imports={mode}").stdout.splitlines()
    assert lines == ["{'app.other': 'ZeroDivisionError'}", "True True", "[]"]


@pytest.mark.parametrize("eager", ["app.target.LIMIT", "app.target"])
def test_a_name_that_is_kept_eager_leaves_others_lazy(lazily, eager):
    client = "import app.runs  # pyautoload: eager\nfrom app.target import LIMIT\nimport app.late as late"
    lazily({"app/client.py": client, "app/late.py": "import app.runs\napp.runs.note('late')"}, except_for=eager)
    import app.client  # noqa: F401

    assert runs() == ["target"]


def test_a_function_of_its_modules_name_that_is_bound_otherwise_stays_so(lazily):
    files = {"app/pkg/deliver.py": "def deliver(): return 1\ndef send(): return 2"}
    lazily(
        {**files, "app/pkg/__init__.py": "from .deliver import send as deliver\nfrom .other import other\nother = 5"}
    )
    import app.pkg.deliver

    assert app.pkg.deliver() == 2
    assert app.pkg.other == 5


@pytest.mark.parametrize("over", ["globals()", "globals().items()", "globals().values()"])
@pytest.mark.parametrize("gap", ["del a1, a2, a3", "a4 = 1\nfrom app.other import X as a2", "def f(): ...\ndel f"])
def test_a_loop_over_the_names_that_uses_one_passes_all(lazily, over, gap):
    """The dict is filled again in the midst of it."""
    body = f"""
from app.target import Base, LIMIT
a1 = a2 = a3 = 1
class A: ...
def loop():
    return [(each, Base) for each in {over}], len(globals())
class B: ...
{gap}
"""
    lazily({"app/client.py": body, "app/other.py": "X = 1"})
    import app.client

    seen, count = app.client.loop()
    assert len(seen) == count
    if "values" not in over:
        assert len({str(each[0] if "items" in over else each) for each, _ in seen}) == count
