"""``pyautoload tree`` and ``pyautoload explain``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
from command_line import CONFIG, run, run_apart, run_json

Tree = Callable[[dict[str, str]], Path]

FILES = {
    "pyproject.toml": CONFIG
    + 'collapse = ["*/concerns"]\nignore = ["*_draft.py"]\ninflections = { db = "Database" }\n'
    + 'do_not_eager_load = ["tasks"]\n',
    "app/models/user.py": "class User: ...",
    "app/models/concerns/sluggable.py": "class Sluggable: ...",
    "app/models/idea_draft.py": "class IdeaDraft: ...",
    "app/lib/html_parser.py": "class HTMLParser: ...",
    "app/lib/helpers.py": "def f(): ...",
    "app/lib/.hidden.py": "",
    "app/db.py": "class Database: ...",
    "app/tasks/seed.py": "class Seed: ...",
    "app/static/style.css": "",
}


def lines(*arguments: str, expect: int = 0) -> list[str]:
    return [line.replace("\\", "/") for line in run(*arguments, expect=expect).output.splitlines()]


def test_a_tree_shows_names_and_files(tree: Tree) -> None:
    tree(FILES)
    assert lines("tree") == [
        "app  app/",
        "├── Database  app/db.py",
        "├── lib  app/lib/",
        "│   ├── helpers  app/lib/helpers.py (module)",
        "│   └── HTMLParser  app/lib/html_parser.py",
        "├── models  app/models/",
        "│   ├── Sluggable  app/models/concerns/sluggable.py",
        "│   └── User  app/models/user.py",
        "└── tasks  app/tasks/",
        "    └── Seed  app/tasks/seed.py",
    ]


def test_a_part_and_a_depth_can_be_shown(tree: Tree) -> None:
    tree(FILES)
    assert lines("tree", "app.models") == [
        "models  app/models/",
        "├── Sluggable  app/models/concerns/sluggable.py",
        "└── User  app/models/user.py",
    ]
    assert lines("tree", "--depth", "1") == ["app  app/"]
    assert len(lines("tree", "--depth", "2")) == 5


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_deeper_directories_are_not_read(tree: Tree) -> None:
    root = tree(FILES)
    (root / "app" / "lib").chmod(0)
    try:
        assert len(lines("tree", "app.models")) == 3
    finally:
        (root / "app" / "lib").chmod(0o755)


def test_a_namespace_that_is_not_there_is_a_finding(tree: Tree) -> None:
    tree(FILES)
    assert lines("tree", "app.nothing", expect=1) == ["app.nothing is not a managed namespace"]


def test_json_nests_and_names_everything(tree: Tree) -> None:
    tree(FILES)
    (top,) = run_json("tree")
    assert top["kind"] == "namespace"
    assert [child["name"] for child in top["children"]] == ["app.db", "app.lib", "app.models", "app.tasks"]
    assert top["children"][0]["defines"] == "app.Database"
    assert top["children"][1]["children"][0] == {
        "name": "app.lib.helpers",
        "kind": "module",
        "files": [str(Path("app/lib/helpers.py").resolve())],
        "defines": None,
        "loaded": False,
    }


def test_with_a_running_loader_what_is_loaded_is_marked(tree: Tree, tmp_path: Path) -> None:
    autoload = "from pyautoload import AutoLoader\nloader = AutoLoader('app').setup()\nimport app.models.user"
    tree({"autoload.py": autoload, **FILES})
    output = run_apart("tree", "--loader", "autoload:loader", cwd=tmp_path).stdout.replace("\\", "/")
    assert [line.split("/")[-1] for line in output.splitlines() if line.endswith(" loaded")] == [
        " loaded",
        " loaded",
        "user.py loaded",
    ]


# explain


@pytest.mark.parametrize(
    ("subject", "last"),
    [
        ("app.models.User", "app.models.User → app/models/user.py"),
        ("app.models.user", "app.models.user → app/models/user.py"),
        ("app/models/user.py", "app.models.User → app/models/user.py"),
        ("app.models.Sluggable", "app.models.Sluggable → app/models/concerns/sluggable.py"),
        ("app/models/concerns/sluggable.py", "app.models.Sluggable → app/models/concerns/sluggable.py"),
        ("app.lib.HTMLParser", "app.lib.HTMLParser → app/lib/html_parser.py"),
        ("app.Database", "app.Database → app/db.py"),
        ("app.models", "app.models → app/models"),
        ("app/models", "app.models → app/models"),
        ("app", "app → app"),
    ],
)
def test_names_and_paths_are_explained(tree: Tree, subject: str, last: str) -> None:
    tree(FILES)
    assert lines("explain", subject)[-1] == last


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("app.models.concerns", "✗ the finder refuses it: app/models/concerns is collapsed"),
        ("app.models.IdeaDraft", "✗ app/models/idea_draft.py is ignored by ignore('*_draft.py')"),
        ("app/models/idea_draft.py", "✗ app/models/idea_draft.py is ignored by ignore('*_draft.py')"),
        ("app/lib/.hidden.py", "✗ .hidden.py is hidden"),
        ("app.models.Usre", "• did you mean app.models.User?"),
        ("app/static", "✗ there is no managed Python file in it or below it"),
        ("app/static/style.css", "✗ it is not a Python file"),
        ("app.static", "✗ there is no managed Python file in app/static"),
        ("pyproject.toml", "✗ "),
        ("app/nothing.py", "✗ app/nothing.py does not exist"),
        ("flask", "✗ 'flask' is not a managed package (managed: app)"),
        ("ap", "✗ 'ap' is not a managed package (managed: app); did you mean app?"),
        ("not a name", "✗ it is neither a dotted name nor an existing path"),
    ],
)
def test_what_is_not_managed_says_why_and_is_a_finding(tree: Tree, subject: str, why: str) -> None:
    tree(FILES)
    found = lines("explain", subject, expect=1)
    assert [line for line in found if line.startswith(why)], found
    assert found[-1] == f"{subject} is not managed"


@pytest.mark.parametrize(
    ("subject", "step"),
    [
        ("app.Database", "Database is the expected name of app/db.py: inflect({'db': 'Database'}) says so"),
        ("app.lib.HTMLParser", "HTMLParser matches app/lib/html_parser.py with case and underscores set aside"),
        ("app.models.User", "User is the expected name of app/models/user.py: the stem 'user', camelized"),
        ("app/models/concerns/sluggable.py", "concerns is collapsed by collapse('*/concerns')"),
        ("app/tasks/seed.py", "eager_load() leaves it out: do_not_eager_load('tasks')"),
        ("app/lib/helpers.py", "its text defines f: it can be imported as a module, but not asked for that name"),
    ],
)
def test_the_steps_name_the_rule(tree: Tree, subject: str, step: str) -> None:
    tree(FILES)
    assert [line for line in lines("explain", subject) if step in line]


def test_a_shadowed_file_says_by_which(tree: Tree) -> None:
    tree({"one/user.py": "", "two/user.py": ""})
    roots = ["--root", "one", "--namespace", "app", "--root", "two", "--namespace", "app"]
    assert "✗ it is shadowed by one/user.py, which took the name first" in lines(
        "explain", "two/user.py", *roots, expect=1
    )


def test_a_conflict_on_the_way_is_explained(tree: Tree) -> None:
    tree({"app/hotel.py": "", "app/hotel/__init__.py": "", "app/user.py": "class User: ..."})
    assert "is defined by both" in "".join(lines("explain", "app.User", "--root", "app", expect=1))


def test_an_explanation_as_json(tree: Tree) -> None:
    tree(FILES)
    found = run_json("explain", "app.Database")
    assert found["found"]
    assert (found["name"], found["provides"]) == ("app.db", "app.Database")
    assert found["file"] == str(Path("app/db.py").resolve())
    assert {step["ok"] for step in found["steps"]} <= {True, False, None}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("app.Animals", "not asked for that name"),
        ("app.Dog", "did you mean app.animals.Dog? app/animals.py defines Dog (line 2)"),
        ("app.bad", "it cannot be compiled"),
    ],
)
def test_explain_ends_with_1_where_the_access_raises(tree: Tree, name: str, hint: str) -> None:
    tree({"pyproject.toml": CONFIG, "app/animals.py": "class Cat: ...\nclass Dog: ...\n", "app/bad.py": "class ("})
    output = run("explain", name, expect=1).output
    assert hint in output
    assert output.splitlines()[-1] == f"{name} is not managed"
