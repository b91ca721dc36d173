"""Bundles and archives that are damaged, forged, or no files at all: an error or a warning of ours, and no wait."""

from __future__ import annotations

import binascii
import marshal
import os
import pickle
import random
import socket
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rounds import rounds

from pyautoload import AutoLoader, AutoloadError
from pyautoload.bundles import place, trust
from pyautoload.bundles.reader import FORMAT, HEADER, SIGNATURE
from pyautoload.errors import ArchiveError

BundleWarning = place.BundleWarning
FILES = {
    "app/user.py": "class User: pass",
    "app/models/__init__.py": "KIND = 'package'",
    "app/models/post.py": "from app.user import User\nclass Post(User): pass",
    "app/empty/": "",
    "app/deep/a/b/c.py": "class C: pass",
}
ALL = {"app", "app.models", "app.models.post", "app.user", "app.deep", "app.deep.a", "app.deep.a.b", "app.deep.a.b.c"}
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no owners and modes of this kind")


@pytest.fixture
def built(tree):
    """A tree with its bundle; gives the bundle's path."""
    root = tree(FILES)
    return AutoLoader(root / "app").build_bundle().path


def loaded(mode: Any = True) -> list[str]:
    """Load all of it anew; gives the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loader = AutoLoader("app", bundle=mode).setup()
        try:
            loader.eager_load(strict=True)
            assert {name for name in sys.modules if name.partition(".")[0] == "app"} >= ALL
            assert loader.resolve("app.models.Post").__mro__[1].__name__ == "User"
        finally:
            loader.unregister()
            for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
                del sys.modules[name]
    assert all(issubclass(each.category, BundleWarning) for each in caught), [str(each.message) for each in caught]
    return [str(each.message) for each in caught]


# What lies there is no file


@posix
@pytest.mark.parametrize("what", ["fifo", "socket", "directory", "link to a fifo", "device", "link to itself"])
def test_what_is_no_file_is_told_and_makes_nobody_wait(built, what):
    os.unlink(built)
    if what == "fifo":
        os.mkfifo(built)
    elif what == "socket":
        there = os.getcwd()
        os.chdir(os.path.dirname(built))  # the name of a socket is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.basename(built))
        os.chdir(there)
    elif what == "directory":
        os.mkdir(built)
    elif what == "link to a fifo":
        os.mkfifo(built + ".fifo")
        os.symlink(built + ".fifo", built)
    elif what == "device":
        os.symlink(os.devnull, built)
    else:
        os.symlink(built, built)
    for mode in ("checked", "trusted"):
        assert ["is not used" in text for text in loaded(mode)] == [True]


# Who else could have written it


@posix
@pytest.mark.parametrize("above", [0, 1, 2])
@pytest.mark.parametrize("mode", [0o777, 0o757, 0o775])
def test_a_directory_above_that_others_may_write_to_is_not_trusted(built, above, mode, monkeypatch):
    monkeypatch.setattr(trust, "_is_own_group", lambda group: False)
    directory = Path(built).parents[above]
    before = stat.S_IMODE(directory.stat().st_mode)
    directory.chmod(mode)
    try:
        (warned,) = loaded()
        assert f"chmod go-w {directory}" in warned
        directory.chmod(mode | stat.S_ISVTX)
        assert loaded() == [], "where the sticky bit is set nobody can replace what is not his"
    finally:
        directory.chmod(before)
    assert loaded() == []


@posix
def test_a_group_of_ones_own_may_write(built, monkeypatch):
    monkeypatch.setattr(trust, "_is_own_group", lambda group: True)
    Path(built).parent.chmod(0o775)
    assert loaded() == []
    Path(built).parent.chmod(0o777)
    assert len(loaded()) == 1


@posix
@pytest.mark.parametrize("what", ["file", "directory", "directory above", "link", "behind a link"])
def test_what_belongs_to_somebody_else_is_not_trusted(built, tmp_path, what):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path = Path(built)
    if what == "file":
        os.chown(path, 12345, 0)
    elif what == "directory":
        os.chown(path.parent, 12345, 0)
    elif what == "directory above":
        os.chown(path.parent.parent, 12345, 0)
    else:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        target = elsewhere / "it.bundle"
        path.rename(target)
        path.symlink_to(os.path.join("..", "elsewhere", "it.bundle"))
        assert loaded() == []
        os.chown(path if what == "link" else elsewhere, 12345, 0, follow_symlinks=False)
    assert ["belongs to the user 12345" in text for text in loaded()] == [True]


# Damage


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Somewhat other bytes."""
    kind, at = chance.randrange(7), chance.randrange(len(data))
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + chance.randbytes(chance.randrange(1, 64)) + data[at:]
    if kind == 3:
        end = min(len(data), at + chance.randrange(1, 64))
        return data[:at] + data[end:]
    if kind == 4:
        end = min(len(data), at + chance.randrange(1, 64))
        return data[:at] + chance.randbytes(end - at) + data[end:]
    if kind == 5:  # the header
        at = chance.randrange(HEADER.size)
        return data[:at] + chance.randbytes(1) + data[at + 1 :]
    return data + chance.randbytes(chance.randrange(1, 64))


def test_a_damaged_bundle_is_left_out_as_far_as_it_is_damaged(built):
    data = Path(built).read_bytes()
    chance = random.Random(20261130)
    for number in range(rounds(60, 2000)):
        Path(built).write_bytes(damaged(data, chance))
        try:
            loaded(("checked", "trusted")[number % 2])
        except BaseException as error:
            raise AssertionError(f"number {number}") from error


JUNK: list[Any] = [
    None,
    -1,
    2**70,
    1.5,
    "x",
    b"x",
    (),
    (1,),
    [],
    {},
    {"x": 1},
    True,
    "\0",
    "/",
    ...,
    [None] * 9,
    {1: 2},
]


def changed(value: Any, chance: random.Random) -> Any:
    """The same, with something else in one place."""
    if not isinstance(value, (tuple, list, dict)) or not value or chance.random() < 0.2:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        if chance.random() < 0.3:
            return {chance.choice(["x", "\0", 3]) if each == key else each: of for each, of in value.items()}
        return {**value, key: changed(value[key], chance)}
    at = chance.randrange(len(value))
    items = [*value[:at], changed(value[at], chance), *value[at + 1 :]]
    if chance.random() < 0.2:
        del items[at]
    return type(value)(items)


def forged(data: bytes, chance: random.Random) -> bytes:
    """A bundle whose checksums are right, and whose index or one of whose records says something else."""
    _, _, offset, length, _ = HEADER.unpack(data[: HEADER.size])
    signature, roots, index = marshal.loads(data[offset : offset + length])
    body = data[:offset]
    if chance.random() < 0.7:
        name = chance.choice(list(index))
        start, size, _ = index[name]
        record = marshal.dumps(changed(marshal.loads(data[start : start + size]), chance))
        index[name] = (len(body), len(record), binascii.crc32(record))
        body += record
        whole: Any = (signature, roots, index)
    else:
        whole = changed((signature, roots, index), chance)
    last = marshal.dumps(whole)
    header = HEADER.pack(SIGNATURE, FORMAT, len(body), len(last), binascii.crc32(last))
    return header + body[HEADER.size :] + last


def test_a_bundle_with_right_checksums_and_wrong_content_breaks_nothing(built):
    data = Path(built).read_bytes()
    chance = random.Random(7)
    for number in range(rounds(60, 2000)):
        Path(built).write_bytes(forged(data, chance))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loader = AutoLoader("app", bundle=True).setup()
                loader.eager_load()
        except (AutoloadError, ImportError):
            pass  # what is said of files may be a lie: it is then an error of ours, or the file is not found
        except BaseException as error:
            raise AssertionError(f"number {number}") from error
        finally:
            loader.unregister()
            for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
                del sys.modules[name]


# What is left behind


BUILD = "from pyautoload import AutoLoader\nprint('begins', flush=True)\nAutoLoader('app').build_bundle()\n"


@posix
def test_nothing_is_left_of_a_build_that_was_killed(tree, tmp_path):
    tree({f"app/m{number}.py": f"class M{number}: pass\n" * 20 for number in range(60)})
    chance = random.Random(3)
    for _ in range(rounds(4, 60)):
        child = subprocess.Popen([sys.executable, "-c", BUILD], stdout=subprocess.PIPE)
        assert child.stdout is not None
        with child.stdout:
            child.stdout.readline()
            time.sleep(chance.random() * 0.3)
            child.kill()
            child.wait()
        AutoLoader("app").build_bundle()
        assert [path.name for path in (tmp_path / ".pyautoload").iterdir() if path.suffix == ".tmp"] == []


def test_a_build_removes_what_another_one_has_left(built):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, own, other = (Path(f"{built}.{pid}.0123abcd.tmp") for pid in (ended.pid, os.getpid(), "x"))
    for path in (left, own, other):
        path.write_bytes(b"")
    AutoLoader("app").build_bundle()
    assert (left.exists(), own.exists(), other.exists()) == (os.name == "nt", True, True)


# Archives


def test_strange_names_in_an_archive_are_left_out(tree, tmp_path):
    tree({})
    names = [
        "shop//x.py",
        "/shop/a.py",
        "shop/../b.py",
        "./shop/c.py",
        "shop/./d.py",
        "shop/",
        "//",
        "..",
        "shop\\e.py",
    ]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in [*names, "a/" * 2500 + "f.py"]:
            file.writestr(name, "raise SystemError")
        file.writestr("shop/fine.py", "class Fine: pass")
        file.writestr("shop/fine", "a file called as a directory")
        file.writestr("shop/fine/inner.py", "class Inner: pass")
    loader = AutoLoader(tmp_path / "a.zip" / "shop").setup()
    assert loader.eager_load(strict=True) == ["shop", "shop.fine", "shop.fine.inner"]


def test_a_damaged_archive_is_an_error_of_ours(tree, tmp_path):
    tree({})
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("a", "b", "sub/c"):
            file.writestr(f"shop/{name}.py", f"class {name[-1].upper()}: pass\n" * 20)
    data = path.read_bytes()
    chance = random.Random(11)
    for number in range(rounds(80, 2000)):
        path.unlink()  # another file: what was known of the old one says nothing
        path.write_bytes(damaged(data, chance))
        os.utime(path, ns=(number * 10**10, number * 10**10))
        loader = None
        try:
            loader = AutoLoader(path / "shop").setup()
            loader.eager_load()
        except (AutoloadError, ImportError, SyntaxError):
            pass  # a member whose checksum is not looked at is another program
        except BaseException as error:
            raise AssertionError(f"number {number}") from error
        finally:
            if loader is not None:
                loader.unregister()
            sys.path_importer_cache.clear()
            for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
                del sys.modules[name]


def test_an_archive_that_cannot_be_read_says_why(tree, tmp_path):
    tree({})
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("shop/a.py", "class A: pass")
    data = path.read_bytes()
    for damage, reason in (
        (data.replace(b"PK\1\2", b"PK\1\3"), "BadZipFile"),
        (data[:-9], "end is missing"),
    ):
        path.write_bytes(damage)
        with pytest.raises(ArchiveError, match=reason) as caught:
            AutoLoader(path / "shop")
        assert str(caught.value).startswith(f"the archive {path} cannot be read: ")
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
