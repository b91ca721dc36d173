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


def test_names_of_a_module_that_runs_again_stay_unresolved(edited):
    edited("app/client.py", "VALUE = 1", "VALUE = 2")
    assert sys.modules["app.late"].VALUE == 2
    assert ran() == []
    assert sys.modules["app.late"].f() == 5
    assert ran() == ["target"]


def test_an_import_that_is_added_waits(edited):
    edited("app/client.py", "VALUE = 1", "VALUE = 2\nfrom app.other import LIMIT as more\ndef g(): return more")
    assert ran() == []
    assert client().g() == 30
    assert ran() == ["other"]


def test_a_name_that_is_used_while_the_module_runs_again_is_resolved_and_no_other(edited):
    edited("app/client.py", "VALUE = 1", "from app.other import LIMIT as more\nVALUE = more")
    assert ran() == ["other"]
    assert client().VALUE == 30
    edited("app/other.py", "LIMIT = 30", "LIMIT = 31")
    assert ran() == ["other", "other"]
    assert (client().VALUE, client().more) == (31, 31)
    assert client().use() == 3


@pytest.mark.parametrize("use", [lambda: None, lambda: client().use()])
@pytest.mark.parametrize(
    ("new", "value"),
    [("LIMIT = 9\nVALUE = 2", 9), ("from app.other import LIMIT\nVALUE = 2", 30), ("VALUE = 2\ndel LIMIT", None)],
)
def test_a_name_that_the_edited_code_binds_otherwise(edited, use, new, value):
    use()
    edited("app/client.py", "VALUE = 1", new)
    assert "other" not in ran() or value == 30
    if value is None:
        with pytest.raises(NameError):
            client().use()
    else:
        assert client().use() == value
    assert client().base() == 1


def test_an_import_that_is_taken_out_takes_its_name_along(edited):
    assert client().use() == 3
    edited("app/client.py", "from app.target import LIMIT, Base\nVALUE = 1", "from app.target import Base\nVALUE = 2")
    with pytest.raises(NameError):
        client().use()


def test_modules_that_import_each_other_run_again_in_any_order(edited, tmp_path):
    for one, two in ("post", "user"), ("user", "post"):
        text = f"from app.{two} import {two.title()}\nN = 1\nclass {one.title()}:\n    def f(self): return {two.title()}, N\n"
        (tmp_path / f"app/{one}.py").write_text(text)
    import app.post
    import app.user

    assert app.user.User().f()[0]().f() == (app.user.User, 1)
    for file in ("app/post.py", "app/user.py"):
        edited(file, "N = 1", "N = 2")
    for file in ("app/user.py", "app/post.py"):
        (tmp_path / file).write_text((tmp_path / file).read_text().replace("N = 2", "N = 3"))
    edited("app/client.py", "VALUE = 1", "VALUE = 2")
    assert app.user.User().f()[0]().f() == (app.user.User, 3)
    assert app.post.Post().f() == (app.user.User, 3)


def test_a_failed_edit_leaves_what_was_unresolved_and_what_was_resolved(edited):
    from pyautoload import ReloadError

    assert client().base() == 1
    edited("app/client.py", "VALUE = 1", "VALUE = 1\nimport app.other\ndef g(): return app.other.LIMIT")
    with pytest.raises(ReloadError):
        edited("app/client.py", "VALUE = 1", "VALUE = 1 / 0\nfrom app.target import LIMIT as again")
    assert ran() == ["target"]
    assert client().base() == 1
    assert client().g() == 30
    assert not hasattr(client(), "again")


@pytest.mark.skipif(sys.version_info < (3, 15), reason="the syntax of Python 3.15")
@pytest.mark.parametrize("lazily", [True, False])
def test_what_says_lazy_itself_runs_again(tree, monkeypatch, lazily):
    root = tree({**FILES, "app/says.py": "lazy from app.target import LIMIT\nlazy import app.other as other\nX = 1\n"})
    monkeypatch.setattr(builtins, "ran", [], raising=False)
    loader = AutoLoader(root / "app")
    if lazily:
        loader.lazy_imports()
    loader.enable_reloading(watch=False)
    loader.setup()
    import app.says

    file = root / "app/says.py"
    file.write_text(file.read_text().replace("X = 1", "X = 2"))
    loader.reload()
    assert app.says.X == 2
    assert ran() == []
    assert app.says.LIMIT == 3
    file.write_text(file.read_text().replace("X = 2", "X = 3"))
    loader.reload()
    assert (app.says.X, app.says.LIMIT, ran()) == (3, 3, ["target"])
    loader.disable_reloading()
