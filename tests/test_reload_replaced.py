"""Functions of libraries that a module replaces while it is imported, and objects of classes that are gone."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import json
import logging
import shutil
import textwrap

import pytest
from reload_app import app  # noqa: F401

QUIET = {"watch": False}
SAVES = """
    import {library}
    X = 1
    _before = {library}.{name}
    def replacement(*args, **keywords):
        return _before(*args, **keywords)
    {library}.{name} = replacement
"""
SAVES_BY_IMPORT = """
    import {library}
    from {library} import {name} as _before
    X = 1
    def replacement(*args, **keywords):
        return _before(*args, **keywords)
    {library}.{name} = replacement
"""
SAVES_A_CLASS = """
    import {library}
    X = 1
    _before = {library}.{name}
    class Replacement:
        def __new__(cls, *args, **keywords):
            return _before(*args, **keywords)
    {library}.{name} = Replacement
"""


@pytest.fixture(params=[(json, "dumps"), (shutil, "which")], ids=lambda item: item[1])
def patched(request, monkeypatch):
    library, name = request.param
    monkeypatch.setattr(library, name, getattr(library, name))  # put back afterwards
    return library, name


@pytest.mark.parametrize("text", [SAVES, SAVES_BY_IMPORT, SAVES_A_CLASS])
def test_a_module_that_keeps_what_it_replaces_asks(app, patched, text):
    library, name = patched
    text = textwrap.dedent(text).format(library=library.__name__, name=name)
    a = app(options=QUIET, a=text)
    a("a")
    a.write("a.py", text.replace("X = 1", "X = 2"))
    result = a.loader.reload()
    assert f"{library.__name__}.{name}" in result.restart_required[f"{a.name}.a"]
    assert a("a").X == 1
    getattr(library, name)("")  # and not itself for ever


def test_one_that_does_not_replace_it_any_more_asks(app, patched):
    library, name = patched
    text = f"import {library.__name__}\ndef f(*a):\n    return 'ours'\n"
    a = app(options=QUIET, a=text + f"{library.__name__}.{name} = f\n")
    a("a")
    a.write("a.py", text)
    assert library.__name__ in a.loader.reload().restart_required[f"{a.name}.a"]


def test_one_that_only_replaces_it_runs_again(app, patched):
    library, name = patched
    text = f"import {library.__name__}\nX = 1\ndef f(*a):\n    return X\n{library.__name__}.{name} = f\n"
    a = app(options=QUIET, a=text)
    a("a")
    a.write("a.py", text.replace("X = 1", "X = 2"))
    assert a.loader.reload().ok
    assert getattr(library, name)("") == 2


@pytest.mark.parametrize("entry", ["Handler()", "Handler", "Handler().handle_", "lambda: 1"])
def test_objects_of_a_class_that_is_gone_are_taken_out(app, entry):
    logger = logging.getLogger("of.the.test.of.what.is.gone")
    logger.entries = ["other"]
    text = """\
    import logging
    log = logging.getLogger("of.the.test.of.what.is.gone")
    class Handler:
        def handle_(self): pass
    """
    a = app(options=QUIET, a=textwrap.dedent(text) + f"function = {entry}\nlog.entries.append(function)\n")
    a("a")
    assert len(logger.entries) == 2
    a.write("a.py", "import logging\nlog = logging.getLogger('of.the.test.of.what.is.gone')\n")
    assert a.loader.reload().ok
    assert logger.entries == ["other"]
