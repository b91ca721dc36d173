"""When two paths are one: directories that find an entry by another spelling than the one they list."""

import os
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyautoload import AutoLoader, PathError
from pyautoload.tree import paths
from pyautoload.tree.globs import GlobSet


def spelled_alike(name):
    return unicodedata.normalize("NFC", name).casefold()


class CaseBlind:
    """A source that, as Windows and macOS do, finds names in any case, and lists them as they were made."""

    def __init__(self, base, files):
        self.base = base
        self.files = files

    def _inner(self, path):
        inner = os.path.relpath(path, self.base).replace(os.sep, "/")
        return "" if inner == "." else spelled_alike(inner)

    def list(self, directory):
        depth = len([part for part in self._inner(directory).split("/") if part])
        names = {}
        for name in self.files:
            parts = name.split("/")
            if len(parts) > depth and [spelled_alike(part) for part in parts[:depth]] == [
                part for part in self._inner(directory).split("/") if part
            ]:
                names[parts[depth]] = len(parts) > depth + 1
        if not names:
            raise FileNotFoundError(directory)
        return names.items()

    def read(self, path):
        for name, source in self.files.items():
            if spelled_alike(name) == self._inner(path):
                return source.encode()
        raise FileNotFoundError(path)

    def stat(self, path):
        try:
            return 1, len(self.read(path))
        except FileNotFoundError:
            self.list(path)
            return 1, 0


FILES = {
    "user.py": "class User: pass",
    "deep/inner/x.py": "X = 1",
    "caf\u00e9/y.py": "Y = 2",  # composed
    "nu\u0308/z.py": "Z = 3",  # decomposed
}


@pytest.fixture
def blind(tmp_path):
    root = tmp_path / "blind"
    loader = AutoLoader()
    loader.push_dir(root, source=CaseBlind(str(root), FILES))
    return root, loader.setup()


@pytest.mark.parametrize(
    ("entered", "name"),
    [
        ("USER.py", "blind.User"),
        ("deep/INNER/x.py", "blind.deep.inner.X"),
        ("Deep/inner/X.PY", "blind.deep.inner.X"),
        ("cafe\u0301/y.py", "blind.caf\u00e9.Y"),
        ("n\u00fc/z.py", "blind.n\u00fc.Z"),
    ],
)
def test_a_file_is_found_by_another_spelling(blind, entered, name):
    root, loader = blind
    assert loader.is_managed(root / entered)
    assert loader.expected_name(root / entered) == name
    loaded = loader.load_file(root / entered)
    assert loaded is loader.resolve(name)
    assert [module for module in loader.loaded() if module.lower() != module] == []


def test_a_directory_is_eager_loaded_by_another_spelling(blind):
    root, loader = blind
    assert loader.eager_load_dir(root / "DEEP")[-1] == "blind.deep.inner.x"


def test_where_case_counts_another_case_is_another_path(tree, tmp_path):
    base = tree({"app/user.py": "User = 1", "app/deep/x.py": "X = 1"})
    if (base / "APP").exists():
        pytest.skip("this directory does not tell case apart")
    loader = AutoLoader(base / "app").setup()
    with pytest.raises(PathError, match="does not exist"):
        loader.load_file(base / "app" / "USER.py")
    assert loader.is_managed(base / "app" / "Deep") is False
    assert loader.load_file(base / "app" / "user.py") == 1


def test_a_root_is_found_by_another_spelling(tree):
    base = tree({"app/user.py": "User = 1", "app/deep/x.py": "X = 1"})
    if not (base / "APP").exists():
        pytest.skip("this directory tells case apart")
    loader = AutoLoader(base / "app").setup()
    loader.push_dir(base / "APP", namespace="app")
    assert len(loader.dirs()) == 1
    assert loader.load_file(base / "App" / "USER.py") == 1
    assert loader.eager_load_dir(base / "APP" / "Deep")[-1] == "app.deep.x"


@pytest.fixture
def as_on_windows(monkeypatch):
    """The operating system takes no notice of case, and says so."""
    monkeypatch.setattr(os.path, "normcase", str.lower)


@pytest.mark.usefixtures("as_on_windows")
class TestWindows:
    def test_a_bare_pattern_leaves_a_root_with_capitals_alone(self):
        globs = GlobSet()
        globs.add(["app"])
        globs.use_roots([os.path.abspath("/Work/App")])
        assert not globs.matches(os.path.abspath("/Work/App"))
        assert globs.matches(os.path.abspath("/Work/App/sub/App"))

    @pytest.mark.parametrize(
        "pattern", ["Vendor/*.py", "vendor/[A-C]x.py", os.path.abspath("/work/app/VENDOR/ax.py"), "AX.py"]
    )
    def test_patterns_take_no_notice_of_case(self, pattern):
        globs = GlobSet()
        globs.add([pattern])
        globs.use_roots([os.path.abspath("/Work/App")])
        assert globs.matches(os.path.abspath("/work/APP/vendor/ax.py")) is (
            not pattern.startswith("/") or os.sep == "/"
        )

    def test_a_root_is_one_in_any_case(self, tree):
        base = tree({"app/user.py": "User = 1"})
        loader = AutoLoader(base / "app")
        root = str(base / "app")
        assert paths.same(root.upper(), root)
        assert paths.respelled(os.path.join(root.upper(), "user.py"), root) == os.path.join(root, "user.py")
        assert loader.config.absolute(os.path.join(root.upper(), "user.py")) == os.path.join(root, "user.py")


PART = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=6
).filter(lambda part: part not in (".", ".."))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PART, min_size=1, max_size=4), st.lists(PART, max_size=3), st.lists(PART, max_size=3))
def test_inside_goes_by_whole_parts(above, below, elsewhere):
    top = os.path.abspath(os.sep)
    directory = os.path.join(top, *above)
    path = os.path.join(directory, *below)
    assert paths.inside(path, directory)
    assert paths.inside(path, top)
    assert paths.respelled(path, directory) == path
    assert not paths.inside(directory + "x", directory)
    other = os.path.join(directory + "x", *elsewhere)
    assert not paths.inside(other, directory)
    assert paths.respelled(other, directory) is None
