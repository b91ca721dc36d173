"""A managed module looks as an ordinarily imported one: the same questions, asked of both, in two processes."""

from __future__ import annotations

import importlib
import json
import re
import sys
import textwrap

import pytest

SETUP = """
from pyautoload import AutoLoader
AutoLoader("app").setup()
"""

FILES = {
    "app/__init__.py": '"""The application."""\nfrom __future__ import annotations\n',
    "app/user.py": '''
        """Users."""
        import dataclasses
        from typing import TYPE_CHECKING, Optional
        if TYPE_CHECKING:
            from app.post import Post

        @dataclasses.dataclass
        class User:
            """A user."""
            name: str
            posts: "list[Post]" = dataclasses.field(default_factory=list)
            friend: "Optional[User]" = None

            def hello(self):
                return "hello " + self.name
        ''',
    "app/post.py": "from .user import User\n\nclass Post:\n    author: User\n",
    "app/shop/__init__.py": "from . import cart\nfrom .cart import Cart as Basket\n",
    "app/shop/cart.py": "from ..user import User\nclass Cart:\n    owner = User\n",
    "app/shop/data/prices.txt": "apple 1\n",
    "app/plain/deep/thing.py": "from ...user import User\nclass Thing: ...\n",
    "app/plain/note.txt": "a note\n",
}

FACTS = """
    import importlib, json, sys
    def fact(question):
        try:
            return question()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    def facts(name):
        module = importlib.import_module(name)
        spec = module.__spec__
        loader = module.__loader__
        return {
            "name": module.__name__, "file": fact(lambda: module.__file__), "package": module.__package__,
            "cached": fact(lambda: module.__cached__), "doc": module.__doc__, "repr": repr(module),
            "path": fact(lambda: list(module.__path__)), "path type": fact(lambda: type(module.__path__).__name__),
            "spec": [spec.name, spec.origin, spec.cached, spec.parent, spec.has_location, spec.loader_state,
                     spec.submodule_search_locations and list(spec.submodule_search_locations)],
            "loader": [kind.__name__ for kind in type(loader).__mro__ if "pyautoload" not in kind.__module__],
            "spec.loader": spec.loader is loader, "initializing": spec._initializing,
            "is_package": fact(lambda: loader.is_package(name)),
            "get_filename": fact(lambda: loader.get_filename(name)),
            "get_source": fact(lambda: loader.get_source(name)),
            "get_code": fact(lambda: loader.get_code(name).co_filename),
            "in the parent": fact(lambda: vars(sys.modules[spec.parent or "app"])[name.rpartition(".")[2]] is module),
            "names": sorted(key for key in vars(module) if key[:2] == "__" and key not in ("__getattr__", "__dir__")),
        }
"""


@pytest.fixture
def both(python, tree):
    """``both(code)``: what ``code`` prints under the ordinary import, and under a loader."""
    tree(FILES)

    def run(code, *arguments, **environment):
        code = textwrap.dedent(code)
        stock = python("\n" * SETUP.count("\n") + code, *arguments, **environment).stdout
        ours = python(SETUP + code, *arguments, **environment).stdout
        return stock, ours

    return run


def without_class(text):
    """``text`` without the name of the class that loads namespaces, and where its object lies."""
    return re.sub(r"[\w.]*Namespace(Directory)?Loader( object at 0x\w+)?", "NamespaceLoader", text)


@pytest.mark.parametrize(
    "name", ["app", "app.user", "app.post", "app.shop", "app.shop.cart", "app.plain", "app.plain.deep"]
)
def test_attributes_spec_and_loader_are_those_of_an_ordinary_module(both, name):
    code = f"{FACTS}\n    print(json.dumps(facts({name!r}), indent=1))"
    stock, ours = both(code)
    assert json.loads(without_class(ours)) == json.loads(without_class(stock))


@pytest.mark.parametrize("name", ["app", "app.user", "app.shop", "app.plain", "app.plain.deep.thing"])
def test_find_spec_answers_alike_before_and_after_the_import(both, name):
    code = f"""
        import importlib.util, sys
        def show(spec):
            print(spec.name, spec.origin, spec.cached, spec.parent, spec.has_location)
            print(list(spec.submodule_search_locations or []))
        show(importlib.util.find_spec({name!r}))
        __import__({name!r})
        show(importlib.util.find_spec({name!r}))
        print(importlib.util.find_spec({name!r}) is sys.modules[{name!r}].__spec__)
        print(importlib.util.find_spec("app.nothing"))
    """
    stock, ours = both(code)
    assert ours == stock


def test_a_spec_that_was_found_makes_a_working_module_by_hand(both):
    code = """
        import importlib.util, sys
        spec = importlib.util.find_spec("app.shop.cart")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print(module, module.Cart, module.Cart.owner, spec.name in sys.modules)
    """
    stock, ours = both(code)
    assert ours == stock


def test_the_order_of_sys_modules_is_that_of_the_ordinary_import(both):
    code = """
        import __future__, dataclasses, typing, sys
        before = set(sys.modules)
        import app.plain.deep.thing, app.shop
        print([name for name in sys.modules if name not in before and name.startswith("app")])
    """
    stock, ours = both(code)
    assert ours == stock


def test_inspect_finds_source_files_lines_and_modules(both):
    code = """
        import inspect
        from app.user import User
        import app.user, app.shop, app.plain
        print(inspect.getsource(User), inspect.getsource(User.hello), inspect.getsource(app.user))
        print(inspect.getsourcefile(User), inspect.getfile(app.shop), inspect.getsourcelines(User.hello)[1])
        print(inspect.getmodule(User) is app.user, inspect.getdoc(User), inspect.getdoc(app.user))
        print(inspect.getmodulename(app.user.__file__), inspect.signature(User))
    """
    stock, ours = both(code)
    assert ours == stock


def test_pickle_and_copy_go_by_the_module_name(both):
    code = """
        import pickle, copy
        from app.user import User
        data = pickle.dumps(User("ann"))
        print(data)
        print(pickle.loads(data) == User("ann"), copy.deepcopy(User("ann")), pickle.loads(pickle.dumps(User)) is User)
    """
    stock, ours = both(code)
    assert ours == stock


def test_unpickling_loads_the_module_that_is_needed(both, python):
    data = python(SETUP + "import pickle\nfrom app.user import User\nprint(pickle.dumps(User('ann'), 0).hex())").stdout
    code = f"""
        import pickle, sys
        user = pickle.loads(bytes.fromhex({data.strip()!r}))
        print(user, sorted(name for name in sys.modules if name.startswith("app")))
    """
    stock, ours = both(code)
    assert ours == stock


def test_resources_are_read_from_packages_and_implicit_namespaces(both):
    code = """
        import importlib.resources as resources, sys
        print(resources.files("app.shop").joinpath("data/prices.txt").read_text())
        print(sorted(item.name for item in resources.files("app.shop").iterdir()))
        print(resources.files("app.plain").joinpath("note.txt").read_text())
        print(sorted(item.name for item in resources.files("app.plain").iterdir() if item.name != "__pycache__"))
        print(sorted(item.name for item in resources.files("app").iterdir() if item.name != "__pycache__"))
        with resources.as_file(resources.files("app.plain") / "note.txt") as path:
            print(path)
        import pkgutil
        print(pkgutil.get_data("app.shop", "data/prices.txt"))
    """
    stock, ours = both(code)
    assert ours == stock


def test_pkgutil_lists_and_walks_the_same_modules(both):
    code = """
        import pkgutil, app
        print([(m.name, m.ispkg) for m in pkgutil.iter_modules(app.__path__)])
        print([(m.name, m.ispkg) for m in pkgutil.walk_packages(app.__path__, "app.")])
        import app.plain
        print([(m.name, m.ispkg) for m in pkgutil.iter_modules(app.plain.__path__)])
        print(pkgutil.resolve_name("app.user:User"), pkgutil.resolve_name("app.plain.deep.thing.Thing"))
    """
    stock, ours = both(code)
    assert ours == stock


def test_typing_and_dataclasses_find_names_in_the_module(both):
    code = """
        import dataclasses, typing
        from app.user import User
        import app.post
        app.user.Post = app.post.Post
        print(typing.get_type_hints(User), dataclasses.fields(User)[2].type, dataclasses.replace(User("a"), name="b"))
        print(typing.get_type_hints(app.post.Post))
    """
    stock, ours = both(code)
    assert ours == stock


def test_imports_for_type_checkers_only_are_not_run(both):
    code = "import sys, app.user\nprint('app.post' in sys.modules)"
    stock, ours = both(code)
    assert ours == stock == "False\n"


def test_doctest_and_pydoc_see_the_module(both):
    code = """
        import doctest, pydoc, app.user
        print(doctest.testmod(app.user))
        print(pydoc.plain(pydoc.render_doc(app.user)))
        print(pydoc.locate("app.user.User"), pydoc.locate("app.nothing.User"))
    """
    stock, ours = both(code)
    assert ours == stock


def test_reload_of_the_standard_library_runs_the_file_again_in_the_same_module(both):
    code = """
        import importlib, app.shop, app.user
        one, spec = app.user.User, app.user.__spec__
        module = importlib.reload(app.user)
        print(module is app.user, app.user.User is one, app.user.__spec__ == spec, app.user.__spec__ is spec)
        package = importlib.reload(app.shop)
        print(package is app.shop, app.shop.Basket, list(app.shop.__path__))
    """
    stock, ours = both(code)
    assert ours == stock


def test_mock_patches_by_dotted_name_and_puts_back(both):
    code = """
        from unittest import mock
        import sys
        with mock.patch("app.user.User") as fake:
            from app.user import User
            print(User is fake)
        from app.user import User
        print(User, User is sys.modules["app.user"].User)
        with mock.patch.dict(sys.modules, {"app.post": mock.sentinel.post}):
            from app import post
            print(post)
    """
    stock, ours = both(code)
    assert ours == stock


def test_a_missing_module_gives_the_ordinary_error(both):
    code = """
        for statement in ("import app.nothing", "from app import nothing", "import app.user.deeper",
                          "from app.user import Nobody", "import app.plain.nothing", "import app; app.nothing",
                          "from . import x"):
            try:
                exec(statement, {"__name__": "__main__"})
            except Exception as error:
                print(type(error).__name__, error, getattr(error, "name", None), getattr(error, "path", None))
    """
    stock, ours = both(code)
    assert ours == stock


def test_warnings_point_at_the_line_that_caused_them(both, tree):
    tree(
        {
            "app/old.py": "import warnings\n\ndef old():\n    warnings.warn('new', DeprecationWarning, stacklevel=2)\n",
            "app/uses.py": "from app.old import old\n\nold()\n",
            "app/late.py": "import warnings\nwarnings.warn('imported', UserWarning, stacklevel=2)\n",
        }
    )
    code = """
        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import app.uses
            import app.late
        print([(str(w.message), w.filename, w.lineno) for w in caught])
    """
    stock, ours = both(code)
    assert ours == stock


def test_unused_names_of_the_module_system_stay_as_they_are(both):
    code = """
        import sys, app, app.plain
        print(hasattr(app, "__all__"), hasattr(app, "__wrapped__"), hasattr(app, "__test__"))
        print(hasattr(app.plain, "__wrapped__"), app.plain.__doc__, app.plain.__file__)
    """
    stock, ours = both(code)
    assert ours == stock


def test_sys_modules_holds_plain_module_objects(autoload):
    autoload({"app/user.py": "class User: ...", "app/sub/x.py": "class X: ..."})
    importlib.import_module("app.sub.x")
    kinds = {name: type(sys.modules[name]) for name in ("app", "app.sub", "app.sub.x")}
    assert set(kinds.values()) == {type(sys)}


def test_a_warning_at_import_time_names_the_line_that_first_used_the_attribute(python, tree):
    tree({**FILES, "app/old.py": "import warnings\nwarnings.warn('old', UserWarning, stacklevel=2)\nclass Old: ...\n"})
    code = SETUP + (
        "import warnings, app\nwith warnings.catch_warnings(record=True) as caught:\n    app.Old\n"
        "print(caught[0].filename, caught[0].lineno)"
    )
    assert python(code).stdout == "<string> 6\n"
