"""Bundles: the scan and the code of a tree in one file, used where it fits and never where it does not."""

import os
import subprocess
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyautoload import AutoLoader, SetupError
from pyautoload.bundles.place import BundleWarning
from pyautoload.loaders import all_loaders

FILES = {
    "app/user.py": "class User:\n    def fail(self):\n        raise ValueError('here')\n",
    "app/models/__init__.py": "KIND = 'package'",
    "app/models/post.py": "from app.user import User\nclass Post(User): pass",
    "app/empty/": "",
}


BARREN = {"app/user.py": "class User: pass", "app/locale/de/LC_MESSAGES/app.po": "", "app/locale/fr/app.po": ""}


@pytest.fixture
def built(tree):
    """A tree with its bundle; gives the bundle's path."""
    root = tree(FILES)
    result = AutoLoader(root / "app").build_bundle()
    assert result.modules == 3
    assert result.size == os.path.getsize(result.path)
    return result.path


def _warned(mode="checked"):
    with pytest.warns(BundleWarning) as caught:
        loader = AutoLoader("app", bundle=mode).setup()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert loader.eager_load() == ["app", "app.models", "app.models.post", "app.user"] or sys.modules["app.user"]
    return str(caught[0].message)


def _code_file(loader, name):
    return loader.resolve(name).__code__.co_filename


@pytest.mark.parametrize("mode", [True, "checked", "trusted"])
def test_a_bundle_serves_names_modules_and_tracebacks(built, mode):
    loader = AutoLoader("app", bundle=mode).setup()
    import app

    assert loader.tree.bundle is not None
    assert issubclass(app.models.Post, app.User)
    with pytest.raises(ValueError, match="here") as caught:
        app.User().fail()
    assert caught.traceback[-1].path == caught.traceback[-1].frame.code.path
    assert str(caught.traceback[-1].statement).strip() == "raise ValueError('here')"


def test_the_code_comes_from_the_bundle_and_not_from_the_file(built, tmp_path):
    (tmp_path / "app" / "user.py").write_text("raise SystemError('the file was read')")
    AutoLoader("app", bundle="trusted").setup()
    from app import User

    assert User.__module__ == "app.user"


@pytest.mark.parametrize("size", ["same", "other"])
def test_checked_takes_a_changed_file_from_disk(built, tmp_path, size):
    file = tmp_path / "app" / "models" / "post.py"
    changed = file.read_text().replace("Post", "Host" if size == "same" else "Posting")
    file.write_text(changed)
    AutoLoader("app", bundle=True).setup().inflect({"post": "Host"})
    import app.models.post

    assert hasattr(app.models.post, "Host" if size == "same" else "Posting")


def test_checked_finds_a_file_that_was_added_since(built, tmp_path):
    (tmp_path / "app" / "models" / "tag.py").write_text("class Tag: pass")
    AutoLoader("app", bundle=True).setup()
    from app.models import Tag

    assert Tag.__name__ == "Tag"


def test_checked_misses_a_file_that_was_removed_since(built, tmp_path):
    (tmp_path / "app" / "models" / "post.py").unlink()
    AutoLoader("app", bundle=True).setup()
    import app.models

    with pytest.raises(AttributeError):
        app.models.Post  # noqa: B018


def test_directories_without_python_are_not_listed_again(tree, python):
    tree(BARREN)
    AutoLoader("app").build_bundle()
    out = python("""
        import sys
        from pyautoload import AutoLoader
        listed = []
        sys.addaudithook(lambda event, args: listed.append(args[0]) if event == "os.scandir" else None)
        loader = AutoLoader("app", bundle=True).setup()
        print(loader.eager_load(), [path for path in listed if "app" in path])
    """).stdout
    assert out.strip() == "['app', 'app.user'] []"


@pytest.mark.parametrize("file", ["locale/de/LC_MESSAGES/plural.py", "locale/fr/plural.py", "locale/plural.py"])
def test_checked_finds_the_first_file_of_a_directory_that_had_none(tree, tmp_path, file):
    tree(BARREN)
    AutoLoader("app").build_bundle()
    (tmp_path / "app" / file).write_text("class Plural: pass")
    loader = AutoLoader("app", bundle=True).setup()
    name = "app." + file.removesuffix(".py").replace("/", ".")
    assert loader.eager_load()[-2:] == [name, "app.user"]
    assert sys.modules[name].Plural.__module__ == name


def test_checked_finds_a_second_directory_of_the_same_name_as_one_without_python(tree, tmp_path):
    tree({**BARREN, "app/parts/": ""})
    AutoLoader("app").collapse("app/parts").build_bundle()
    (tmp_path / "app" / "parts" / "locale").mkdir()
    (tmp_path / "app" / "parts" / "locale" / "plural.py").write_text("class Plural: pass")
    AutoLoader("app", bundle=True).collapse("app/parts").setup()
    import app

    assert app.locale.Plural.__module__ == "app.locale.plural"


def test_a_tree_without_python_in_places_can_be_moved(tree, tmp_path):
    tree(BARREN)
    AutoLoader("app").build_bundle()
    (tmp_path / "elsewhere").mkdir()
    os.rename(tmp_path / "app", tmp_path / "elsewhere" / "app")
    os.rename(tmp_path / ".pyautoload", tmp_path / "elsewhere" / ".pyautoload")
    (tmp_path / "elsewhere" / "app" / "locale" / "fr" / "plural.py").write_text("class Plural: pass")
    loader = AutoLoader(tmp_path / "elsewhere" / "app", bundle=True).setup()
    assert loader.eager_load() == ["app", "app.locale", "app.locale.fr", "app.locale.fr.plural", "app.user"]


def test_a_tree_that_was_moved_takes_its_bundle_along(built, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    os.rename(tmp_path / "app", tmp_path / "elsewhere" / "app")
    os.rename(tmp_path / ".pyautoload", tmp_path / "elsewhere" / ".pyautoload")
    loader = AutoLoader(tmp_path / "elsewhere" / "app", bundle="trusted").setup()
    import app

    assert loader.tree.bundle is not None
    assert app.User.fail.__code__.co_filename == app.user.__file__ == str(tmp_path / "elsewhere" / "app" / "user.py")


@pytest.mark.parametrize("mode", ["checked", "trusted"])
def test_modules_are_served_in_any_order_and_once_more(tree, mode):
    tree({f"app/part{number}.py": f"class Part{number}: pass" for number in range(10)})
    AutoLoader("app").build_bundle()
    loader = AutoLoader("app", bundle=mode).setup()
    bundle, served = loader.tree.bundle, []
    code_of = bundle.code
    bundle.code = lambda *arguments, **options: served.append(code_of(*arguments, **options)) or served[-1]
    for _ in range(2):
        for number in (9, 3, 4, 0, 1, 2, 5, 8, 7, 6):
            assert loader.resolve(f"app.Part{number}").__module__ == f"app.part{number}"
        loader.unload()
    assert len(served) == 20
    assert None not in served


def test_nothing_is_kept_of_what_everything_was_loaded_from(built):
    loader = AutoLoader("app", bundle="checked").setup()
    loader.eager_load()
    assert not any(held.read for held in loader.tree.bundle._held.values() if held is not None)


def test_the_environment_turns_a_bundle_on(built, monkeypatch):
    for value, used in [("1", True), ("checked", True), ("trusted", True), ("0", False), ("", False), (built, True)]:
        monkeypatch.setenv("PYAUTOLOAD_BUNDLE", value)
        loader = AutoLoader("app").setup()
        assert (loader.tree.bundle is not None) == used
        loader.unregister()


def test_an_argument_comes_before_the_environment(built, monkeypatch):
    monkeypatch.setenv("PYAUTOLOAD_BUNDLE", "1")
    assert AutoLoader("app", bundle=False).setup().tree.bundle is None


def test_a_word_that_means_nothing_is_an_error(tree):
    tree(FILES)
    with pytest.raises(SetupError, match="trusted"):
        AutoLoader("app", bundle="certainly").setup()


def test_another_place_is_named_with_a_path(tree, tmp_path):
    tree(FILES)
    place = tmp_path / "cache" / "my.bundle"
    assert AutoLoader("app").build_bundle(place).path == str(place)
    loader = AutoLoader("app", bundle=f"trusted:{place}").setup()
    assert loader.tree.bundle.trusted
    loader.unregister()
    assert AutoLoader("app", bundle=place).setup().tree.bundle.path == str(place)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_read_only_place_sends_the_bundle_to_the_users_cache(tree, tmp_path, monkeypatch):
    root = tree(FILES)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    os.chmod(root, 0o555)
    try:
        assert AutoLoader("app").build_bundle().path.startswith(str(tmp_path / "cache"))
    finally:
        os.chmod(root, 0o755)


def test_the_users_cache_is_used_where_nothing_can_be_written_beside_the_root(tree, tmp_path, monkeypatch):
    tree(FILES)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    path = AutoLoader("app").build_bundle().path
    if sys.platform == "linux":
        assert path.startswith(str(tmp_path / "cache"))
    assert AutoLoader("app", bundle=True).setup().tree.bundle.path == path


# What cannot be used is left alone, with one warning.


def test_a_missing_bundle_is_a_warning(tree):
    tree(FILES)
    assert "cannot be read" in _warned()


@pytest.mark.parametrize("keep", [0, 10, 47, 48, 60, 500, -1])
def test_a_truncated_bundle_is_a_warning(built, keep):
    with open(built, "r+b") as file:
        file.truncate(keep if keep >= 0 else os.path.getsize(built) - 1)
    assert "damaged" in _warned()


def test_other_rules_are_a_warning(built):
    with pytest.warns(BundleWarning, match="other patterns"):
        loader = AutoLoader("app", bundle=True).ignore("models").setup()
    assert loader.eager_load() == ["app", "app.user"]


def test_another_python_is_a_warning(built):
    with open(built, "rb") as file:
        data = file.read()
    code = "import sys; from pyautoload.bundles import reader; reader.MAGIC_NUMBER = b'abcd'; "
    code += "from pyautoload import AutoLoader; AutoLoader('app', bundle=True).setup(); import app; app.User"
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(sys.modules["pyautoload"].__file__))}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert result.returncode == 0, result.stderr
    assert "another Python" in result.stderr
    assert data


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_bundle_that_others_may_write_to_is_not_trusted(built, mode):
    os.chmod(built, mode)
    assert "chmod go-w" in _warned("trusted")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_bundle_of_another_user_is_not_trusted(built):
    os.chown(built, 12345, 12345)
    assert "12345" in _warned("trusted")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_noticed(built, data):
    with open(built, "rb") as file:
        good = file.read()
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    try:
        with open(built, "wb") as file:
            file.write(bad)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BundleWarning)
            loader = AutoLoader("app", bundle="trusted").setup()
            loader.eager_load()
        assert sys.modules["app.models.post"].Post.__mro__[1] is sys.modules["app.user"].User
    finally:
        for loader in all_loaders():
            if loader.is_set_up:
                loader.unload()
            loader.unregister()
        with open(built, "wb") as file:
            file.write(good)


def test_a_bundle_that_cannot_be_written_leaves_the_old_one_and_nothing_else(built, monkeypatch):
    before = os.listdir(os.path.dirname(built))

    def refuse(source, target):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        AutoLoader("app").build_bundle()
    assert os.listdir(os.path.dirname(built)) == before


def test_readers_see_a_whole_bundle_while_it_is_built_again_and_again(built, python):
    builder = "from pyautoload import AutoLoader\nloader = AutoLoader('app')\nfor _ in range(8): loader.build_bundle()"
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(sys.modules["pyautoload"].__file__))}
    with subprocess.Popen([sys.executable, "-c", builder], env=env) as process:
        while process.poll() is None:
            with warnings.catch_warnings():
                warnings.simplefilter("error", BundleWarning)
                loader = AutoLoader("app", bundle="trusted").setup()
            assert "app.user" in loader.eager_load()
            loader.unload()
            loader.unregister()
    assert process.returncode == 0


def test_a_file_that_does_not_compile_is_left_out_and_fails_when_it_is_loaded(tree):
    root = tree({**FILES, "app/broken.py": "def ("})
    result = AutoLoader("app").build_bundle()
    assert list(result.skipped) == [str(root / "app" / "broken.py")]
    AutoLoader("app", bundle=True).setup()
    with pytest.raises(SyntaxError):
        import app.broken  # noqa: F401


def test_reloading_does_not_trust_a_trusted_bundle(built, tmp_path):
    (tmp_path / "app" / "user.py").write_text("class User:\n    new = True\n")
    loader = AutoLoader("app", bundle="trusted").setup()
    loader.binder.reloading = True
    import app

    assert app.User.new
    loader.binder.reloading = False


def test_a_trusted_bundle_asks_the_file_system_nothing(built, python):
    out = python("""
        import os, sys
        from pyautoload import AutoLoader
        loader = AutoLoader("app", bundle="trusted").setup()
        asked = []
        watched = ("open", "os.scandir")
        sys.addaudithook(lambda event, args: asked.append((event, args[0])) if event in watched else None)
        real = os.stat
        os.stat = lambda *a, **k: asked.append(("stat", a[0])) or real(*a, **k)
        loader.eager_load()
        print([item for item in asked if "app" in str(item[1])])
    """).stdout
    assert out.strip() == "[]"
