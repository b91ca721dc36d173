"""Completion and tools that ask modules for each of their names load nothing, and meet no file that fails."""

from __future__ import annotations

import importlib
import rlcompleter
import sys

import pytest

FILES = {"app/one.py": "class One: ...", "app/two.py": "raise ValueError('broken')", "app/deep/er.py": "class Er: ..."}
LAZY = {
    "app/__init__.py": "from pyautoload import lazy\n"
    "__getattr__, __dir__, __all__ = lazy.exports(__name__, 'from .one import One\\nfrom .two import Two')\n",
    **FILES,
}
# What freezegun does when time is frozen.
WALK = """
def walk(module):
    found = {}
    for name in dir(module):
        try:
            found[name] = getattr(module, name)
        except (ImportError, AttributeError, TypeError):
            continue
    return found
"""


@pytest.fixture(params=["loader", "exports"])
def app(request, autoload_plain, tree, monkeypatch):
    if request.param == "loader":
        return autoload_plain(FILES)
    monkeypatch.syspath_prepend(str(tree(LAZY)))
    return importlib.import_module("app")


@pytest.fixture
def autoload_plain(tree):
    from pyautoload import AutoLoader

    def make(files):
        AutoLoader(tree(files) / "app").setup()
        return importlib.import_module("app")

    return make


def loaded():
    return {name for name in sys.modules if name.startswith("app.")}


def test_the_plain_prompt_completes_without_loading(app):
    completer = rlcompleter.Completer({"app": app})
    found = [text for state in range(20) if (text := completer.complete("app.", state))]

    assert any(text.startswith("app.One") for text in found)
    assert loaded() == set()
    assert app.One.__name__ == "One"


@pytest.mark.parametrize("walker", ["freezegun.api", "jedi.inference.compiled.access", "IPython.core.completer"])
def test_walkers_see_what_is_loaded(app, walker):
    names = {"__name__": walker}
    exec(WALK, names)

    assert "One" not in names["walk"](app)
    assert loaded() == set()
    one = app.One
    assert names["walk"](app)["One"] is one
    assert loaded() == {"app.one"}


def test_all_others_load_what_they_ask_for(app):
    names = {"__name__": "freezegun_like"}
    exec(WALK.replace("TypeError)", "TypeError, ValueError)"), names)

    assert names["walk"](app)["One"].__name__ == "One"
    assert "app.one" in loaded()


def test_ipython_completes_without_loading(app):
    completer = pytest.importorskip("IPython.core.completer")
    for use_jedi in (True, False):
        made = completer.IPCompleter(namespace={"app": app}, use_jedi=use_jedi)
        with completer.provisionalcompleter():
            found = [item.text for item in made.completions("app.", 4)]

        assert any(text.endswith("One") for text in found)
        assert loaded() == set()
