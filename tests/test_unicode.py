"""Names beyond ASCII: files on disk are spelled in many ways, Python knows one (NFKC)."""

from __future__ import annotations

import importlib
import unicodedata

import pytest

from pyautoload import AutoLoader, Inflector


def test_a_file_and_a_class_with_accents(autoload):
    autoload({"app/màxim.py": "class Màxim: pass"})
    import app

    assert app.Màxim.__module__ == "app.màxim"


def test_a_file_with_a_greek_name(autoload):
    loader = autoload({"app/ω.py": "Ω = 42"})
    import app

    assert app.Ω == 42
    assert loader.expected_name("app/ω.py") == "app.Ω"


def test_a_directory_with_accents(autoload):
    autoload({"app/líb/usér.py": "class Usér: pass"})
    import app

    assert app.líb.Usér.__module__ == "app.líb.usér"


def test_a_file_name_that_is_decomposed_is_found_by_its_composed_name(tree):
    decomposed = unicodedata.normalize("NFD", "màxim")
    tree(
        {
            f"app/{decomposed}.py": "class Màxim: pass",
            f"app/{unicodedata.normalize('NFD', 'líb')}/x.py": "class X: pass",
        }
    )
    loader = AutoLoader("app").setup()
    import app

    assert app.Màxim.__module__ == "app.màxim"
    assert app.líb.X
    assert loader.expected_name(f"app/{decomposed}.py") == "app.Màxim"
    assert loader.load_file(f"app/{decomposed}.py") is app.Màxim


def test_a_ligature_is_the_letters_it_stands_for(tree):
    tree({"app/ﬁle.py": "class File: pass"})
    AutoLoader("app").setup()
    import app

    assert app.File.__module__ == "app.file"
    assert importlib.import_module("app.file").File is app.File


def test_a_root_whose_name_is_decomposed(tree):
    tree({f"{unicodedata.normalize('NFD', 'àpp')}/user.py": "class User: pass"})
    AutoLoader(unicodedata.normalize("NFD", "àpp")).setup()

    assert importlib.import_module("àpp").User


def test_a_namespace_given_decomposed(tree):
    tree({"src/user.py": "class User: pass"})
    AutoLoader("src", unicodedata.normalize("NFD", "àpp")).setup()

    assert importlib.import_module("àpp").User


@pytest.mark.parametrize(("stem", "name"), [("ßtraße", "SStraße"), ("élan_vital", "ÉlanVital"), ("名前", "名前")])
def test_inflection_beyond_ascii(stem, name):
    assert Inflector().camelize(stem, "") == name


def test_a_script_without_case(autoload):
    autoload({"app/名前.py": "値 = 1"})
    import app

    assert app.名前.値 == 1


def test_a_space_in_the_path_of_the_root(tree):
    tree({"my app/user.py": "class User: pass"})
    AutoLoader("my app", "app").setup()
    import app

    assert app.User
