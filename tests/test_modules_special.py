"""Modules that are no plain source files, or do unusual things with themselves."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import types
from pathlib import Path

import pytest

from pyautoload import ExpectedNameError

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]

SOURCE = """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static int run(PyObject *module) { return PyModule_AddIntConstant(module, "Native", 7); }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, run}, {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "native", NULL, 0, methods, slots};
PyMODINIT_FUNC PyInit_native(void) { return PyModuleDef_Init(&definition); }
"""


@pytest.fixture(scope="session")
def native(tmp_path_factory):
    """A compiled extension module, once for all tests."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    include = sysconfig.get_path("include")
    if compiler is None or not os.path.exists(os.path.join(include, "Python.h")) or os.name == "nt":
        pytest.skip("no C compiler, or no header files of Python")
    directory = tmp_path_factory.mktemp("native")
    source, target = directory / "native.c", directory / ("native" + SUFFIX)
    source.write_text(SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)], check=True)
    return target


def without_addresses(text):
    return re.sub("0x[0-9a-f]+", "0x", text)


# Extension modules


def test_an_extension_module_is_loaded_by_import_and_by_name(autoload, tree, native):
    root = tree({"app/user.py": "from app.native import answer\nclass User: ..."})
    shutil.copy(native, root / "app" / native.name)
    loader = autoload({"app/user.py": "from app.native import answer\nclass User:\n    a = answer()"})
    import app

    assert app.User.a == 42
    assert app.Native == 7
    assert type(app.native.__loader__) is importlib.machinery.ExtensionFileLoader
    assert app.native.__file__.endswith(SUFFIX)
    assert {"app", "app.native", "app.user"} == set(loader.loaded())


def test_an_extension_module_looks_as_ordinarily_imported(python, tree, native):
    root = tree({"app/__init__.py": ""})
    shutil.copy(native, root / "app" / native.name)
    code = (
        "import app.native as m, importlib.util\n"
        "print(m, m.__spec__, m.__file__, m.__package__, type(m.__loader__), sorted(vars(m)), m.__spec__.cached)\n"
        "print(vars(m.__loader__).keys(), m.__loader__ == importlib.util.find_spec('app.native').loader)\n"
    )
    stock = python(code).stdout
    ours = python("from pyautoload import AutoLoader; AutoLoader('app').setup()\n" + code).stdout
    assert without_addresses(ours) == without_addresses(stock)


def test_an_extension_comes_before_a_source_file_of_the_same_name(autoload, tree, native):
    root = tree({"app/x.py": ""})
    shutil.copy(native, root / "app" / native.name)
    autoload({"app/native.py": "1 / 0"})
    import app

    assert app.native.answer() == 42


def test_an_extension_module_is_eager_loaded_and_calls_back(autoload, tree, native):
    root = tree({"app/x.py": ""})
    shutil.copy(native, root / "app" / native.name)
    told = []
    loader = autoload(
        {"app/x.py": "X = 1"}, configure=lambda loader: loader.on_load(lambda name, value, path: told.append(name))
    )
    loader.eager_load()
    assert sorted(told) == ["app", "app.Native", "app.X"]


def test_a_broken_extension_module_raises_its_import_error(autoload, tree):
    tree({"app/broken" + SUFFIX: "not an extension"})
    autoload({"app/x.py": ""})
    import app

    with pytest.raises(ImportError, match="broken"):
        app.Broken  # noqa: B018
    with pytest.raises(ImportError, match="broken"):
        importlib.import_module("app.broken")


# Bytecode without source


def compiled(root, name, source):
    path = root / (name + ".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    py_compile.compile(str(path), cfile=str(root / (name + ".pyc")))
    path.unlink()


def test_a_module_that_is_bytecode_only(autoload, tree):
    root = tree({"app/x.py": ""})
    compiled(root, "app/user", "class User: ...")
    compiled(root, "app/shop/__init__", "started = True")
    compiled(root, "app/shop/cart", "from ..user import User\nclass Cart: ...")
    autoload({"app/x.py": ""})
    import app

    assert app.User.__module__ == "app.user"
    assert app.shop.started
    assert app.shop.Cart.__module__ == "app.shop.cart"
    assert type(app.user.__loader__) is importlib.machinery.SourcelessFileLoader
    assert app.user.__cached__ == app.user.__file__ if sys.version_info < (3, 15) else app.user.__spec__.cached


def test_bytecode_without_source_looks_as_ordinarily_imported(python, tree):
    root = tree({"app/__init__.py": ""})
    compiled(root, "app/user", "class User: ...")
    compiled(root, "app/shop/__init__", "")
    code = (
        "import app.user as m, app.shop as s\n"
        "for m in (m, s): print(m, m.__spec__, m.__file__, m.__package__, type(m.__loader__), m.__spec__.cached)\n"
        "print(list(s.__path__))\n"
    )
    stock = python(code).stdout
    ours = python("from pyautoload import AutoLoader; AutoLoader('app').setup()\n" + code).stdout
    assert without_addresses(ours) == without_addresses(stock)


def test_bytecode_of_another_python_raises_the_ordinary_error(autoload, tree):
    root = tree({"app/x.py": ""})
    (root / "app" / "user.pyc").write_bytes(b"\x00" * 32)
    autoload({"app/x.py": ""})
    with pytest.raises(ImportError, match="bad magic number"):
        importlib.import_module("app.user")


# Modules that put something else in their place


def test_a_module_that_replaces_itself_with_an_object(autoload):
    autoload(
        {
            "app/settings.py": "import sys\nclass Settings:\n    debug = True\nsys.modules[__name__] = Settings()\n",
            "app/uses.py": "from app.settings import debug\nfrom app import settings\nclass Uses:\n    seen = settings",
        }
    )
    import app

    assert app.settings.debug
    assert app.Uses.seen is app.settings is sys.modules["app.settings"]


def test_a_module_that_replaces_itself_with_an_object_without_a_dict(autoload):
    loader = autoload(
        {
            "app/settings.py": "import sys\nclass Slim:\n    __slots__ = ()\n    debug = True\n"
            "sys.modules[__name__] = Slim()\n"
        }
    )
    import app

    assert app.settings.debug
    with pytest.raises((ExpectedNameError, AttributeError)):
        app.Settings  # noqa: B018
    loader.unload()


def test_a_module_that_replaces_itself_with_its_own_class_instance_keeps_the_expected_name(autoload):
    autoload(
        {
            "app/config.py": "import sys, types\n"
            "class Config(types.ModuleType):\n    @property\n    def level(self): return 3\n"
            "new = Config(__name__)\nnew.Config = Config\nsys.modules[__name__] = new\n"
        }
    )
    import app

    assert app.Config.__name__ == "Config"
    assert app.config.level == 3


def test_a_module_that_changes_its_class(autoload):
    autoload(
        {
            "app/__init__.py": "import sys, types\n"
            "class Callable(types.ModuleType):\n    def __call__(self): return 'called'\n"
            "sys.modules[__name__].__class__ = Callable\n",
            "app/user.py": "class User: ...",
        }
    )
    import app

    assert app() == "called"
    assert app.User.__module__ == "app.user"


def test_a_package_that_replaces_itself_is_left_as_it_is(autoload):
    loader = autoload(
        {
            "app/__init__.py": "import sys\nclass Proxy:\n    __path__ = __path__\n    __name__ = __name__\n"
            "    __spec__ = __spec__\n    word = 'proxy'\nsys.modules[__name__] = Proxy()\n",
            "app/user.py": "class User: ...",
        }
    )
    app = importlib.import_module("app")
    assert app.word == "proxy"
    assert importlib.import_module("app.user").User
    loader.unload()


def test_a_module_that_removes_itself_raises_as_ever(autoload):
    autoload({"app/gone.py": "import sys\ndel sys.modules[__name__]\n"})
    with pytest.raises((KeyError, ImportError)):
        importlib.import_module("app.gone")


# Packages with hooks of their own


OWN = """
__all__ = ["one", "User"]
one = 1
def __getattr__(name):
    if name == "lazy":
        return "own lazy"
    raise AttributeError(f"own: {name}")
def __dir__():
    return ["own_entry"]
"""


@pytest.mark.lazy
def test_a_package_with_its_own_hooks_is_asked_first(autoload):
    autoload({"app/__init__.py": OWN, "app/user.py": "class User: ...", "app/lazy.py": ""})
    import app

    assert app.lazy == "own lazy"
    assert app.User.__module__ == "app.user"
    assert {"own_entry", "User", "user"} <= set(dir(app))
    with pytest.raises(AttributeError, match="own: nothing"):
        app.nothing  # noqa: B018


def test_a_package_with_its_own_hooks_that_raises_something_else_is_heard(autoload):
    autoload({"app/__init__.py": "def __getattr__(name):\n    raise KeyError(name)", "app/user.py": "class User: ..."})
    import app

    with pytest.raises(KeyError):
        app.something  # noqa: B018


def test_a_packages_own_attributes_win_over_its_files(autoload):
    autoload({"app/__init__.py": "User = 'mine'", "app/user.py": "class User: ..."})
    import app

    assert app.User == "mine"
    importlib.import_module("app.user")
    assert app.User == "mine"


def test_an_init_file_may_use_what_lies_in_its_own_directory(autoload):
    autoload(
        {
            "app/__init__.py": "import app\nfrom app import User\nfrom .post import Post\n"
            "both = (User, app.Post, app.user.User)",
            "app/user.py": "class User: ...",
            "app/post.py": "class Post: ...",
        }
    )
    import app

    assert app.both == (app.User, app.Post, app.User)


# Imports inside


def test_star_imports_take_what_all_says(autoload):
    autoload({"app/__init__.py": OWN, "app/user.py": "class User: ...", "app/other.py": "class Other: ..."})
    names = {}
    exec("from app import *", names)
    assert set(names) - {"__builtins__"} == {"one", "User"}


def test_star_imports_of_an_explicit_namespace_without_all_take_what_is_there(autoload):
    autoload(
        {"app/__init__.py": "one = 1\n_two = 2", "app/user.py": "class User: ..."},
    )
    names = {}
    exec("from app import *", names)
    assert "one" in names
    assert "_two" not in names


@pytest.mark.parametrize("before", ["", "import app; app.User", "loader.eager_load()", "import app.user, app.helpers"])
def test_star_imports_of_an_implicit_namespace_take_the_expected_names(autoload, before):
    loader = autoload(
        {
            "app/user.py": "class User: ...",
            "app/html_parser.py": "class HTMLParser: ...",
            "app/guarded.py": "try:\n    import nothing\nexcept ImportError:\n    Guarded = None",
            "app/helpers.py": "# Helpers, functions only\ndef help(): ...",
            "app/_hidden.py": "_Hidden = 1",
            "app/sub/x.py": "class X: ...",
        }
    )
    exec(before, {"loader": loader})
    names = {}
    exec("from app import *", names)
    assert set(names) - {"__builtins__"} == {"User", "HTMLParser", "Guarded"}


def test_star_imports_of_a_complete_implicit_namespace_are_the_same(autoload):
    loader = autoload({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    loader.eager_load()
    names = {}
    exec("from app import *", names)
    assert set(names) - {"__builtins__"} == {"User"}


def test_relative_and_function_level_imports(autoload):
    autoload(
        {
            "app/shop/cart.py": "from ..models import User\nfrom . import price\nfrom .price import Price as P\n"
            "class Cart:\n    user = User\n    price = price.Price\n"
            "    def late(self):\n        from ..models.post import Post\n        return Post\n",
            "app/shop/price.py": "class Price: ...",
            "app/models/user.py": "class User: ...",
            "app/models/post.py": "class Post: ...",
        }
    )
    import app

    assert (app.shop.Cart.user, app.shop.Cart.price) == (app.models.User, app.shop.Price)
    assert app.shop.Cart().late() is app.models.Post


def test_a_relative_import_beyond_the_top_is_the_ordinary_error(autoload):
    autoload({"app/user.py": "from ..other import x"})
    with pytest.raises(ImportError, match="beyond top-level package"):
        importlib.import_module("app.user")


# hotel.py beside hotel/


PROMOTED = {
    "app/hotel.py": "class Hotel: ...\nfrom .room import Room as Best\n",
    "app/hotel/room.py": "from . import pool\nfrom ..hotel import pool as again\nclass Room: ...",
    "app/hotel/pool.py": "class Pool: ...",
    "app/hotel/menu.txt": "soup\n",
}


def test_a_file_beside_a_directory_is_a_package_in_all_respects(autoload):
    autoload(PROMOTED)
    import app
    import app.hotel

    spec = app.hotel.__spec__
    assert app.Hotel.__module__ == "app.hotel"
    assert app.hotel.Room is app.hotel.Best
    assert app.hotel.__package__ == spec.parent == "app.hotel"
    assert app.hotel.__file__.endswith("hotel.py")
    assert list(app.hotel.__path__) == [os.path.abspath("app/hotel")] == list(spec.submodule_search_locations)
    assert app.hotel.__loader__.is_package("app.hotel")


def test_resources_of_a_file_beside_a_directory_lie_in_the_directory(autoload):
    import importlib.resources

    autoload(PROMOTED)
    importlib.import_module("app.hotel")
    assert importlib.resources.files("app.hotel").joinpath("menu.txt").read_text() == "soup\n"
    if sys.version_info >= (3, 12):
        assert importlib.resources.files("app.hotel.room").joinpath("menu.txt").is_file()


# Tools of the standard library that take modules apart


def test_a_module_with_surrogate_names_and_other_encodings(autoload, tree):
    root = tree({"app/x.py": ""})
    (root / "app" / "latin.py").write_bytes("# coding: latin-1\nclass Latin:\n    word = 'süß'\n".encode("latin-1"))
    (root / "app" / "bom.py").write_bytes(b"\xef\xbb\xbfclass Bom: ...\r\nword = 1\r\n")
    autoload({"app/x.py": ""})
    import app

    assert app.Latin.word == "süß"
    assert app.Bom.__module__ == "app.bom"
    assert "süß" in app.latin.__loader__.get_source("app.latin")


def test_file_names_in_other_scripts(autoload):
    autoload({"app/größe.py": "class Größe: ...", "app/日本.py": "class X: ..."})
    import app

    assert app.Größe.__module__ == "app.größe"
    assert importlib.import_module("app.日本").X


def test_an_empty_file_is_a_module(autoload):
    autoload({"app/nothing.py": ""})
    import app

    assert isinstance(app.nothing, types.ModuleType)
    with pytest.raises(ExpectedNameError, match="no name at all"):
        app.Nothing  # noqa: B018


def test_two_loaders_live_side_by_side_and_one_goes(tree):
    from pyautoload import AutoLoader

    root = tree(
        {
            "one/user.py": "from two import Post\nclass User:\n    post = Post",
            "two/post.py": "class Post: ...",
            "two/late.py": "class Late: ...",
            "one/late.py": "class Late: ...",
        }
    )
    first, second = AutoLoader(root / "one").setup(), AutoLoader(root / "two").setup()
    one, two = importlib.import_module("one"), importlib.import_module("two")
    assert one.User.post is two.Post

    first.unregister()

    assert one.User.post is two.Post
    assert two.Late.__module__ == "two.late"
    assert (first.loaded(), second.loaded()) == (["one", "one.user"], ["two", "two.post", "two.late"])
    with pytest.raises(AttributeError):
        one.Late  # noqa: B018


def test_unregister_restores_the_import_system(tree, monkeypatch):
    from pyautoload import AutoLoader

    root = tree({"app/__init__.py": "", "app/user.py": "class User: ...", "app/post.py": "class Post: ..."})
    monkeypatch.syspath_prepend(str(root))
    before = (list(sys.meta_path), list(sys.path_hooks), list(sys.path))
    loader = AutoLoader("app").setup()
    app = importlib.import_module("app")
    assert app.User
    loader.unregister()

    assert (list(sys.meta_path), list(sys.path_hooks), list(sys.path)) == before
    assert not {"__getattr__", "__dir__"} & set(vars(app))
    assert type(importlib.import_module("app.post").__loader__) is importlib.machinery.SourceFileLoader
    loader.unregister()


def test_unregister_gives_a_package_that_existed_already_back_as_it_was(tree, monkeypatch):
    from pyautoload import AutoLoader

    root = tree({"lib/pkg/__init__.py": "def __dir__():\n    return ['mine']", "more/user.py": "class User: ..."})
    monkeypatch.syspath_prepend(str(root / "lib"))
    pkg = importlib.import_module("pkg")
    before = dict(vars(pkg), __path__=list(pkg.__path__))
    loader = AutoLoader("more", top_level="pkg").setup()
    assert pkg.User.__module__ == "pkg.user"
    loader.unload()
    loader.unregister()
    after = dict(vars(pkg), __path__=list(pkg.__path__))
    assert {k: v for k, v in after.items() if k in before} == before
    assert not {"User", "user", "__getattr__"} & set(vars(pkg))


def test_the_working_directory_may_change_after_the_set_up(autoload, tmp_path):
    autoload({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    import app

    assert app.User.__module__ == "app.user"
    assert app.sub.X.__module__ == "app.sub.x"
    assert Path(app.user.__file__).is_file()


def test_a_namespace_keeps_its_portions_when_the_search_path_changes(tree, monkeypatch):
    from pyautoload import AutoLoader

    root = tree({"lib/space/other.py": "x = 1", "mine/user.py": "class User: ...", "mine/sub/x.py": "class X: ..."})
    monkeypatch.syspath_prepend(str(root / "lib"))
    AutoLoader("mine", top_level="space").setup()
    space = importlib.import_module("space")
    before = list(space.__path__)
    assert space.User

    sys.path.append(str(root / "nothing"))
    importlib.invalidate_caches()

    assert list(space.__path__) == before
    assert importlib.import_module("space.other").x == 1
    assert space.sub.X


def test_deep_names_are_reached_from_the_top(autoload):
    loader = autoload({f"app/{'/'.join('abcdefgh'[:n])}/end.py": f"class End:\n    depth = {n}" for n in (1, 4, 8)})
    import app

    assert app.a.b.c.d.e.f.g.h.End.depth == 8
    assert app.a.b.c.d.End.depth == 4
    assert loader.resolve("app.a.End").depth == 1


def test_a_module_and_a_class_whose_names_differ_by_case_only(autoload):
    autoload({"app/URL.py": "class URL: ...", "app/user.py": "class USER: ..."})
    import app

    assert app.URL.__name__ == "app.URL"
    assert app.USER.__module__ == "app.user"
    assert app.URL.URL.__module__ == "app.URL"


def test_importlib_reload_of_an_implicit_namespace_keeps_its_names(autoload):
    autoload({"app/user.py": "class User: ...", "app/post.py": "class Post: ..."})
    import app

    user = app.User
    assert importlib.reload(app) is app
    assert app.User is user
    assert app.Post.__module__ == "app.post"


def test_a_module_type_subclass_as_the_package_by_create_module_is_served(autoload):
    autoload({"app/__init__.py": "import sys\nsys.modules[__name__].extra = 1", "app/user.py": "class User: ..."})
    import app

    assert (app.extra, app.User.__module__) == (1, "app.user")


def test_names_are_taken_by_from_imports_of_modules_that_are_loading(autoload):
    autoload(
        {
            "app/__init__.py": "from .user import User\nfrom . import post\nlate = [User, post.Post]",
            "app/user.py": "from app import post\nfrom app.post import Post\nclass User:\n    post = Post",
            "app/post.py": "import app\nclass Post:\n    def user(self): return app.User",
        }
    )
    import app

    assert app.late == [app.User, app.Post]
    assert app.Post().user() is app.User


def test_module_objects_may_be_weakly_referenced_and_collected_after_unload(autoload):
    import gc
    import weakref

    loader = autoload({"app/user.py": "class User: ..."})
    module = weakref.ref(importlib.import_module("app.user"))
    loader.unload()
    gc.collect()
    assert module() is None


def test_the_lazy_loader_of_the_standard_library_defers_a_managed_module(autoload):
    import importlib.util

    loader = autoload({"app/__init__.py": "", "app/user.py": "class User: ...\nran = True"})
    loader.unload()
    importlib.import_module("app")
    spec = importlib.util.find_spec("app.user")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["app.user"] = module
    spec.loader.exec_module(module)
    assert "app.user" not in loader.loaded()
    assert module.ran
    assert "app.user" in loader.loaded()


def test_nothing_warns_where_warnings_are_errors(python, tree):
    tree({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ...", "app/pkg/__init__.py": ""})
    code = """
        from pyautoload import AutoLoader
        loader = AutoLoader("app").setup()
        import app
        app.User, app.sub.X, dir(app)
        from app import *
        loader.eager_load()
        loader.unload()
        loader.unregister()
    """
    assert python(code, "-W", "error", "-X", "dev", "-b").stderr == ""


def test_isolated_and_verbose_interpreters_work_alike(python, tree):
    tree({"app/user.py": "class User: ..."})
    code = "from pyautoload import AutoLoader\nAutoLoader('app').setup()\nimport app\nprint(app.User.__name__)"
    assert python(code, "-v").stdout == python(code, "-X", "importtime").stdout == "User\n"


def test_assignments_and_deletions_on_a_package_are_ordinary(autoload):
    autoload({"app/user.py": "class User: ...", "app/post.py": "class Post: ..."})
    import app

    app.User = "mine"
    assert app.User == "mine"
    app.anything = 1
    del app.anything
    with pytest.raises(AttributeError):
        del app.never_there
    assert app.Post.__module__ == "app.post"
    assert app.User == "mine"
