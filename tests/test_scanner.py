"""FileScanner alone, against a naive walk over random trees."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyautoload import AutoLoader, ConflictError, FileScanner
from pyautoload.tree.managed_paths import Config


def test_one_directory_is_listed_without_what_lies_below(tree):
    root = tree({"app/user.py": "", "app/__init__.py": "", "app/admin/role.py": "", "app/notes.txt": ""})
    listing = FileScanner().scan("app")

    assert listing.directory == str(root / "app")
    assert listing.files == {"user": str(root / "app/user.py"), "__init__": str(root / "app/__init__.py")}
    assert listing.dirs == {"admin": str(root / "app/admin")}


@pytest.mark.parametrize(
    "name",
    [".hidden.py", "x.py~", "#x.py#", ".x.swp", "4913", ".py", "x.pyi", "x.txt", "x.PY", "py", "x.py.orig", "x.pyw"],
)
def test_what_is_no_module_is_left_out(tree, name):
    tree({f"app/{name}": "", "app/user.py": ""})

    assert set(FileScanner().scan("app").files) <= {"user"} | ({"x"} if os.name == "nt" else set())


@pytest.mark.parametrize("name", [".git/", "__pycache__/", ".idea/", "x.py/"])
def test_hidden_directories_are_left_out(tree, name):
    tree({f"app/{name}": "", "app/user.py": ""})

    assert FileScanner().scan("app").dirs == {}


def test_a_directory_that_does_not_exist_is_empty(tree):
    tree({"file.py": ""})

    assert FileScanner().scan("nowhere").files == {}
    assert FileScanner().scan("file.py").dirs == {}
    assert not FileScanner().has_python("nowhere")


def test_bytecode_and_extensions_are_modules_too(tree):
    from importlib.machinery import EXTENSION_SUFFIXES

    tree({"app/old.pyc": "", f"app/fast{EXTENSION_SUFFIXES[0]}": "", "app/both.py": "", "app/both.pyc": ""})
    files = FileScanner().scan("app").files

    assert set(files) == {"old", "fast", "both"}
    assert files["both"].endswith(".py")


def test_an_extension_comes_before_source(tree):
    from importlib.machinery import EXTENSION_SUFFIXES

    tree({"app/fast.py": "", f"app/fast{EXTENSION_SUFFIXES[-1]}": ""})

    assert FileScanner().scan("app").files["fast"].endswith(EXTENSION_SUFFIXES[-1])


def test_the_rules_of_a_configuration_hold(tree):
    root = tree({"app/x.py": "", "app/skip.py": "", "app/group/y.py": "", "app/inner/z.py": ""})
    config = Config()
    config.add_root("app", None)
    config.add_root("app/inner", None)
    config.ignored.add(["skip.py"])
    config.collapsed.add(["group"])
    listing = FileScanner(config).scan("app")

    assert set(listing.files) == {"x"}
    assert listing.collapsed == [str(root / "app/group")]
    assert listing.nested == [str(root / "app/inner")]
    assert listing.dirs == {}


def test_directories_are_merged_into_a_namespace(tree):
    root = tree({"one/user.py": "", "one/admin/x.py": "", "two/user.py": "", "two/admin/y.py": "", "two/guest.py": ""})
    space = FileScanner().namespace("app", [str(root / "one"), str(root / "two")])

    assert space.modules == {"user": str(root / "one/user.py"), "guest": str(root / "two/guest.py")}
    assert space.shadowed == {str(root / "two/user.py"): str(root / "one/user.py")}
    assert space.subdirs == {"admin": (str(root / "one/admin"), str(root / "two/admin"))}
    assert space.file is None


def test_conflicts_are_found_when_directories_are_merged(tree):
    root = tree({"one/hotel.py": "", "two/hotel/__init__.py": ""})

    with pytest.raises(ConflictError):
        FileScanner().namespace("app", [str(root / "one"), str(root / "two")])


def test_walking_visits_directories_in_sorted_order(tree):
    root = tree({"app/b/x.py": "", "app/a/deep/y.py": "", "app/c.py": "", "app/.git/z.py": "", "app/a.py": ""})
    visited = [os.path.relpath(listing.directory, root).replace(os.sep, "/") for listing in FileScanner().walk("app")]

    assert visited == ["app", "app/a", "app/a/deep", "app/b"]


def test_has_python_looks_all_the_way_down(tree):
    tree({"app/a/b/c/x.py": "", "docs/a/b/readme.txt": "", "docs/.x/y.py": "", "docs/__pycache__/y.py": ""})

    assert FileScanner().has_python("app")
    assert not FileScanner().has_python("docs")


parts = st.sampled_from(["a", "b", "c1", ".h", "__pycache__", "group", "skip"])
files = st.sampled_from(["x.py", "y.py", "__init__.py", "note.txt", ".z.py", "skip.py", "a.py"])
trees = st.lists(st.tuples(st.lists(parts, max_size=3), files), max_size=12)


def naive(base: str, namespace: str = "app") -> dict[str, str]:
    """Module name → file, by the rules for one root that ignores ``skip`` and collapses ``group``, written plainly."""
    found: dict[str, str] = {}

    def visit(directory, name):
        entries = sorted(os.listdir(directory))
        hidden = {entry for entry in entries if entry.startswith(".") or entry in ("__pycache__", "skip", "skip.py")}
        for entry in entries:
            path = os.path.join(directory, entry)
            if entry not in hidden and os.path.isfile(path) and entry.endswith(".py") and entry != "__init__.py":
                found.setdefault(f"{name}.{entry[:-3]}", path)
        for entry in entries:
            path = os.path.join(directory, entry)
            if entry not in hidden and os.path.isdir(path):
                visit(path, name if entry == "group" else f"{name}.{entry}")

    visit(base, namespace)
    return found


@settings(max_examples=40, deadline=None)
@given(trees)
def test_a_loader_finds_what_a_naive_walk_finds(tmp_path_factory, layout):
    base = tmp_path_factory.mktemp("tree") / "app"
    base.mkdir()
    for directory, name in layout:
        base.joinpath(*directory).mkdir(parents=True, exist_ok=True)
        base.joinpath(*directory, name).touch()
    loader = AutoLoader(base).ignore("skip", "skip.py").collapse("group")
    model = naive(str(base))
    try:
        planned = {space.name: space for space in loader._introspection().tree.walk_all()}
    except ConflictError:
        return  # a file and an `__init__.py`, or two of these, for one package: tested elsewhere
    modules = {f"{space.name}.{stem}": path for space in planned.values() for stem, path in space.modules.items()}

    assert modules == model


@settings(max_examples=40, deadline=None)
@given(trees)
def test_a_directory_is_a_namespace_where_there_is_a_python_file_below(tmp_path_factory, layout):
    base = tmp_path_factory.mktemp("tree")
    for directory, name in layout:
        base.joinpath(*directory).mkdir(parents=True, exist_ok=True)
        base.joinpath(*directory, name).touch()
    expected = any(
        name.endswith(".py") and not name.startswith(".") and not {".h", "__pycache__"} & set(directory)
        for directory, name in layout
    )

    assert FileScanner().has_python(str(base)) == expected
