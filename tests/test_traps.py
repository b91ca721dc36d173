"""The known traps of loading on attribute access, one test or more for each."""

from __future__ import annotations

import builtins
import gc
import importlib
import pickle
import sys
import types
from pathlib import Path

import pytest

from pyautoload import ExpectedNameError
from pyautoload.errors import LoadError

# 1. An AttributeError inside a file is taken for "no such attribute"


def test_hasattr_does_not_hide_an_attribute_error_inside_the_file(autoload):
    autoload({"app/user.py": "class User: ...\nNone.wrong"})
    import app

    with pytest.raises(LoadError) as caught:
        hasattr(app, "User")
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.lazy
def test_a_from_import_runs_a_failing_file_once_and_keeps_the_cause(autoload):
    autoload({"app/user.py": "open('ran', 'a').write('x')\nclass User: ...\nNone.wrong"})
    with pytest.raises(LoadError, match="wrong"):
        exec("from app import User")
    assert Path("ran").read_text() == "x"


# 2. The same for the name that a file does not define


def test_a_name_that_the_file_does_not_define_is_an_import_error(autoload):
    autoload({"app/user.py": "class Person: ..."})
    import app

    with pytest.raises(ExpectedNameError, match="Person"):
        hasattr(app, "User")
    with pytest.raises(ImportError, match=r"user\.py"):
        exec("from app import User")


# 4 and 6 are about reloading; what they say of Python stands in test_python_compatibility.py


# 5. A class name is bound only after its body


def test_a_class_body_that_asks_for_its_own_name_is_told_so(autoload):
    autoload({"app/user.py": "import app\nclass User:\n    parent = app.User\n"})
    import app

    with pytest.raises(ImportError, match=r"app\.user imports app\.user at .*user\.py:3"):
        app.User  # noqa: B018


# 9. hasattr loads, vars() says what is loaded, dir() lists what could be


@pytest.mark.lazy
def test_hasattr_loads_vars_tells_and_dir_lists(autoload):
    autoload({"app/user.py": "class User: ...", "app/sub/x.py": ""})
    import app

    assert {"User", "user", "sub"} <= set(dir(app))
    assert "User" not in vars(app)
    assert "app.user" not in sys.modules
    assert hasattr(app, "User")
    assert "User" in vars(app)


# 10. The __getattr__ goes when all names are there, and no file can come


# Without a GIL it stays: a thread may be about to call it while another one takes it out.
STAYS = not getattr(sys, "_is_gil_enabled", lambda: True)()


def has_getattr(module):
    return "__getattr__" in vars(module)


@pytest.fixture
def frozen(autoload):
    """``autoload`` for a tree in which no new files are expected."""

    def make(files):
        loader = autoload(files)
        loader.tree.frozen = True
        if loader.loaded():
            loader.eager_load()  # what was loaded before counts, too
        return loader

    return make


@pytest.mark.lazy
def test_the_hook_goes_when_the_last_name_is_loaded(frozen):
    frozen({"app/user.py": "class User: ...", "app/post.py": "class Post: ..."})
    import app

    assert app.User
    assert has_getattr(app)
    assert app.Post
    assert has_getattr(app) is STAYS
    assert {"User", "Post", "user", "post"} <= set(dir(app))


@pytest.mark.parametrize("last", ["app.sub", "app.User", "from app import sub", "import app.sub.x"])
def test_the_hook_goes_whatever_comes_last(frozen, last):
    frozen({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    import app

    for statement in ("app.User", "import app.sub.x", last):
        exec(statement, {"app": app})
    assert has_getattr(app) is STAYS


@pytest.mark.parametrize(
    "files",
    [
        {"app/user.py": "class User: ...", "app/post.py": "class Post: ..."},
        {"app/user.py": "class User: ...", "app/zoo/x.py": "class X: ..."},
        {"app/apes/y.py": "class Y: ...", "app/zoo/x.py": "class X: ..."},
        {"app/user.py": "class User: ...", "app/__main__.py": "print()"},
        {"app/__init__.py": "", "app/user.py": "class User: ...", "app/zoo/__init__.py": "", "app/zoo/x.py": "X = 1"},
        {"app/hotel.py": "class Hotel: ...", "app/hotel/room.py": "class Room: ..."},
        {"app/zoo/__init__.py": "class Zoo: ...", "app/zoo/x.py": "X = 1"},
        {"app/html_parser.py": "class HTMLParser: ..."},
        {"app/v.py": "V = 0", "app/_hidden.py": "_Hidden = 1", "app/empty/": ""},
    ],
)
def test_after_an_eager_load_no_package_has_a_hook_left(frozen, files):
    loader = frozen(files)
    loader.eager_load()
    packages = [name for name in loader.loaded() if hasattr(sys.modules[name], "__path__")]
    assert [name for name in loader.loaded() if has_getattr(sys.modules[name])] == (packages if STAYS else [])


def test_a_packages_own_hook_stays_when_ours_goes(frozen):
    frozen(
        {
            "app/__init__.py": "def __getattr__(name):\n    if name == 'own': return 1\n    raise AttributeError(name)",
            "app/user.py": "class User: ...",
        }
    )
    import app

    assert (app.own, app.User.__name__, app.own) == (1, "User", 1)
    assert vars(app)["__getattr__"].__module__ == ("pyautoload.importing.namespace_access" if STAYS else "app")


@pytest.mark.changes
def test_the_hook_comes_back_with_a_new_file_and_goes_again(frozen, tree):
    frozen({"app/user.py": "class User: ..."})
    import app

    assert app.User
    assert has_getattr(app) is STAYS
    tree({"app/post.py": "class Post: ...", "app/page.py": "class Page: ..."})

    importlib.import_module("app.post")

    assert app.Page.__module__ == "app.page"
    assert app.Post.__module__ == "app.post"
    assert has_getattr(app) is STAYS


def test_a_hook_stays_where_a_file_does_not_define_its_name(autoload):
    loader = autoload({"app/helpers.py": "def help(): ...", "app/user.py": "class User: ..."})
    loader.eager_load()
    import app

    with pytest.raises(ExpectedNameError):
        app.Helpers  # noqa: B018
    with pytest.raises(ExpectedNameError):
        app.Helpers  # noqa: B018


def test_a_name_that_was_deleted_by_hand_from_a_complete_package_can_be_imported(autoload):
    autoload({"app/user.py": "class User: ..."})
    import app

    user = app.User
    del app.User
    assert not hasattr(app, "User") or app.User is user
    from app.user import User

    assert User is user


# 11. What was resolved is stored


@pytest.mark.lazy
def test_a_from_import_asks_once(autoload, monkeypatch):
    autoload({"app/user.py": "class User: ...", "app/post.py": "class Post: ..."})
    import app

    asked = []
    hook = vars(app)["__getattr__"]
    monkeypatch.setitem(vars(app), "__getattr__", lambda name: asked.append(name) or hook(name))
    exec("from app import User\nfrom app import User\napp.User")
    assert asked == ["User"]


# 13. Things that users remove or replace


def delete_module(app):
    del sys.modules["app.user"]


def delete_name(app):
    del app.User


def delete_both_names(app):
    del app.User, app.user


def replace_module(app):
    sys.modules["app.user"] = types.ModuleType("app.user")


def replace_by_no_module(app):
    sys.modules["app.user"] = 42


def block_module(app):
    sys.modules["app.user"] = None


def replace_parent(app):
    sys.modules["app"] = types.ModuleType("app")


def replace_parent_by_an_object(app):
    sys.modules["app"] = object()


def delete_parent(app):
    del sys.modules["app"]


def replace_name(app):
    app.User = "mine"


def clear_parent(app):
    vars(app).clear()


def delete_spec(app):
    del sys.modules["app.user"].__spec__


HAND_MADE = [
    delete_module,
    delete_name,
    delete_both_names,
    replace_module,
    replace_by_no_module,
    block_module,
    replace_parent,
    replace_parent_by_an_object,
    delete_parent,
    replace_name,
    clear_parent,
    delete_spec,
]


@pytest.mark.parametrize("change", HAND_MADE)
def test_unload_tolerates_what_was_changed_by_hand(autoload, change):
    loader = autoload({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    import app

    assert app.User
    assert app.sub.X
    change(app)

    loader.unload()

    assert loader.loaded() == []
    assert not [name for name in sys.modules if name == "app" or name.startswith("app.")]
    assert importlib.import_module("app").User.__module__ == "app.user"


@pytest.mark.parametrize("change", HAND_MADE)
def test_unregister_tolerates_what_was_changed_by_hand(autoload, change):
    loader = autoload({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    import app

    assert app.User
    change(app)
    loader.unregister()
    assert not loader.is_set_up


def test_unload_tolerates_an_import_that_failed_half_way(autoload):
    loader = autoload({"app/pkg/__init__.py": "import app.pkg.x\n1 / 0", "app/pkg/x.py": "class X: ..."})
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("app.pkg")
    loader.unload()
    assert not [name for name in sys.modules if name.startswith("app")]


def test_unload_leaves_what_the_user_put_in_place_of_a_name(autoload):
    autoload({"app/__init__.py": "", "app/user.py": "class User: ..."})
    import app

    assert app.User
    app.User = "mine"
    assert app.User == "mine"
    importlib.import_module("app.user")
    assert app.User == "mine"


def test_a_module_deleted_by_hand_is_loaded_anew_by_an_import(autoload):
    autoload({"app/user.py": "class User: ..."})
    import app

    old = app.User
    del sys.modules["app.user"]
    assert importlib.import_module("app.user").User is not old


# 14. The fresh module comes from sys.modules, not by attribute of the parent


def test_a_module_that_hides_itself_on_its_parent_does_not_recurse(autoload):
    autoload({"app/user.py": "import sys, app\nclass User: ...\n"})
    import app

    class NoAttributes(types.ModuleType):
        def __setattr__(self, name, value):
            if name != "user":
                super().__setattr__(name, value)

    app.__class__ = NoAttributes
    assert app.User.__module__ == "app.user"
    assert app.user is sys.modules["app.user"]


# 15. The stock bytecode cache holds only what was compiled from the file's own text: see test_bytecode.py

# 16. No proxies in sys.modules


def test_libraries_that_walk_sys_modules_load_nothing(autoload):
    autoload({"app/user.py": "class User: ...", "app/sub/x.py": "1 / 0"})
    importlib.import_module("app.sub")
    before = set(sys.modules)

    for module in list(sys.modules.values()):
        getattr(module, "__file__", None)
        getattr(module, "__warningregistry__", None)
        getattr(module, "__path__", None)
        getattr(module, "__wrapped__", None)
        isinstance(module, types.ModuleType)
    import inspect

    inspect.getmodule(len)
    inspect.stack()
    gc.collect()
    assert {name for name in set(sys.modules) - before if name.startswith("app")} == set()


# 3, 7, 8, 12, 17, 18: test_bytecode.py, test_threads.py, test_processes.py, test_direct_import.py


def test_everything_that_was_resolved_is_the_same_object_everywhere(autoload):
    autoload({"app/user.py": "class User: ..."})
    import app
    from app import User
    from app.user import User as again

    assert app.User is User is again is app.user.User
    assert pickle.loads(pickle.dumps(User)) is User


def test_the_import_of_the_package_itself_loads_nothing_below(python, tree):
    tree({"app/user.py": "1 / 0", "app/sub/x.py": "1 / 0"})
    code = """
        import sys
        from pyautoload import AutoLoader
        AutoLoader("app").setup()
        import app
        print(sorted(name for name in sys.modules if name.startswith("app")))
    """
    assert python(code).stdout == "['app']\n"


def test_builtins_are_not_shadowed_by_names_of_files(autoload):
    autoload({"app/print.py": "class Print: ...", "app/uses.py": "Uses = print"})
    import app

    assert app.Uses is builtins.print
    assert app.Print.__module__ == "app.print"


def test_what_dir_lists_can_be_taken(autoload):
    import inspect

    autoload(
        {
            "app/user.py": "class User: ...",
            "app/html_parser.py": "class HTMLParser: ...",
            "app/helpers.py": "# Helpers: functions only\ndef help(): ...",
            "app/version_info.py": "try:\n    from re import A as VersionInfo\nexcept ImportError:\n    pass",
            "app/sub/test_x.py": "class XTest: ...",
        }
    )
    import app

    assert not {"Helpers", "HtmlParser"} & set(dir(app))
    members = dict(inspect.getmembers(app))
    assert {"User", "HTMLParser", "VersionInfo", "user", "helpers", "sub"} <= set(members)
    assert "TestX" not in dict(inspect.getmembers(app.sub))
