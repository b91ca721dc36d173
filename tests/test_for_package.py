"""``AutoLoader.for_package()``: the loader of a package, made in its ``__init__.py``."""

from __future__ import annotations

import importlib
import sys

import pytest

from pyautoload import AutoLoader, ExpectedNameError, SetupError
from pyautoload.loaders import all_loaders

INIT = "from pyautoload import AutoLoader\nloader = AutoLoader.for_package().setup()\nOWN = 1\n"


@pytest.fixture
def package(tree, monkeypatch):
    def make(files, init=INIT):
        root = tree({"site/pkg/__init__.py": init, **{f"site/pkg/{name}": text for name, text in files.items()}})
        monkeypatch.syspath_prepend(str(root / "site"))
        return importlib.import_module("pkg")

    return make


def test_names_and_namespaces_of_the_package_are_loaded(package):
    pkg = package({"user.py": "class User: pass", "admin/role.py": "class Role: pass"})

    assert pkg.User.__module__ == "pkg.user"
    assert pkg.admin.Role.__module__ == "pkg.admin.role"


def test_the_package_object_is_never_replaced(package):
    pkg = package({"user.py": "class User: pass"})
    first = pkg.User
    pkg.loader.unload()

    assert sys.modules["pkg"] is pkg
    assert pkg.User is not first
    assert pkg.OWN == 1


def test_root_namespace_and_tag_are_those_of_the_package(package, tmp_path):
    pkg = package({"user.py": ""})

    assert dict(pkg.loader.dirs(namespaces=True)) == {str(tmp_path / "site" / "pkg"): "pkg"}
    assert pkg.loader.tag == "pkg"


def test_a_second_call_from_the_same_file_gives_the_same_loader(package):
    pkg = package({"user.py": ""}, INIT + "again = AutoLoader.for_package()\n")

    assert pkg.again is pkg.loader
    assert all_loaders().count(pkg.loader) == 1


def test_reloading_the_package_keeps_its_loader(package):
    pkg = package({"user.py": "class User: pass"})
    first = pkg.loader
    importlib.reload(pkg)

    assert pkg.loader is first
    assert pkg.User


def test_importing_the_package_anew_keeps_its_loader(package):
    pkg = package({"user.py": "class User: pass"})
    for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
        del sys.modules[name]
    import pkg as again

    assert again is not pkg
    assert again.loader is pkg.loader
    assert again.User.__module__ == "pkg.user"


def test_the_package_may_use_its_files_at_once(package):
    pkg = package({"user.py": "class User: pass"}, INIT + "from pkg import User\nfrom .user import User as Same\n")

    assert pkg.User is pkg.Same


def test_its_own_attributes_win(package):
    pkg = package({"user.py": "class User: pass"}, INIT + "User = 5\n")

    assert pkg.User == 5
    assert pkg.user.User


GETATTR = """
def __getattr__(name):
    if name == "special":
        return 7
    raise AttributeError(name)
"""


def test_its_own_getattr_is_asked_first(package):
    pkg = package({"user.py": "class User: pass"}, GETATTR + INIT)

    assert pkg.special == 7
    assert pkg.User
    assert not hasattr(pkg, "nope")


def test_its_own_getattr_below_the_call_takes_over_until_something_is_imported(package):
    pkg = package({"user.py": "class User: pass", "guest.py": "class Guest: pass"}, INIT + GETATTR)
    from pkg import User

    assert pkg.special == 7
    assert pkg.User is User
    assert pkg.Guest


def test_the_init_file_is_eager_loaded_by_nobody(package):
    pkg = package({"user.py": "", "admin/role.py": ""})

    assert pkg.loader.eager_load() == ["pkg.admin", "pkg.admin.role", "pkg.user"]


def test_everything_has_its_expected_name(package, tmp_path):
    pkg = package({"user.py": "", "version.py": ""})

    assert pkg.loader.expected_name("site/pkg/user.py") == "pkg.User"
    assert pkg.loader.expected_name("site/pkg/version.py") == "pkg.VERSION"
    assert pkg.loader.expected_name("site/pkg/__init__.py") == "pkg"


@pytest.mark.parametrize("name", ["VERSION", "__version__"])
def test_the_version_file_defines_the_version(package, name):
    pkg = package({"version.py": f"{name} = '1.2'"})

    assert getattr(pkg, name) == "1.2"
    assert pkg.VERSION == "1.2"
    pkg.loader.eager_load(strict=True)


def test_the_version_is_there_after_an_eager_load(package):
    pkg = package({"version.py": "__version__ = '1.2'"})
    pkg.loader.eager_load()

    assert pkg.__version__ == "1.2"
    assert pkg.version.__version__ == "1.2"


def test_a_version_file_that_defines_neither_is_told(package):
    pkg = package({"version.py": "Version = 1", "sub/version.py": "class Version: pass"})

    with pytest.raises(ExpectedNameError):
        pkg.VERSION  # noqa: B018
    assert pkg.sub.Version


def test_a_package_without_a_version_file_has_no_version(package):
    pkg = package({"user.py": ""})

    assert not hasattr(pkg, "__version__")
    assert not hasattr(pkg, "VERSION")


def test_a_package_within_a_package(package):
    pkg = package(
        {"user.py": "class User: pass", "inner/__init__.py": INIT, "inner/deep.py": "class Deep: pass"},
        "from pyautoload import AutoLoader\nloader = AutoLoader.for_package().ignore('inner').setup()\n",
    )
    inner = importlib.import_module("pkg.inner")

    assert inner.Deep.__module__ == "pkg.inner.deep"
    assert inner.loader is not pkg.loader
    assert pkg.User


def test_two_packages_have_a_loader_each(package, tree):
    pkg = package({"user.py": "class User: pass"})
    tree({"site/other/__init__.py": INIT, "site/other/user.py": "from pkg import User as Base\nclass User(Base): pass"})
    importlib.invalidate_caches()
    import other

    assert issubclass(other.User, pkg.User)
    assert other.loader is not pkg.loader


def test_a_package_with_an_inflector_of_its_own(package):
    pkg = package(
        {"user.py": "class USER: pass"},
        """
from pyautoload import AutoLoader
class Shouting:
    def camelize(self, stem, path):
        return stem.upper()
loader = AutoLoader.for_package(inflector=Shouting()).setup()
""",
    )

    assert pkg.USER.__module__ == "pkg.user"


def test_a_failed_import_of_the_package_can_be_tried_again(package, tree):
    with pytest.raises(ZeroDivisionError):
        package({"user.py": "class User: pass"}, INIT + "1/0\n")
    assert "pkg" not in sys.modules
    pkg = package({}, INIT + "MENDED = 'and longer'\n")

    assert pkg.MENDED
    assert pkg.User


def test_it_is_for_packages_only():
    with pytest.raises(SetupError):
        exec("AutoLoader.for_package()", {"AutoLoader": AutoLoader})


def test_in_a_plain_module_it_is_refused(tree, monkeypatch):
    root = tree({"site/plain.py": INIT, "site/neighbour.py": ""})
    monkeypatch.syspath_prepend(str(root / "site"))

    with pytest.raises(SetupError):
        importlib.import_module("plain")


AFTER = "def __getattr__(name):\n    if name == 'old':\n        return 'old'\n    raise AttributeError(name)\n"
WITH_DIR = AFTER + "def __dir__():\n    return ['old']\n"


@pytest.mark.parametrize("after", [AFTER, WITH_DIR], ids=["getattr", "getattr and dir"])
def test_a_getattr_below_the_setup_joins_in(package, after):
    files = {"user.py": "class User: pass", "role.py": "class Role: pass", "deep/er.py": "class Er: pass"}
    pkg = package(files, INIT + after)

    assert pkg.User.__module__ == "pkg.user"
    assert pkg.old == "old"
    assert pkg.Role.__module__ == "pkg.role"
    assert pkg.deep.Er.__module__ == "pkg.deep.er"
    assert not hasattr(pkg, "nope")
    assert type(pkg) is type(sys)
    assert "old" in dir(pkg) or after is AFTER


def test_a_getattr_below_the_setup_answers_first(package):
    pkg = package({"old.py": "class Old: pass"}, INIT + AFTER)

    assert pkg.old == "old"
    assert pkg.Old.__module__ == "pkg.old"
