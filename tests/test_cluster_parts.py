"""What is shipped, how it is packed, and how a reload goes when others have to follow."""

from __future__ import annotations

import importlib.machinery
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyautoload import AutoLoader, ReloadError
from pyautoload.cluster.bundle import EMPTY, Bundle, Delta
from pyautoload.cluster.managed_files import ManagedFiles
from pyautoload.cluster.member import Member, current_version
from pyautoload.cluster.memory_source import MemorySource
from pyautoload.errors import ShipmentError, WorkerReloadError

ROOT = os.path.abspath(os.sep + "project")
NAMES = st.lists(st.sampled_from(["a", "b", "é", "c.py"]), min_size=1, max_size=3)
CONTENTS = st.binary(max_size=20)


def placed(files):
    """Files below a root, without those that others need as directories."""
    paths = {os.path.join(ROOT, *names): content for names, content in files}
    return {path: text for path, text in paths.items() if not any(other.startswith(path + os.sep) for other in paths)}


FILES = st.lists(st.tuples(NAMES, CONTENTS), max_size=8).map(placed)


@given(FILES, FILES, st.binary(max_size=3), st.binary(max_size=3))
def test_a_delta_leads_from_one_bundle_to_the_other_and_holds_no_more_than_has_changed(one, two, layout, other):
    before, after = Bundle.of(layout, one), Bundle.of(other, two)
    delta = Delta.unpack(before.delta_to(after).pack())
    assert before.after(delta) == after
    assert delta.changed == {path: content for path, content in two.items() if one.get(path) != content}
    assert delta.removed == sorted(one.keys() - two.keys())
    assert EMPTY.after(Delta.unpack(after.whole().pack())) == after
    assert (before.digest == after.digest) == ((one, layout) == (two, other))


@given(FILES, FILES, FILES)
def test_a_delta_for_another_bundle_is_refused(one, two, three):
    before, after, elsewhere = (Bundle.of(b"", files) for files in (one, two, three))
    if before.digest != elsewhere.digest:
        with pytest.raises(ShipmentError, match="other code"):
            elsewhere.after(before.delta_to(after))


@given(FILES.filter(bool), st.data())
def test_what_has_suffered_on_its_way_is_refused(files, data):
    raw = bytearray(zlib.decompress(Bundle.of(b"x", files).whole().pack()))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        found = EMPTY.after(Delta.unpack(zlib.compress(bytes(raw))))
    except (ShipmentError, UnicodeDecodeError):
        return
    assert found == Bundle.of(b"x", files)  # a space in the header, say


@given(st.lists(FILES, min_size=1, max_size=4))
def test_a_source_lists_what_it_holds_and_each_change_shows(states):
    source, times, before = MemorySource([ROOT]), {}, None
    for files in states:
        source.switch(files)
        pending, found, listings = [ROOT], {}, {}
        while pending:
            directory = pending.pop()
            listings[directory] = dict(source.list(directory))
            for name, is_directory in listings[directory].items():
                path = os.path.join(directory, name)
                if is_directory:
                    pending.append(path)
                else:
                    found[path] = source.read(path)
                    assert source.stat(path)[1] == len(found[path])
        assert found == files
        now = {path: source.stat(path)[0] for path in [*found, *listings]}
        state = {**found, **listings}
        if before is not None:
            changed = {path for path in now.keys() & times.keys() if now[path] != times[path]}
            assert changed == {path for path in now.keys() & times.keys() if state[path] != before[path]}
        times, before = now, state
        with pytest.raises(FileNotFoundError):
            source.read(os.path.join(ROOT, "nobody"))


def test_what_is_ignored_hidden_or_made_for_one_machine_is_not_shipped(tree):
    suffix = importlib.machinery.EXTENSION_SUFFIXES[-1]
    tree(
        {
            "app/user.py": "",
            "app/data/names.txt": "",
            "app/vendor/x.py": "",
            "app/.env": "",
            "app/.git/config": "",
            "app/data/.hidden/x.txt": "",
            "app/__pycache__/user.pyc": "",
            f"app/fast{suffix}": "",
            "outside.py": "",
        }
    )
    loader = AutoLoader("app").ignore("vendor").setup()
    files = ManagedFiles(loader.config, loader.inflector, "app").bundle().files
    shown = sorted(os.path.relpath(path).replace(os.sep, "/") for path in files)
    assert shown == ["app/data/names.txt", "app/user.py"]


@pytest.mark.parametrize("links", [{"app/again": "app"}, {"app/a/b": "app/b", "app/b/a": "app/a"}])
def test_links_that_lead_back_end(tree, links):
    tree({"app/user.py": "", "app/a/x.py": "", "app/b/y.py": ""})
    try:
        for link, target in links.items():
            os.symlink(os.path.abspath(target), link)
    except OSError:
        pytest.skip("no symbolic links here")
    loader = AutoLoader("app").setup()
    files = ManagedFiles(loader.config, loader.inflector, "app").bundle().files
    shown = {os.path.relpath(path, "app").replace(os.sep, "/") for path in files}
    assert {"user.py", "a/x.py", "b/y.py"} <= shown <= {"user.py", "a/x.py", "b/y.py", "a/b/y.py", "b/a/x.py"}


def test_an_inflector_that_cannot_be_pickled_is_told(tree):
    tree({"app/user.py": ""})

    class Local:
        def camelize(self, stem, path):
            return stem.title()

    loader = AutoLoader("app", inflector=Local()).setup()
    with pytest.raises(ShipmentError, match="can be pickled"):
        ManagedFiles(loader.config, loader.inflector, "app")


def test_a_version_that_is_not_there_is_told():
    with pytest.raises(ShipmentError, match="which shipped code is meant"):
        current_version("nobody")


def test_a_member_goes_on_to_a_version_and_back(tree, tmp_path):
    """What a worker does, in this process: the files are gone by then."""
    tree(
        {
            "app/user.py": "from app.limits import LIMIT\n\nclass User:\n    limit = LIMIT\n",
            "app/limits.py": "LIMIT = 1\n",
        }
    )
    loader = AutoLoader("app").setup()
    managed = ManagedFiles(loader.config, loader.inflector, "app")
    first = managed.bundle()
    path = os.path.abspath("app/limits.py")
    loader.unregister()
    os.rename("app", "away")
    mine = Member("app")
    assert mine.install(first, 1).kind == "ok"
    import app

    user = app.User()
    assert user.limit == 1

    def prepared(text):
        later = Bundle.of(first.layout, {**mine.bundle.files, path: text.encode()})
        return mine.prepare(text, mine.bundle.delta_to(later).pack())

    assert prepared("LIMIT = 2\n").kind == "ok"
    assert user.limit == 1
    assert mine.apply("LIMIT = 2\n", []).kind == "ok"
    assert user.limit == 2
    assert mine.apply("LIMIT = 2\n", []).kind == "ok"  # asked twice, as two workers are one process
    assert mine.revert_to(first).kind == "ok"
    assert user.limit == 1
    assert prepared("LIMIT = (\n").kind == "failed"
    assert prepared("1 / 0\n").kind == "ok"
    outcome = mine.apply("1 / 0\n", [])
    assert (outcome.kind, outcome.module) == ("failed", "app.limits")
    assert "1 / 0" in outcome.traceback
    assert (user.limit, mine.bundle.digest) == (1, first.digest)


class Others:
    """Those who follow, as far as a reload sees them."""

    def __init__(self, fails_at=""):
        self.fails_at, self.calls, self.pending = fails_at, [], False

    def is_wanted(self, path):
        return path.endswith(".txt")

    def prepare(self, change):
        self.calls.append("prepare")
        self._maybe_fail("prepare")
        self.pending = True
        self.live = change.live
        return [os.path.abspath("app/limits.py")]

    def apply(self):
        if not self.pending:
            return {}
        self.pending = False
        self.calls.append("apply")
        self._maybe_fail("apply")
        return {"worker": "version 2"}

    def abandon(self):
        if self.pending:
            self.calls.append("abandon")
        self.pending = False

    def _maybe_fail(self, what):
        if self.fails_at == what:
            raise WorkerReloadError("worker", "app.limits", os.path.abspath("app/limits.py"), "it fails there", "")


@pytest.fixture
def app(tree):
    tree({"app/limits.py": "LIMIT = 1\n", "app/kept.py": "LIMIT = 1\n"})
    loader = AutoLoader("app").do_not_reload("kept.py").setup().enable_reloading(watch=False)
    import app.kept
    import app.limits

    yield loader, app
    loader.disable_reloading()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("fails_at", ["prepare", "apply"])
def test_when_others_cannot_follow_all_is_as_before_and_the_next_edit_mends_it(app, fails_at):
    loader, package = app
    others = Others(fails_at)
    loader.reloader.follow_with(others)
    write("app/limits.py", "LIMIT = 2\n")
    with pytest.raises(ReloadError, match="it fails there"):
        loader.reload()
    assert package.limits.LIMIT == 1
    others.fails_at = ""
    write("app/limits.py", "LIMIT = 3\n")
    assert loader.reload().workers == {"worker": "version 2"}
    assert package.limits.LIMIT == 3


def test_what_fails_here_is_given_up_there(app):
    loader, package = app
    others = Others()
    loader.reloader.follow_with(others)
    write("app/limits.py", "1 / 0\n")
    with pytest.raises(ReloadError):
        loader.reload()
    assert others.calls == ["prepare", "abandon"]
    assert package.limits.LIMIT == 1


def test_what_needs_a_restart_here_does_not_go_live_there(app):
    loader, _ = app
    others = Others()
    loader.reloader.follow_with(others)
    write("app/kept.py", "LIMIT = 2\n")
    assert loader.reload().restart_required
    assert others.live(os.path.abspath("app/kept.py"), b"LIMIT = 2\n") == b"LIMIT = 1\n"
