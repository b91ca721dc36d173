"""The dependency graph, and what is read from code objects for it."""

# ruff: noqa: F811, E501  (a fixture imported by name; sources on one line)

from __future__ import annotations

import textwrap

from reload_app import app  # noqa: F401

from pyautoload.reloading.code.codediff import compare
from pyautoload.reloading.code.codefacts import scan
from pyautoload.reloading.dependencies.dependency_graph import HELD_ONLY, USED


def code(text):
    return compile(textwrap.dedent(text), "x.py", "exec")


def test_kinds_of_dependencies(app):
    a = app(
        a="X = 1\ndef f(): ...\nclass B: ...\n",
        holds="from APP.a import X\n",
        late="def g():\n    from APP.a import f\n",
        uses="from APP.a import X\nY = X\n",
        inherits="from APP.a import B\nclass C(B): ...\n",
        far="from APP.uses import Y\n",
    )
    a.loader.eager_load()
    assert {a.names([k])[0]: v for k, v in a.loader.dependents(f"{a.name}.a").items()} == {
        "holds": HELD_ONLY,
        "late": HELD_ONLY,
        "uses": USED,
        "inherits": USED,
    }
    assert a.names(list(a.loader.dependents(f"{a.name}.a", transitive=True))) == [
        "far",
        "holds",
        "inherits",
        "late",
        "uses",
    ]
    assert a.loader.dependencies(f"{a.name}.uses") == {f"{a.name}.a": USED}
    assert a.loader.dependency_graph()[f"{a.name}.far"] == {f"{a.name}.uses": HELD_ONLY}


def test_the_graph_follows_an_edit(app):
    a = app(a="X = 1\n", b="Y = 1\n")
    a.loader.eager_load()
    assert a.loader.dependencies(f"{a.name}.b") == {}
    a.edit(b="from APP.a import X\nY = X\n")
    assert a.loader.dependencies(f"{a.name}.b") == {f"{a.name}.a": USED}
    a.edit(b="Y = 1\n")
    assert a.loader.dependents(f"{a.name}.a") == {}


def test_what_a_module_imports():
    facts = scan(
        code(
            """
            from .a import b as q, c
            import x.y as z, os.path
            from m import *
            from .. import up
            def f():
                from .late import Late
            class C:
                from inner import one
            """
        ),
        "top.pkg",
    )
    assert facts.imports == (
        ("top.pkg.a", "b", "q"),
        ("top.pkg.a", "c", "c"),
        ("x.y", None, "z"),
        ("os.path", None, "os"),
        ("m", "*", None),
        ("top", "up", "up"),
        ("inner", "one", None),
        ("top.pkg.late", "Late", None),
    )


def test_what_import_time_code_uses():
    facts = scan(
        code(
            """
            import deferred
            @deco
            def f(x=default):
                return deferred.chain.far(x)
            class A(Base):
                k = inner
            ITEMS = [elem for elem in source]
            app.register(f)
            """
        ),
        "",
    )
    names = {name for name in facts.loads if not name.startswith("__")}
    assert {"deco", "default", "Base", "inner", "source", "app", "f"} <= names
    assert "deferred" not in names
    assert "Base" not in facts.active
    assert ("app", "register") in facts.chains
    assert ("deferred", "chain", "far") in facts.late_chains
    assert facts.keeps_calls


def test_plain_calls_and_classes_keep_no_outcome():
    assert not scan(code("class A(B):\n    def m(self): return f()\nlog.append(1)\nX = Y * 2\n"), "").keeps_calls


def test_only_functions_differ():
    old = code(
        "X = 1\nclass C:\n    def m(self):\n        self.a = 1\n        return 1\ndef f(): return [i for i in range(3)]\n"
    )
    new = code(
        "# moved\nX = 1\nclass C:\n    def m(self):\n        self.b = 2\n        return 2\ndef f(): return [i for i in range(3)]\n"
    )
    found = compare(old, new)
    assert [change.qualname for change in found.changed] == ["C.m"]
    assert [change.qualname for change in found.moved] == ["f"]


def test_import_time_code_differs():
    base = code("X = 1\ndef f(a=1): return 1\nclass C:\n    Y = 1\n")
    for text in (
        "X = 2\ndef f(a=1): return 1\nclass C:\n    Y = 1\n",
        "X = 1\ndef f(a=2): return 1\nclass C:\n    Y = 1\n",
        "X = 1\ndef f(a=1): return 1\nclass C:\n    Y = 2\n",
        "X = 1\ndef f(a=1): return 1\nclass C:\n    Y = 1\nZ = 1\n",
        "X = True\ndef f(a=1): return 1\nclass C:\n    Y = 1\n",
    ):
        assert compare(base, code(text)) is None


def test_the_registry_answers_too(app):
    a = app(a="X = 1\n", b="from APP.a import X\n", c="from APP.b import X\n")
    a.loader.eager_load()
    registry = a.loader.registry
    assert registry.get_dependents(f"{a.name}.a") == [f"{a.name}.b"]
    assert registry.get_dependents(f"{a.name}.a", transitive=True) == [f"{a.name}.b", f"{a.name}.c"]
    assert registry.get_dependencies(f"{a.name}.c") == [f"{a.name}.b"]
    a.edit(b="X = 5\n")
    assert registry.get_dependents(f"{a.name}.a") == []
