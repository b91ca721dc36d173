"""lazy.exports_by_convention: names derived from the directory."""

from __future__ import annotations

import importlib
import sys
import zipfile

import pytest

from pyautoload import lazy
from pyautoload.errors import ExpectedNameError, NameInflectionError


@pytest.fixture
def package(tree, monkeypatch):
    def make(files: dict[str, str], arguments: str = ""):
        text = (
            "from pyautoload import lazy\n"
            f"__getattr__, __dir__, __all__ = lazy.exports_by_convention(__name__, {arguments})\n"
        )
        monkeypatch.syspath_prepend(str(tree({"pkg/__init__.py": text, **files})))
        return importlib.import_module("pkg")

    return make


def test_files_give_names_and_directories_give_submodules(package):
    pkg = package({
        "pkg/user.py": "class User: ...", "pkg/blog_post.py": "class BlogPost: ...", "pkg/admin/role.py": "",
        "pkg/data/x.json": "{}", "pkg/.hidden.py": "", "pkg/notes.txt": ""})  # fmt: skip
    assert sorted(pkg.__all__) == ["BlogPost", "User", "admin"]
    assert not any(name.startswith("pkg.") for name in sys.modules)
    assert (pkg.User.__name__, pkg.BlogPost.__name__, pkg.admin.__name__) == ("User", "BlogPost", "pkg.admin")
    assert pkg.user is sys.modules["pkg.user"]


def test_acronyms_need_no_rule(package):
    pkg = package({"pkg/html_parser.py": "class HTMLParser: ..."})
    assert pkg.HTMLParser.__name__ == "HTMLParser"
    assert vars(pkg)["HTMLParser"] is pkg.HTMLParser
    from pkg import HTMLParser

    assert HTMLParser is pkg.HTMLParser


def test_rules_and_ignored_files_are_given(package):
    pkg = package(
        {"pkg/html_parser.py": "class HTMLParser: ...", "pkg/a_test.py": "1/0", "pkg/vendor/x.py": ""},
        "inflect={'html_parser': 'HTMLParser'}, ignore=['*_test.py', 'vendor']",
    )
    assert pkg.__all__ == ["HTMLParser"]
    assert pkg.HTMLParser


def test_an_inflector_of_ones_own(package):
    pkg = package(
        {"pkg/user.py": "USER = 1"},
        "inflector=type('Upper', (), {'camelize': lambda self, stem, path: stem.upper()})()",
    )
    assert pkg.USER == 1


def test_a_file_that_does_not_define_its_name_says_what_it_defines(package):
    pkg = package({"pkg/helpers.py": "def slug(): ..."})
    with pytest.raises(ExpectedNameError, match="slug"):
        _ = pkg.Helpers
    assert pkg.helpers.slug


def test_a_rule_that_gives_the_stem_itself_means_the_object(package):
    pkg = package({"pkg/deliver.py": "def deliver(): return 1"}, "inflect={'deliver': 'deliver'}")
    importlib.import_module("pkg.deliver")
    assert pkg.deliver() == 1


def test_a_file_that_gives_no_name_is_reported(package):
    with pytest.raises(NameInflectionError, match="my-file"):
        package({"pkg/my-file.py": ""})


def test_an_unknown_name_is_an_attribute_error(package):
    pkg = package({"pkg/user.py": ""})
    assert not hasattr(pkg, "Nobody")
    assert not hasattr(pkg, "__wrapped__")


def test_a_package_in_a_zip(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        init = "from pyautoload import lazy\n__getattr__, __dir__, __all__ = lazy.exports_by_convention(__name__)\n"
        for name, text in {"__init__": init, "user": "class User: ...", "sub/__init__": ""}.items():
            archive.writestr(f"zconv/{name}.py", text)
    monkeypatch.syspath_prepend(str(tmp_path / "app.zip"))
    pkg = importlib.import_module("zconv")
    assert sorted(pkg.__all__) == ["User", "sub"]
    assert (pkg.User.__name__, pkg.sub.__name__) == ("User", "zconv.sub")


def test_it_needs_a_package():
    with pytest.raises(TypeError, match="not a package"):
        lazy.exports_by_convention(__name__)


def test_eager_loads_the_expected_names(package, monkeypatch):
    monkeypatch.setenv("PYAUTOLOAD_EAGER", "1")
    pkg = package({"pkg/user.py": "class User: ..."})
    assert isinstance(vars(pkg)["User"], type)
