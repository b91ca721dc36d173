"""Import hooks of others and managed modules, each hook installed before ``setup()`` and after it."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

# What each hook is given: an explicit package, an implicit one, a file in each, a collapsed directory, a package whose
# code stands beside its directory. `f` returns what it is given, though it says it takes an int.
BODY = "def f(x: int) -> int:\n    value = 1\n    return x\n\n\nclass {}:\n    pass\n"
MODULES = {
    "shop": "shop/__init__.py",
    "shop.order": "shop/order.py",
    "shop.models.user": "shop/models/user.py",
    "shop.hotel": "shop/hotel.py",
    "shop.hotel.room": "shop/hotel/room.py",
    "shop.audit": "shop/concerns/audit.py",
}
FILES = {path: BODY.format(name.rpartition(".")[2].title()) for name, path in MODULES.items()}
MARK = "b'value = 1', b'value = 2'"

# Text that is put in front of the hooks below: each marks the modules that it has worked on.
PRELUDE = f"""
import ast, importlib.util, sys, types
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, PathFinder, SourceFileLoader
NAMES = {tuple(MODULES)!r}
def compiled(data, path):
    return compile(bytes(data).replace({MARK}), path, "exec", dont_inherit=True)
class Compiling(SourceFileLoader):
    def source_to_code(self, data, path, *args, **options):
        return compiled(data, path)
def path_hook(loader):
    return FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (loader, [".py"]))
def is_marked(module):
    return 2 in module.f.__code__.co_consts
"""
CALL = """
def is_marked(module):
    try:
        module.f("no int")
    except Exception as error:
        return type(error).__module__.partition(".")[0] in {checkers!r}
    return False
"""
# Name → the library that it needs, what installs it, and what tells that it worked on a module, if not the mark.
HOOKS = {
    "beartype": ("beartype", "from beartype.claw import beartype_package\nbeartype_package('shop')", ("beartype",)),
    "typeguard": (
        "typeguard",
        "from typeguard import install_import_hook\ninstall_import_hook('shop')",
        ("typeguard",),
    ),
    "jaxtyping": (
        "jaxtyping",
        "from jaxtyping import install_import_hook\ninstall_import_hook('shop', 'typeguard.typechecked')",
        ("typeguard", "jaxtyping"),
    ),
    "jaxtyping without a checker": (
        "jaxtyping",
        "from jaxtyping import install_import_hook\ninstall_import_hook('shop', None)\n"
        "def is_marked(module): return hasattr(module.f, '__wrapped__') or 'jaxtyping' in vars(module)",
        None,
    ),
    "wrapt": (
        "wrapt",
        "import wrapt\nhooked = []\n"
        "for name in NAMES: wrapt.register_post_import_hook(lambda module: hooked.append(module.__name__), name)\n"
        "def is_marked(module): return module.__name__ in hooked",
        None,
    ),
    "ddtrace": (
        "ddtrace",
        "from ddtrace.internal.module import ModuleWatchdog\nhooked = []\nModuleWatchdog.install()\n"
        "for name in NAMES:\n"
        "    ModuleWatchdog.register_module_hook(name, lambda module: hooked.append(module.__name__))\n"
        "def is_marked(module): return module.__name__ in hooked",
        None,
    ),
    "defer_imports": (
        "defer_imports",
        "import defer_imports\ndefer_imports.import_hook() if hasattr(defer_imports, 'import_hook') else None\n"
        "def is_marked(module): return True",
        None,
    ),
    "ideas": (
        "ideas",
        "from ideas import import_hook\n"
        "def source(text, **options): return text.replace('value = 1', 'value = 2')\n"
        "import_hook.create_hook(name=__name__, transform_source=source, extensions=['.py'])",
        None,
    ),
    "hy": ("hy", "import hy\ndef is_marked(module): return True", None),
    "a path hook with source_to_code": (
        None,
        "sys.path_hooks.insert(0, path_hook(Compiling))\nsys.path_importer_cache.clear()",
        None,
    ),
    "a path hook with get_data": (
        None,
        "class Loader(SourceFileLoader):\n"
        "    def get_data(self, path):\n"
        f"        data = super().get_data(path)\n"
        f"        return data.replace({MARK}) if path.endswith('.py') else data\n"
        "sys.path_hooks.insert(0, path_hook(Loader))\nsys.path_importer_cache.clear()",
        None,
    ),
    "a path hook with get_code": (
        None,
        "class Loader(SourceFileLoader):\n"
        "    def get_code(self, name):\n"
        "        return compiled(self.get_data(self.path), self.path) if super().get_code(name) else None\n"
        "sys.path_hooks.insert(0, path_hook(Loader))\nsys.path_importer_cache.clear()",
        None,
    ),
    "a path hook with exec_module": (
        None,
        "class Loader(SourceFileLoader):\n"
        "    def exec_module(self, module):\n"
        "        super().exec_module(module)\n        module.marked = True\n"
        "sys.path_hooks.insert(0, path_hook(Loader))\nsys.path_importer_cache.clear()\n"
        "def is_marked(module): return hasattr(module, 'marked')",
        None,
    ),
    "a finder that asks PathFinder and replaces the loader": (
        None,
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        spec = PathFinder.find_spec(name, path, target) if name.startswith('shop') else None\n"
        "        if spec is not None and isinstance(spec.loader, SourceFileLoader):\n"
        "            spec.loader = Compiling(spec.loader.name, spec.loader.path)\n            return spec\n"
        "sys.meta_path.insert(0, Finder())",
        None,
    ),
    "a finder that asks PathFinder and executes by itself": (
        None,
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        spec = PathFinder.find_spec(name, path) if name.startswith('shop') else None\n"
        "        if spec is None or spec.origin is None or not isinstance(spec.loader, SourceFileLoader): return None\n"
        "        return importlib.util.spec_from_file_location(\n"
        "            name, spec.origin, loader=self, submodule_search_locations=spec.submodule_search_locations)\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module):\n"
        "        with open(module.__spec__.origin, 'rb') as file:\n"
        "            exec(compiled(file.read(), module.__spec__.origin), vars(module))\n"
        "sys.meta_path.insert(0, Finder())",
        None,
    ),
    "a finder that asks all and wraps the loader": (
        None,
        "class Wrapper:\n"
        "    def __init__(self, loader): self.loader = loader\n"
        "    def __getattr__(self, name): return getattr(self.loader, name)\n"
        "    def create_module(self, spec): return self.loader.create_module(spec)\n"
        "    def exec_module(self, module):\n"
        "        self.loader.exec_module(module)\n        hooked.append(module.__name__)\n"
        "hooked = []\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        for finder in sys.meta_path:\n"
        "            spec = finder.find_spec(name, path, target) if finder is not self else None\n"
        "            if spec is not None and spec.loader is not None and name.startswith('shop'):\n"
        "                spec.loader = Wrapper(spec.loader)\n                return spec\n"
        "sys.meta_path.insert(0, Finder())\n"
        "def is_marked(module): return module.__name__ in hooked",
        None,
    ),
    "a finder that asks all and compiles the source that it gets": (
        None,
        "class Loader:\n"
        "    def __init__(self, spec): self.spec = spec\n"
        "    def create_module(self, spec): return None\n"
        "    def get_filename(self, name): return self.spec.origin\n"
        "    def is_package(self, name): return self.spec.submodule_search_locations is not None\n"
        "    def exec_module(self, module):\n"
        "        source = self.spec.loader.get_source(self.spec.name).encode()\n"
        "        exec(compiled(source, self.spec.origin), vars(module))\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        for finder in sys.meta_path:\n"
        "            if isinstance(finder, Finder) or not name.startswith('shop'): continue\n"
        "            spec = finder.find_spec(name, path, target)\n"
        "            if spec is not None and hasattr(spec.loader, 'get_source') and spec.loader.get_source(name):\n"
        "                return importlib.util.spec_from_loader(name, Loader(spec))\n"
        "sys.meta_path.insert(0, Finder())",
        None,
    ),
    "a finder that asks the import system and wraps the loader": (
        None,
        "hooked, busy = [], set()\n"
        "class Wrapper:\n"
        "    def __init__(self, loader): self.loader = loader\n"
        "    def create_module(self, spec): return self.loader.create_module(spec)\n"
        "    def exec_module(self, module):\n"
        "        self.loader.exec_module(module)\n        hooked.append(module.__name__)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name not in NAMES or name in busy: return None\n"
        "        busy.add(name)\n"
        "        try:\n"
        "            spec = importlib.util.find_spec(name)\n"
        "            if spec is not None and spec.loader: spec.loader = Wrapper(spec.loader)\n"
        "            return spec\n"
        "        finally: busy.discard(name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "def is_marked(module): return module.__name__ in hooked",
        None,
    ),
    "a finder that makes modules lazy": (
        None,
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        for finder in sys.meta_path:\n"
        "            spec = finder.find_spec(name, path, target) if finder is not self else None\n"
        "            if spec is not None and name.startswith('shop.') and spec.origin is not None:\n"
        "                spec.loader = importlib.util.LazyLoader(spec.loader)\n                return spec\n"
        "sys.meta_path.insert(0, Finder())\n"
        "def is_marked(module): return True",
        None,
    ),
    "a finder that looks for files itself": (
        None,
        "import os\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        for entry in sys.path if path is None else path:\n"
        "            file = os.path.join(entry, name.rpartition('.')[2] + '.py')\n"
        "            if name.startswith('shop') and os.path.isfile(file):\n"
        "                return importlib.util.spec_from_file_location(name, file, loader=Compiling(name, file))\n"
        "sys.meta_path.insert(0, Finder())\n"
        "def is_marked(module): return module.__name__ == 'shop' or 2 in module.f.__code__.co_consts",
        None,
    ),
    "the stock loader with another source_to_code": (
        None,
        "SourceFileLoader.source_to_code = lambda self, data, path, *args, **options: compiled(data, path)",
        None,
    ),
    "the stock loader with another get_code": (
        None,
        "SourceFileLoader.get_code = lambda self, name: compiled(self.get_data(self.path), self.path)",
        None,
    ),
    "the stock loader with another exec_module": (
        None,
        "stock = SourceFileLoader.exec_module\n"
        "def exec_module(self, module):\n    stock(self, module)\n    module.marked = True\n"
        "SourceFileLoader.exec_module = exec_module\n"
        "def is_marked(module): return hasattr(module, 'marked')",
        None,
    ),
    "a PathFinder of somebody's own": (
        None,
        "class Finder(PathFinder): pass\n"
        "sys.meta_path[sys.meta_path.index(PathFinder)] = Finder\n"
        "def is_marked(module): return True",
        None,
    ),
}
USE = """
loaded = {}
loader.on_load(lambda name, value, path: loaded.__setitem__(path, (name, value)))
import importlib
importlib.import_module("shop")
found = {"Order": shop.Order if (shop := sys.modules["shop"]) else None}
for name in NAMES:
    importlib.import_module(name)
report = {
    "marked": {name: is_marked(sys.modules[name]) for name in NAMES},
    "told": {name: sys.modules[name].__file__ in loaded for name in NAMES},
    "noted": {name: name in loader.loaded() for name in NAMES},
    "attributes": [shop.Order.__name__, shop.models.User.__name__, shop.hotel.Room.__name__, shop.Audit.__name__],
    "values": all(value is not None for name, value in loaded.values()),
}
"""
SETUP = (
    "from pyautoload import AutoLoader\nloader = AutoLoader('shop')\nloader.collapse('**/concerns')\nloader.setup()\n"
)
ELSEWHERE = (
    "from pyautoload import AutoLoader\nloader = AutoLoader('src/app', top_level='shop')\n"
    + SETUP.partition("AutoLoader('shop')\n")[2]
)
# Finders that look for files by themselves know only what plain Python would find; one that comes later and stands in
# front finds the root package before anybody asks us.
OWN_WAYS = {("ideas", "before"), ("ideas", "after")}


def _has(library):
    return library is None or importlib.util.find_spec(library) is not None


def program(hook, order, setup=SETUP, prelude=PRELUDE):
    library, install, checkers = HOOKS[hook]
    if not _has(library):
        pytest.skip(f"{library} is not installed")
    if checkers is not None:
        prelude += CALL.format(checkers=checkers)
    return prelude + (install + "\n" + setup if order == "before" else setup + install + "\n")


CASES = [(hook, order) for hook in HOOKS for order in ("before", "after")]


@pytest.mark.parametrize(("hook", "order"), [case for case in CASES if case not in OWN_WAYS])
def test_a_hook_works_on_managed_modules_and_callbacks_are_called(python, tree, hook, order):
    tree(FILES)

    result = json.loads(python(program(hook, order) + USE + "import json\nprint(json.dumps(report))").stdout)

    expected = dict.fromkeys(MODULES, True)
    assert result["marked"] == expected
    assert result["attributes"] == ["Order", "User", "Room", "Audit"]
    assert result["noted"] == expected
    assert result["told"] == expected
    assert result["values"]


@pytest.mark.parametrize(("hook", "order"), [case for case in CASES if case not in OWN_WAYS])
def test_a_hook_works_where_plain_python_would_not_find_the_files_and_leaves_the_stock_bytecode_alone(
    python, tree, hook, order
):
    tree({path.replace("shop/", "src/app/", 1): source for path, source in FILES.items()})
    with_hook = program(hook, order, ELSEWHERE) + USE
    own_way = hook == "a finder that looks for files itself"
    check = "\nassert all(report['told'].values()), report\n"
    if not own_way:
        check += "assert all(report['marked'].values()), report\n"
    plain = PRELUDE + ELSEWHERE + USE + "assert not any(is_marked(sys.modules[name]) for name in NAMES)\n"
    stock = (
        "from importlib.machinery import SourceFileLoader\nnames = {}\n"
        "exec(SourceFileLoader('order', 'src/app/order.py').get_code('order'), names)\n"
        "assert 1 in names['f'].__code__.co_consts\n"
    )

    python(with_hook + check)  # from source
    python(with_hook + check)  # from what that cached
    python(plain)
    python(stock)
    python(with_hook + check)  # from what plain Python cached


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_finder_that_finds_files_in_its_own_way_loads_what_it_finds(python, tree, order):
    tree({path: source for path, source in FILES.items() if "hotel" not in path})
    use = (
        "import shop.models.user, shop.order\nprint([is_marked(m) for m in (shop, shop.models.user, shop.order)])\n"
        "print(shop.Order.__name__, shop.models.User.__name__, sorted(loader.loaded()))"
    )

    out = python(program("ideas", order) + use).stdout.split("\n")

    assert out[:2] == ["[True, True, True]", "Order User ['shop', 'shop.models', 'shop.models.user', 'shop.order']"]


RELOADED = r"""
loader.enable_reloading(watch=False)
loader.eager_load()
order = sys.modules["shop.order"]
before = order.Order
with open(order.__file__, "a") as file:
    file.write("\n\ndef g(x: int) -> int:\n    value = 1\n    return [x]\n")
with open(order.__file__) as file:
    text = file.read()
with open(order.__file__, "w") as file:
    file.write(text.replace("return x\n", "return (x,)\n", 1))
result = loader.reload()
assert not result.errors and not result.restart_required, result
assert order.Order is before and hasattr(order, "g")
assert is_marked(order), result
assert WAYS or order.f(1) == (1,)
"""


@pytest.mark.parametrize(("hook", "order"), [case for case in CASES if case not in OWN_WAYS])
def test_a_reload_compiles_through_the_hook(python, tree, hook, order):
    tree(FILES)

    python(program(hook, order) + f"WAYS = {HOOKS[hook][2] is not None}\n" + RELOADED)


# pytest, whose hook is there before anything else; and what has none


@pytest.mark.parametrize(
    ("pyproject", "conftest"),
    [
        ('[tool.pyautoload]\nroots = ["shop"]\n', ""),
        ("", "from pyautoload import AutoLoader\nAutoLoader('shop').setup()\n"),
        ("", "\nfrom pyautoload import AutoLoader\nAutoLoader('src/app', top_level='shop').setup()\n"),
    ],
    ids=["plugin", "conftest", "elsewhere"],
)
def test_pytest_rewrites_assertions_of_managed_modules(python, tree, pyproject, conftest):
    root = "src/app" if "src/app" in conftest else "shop"
    tree(
        {
            "pyproject.toml": pyproject + "[tool.pytest.ini_options]\naddopts = '-p no:cacheprovider'\n",
            "conftest.py": "import pytest\npytest.register_assert_rewrite('shop.checks', 'shop.sub')\n" + conftest,
            f"{root}/checks.py": "def same(got, want):\n    assert got == want\n\n\nclass Checks: ...\n",
            f"{root}/sub/__init__.py": "def same(got, want):\n    assert got == want\n",
            f"{root}/sub/deep.py": "def same(got, want):\n    assert got == want\n",
            f"{root}/plain.py": "def same(got, want):\n    assert got == want\n",
            f"{root}/tests/test_inside.py": "def test_inside():\n    want = 6\n    assert 5 == want\n",
            "tests/test_it.py": """
                import pytest, shop
                from shop import checks, plain, sub
                from shop.sub import deep

                @pytest.mark.parametrize("module", [checks, sub, deep])
                def test_rewritten(module):
                    with pytest.raises(AssertionError, match="assert 3 == 4"):
                        module.same(3, 4)

                def test_not_asked_for():
                    with pytest.raises(AssertionError) as caught:
                        plain.same(3, 4)
                    assert "==" not in str(caught.value)
                    assert shop.Checks is checks.Checks
                """,
        }
    )

    result = python(f"import sys, pytest\nsys.exit(pytest.main(['-q', 'tests', '{root}/tests']))", check=False)

    assert "1 failed, 4 passed" in result.stdout, result.stdout + result.stderr
    assert "assert 5 == 6" in result.stdout


def test_coverage_counts_the_lines_of_managed_modules(python, tree):
    pytest.importorskip("coverage")
    tree(FILES)
    code = (
        "import coverage, json\ncover = coverage.Coverage(source=['shop'], data_file=None)\ncover.start()\n"
        + SETUP
        + "loader.eager_load()\nimport shop.order\nshop.order.f(1)\ncover.stop()\n"
        "_, lines, _, missing, _ = cover.analysis2('shop/order.py')\nprint(json.dumps([lines, missing]))\n"
    )

    assert json.loads(python(code).stdout) == [[1, 2, 3, 6, 7], []]


# Several at once, and what they may not disturb


def test_hooks_that_wrap_and_hooks_that_compile_work_together(python, tree):
    tree(FILES)
    wrap = HOOKS["a finder that asks all and wraps the loader"][1].partition("def is_marked")[0]
    replace = HOOKS["a finder that asks PathFinder and replaces the loader"][1].replace("class Finder", "class Second")
    replace = replace.replace("Finder()", "Second()")
    for order in ("before", "between", "after"):
        parts = {
            "before": [replace, wrap, SETUP],
            "between": [replace, SETUP, wrap],
            "after": [SETUP, replace, wrap],
        }[order]
        code = PRELUDE + "\n".join(parts) + USE
        check = "assert all(report['marked'].values()) and all(report['told'].values()), report\n"
        check += "assert sorted(set(hooked)) == sorted({*NAMES, 'shop.models'}), hooked\n"

        python(code + check)


def test_a_finder_that_came_later_may_give_another_module_in_place_of_a_managed_one(python, tree):
    tree(FILES)
    code = (
        PRELUDE
        + SETUP
        + """
import shop.models, types
from importlib.machinery import ModuleSpec
class Fake:
    def create_module(self, spec): return None
    def exec_module(self, module): module.fake = True
class Finder:
    def find_spec(self, name, path, target=None):
        return ModuleSpec(name, Fake(), origin="fake") if name in ("shop.order", "shop.models.user") else None
sys.meta_path.insert(0, Finder())
import shop.order, shop.hotel, shop.models.user
print(shop.order.fake, hasattr(shop.hotel, "fake"), shop.models.user.fake)
"""
    )

    assert python(code).stdout == "True False True\n"


def test_a_finder_that_forbids_a_module_is_heard(python, tree):
    tree(FILES)
    for order in ("before", "after"):
        block = (
            "class Finder:\n    def find_spec(self, name, path, target=None):\n"
            "        if name == 'shop.order': raise ImportError('forbidden')\n"
            "sys.meta_path.insert(0, Finder())\n"
        )
        code = PRELUDE + (block + SETUP if order == "before" else SETUP + block)
        code += (
            "import shop.hotel\ntry: import shop.order\nexcept ImportError as error: print(error)\n"
            "try: shop.Order\nexcept ImportError as error: print(error)\n"
        )

        assert python(code).stdout == "forbidden\nforbidden\n", order


def test_path_finder_answers_as_ever_to_those_who_are_no_hooks(python, tree):
    tree(FILES)
    code = (
        PRELUDE
        + SETUP
        + HOOKS["a finder that asks PathFinder and replaces the loader"][1]
        + """
import pkgutil, shop
print(PathFinder.find_spec("shop").origin[-16:], PathFinder.find_spec("shop.order", shop.__path__).origin[-13:])
print(sorted(info.name for info in pkgutil.iter_modules(shop.__path__)))
print(importlib.util.find_spec("shop.order").origin[-13:], importlib.util.find_spec("shop.nope"))
loader.unregister()
print(len(sys.path_hooks), type(sys.path_importer_cache.get(shop.__path__[0])).__name__)
"""
    )

    lines = python(code).stdout.replace("\\", "/").splitlines()

    assert lines[0] == "shop/__init__.py shop/order.py"
    assert lines[1] == "['audit', 'hotel', 'order']"
    assert lines[2] == "shop/order.py None"
    assert lines[3] == "2 FileFinder"


def test_threads_that_import_while_hooks_come_and_go_get_their_modules(python, tree):
    tree({f"shop/m{number}.py": f"class M{number}:\n    value = 1\n" for number in range(200)})
    code = (
        PRELUDE
        + "from pyautoload import AutoLoader\nloader = AutoLoader('shop').setup()\n"
        + """
import threading, importlib
class Finder:
    def find_spec(self, name, path, target=None):
        return PathFinder.find_spec(name, path, target) if name.startswith("shop.m") else None
sys.setswitchinterval(1e-5)
failures, done = [], threading.Event()
def work(start):
    try:
        for number in range(start, 200, 4):
            importlib.import_module(f"shop.m{number}")
    except BaseException as error:
        failures.append(error)
def install():
    while not done.is_set():
        finder = Finder()
        sys.meta_path.insert(0, finder)
        sys.meta_path[sys.meta_path.index(finder)] = Finder()
threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
other = threading.Thread(target=install)
for thread in [other, *threads]: thread.start()
for thread in threads: thread.join()
done.set()
other.join()
print(failures, len([name for name in loader.loaded() if name.startswith("shop.m")]))
"""
    )
    code = code.replace("while not done.is_set():", "for _ in range(20):")

    assert python(code).stdout == "[] 200\n"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="native lazy imports came with Python 3.15")
def test_finders_work_while_the_interpreter_makes_all_imports_lazy(python, tree):
    tree(
        {
            "shop/order.py": "import json\nfrom shop.models import User\nclass Order:\n    user = User\n",
            "shop/models/user.py": "import decimal\nclass User: ...\n",
            "lz/__init__.py": "from pyautoload import lazy\n"
            "__getattr__, __dir__, __all__ = lazy.exports(__name__, 'from .a import A')\n",
            "lz/a.py": "class A: ...\n",
        }
    )
    finder = HOOKS["a finder that asks PathFinder and replaces the loader"][1]
    code = (
        PRELUDE
        + "PathFinder, SourceFileLoader, FileFinder, compiled\n"
        + finder
        + """
from pyautoload import AutoLoader
loader = AutoLoader("shop")
loader.setup()
import shop, lz
from shop.models import User
print(shop.Order.user is User, type(shop.order.__loader__).__name__, lz.A.__name__)
loader.enable_reloading(watch=False)
with open("shop/order.py", "a") as file:
    file.write("\\ndef g(): return 5\\n")
loader.reload()
print(shop.order.g(), loader.eager_load(), sorted(loader.loaded()))
"""
    )

    lines = python(code, PYTHON_LAZY_IMPORTS="all").stdout.splitlines()

    assert lines == ["True Compiling A", "5 [] ['shop', 'shop.models', 'shop.models.user', 'shop.order']"]


def test_what_a_finder_loaded_before_it_was_seen_is_taken_over_and_lazy_modules_stay_lazy(python, tree):
    tree({path: source for path, source in FILES.items() if "hotel" not in path})
    code = (
        PRELUDE
        + "from pyautoload import AutoLoader\nloader = AutoLoader('shop').setup()\n"
        + """
import os
class Finder:
    def find_spec(self, name, path, target=None):
        if name not in ("shop", "shop.order", "shop.concerns.audit"): return None
        stem = "shop/__init__.py" if name == "shop" else name.replace(".", "/") + ".py"
        file = os.path.abspath(stem)
        spec = importlib.util.spec_from_file_location(name, file, loader=Compiling(name, file))
        if name == "shop.order": spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
sys.meta_path.insert(0, Finder())
sys.modules["shop.strange"] = types.ModuleType("shop.strange")
del sys.modules["shop.strange"].__loader__
import shop, shop.order, shop.concerns.audit
import shop.models.user
print(sorted(loader.loaded()), type(sys.modules["shop.order"]).__name__)
print(shop.User if hasattr(shop, "User") else None, shop.models.User.__name__, sys.modules["shop.order"].Order.__name__)
"""
    )

    lines = python(code).stdout.splitlines()

    assert lines[0].startswith("['shop', ")
    assert lines[0].endswith("_LazyModule")
    assert lines[1] == "None User Order"
