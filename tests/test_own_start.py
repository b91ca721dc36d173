"""What ``from pyautoload import AutoLoader`` brings in: nothing that takes long to import and is needed later only."""

from __future__ import annotations

LATER = {
    "re",
    "enum",
    "fnmatch",
    "inflection",
    "unicodedata",
    "struct",
    "contextlib",
    "typing",
    "dataclasses",
    "inspect",
}
LATER |= {
    "collections",
    "collections.abc",
    "functools",
    "threading",
    "weakref",
    "types",
    "importlib",
    "warnings",
    "operator",
}
LATER |= {"ast", "opcode", "dis", "watchdog", "pyautoload.lazy.imports", "pyautoload.reloading", "pyautoload.serving"}


def test_the_loader_is_imported_without_what_is_needed_later(python):
    code = """
        import sys
        before = set(sys.modules)
        from pyautoload import AutoLoader
        print(*sorted(set(sys.modules) - before))
        """
    assert LATER.isdisjoint(python(code, "-S").stdout.split())


def test_a_loader_that_is_set_up_and_loads_by_module_name_needs_no_more(tree, python):
    tree({"app/user_name.py": "class UserName: ..."})
    code = """
        import sys
        from pyautoload import AutoLoader
        AutoLoader("app").setup()
        import app.user_name
        print(app.user_name.UserName.__name__, *sys.modules)
        """
    name, *modules = python(code, "-S").stdout.split()
    assert name == "UserName"
    assert {"re", "enum", "fnmatch", "inflection", "typing", "dataclasses"}.isdisjoint(modules)


def test_named_tuples_are_as_those_of_typing(tmp_path):
    """Ours do without ``typing`` and ``collections``: nobody should see that."""
    import pickle
    import typing

    from pyautoload.tree.registry import Loaded

    class Point(typing.NamedTuple):
        path: str
        mtime_ns: int = 7

    assert Loaded._fields == ("path", "mtime_ns")
    for make in (
        lambda cls: cls("a", 1),
        lambda cls: cls(path="a", mtime_ns=1),
        lambda cls: cls("a", mtime_ns=1),
        lambda cls: cls._make(["a", 1]),
        lambda cls: cls("b", 1)._replace(path="a"),
    ):
        ours, theirs = make(Loaded), make(Point)
        assert tuple(ours) == tuple(theirs) == ("a", 1)
        assert repr(ours).partition("(")[2] == repr(theirs).partition("(")[2]
        assert (ours.path, ours.mtime_ns, ours._asdict()) == ("a", 1, theirs._asdict())
        assert pickle.loads(pickle.dumps(ours)) == ours
        match ours:
            case Loaded(path, mtime):
                assert (path, mtime) == ("a", 1)
    for arguments, named in [((), {}), (("a", 1, 2), {}), (("a",), {"path": "b", "mtime_ns": 1}), (("a",), {"x": 1})]:
        for cls in (Loaded, Point):
            try:
                cls(*arguments, **named)
            except TypeError:
                continue
            raise AssertionError((cls, arguments, named))


def test_a_loader_that_was_dropped_before_setup_is_forgotten(tmp_path):
    import gc

    from pyautoload import AutoLoader
    from pyautoload.loaders import all_loaders

    (tmp_path / "app").mkdir()
    loader = AutoLoader(tmp_path / "app")
    assert loader in all_loaders()
    del loader
    gc.collect()
    assert not any(str(tmp_path) in str(root) for loader in all_loaders() for root in loader.dirs())
