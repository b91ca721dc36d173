"""What ``import pyautoload`` offers, and what it costs."""

import ast
from pathlib import Path

import pyautoload


def _typed_names():
    module = ast.parse(Path(pyautoload.__file__).read_text(encoding="utf-8"))
    block = next(node for node in module.body if isinstance(node, ast.If))
    return {(f"{node.module}.{alias.name}", alias.asname) for node in block.body for alias in node.names}


def test_type_checkers_see_the_same_names_as_users():
    assert {name for _, name in _typed_names()} | {"__version__"} == set(pyautoload.__all__)


def test_every_public_name_is_there():
    for full, name in _typed_names():
        value = getattr(pyautoload, name)
        assert getattr(value, "__name__", name) in (full, name) or name == "load"


def test_the_import_brings_in_no_heavy_module(python):
    out = python("""
        import sys
        before = set(sys.modules)
        import pyautoload
        pyautoload.AutoLoader
        print(*sorted(name.partition(".")[0] for name in set(sys.modules) - before))
    """).stdout.split()
    heavy = {"watchdog", "click", "rich", "ast", "logging", "asyncio", "tempfile", "subprocess", "inspect", "zipimport"}
    assert not heavy & set(out)
    assert not {"typing", "annotationlib"} & set(out)


def test_values_are_named_tuples_as_those_of_typing(python):
    out = python("""
        import pickle
        from pyautoload.tree.registry import Entry

        entry = Entry("app.user", path="/app/user.py")
        name, path, directories = entry
        print(entry, entry == ("app.user", "/app/user.py", ()), entry.is_namespace, entry._fields, sep="\\n")
        print(pickle.loads(pickle.dumps(entry)) == entry, hasattr(entry, "__dict__"))
    """).stdout.splitlines()
    assert out == [
        "Entry(name='app.user', path='/app/user.py', directories=())",
        "True",
        "False",
        "('name', 'path', 'directories')",
        "True False",
    ]
