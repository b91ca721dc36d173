"""Requirements, wheels and metadata that are damaged or hostile; secrets in URLs; installers that are killed."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import time
import traceback
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from process_table import running_processes
from rounds import rounds

pytest.importorskip("packaging")

import pyautoload.thirdparty.installer.command as command
from pyautoload.errors import AutoloadError, SetupError
from pyautoload.settings import load as settings_of
from pyautoload.thirdparty.installer.staging import make_staging, remove_left
from pyautoload.thirdparty.installer.wheel_check import provided_by_wheel
from pyautoload.thirdparty.load import Load
from pyautoload.thirdparty.load_errors import InstallError, InstallRefused
from pyautoload.thirdparty.redaction import redacted, secrets_in

COMMIT = "0123456789abcdef0123456789abcdef01234567"
posix = pytest.mark.skipif(os.name == "nt", reason="there are no named pipes, and other ways to end a process")

# Secrets


SECRET = "S3CRET"
PLACES = [
    "{scheme}://{s}@host.example/x.git@{c}",
    "{scheme}://me:{s}@host.example/x.git@{c}",
    "{scheme}://{s}:x-oauth-basic@host.example/x.git@{c}",
    "{scheme}://me:pa/{s}@host.example/x.git",
    "{scheme}://me:pa?{s}@host.example/x.git",
    "{scheme}://me:pa#{s}@host.example/x.git",
    "{scheme}://me:p@{s}@host.example/x.git",
    "{scheme}://me:{s}@[::1]:80/x",
    "{scheme}://me:{s}@[::1/x",
    "{scheme}://host.example/x?token={s}",
    "{scheme}://host.example/x?a=1&API_KEY={s}&b=2",
    "{scheme}://host.example/x?Password={s};x=1",
    "{scheme}://host.example/x?%74oken={s}",
    "{scheme}://host.example/x#access_token={s}",
    "{scheme}://host.example/x?X-Amz-Signature={s}",
    "{scheme}:/me:{s}@host.example/x",
    "{scheme}:\\\\me:{s}@host.example\\x",
]
SCHEMES = ["https", "git+https", "GIT+HTTPS", "HttpS", "git+ssh", "ftp", "file", "hg+http", "git+file"]


def told(attempt):
    """The traceback of an attempt that fails with an error of ours, if it does."""
    try:
        attempt()
    except AutoloadError as error:
        return "".join(traceback.format_exception(error))
    return ""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_secret_in_a_url_is_not_shown(scheme, place, caplog):
    url = place.format(scheme=scheme, s=SECRET, c=COMMIT)
    for text in (url, f"tool @ {url}", f"({url!r})", f"first https://a.example/b@c, then {url}."):
        assert SECRET not in redacted(text)
        assert any(SECRET in secret for secret in secrets_in(text))
    load = Load()
    attempts = [
        lambda: load.allow_install([f"tool @ {url}"]),
        lambda: load.allow_install([f"tool @ {url}"], only_binary=False),
        lambda: load.allow_install([f"tool @ {url}"], require_hashes=True),
        lambda: load.allow_install([f"tool@{url}"]),
        lambda: load.allow_install([url]),
        lambda: load.allow_install(["tool"], index=url),
        lambda: load.add_registry("own", url),
    ]
    with caplog.at_level(logging.DEBUG):
        shown = [told(attempt) for attempt in attempts]
    # The traceback has the lines of this file, in which the secret stands under another name.
    assert SECRET not in "\n".join(shown)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "text",
    ["https://host.example/x.git@main", "git+ssh://git@host.example/x.git", "git@host.example:x.git", "name==1.0",
     f"git+https://host.example:8443/x.git@{COMMIT}", "https://host.example/x#sha256=00", "https://[::1]:80/a?page=2",
     "12:30 mail me@host.example"],
)  # fmt: skip
def test_what_is_not_secret_is_shown(text):
    assert redacted(text) == text


def test_the_token_of_an_index_and_of_a_commit_is_in_no_message_and_no_log(tmp_path, monkeypatch, caplog):
    script = tmp_path / "installer.py"
    says = "'fatal: S3CRET2 https://S3CRET@h/x?token=S3CRET3'"
    script.write_text(f"import sys\nprint(open(sys.argv[1]).read(), {says})\nsys.exit(1)\n")
    monkeypatch.setattr(
        command.Command, "arguments", lambda self, library, requirements: [sys.executable, str(script), requirements]
    )
    load = Load()
    url = f"git+https://S3CRET2@host.example/x.git@{COMMIT}"
    load.allow_install(
        {"tool": f"tool @ {url}"},
        only_binary=False,
        index="https://host.example/?token=S3CRET3",
        into=tmp_path / "site",
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(InstallError) as caught:
        load("tool")
    assert "fatal: ****" in str(caught.value)
    for text in ("".join(traceback.format_exception(caught.value)), caplog.text):
        assert "S3CRET" not in text


# Requirement texts


PIECES = [
    "name", "Name_1.x", "==1.0", ">=1,<2", "[extra]", "[a,b", "]", "@", " @ ", "git+https://", "GIT+HTTPS://", "file://",
    "file:", "https://", "host.example", "[::1", "[::1]", ":99999", ":x", "/x.git", f"@{COMMIT}", "#egg=x", "?a=b", ";",
    " ; python_version < '3'", "; extra == 'x'", "(" * 300, ")" * 300, "((", "~=", "===", "*", "==1.*", "!", "é", "ｎ",
    "\u202e", "\n", "\0", "\ud800", "\\", "..", "../", "/", "~", "~nobody/", "./", ".whl", "x-1.0-py3-none-any.whl",
    ".tar.gz", ".zip", "%00",
    "%2e%2e", "'", '"', "`", "$(x)", "--hash=sha256:", " --hash=sha256:" + "0" * 64, "-", "--", "=",
    "==" + "9" * 5000, " ",
]  # fmt: skip


def test_no_requirement_text_gives_anything_but_an_error_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("something was started"))
    chance = random.Random(5)
    refused = 0
    count = rounds(200, 5000)
    for _ in range(count):
        text = "".join(chance.choices(PIECES, k=chance.randrange(1, 7)))
        load = Load()
        try:
            load.allow_install([text], only_binary=chance.random() < 0.5, require_hashes=chance.random() < 0.2)
        except InstallRefused:
            refused += 1
        except BaseException as error:
            raise AssertionError(repr(text)) from error
    assert refused > count / 2


@settings(max_examples=rounds(50, 1000), deadline=None)
@given(st.text(max_size=60))
def test_no_text_at_all_gives_anything_but_an_error_of_ours(text):
    for attempt in (
        lambda: Load().allow_install([text], only_binary=False),
        lambda: Load().allow_install([f"x @ {text}"], only_binary=False),
        lambda: Load().allow_install(["x"], index=text),
        lambda: Load().add_registry("own", f"https://{text}"),
    ):
        try:
            attempt()
        except InstallRefused:
            pass


@pytest.mark.parametrize(
    "text",
    [f"x @ git+https://[::1/x.git@{COMMIT}", "x @ file://[/x", "x @ FILE:///nowhere", "x @ file://other/x", "x @ file:///%00",
     f"x @ git+https://host.example:port/x@{COMMIT}", "name; " + "(" * 5000 + "python_version > '3'" + ")" * 5000,
     "name==" + "9" * 10000, "name[" + ",".join("a" * 9 for _ in range(9999)), "name @ " + "x" * 100_000],
)  # fmt: skip
def test_odd_requirements_are_refused(text):
    shown = told(lambda: Load().allow_install([text], only_binary=False))
    assert "InstallRefused" in shown or text.startswith("name==")


def test_the_scheme_of_a_url_may_be_in_capitals(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(command.Command, "run", lambda self, given, *_: lines.extend(given) or 1 / 0)
    load = Load()
    url = f"GIT+HTTPS://host.example/x.git@{COMMIT}"
    load.allow_install({"tool": f"tool @ {url}"}, only_binary=False, into=tmp_path)
    with pytest.raises(ZeroDivisionError):
        load("tool")
    assert lines == [f"tool @ git+https://host.example/x.git@{COMMIT}"]


# Wheels


def test_a_damaged_wheel_is_an_error_of_ours(tmp_path):
    path = tmp_path / "tool-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("tool/__init__.py", "")
        made.writestr("tool-1.0.dist-info/METADATA", "Name: tool\n")
    data = path.read_bytes()
    chance = random.Random(1)
    for number in range(rounds(100, 3000)):
        at = chance.randrange(len(data))
        end = min(len(data), at + chance.randrange(1, 30))
        path.write_bytes(data[:at] + (chance.randbytes(end - at) if number % 2 else b"") + data[end:])
        try:
            Load().allow_install([str(path)])
        except InstallRefused:
            pass
        except BaseException as error:
            raise AssertionError(f"number {number}") from error


@posix
def test_a_wheel_that_is_no_file_makes_nobody_wait(tmp_path):
    path = tmp_path / "tool-1.0-py3-none-any.whl"
    os.mkfifo(path)
    with pytest.raises(InstallRefused):
        provided_by_wheel(str(path))
    load = Load()
    load.allow_install(["tool"], index=str(tmp_path), into=tmp_path / "site")
    with pytest.raises(ImportError):
        load("other")  # looks through what the wheels of the index hold


METADATA = [
    "Requires-Dist: ((((",
    "Requires-Dist: x @ [",
    "Requires-Dist: y; nonsense == '1'",
    "Version: what",
    "\udcff",
]


@pytest.mark.parametrize("line", METADATA)
def test_hostile_metadata_is_an_error_of_ours(line, tmp_path, monkeypatch):
    def run(self, lines, library, staging):
        info = Path(library, "tool-1.0.dist-info")
        info.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: tool\n{line}\n"
        info.joinpath("METADATA").write_bytes(text.encode("utf-8", "surrogateescape"))

    monkeypatch.setattr(command.Command, "run", run)
    load = Load()
    load.allow_install(["tool"], into=tmp_path / "site")
    with pytest.raises(InstallError):
        load("tool")


# Settings


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ("{a=", "}")], ids=["lists", "tables"])
@pytest.mark.parametrize("depth", [900, 20_000])
def test_a_project_file_that_is_nested_too_deeply_is_an_error_of_ours(opens, closes, depth, tmp_path):
    inner = opens * depth + ("1" if opens != "[" else "") + closes * depth
    text = f'[tool.pyautoload]\nroots = ["app"]\n[tool.other]\nx = {inner}\n'
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SetupError, match=r"nested too deeply|not valid TOML"):
        settings_of(tmp_path)


@posix
def test_a_project_file_that_is_no_file_makes_nobody_wait(tmp_path):
    os.mkfifo(tmp_path / "pyproject.toml")
    for path in (tmp_path, tmp_path / "pyproject.toml"):
        with pytest.raises(SetupError):
            settings_of(path)


def test_a_damaged_project_file_is_an_error_of_ours(tmp_path):
    data = b'[tool.pyautoload]\nroots = ["app"]\nbundle = true\n[tool.pyautoload.inflections]\na = "A"\n'
    chance = random.Random(2)
    for number in range(rounds(100, 3000)):
        at = chance.randrange(len(data))
        end = min(len(data), at + chance.randrange(1, 10))
        (tmp_path / "pyproject.toml").write_bytes(data[:at] + chance.randbytes(chance.randrange(9)) + data[end:])
        try:
            settings_of(tmp_path / "pyproject.toml")
        except SetupError:
            pass
        except BaseException as error:
            raise AssertionError(f"number {number}") from error


# Killed


INSTALL = """
import sys
import pyautoload.thirdparty.installer.command as command
from pyautoload.thirdparty.load import Load
builds = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {sys.argv[1]!r}]); time.sleep(90)"
command.Command.arguments = lambda self, library, requirements: [sys.executable, "-c", builds]
load = Load()
load.allow_install(["slow"], into="site")
load("slow")
"""
MARK = "import time; mark = {!r}; open(mark + '.began', 'w').close(); time.sleep(90)"


def running_with(mark: str) -> list[str]:
    """The processes whose command line has a text."""
    return [arguments for _, _, arguments in running_processes().values() if mark in arguments]


@posix
def test_nothing_is_left_of_an_installation_that_was_killed(tmp_path):
    for number in range(rounds(1, 10)):
        mark = str(tmp_path / f"mark-{number}")
        child = subprocess.Popen([sys.executable, "-c", INSTALL, MARK.format(mark)], cwd=tmp_path)
        deadline = time.monotonic() + 60
        while not os.path.exists(mark + ".began"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert running_with(mark)
        child.kill()
        child.wait()
        while running_with(mark) or [name for name in os.listdir(tmp_path / "site") if "staging" in name]:
            assert time.monotonic() < deadline, running_with(mark)
            time.sleep(0.05)


def test_a_move_that_was_killed_half_way_is_undone_by_the_next_installation(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "own.py").write_text("mine")
    staging = make_staging(str(site))
    library = Path(staging, "library-0")
    for name in ("a", "b", "c"):
        (library / name).mkdir(parents=True)
        (library / name / "x.py").write_text("")
    code = (
        "import os, sys\nfrom pyautoload.thirdparty.installer.staging import move_all\nreal = os.rename\n"
        "os.rename = lambda path, target: os._exit(9) if target.endswith('c') else real(path, target)\n"
        "move_all(*sys.argv[1:])"
    )
    assert subprocess.run([sys.executable, "-c", code, str(library), str(site)], check=False).returncode == 9
    assert (site / "a").exists()
    remove_left(str(site))
    assert [path.name for path in site.iterdir()] == ["own.py"]


def test_only_what_was_being_moved_is_taken_back(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "other").write_text("theirs")
    (site / "own.py").write_text("mine")
    for text in ("[", "[[1]]", "{}", f'[["{site}/x", "{tmp_path}/other"]]', "[" * 9000):
        staging = make_staging(str(site))
        Path(staging, "moves.json").write_text(text)
        Path(staging, "x").write_text("")
        remove_left(str(site))
        assert not os.path.exists(staging)
    assert ((tmp_path / "other").read_text(), (site / "own.py").read_text()) == ("theirs", "mine")
