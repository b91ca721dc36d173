"""Where a root lies: read-only, in memory, in layers, mounted twice, without events, under names of every kind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pyautoload

PROGRAM = Path(__file__).with_name("places_program.py")
FILES = {
    "shop/models/user.py": "class User:\n    def get(self):\n        return 1\n",
    "shop/models/order.py": "class Order: ...\n",
    "shop/views/page.py": "from shop.models import User\nclass Page(User): ...\n",
    "shop/views/notes.txt": "no module",
}
# Run in a namespace of mounts of its own. `place` is what the program gets to see, `edited` where files are changed.
MOUNTED = {
    "tmpfs": "mount -t tmpfs none {place} && cp -r {files}/. {place} && exec {run} {place} {place}",
    "overlay": "mount -t overlay none -o lowerdir={files},upperdir={upper},workdir={work} {place} && "
    "exec {run} {place} {place}",
    "bind mount": "mount --bind {files} {place} && exec {run} {place} {files}",
    "read-only": "mount --bind {files} {place} && mount -o remount,bind,ro {place} && exec {run} {place} {files}",
    "read-only, no cache": "mount --bind {files} {place} && mount -o remount,bind,ro {place} && "
    "exec env PYTHONPYCACHEPREFIX=/proc/nowhere {run} {place} {files}",
    "no inotify": "exec {run} {files} {files}",
}
NAMED = {
    "spaces": "a place  with spaces",
    "unicode": "Ünïcödé-日本語-\N{SNOWMAN}-e\u0301",
    "brackets": "[a-b]{c,d}(e)!",
    "percent and quotes": "100%s %d 'one' & $HOME;#",
    "4,000 characters": "",
    "a dot": "v1.2",
    "a name of Python": "json",
}


def written(base):
    for name, text in FILES.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text)
    return base


def environment(tmp_path):
    source = str(Path(pyautoload.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": source, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONIOENCODING": "utf-8"}


def namespaces_are_allowed():
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not namespaces_are_allowed(), reason="this user may not make namespaces")
@pytest.mark.parametrize("kind", MOUNTED)
def test_a_root_in_a_mounted_place(tmp_path, kind):
    for name in ("files", "place", "upper", "work"):
        (tmp_path / name).mkdir()
    written(tmp_path / "files")
    places = {name: tmp_path / name for name in ("files", "place", "upper", "work")}
    script = MOUNTED[kind].format(run=f"{sys.executable} {PROGRAM}", **places)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{script} "{kind}"'],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=100,
    )
    if "mount:" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


@pytest.mark.parametrize("name", NAMED)
def test_a_root_under_a_name(tmp_path, name):
    if name == "4,000 characters" and sys.platform != "linux":
        pytest.skip("the longest path is shorter here")
    base = _deep(tmp_path) if name == "4,000 characters" else tmp_path / NAMED[name]
    try:
        base.mkdir(exist_ok=True)
    except OSError as error:
        pytest.skip(f"there can be no such name here: {error}")
    written(base)
    run = [sys.executable, str(PROGRAM), str(base), str(base), name]
    done = subprocess.run(run, env=environment(tmp_path), capture_output=True, encoding="utf-8", timeout=100)
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


def _deep(base):
    """A directory so deep that the paths of files in it have more than 4,000 characters."""
    wanted = 3985 - len(str(base))
    while wanted > 0:
        length = min(wanted - 1, 200)
        base, wanted = base / ("d" * max(length, 1)), wanted - length - 1
        base.mkdir()
    assert len(str(base / "shop/models/user.py")) > 4000
    return base
