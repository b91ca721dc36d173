"""Roots inside zip files: names, attributes, errors, resources and bundles as in a directory."""

import importlib.machinery
import importlib.resources
import importlib.util
import inspect
import os
import subprocess
import sys
import traceback
import zipapp
import zipfile

import pytest
from command_line import run

import pyautoload
from pyautoload import AutoLoader, SetupError
from pyautoload.checking import find_problems

FILES = {
    "myapp/user.py": "class User:\n    def fail(self):\n        raise ValueError('in the archive')\n",
    "myapp/models/post.py": "from myapp.user import User\nclass Post(User): pass\n",
    "myapp/admin/__init__.py": "class Admin: pass\n",
    "myapp/admin/tools/deep/digger.py": "class Digger: pass\n",
    "myapp/concerns/taggable.py": "class Taggable: pass\n",
    "myapp/data/text.txt": "data",
    "myapp/admin/logo.txt": "logo",
}


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def archive(request, tree, tmp_path):
    tree({})
    path = tmp_path / "app.zip"
    _write(path, FILES, request.param)
    return path


def _write(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, source in files.items():
            file.writestr(name, source)


def test_names_of_all_levels_are_reached(archive):
    AutoLoader(archive / "myapp").collapse("concerns").setup()
    import myapp

    assert issubclass(myapp.models.Post, myapp.User)
    assert myapp.Admin.__module__ == "myapp.admin"
    assert myapp.admin.tools.deep.Digger
    assert myapp.Taggable.__module__ == "myapp.taggable"
    assert myapp.user.__file__ == str(archive / "myapp" / "user.py")


def test_eager_load_loads_all_and_a_directory_without_python_is_no_namespace(archive):
    loader = AutoLoader(archive / "myapp").setup()
    assert "myapp.admin.tools.deep.digger" in loader.eager_load(strict=True)
    assert importlib.util.find_spec("myapp.models.post").origin == str(archive / "myapp" / "models" / "post.py")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("myapp.data")


def test_the_paths_inside_are_known_by_their_names(archive):
    loader = AutoLoader(archive / "myapp")
    assert loader.expected_name(archive / "myapp" / "models" / "post.py") == "myapp.models.Post"
    assert loader.where("myapp.User") == str(archive / "myapp" / "user.py")
    assert loader.is_managed(archive / "myapp" / "user.py")
    assert not loader.is_managed(archive / "myapp" / "data" / "text.txt")


def test_tracebacks_and_sources_show_the_lines(archive):
    AutoLoader(archive / "myapp").setup()
    from myapp import User

    with pytest.raises(ValueError) as caught:
        User().fail()
    text = "".join(traceback.format_exception(None, caught.value, caught.value.__traceback__))
    assert "raise ValueError('in the archive')" in text
    assert inspect.getsource(User.fail).strip().endswith("raise ValueError('in the archive')")


def test_resources_are_read_from_the_archive(archive):
    AutoLoader(archive / "myapp").setup()
    import myapp.admin

    assert importlib.resources.files(myapp.admin).joinpath("logo.txt").read_text() == "logo"
    # An implicit namespace has data, too.
    assert importlib.resources.files(myapp).joinpath("data/text.txt").read_text() == "data"


def test_an_archive_with_entries_for_its_directories_works_the_same(tree, tmp_path):
    tree({})
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as file:
        for name in ("myapp/", "myapp/models/", "myapp/models/post.py"):
            file.writestr(name, "class Post: pass\n" if name.endswith(".py") else "")
    AutoLoader(tmp_path / "app.zip" / "myapp").setup()
    from myapp.models import Post

    assert Post


def test_the_archive_itself_can_be_a_root_of_top_level_modules(archive):
    AutoLoader(archive, "").setup()
    import myapp.models.post

    assert myapp.models.Post


def test_a_directory_that_is_not_in_the_archive_is_an_error(archive):
    with pytest.raises(SetupError, match="nothere"):
        AutoLoader(archive / "nothere")


def test_a_file_that_is_no_archive_is_an_error(tree, tmp_path):
    tree({"plain.txt": "text"})
    with pytest.raises(SetupError, match="does not exist"):
        AutoLoader(tmp_path / "plain.txt" / "myapp")


@pytest.mark.parametrize("mode", ["checked", "trusted"])
def test_a_bundle_of_an_archive_serves_its_code(archive, mode):
    result = AutoLoader(archive / "myapp").build_bundle()
    assert result.modules == 5
    loader = AutoLoader(archive / "myapp", bundle=mode).setup()
    assert loader.tree.bundle is not None
    import myapp

    assert myapp.models.Post.fail.__code__.co_filename == str(archive / "myapp" / "user.py")


def test_a_new_archive_in_place_of_the_old_one_is_noticed(archive):
    AutoLoader(archive / "myapp").setup()
    import myapp

    _write(archive, {**FILES, "myapp/guest.py": "class Guest: pass"})
    assert myapp.Guest.__module__ == "myapp.guest"


def test_bytecode_without_source_is_loaded_from_an_archive(tree, tmp_path):
    import py_compile

    root = tree({"thing.py": "class Thing: pass\n"})
    py_compile.compile(str(root / "thing.py"), cfile=str(root / "thing.pyc"))
    _write(tmp_path / "app.zip", {"myapp/thing.pyc": (root / "thing.pyc").read_bytes()})
    AutoLoader(tmp_path / "app.zip" / "myapp").setup()
    import myapp

    assert myapp.Thing


def test_an_extension_module_cannot_be_loaded_from_an_archive(tree, tmp_path):
    tree({})
    _write(tmp_path / "app.zip", {f"myapp/fast{importlib.machinery.EXTENSION_SUFFIXES[0]}": "", "myapp/slow.py": ""})
    AutoLoader(tmp_path / "app.zip" / "myapp").setup()
    with pytest.raises(ModuleNotFoundError, match=r"extension modules from files only, not .*app\.zip"):
        importlib.import_module("myapp.fast")


def test_a_zipapp_uses_its_own_files_as_a_root(tree, tmp_path):
    main = """
        import os
        from pyautoload import AutoLoader
        AutoLoader(os.path.join(os.path.dirname(__file__), "myapp")).setup()
        import myapp
        print(myapp.models.Post.__mro__[1].__name__)
    """
    root = tree({**{f"build/{name}": text for name, text in FILES.items()}, "build/__main__.py": main})
    zipapp.create_archive(root / "build", root / "app.pyz", compressed=True)
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(pyautoload.__file__))}
    out = subprocess.run([sys.executable, str(root / "app.pyz")], capture_output=True, text=True, env=env)
    assert out.stdout.strip() == "User", out.stderr


FAULTS = {
    "myapp/asks.py": "from myapp import Nobody\nclass Asks: ...\n",
    "myapp/fails.py": "1 / 0\nclass Fails: ...\n",
    "myapp/lacks.py": "class Other: ...\n",
    "myapp/broken.py": "def (\n",
}


@pytest.mark.parametrize("static", [True, False])
def test_an_archive_is_checked(archive, static):
    _write(archive, FILES | FAULTS)
    problems = find_problems(AutoLoader(archive / "myapp").collapse("concerns").setup(), static=static)
    found = {(problem.kind, os.path.basename(problem.path), problem.line) for problem in problems}
    faults = {("unknown-name", "asks.py", 1), ("syntax", "broken.py", 1), ("expected-name", "lacks.py", None)}
    assert found == faults | (set() if static else {("import", "fails.py", 1)})


def test_the_command_checks_an_archive(archive):
    assert "no problems found" in run("check", "--root", str(archive / "myapp")).stdout
