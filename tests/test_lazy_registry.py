"""lazy.registry: what is loaded and what is not."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from pyautoload import lazy


@pytest.fixture
def pkg(tree, monkeypatch):
    root = tree(
        {
            "pkg/__init__.py": """
                from pyautoload import lazy
                __getattr__, __dir__, __all__ = lazy.exports(__name__, '''
                    from .a import A, text as words
                    from .deliver import deliver
                    from . import sub
                ''')
            """,
            "pkg/a.py": "class A: ...\ntext = 'a string'",
            "pkg/deliver.py": "def deliver(): ...",
            "pkg/sub.py": "",
        }
    )
    monkeypatch.syspath_prepend(str(root))
    return importlib.import_module("pkg")


def test_it_gives_statements_before_and_objects_after(pkg):
    registry = lazy.registry("pkg")
    assert dict(registry) == {
        "A": "from .a import A",
        "words": "from .a import text as words",
        "deliver": "from .deliver import deliver",
        "sub": "from . import sub",
    }
    assert "pkg.a" not in sys.modules
    assert pkg.A is registry["A"]
    assert list(registry.loaded) == ["A"]
    assert list(registry.pending) == ["words", "deliver", "sub"]


def test_a_loaded_string_is_told_from_a_statement(pkg):
    registry = lazy.registry(pkg)
    assert not registry.is_loaded("words")
    assert pkg.words == "a string"
    assert registry.is_loaded("words")
    assert "1 of 4" in repr(registry)


def test_it_is_read_only(pkg):
    with pytest.raises(TypeError):
        lazy.registry(pkg)["A"] = 1


def test_submodules_that_were_imported_elsewhere_count(pkg):
    importlib.import_module("pkg.sub")
    importlib.import_module("pkg.deliver")
    assert set(lazy.registry(pkg).loaded) == {"sub", "deliver"}


def test_a_package_without_lazy_exports_is_an_error():
    with pytest.raises(LookupError, match="json has no lazy exports"):
        lazy.registry(json)
    with pytest.raises(LookupError, match="import it first"):
        lazy.registry("not_imported_at_all")
    with pytest.raises(KeyError):
        lazy.registry(lazy)["nope"]


def test_the_lazy_package_itself_is_lazy():
    assert lazy.registry(lazy).is_loaded("registry")
    assert "module" in dir(lazy)


def test_a_package_under_a_loader_has_both_kinds_of_names(autoload):
    autoload(
        {
            "app/util/__init__.py": """
                from pyautoload import lazy
                __getattr__, __dir__, __all__ = lazy.exports(__name__, "from .tools import hammer as h")
            """,
            "app/util/tools.py": "def hammer(): return 1\nclass Tools: ...",
        }
    )
    import app

    assert list(lazy.registry(app.util).pending) == ["h"]
    assert (app.util.h(), app.util.Tools.__name__) == (1, "Tools")
    assert list(lazy.registry(app.util).loaded) == ["h"]
