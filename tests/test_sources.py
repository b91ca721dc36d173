"""Sources of the user's own: three questions are enough to load modules from anywhere."""

import importlib.resources
import inspect
import os
import threading
import traceback

import pytest

from pyautoload import AutoLoader, SetupError
from pyautoload.checking import find_problems
from pyautoload.sources import FILE_SYSTEM, source_for


class Memory:
    """A source that holds its files in a dictionary."""

    def __init__(self, base, files):
        self.base = base
        self.files = dict(files)
        self.version = 1

    def list(self, directory):
        inner = os.path.relpath(directory, self.base).replace(os.sep, "/")
        prefix = "" if inner == "." else inner + "/"
        names = {}
        for name in self.files:
            if name.startswith(prefix):
                first, slash, _ = name[len(prefix) :].partition("/")
                names[first] = bool(slash)
        if not names:
            raise FileNotFoundError(directory)
        return names.items()

    def read(self, path):
        try:
            return self.files[os.path.relpath(path, self.base).replace(os.sep, "/")].encode()
        except KeyError:
            raise FileNotFoundError(path) from None

    def stat(self, path):
        inner = os.path.relpath(path, self.base).replace(os.sep, "/")
        if inner in self.files:
            return self.version, len(self.files[inner])
        self.list(path)
        return self.version, 0


FILES = {
    "user.py": "class User:\n    def fail(self):\n        raise ValueError('from memory')\n",
    "models/post.py": "from store.user import User\nclass Post(User): pass\n",
    "models/__init__.py": "",
}


@pytest.fixture
def memory(tree, tmp_path):
    tree({})
    return Memory(str(tmp_path / "store"), FILES)


def test_modules_come_from_the_source(memory):
    loader = AutoLoader().push_dir("store", source=memory).setup()
    assert loader.eager_load(strict=True) == ["store", "store.models", "store.user", "store.models.post"]
    import store

    assert store.models.Post.__mro__[1] is store.User


def test_tracebacks_and_sources_show_the_lines(memory):
    AutoLoader().push_dir("store", source=memory).setup()
    from store import User

    with pytest.raises(ValueError) as caught:
        User().fail()
    lines = "".join(traceback.format_exception(None, caught.value, caught.value.__traceback__))
    assert "raise ValueError('from memory')" in lines
    assert inspect.getsource(User).startswith("class User:")


def test_a_file_that_comes_later_is_found_when_the_source_says_that_it_changed(memory):
    AutoLoader().push_dir("store", source=memory).setup()
    import store

    assert store.User
    memory.files["guest.py"] = "class Guest: pass"
    memory.version = 2
    assert store.Guest


def test_a_file_that_fails_names_itself_and_stays_loadable(memory):
    memory.files["broken.py"] = "raise RuntimeError('broken')"
    AutoLoader().push_dir("store", source=memory).setup()
    import store

    with pytest.raises(RuntimeError, match="broken"):
        store.Broken  # noqa: B018
    memory.files["broken.py"] = "class Broken: pass"
    assert store.Broken


def test_a_bundle_holds_what_the_source_holds(memory, tmp_path):
    place = tmp_path / "store.bundle"
    AutoLoader().push_dir("store", source=memory).build_bundle(place)
    memory.files = dict.fromkeys(memory.files, "raise SystemError('the source was read')")
    AutoLoader(bundle=f"trusted:{place}").push_dir("store", source=memory).setup()
    import store

    assert store.models.Post


def test_resources_are_read_from_the_source(memory):
    memory.files |= {"models/sizes.txt": "S\nM\n", "data/names.txt": "é", "hotel.py": "", "hotel/room.txt": "102"}
    memory.files["hotel/bed.py"] = ""
    AutoLoader().push_dir("store", source=memory).setup()
    import store.hotel
    import store.models

    models = importlib.resources.files(store.models)
    assert sorted(entry.name for entry in models.iterdir()) == ["__init__.py", "post.py", "sizes.txt"]
    assert (models / "sizes.txt").open().readlines() == ["S\n", "M\n"]
    assert (models.is_dir(), (models / "sizes.txt").is_file(), (models / "none.txt").is_file()) == (True, True, False)
    # Of an implicit namespace, and of a package whose code stands beside its directory.
    assert importlib.resources.files(store).joinpath("data", "names.txt").read_text() == "é"
    assert importlib.resources.files(store.hotel).joinpath("room.txt").read_bytes() == b"102"
    with importlib.resources.as_file(models / "sizes.txt") as path:
        assert path.read_text() == "S\nM\n"


def test_a_source_without_the_root_is_an_error(memory):
    with pytest.raises(SetupError, match="does not exist"):
        AutoLoader().push_dir("elsewhere", source=Memory("elsewhere", {}))
    assert source_for(os.path.abspath("elsewhere")) is FILE_SYSTEM


def test_an_unregistered_loader_gives_its_source_back(memory, tmp_path):
    loader = AutoLoader().push_dir("store", source=memory).setup()
    assert source_for(str(tmp_path / "store" / "user.py")) is not FILE_SYSTEM
    loader.unregister()
    assert source_for(str(tmp_path / "store" / "user.py")) is FILE_SYSTEM


FAULTS = {
    "asks.py": "from store import Nobody\nclass Asks: ...\n",
    "fails.py": "1 / 0\nclass Fails: ...\n",
    "lacks.py": "class Other: ...\n",
    "broken.py": "def (\n",
}


@pytest.mark.parametrize("static", [True, False])
def test_a_source_is_checked(memory, static):
    memory.files.update(FAULTS)
    problems = find_problems(AutoLoader().push_dir(memory.base, source=memory).setup(), static=static)
    found = {(problem.kind, os.path.basename(problem.path), problem.line) for problem in problems}
    faults = {("unknown-name", "asks.py", 1), ("syntax", "broken.py", 1), ("expected-name", "lacks.py", None)}
    assert found == faults | (set() if static else {("import", "fails.py", 1)})


def test_a_source_that_cannot_be_sent_to_a_child_says_so(memory):
    memory.lock = threading.Lock()
    with pytest.raises(SetupError, match=r"source .*Memory.* cannot be sent to a child process"):
        find_problems(AutoLoader().push_dir(memory.base, source=memory).setup())
