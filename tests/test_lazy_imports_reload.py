"""Lazy imports and reloading: edits are followed, and what nobody used is not run by a reload."""

# ruff: noqa: E501  (texts of files on one line)

from __future__ import annotations

import builtins
import sys
from pathlib import Path

import pytest

from pyautoload import AutoLoader

FILES = {
    "app/target.py": "import builtins\nbuiltins.ran.append('target')\nLIMIT = 3\nclass Base: size = 1\n",
    "app/other.py": "import builtins\nbuiltins.ran.append('other')\nLIMIT = 30\n",
    "app/client.py": "from app.target import LIMIT, Base\nVALUE = 1\ndef use(): return LIMIT\ndef base(): return Base.size\n",
    "app/late.py": "from app.client import VALUE, use\ndef f(): return use() + VALUE\n",
}


@pytest.fixture
def edited(tree, monkeypatch):
    """``edited(path, old, new)``: edit a file of the loaded tree, and reload."""
    root = tree(FILES)
    monkeypatch.setattr(builtins, "ran", [], raising=False)
    loader = AutoLoader(root / "app").lazy_imports()
    loader.enable_reloading(watch=False)  # a reload in another thread would meet what is looked at here
    loader.setup()
    import app.client
    import app.late  # noqa: F401

    def edit(path: str, old: str, new: str):
        file = Path(root, path)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return loader.reload()

    yield edit
    loader.disable_reloading()


def ran():
    return builtins.ran


def client():
    return sys.modules["app.client"]


def test_a_body_edit_resolves_nothing(edited):
    edited("app/client.py", "return LIMIT", "return LIMIT + 1")
    assert ran() == []
    assert client().use() == 4
    assert ran() == ["target"]


def test_an_edit_of_a_module_that_nobody_used_runs_nothing(edited):
    edited("app/target.py", "LIMIT = 3", "LIMIT = 5")
    assert ran() == []
    assert client().use() == 5


def test_an_edit_of_a_module_that_was_used_is_seen_where_it_is_used(edited):
    assert client().use() == 3
    edited("app/target.py", "LIMIT = 3", "LIMIT = 5")
    assert client().use() == 5
    assert sys.modules["app.late"].f() == 6


def test_a_changed_import_statement_is_followed(edited):
    assert client().use() == 3
    edited(
        "app/client.py",
        "from app.target import LIMIT, Base",
        "from app.other import LIMIT\nfrom app.target import Base",
    )
    assert client().use() == 30
    assert client().base() == 1


def test_a_value_that_changes_is_seen_by_who_never_used_it(edited):
    edited("app/client.py", "VALUE = 1", "VALUE = 2")
    assert sys.modules["app.late"].f() == 5


def test_a_class_that_was_not_used_yet_is_the_edited_one(edited):
    edited("app/target.py", "size = 1", "size = 2")
    assert client().base() == 2
    edited("app/target.py", "size = 2", "size = 3")
    assert client().base() == 3


def test_a_name_that_is_added_and_used(edited):
    edited("app/client.py", "VALUE = 1", "VALUE = 1\nimport json\ndef text(): return json.dumps([LIMIT])")
    assert client().text() == "[3]"


def test_an_edit_that_fails_leaves_lazy_names_as_they_were(edited):
    from pyautoload import ReloadError

    with pytest.raises(ReloadError):
        edited("app/client.py", "VALUE = 1", "VALUE = 1 / 0")
    assert client().VALUE == 1
    assert client().use() == 3
    edited("app/client.py", "VALUE = 1 / 0", "VALUE = 7")
    assert sys.modules["app.late"].f() == 10
