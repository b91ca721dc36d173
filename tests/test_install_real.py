"""load.allow_install: real wheels from a directory, a file, Git and an index server on loopback, by pip and by uv."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("packaging")

import pyautoload.thirdparty.installer.command as command
from pyautoload.errors import ModuleNotFoundError as MissingError
from pyautoload.thirdparty.load import Load
from pyautoload.thirdparty.load_errors import InstallError


def build(
    directory: Path, name: str, files: dict[str, str], version: str = "1.0", requires: tuple[str, ...] = ()
) -> Path:
    """A real wheel."""
    directory.mkdir(exist_ok=True)
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    every = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in every.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    every[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = directory / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for file, text in every.items():
            made.writestr(file, text)
    return path


@pytest.fixture(params=["pip", "uv"])
def installer(request, monkeypatch):
    found = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if request.param == "uv" and not os.path.exists(found):
        pytest.skip("uv is not installed")
    if request.param == "pip":
        pytest.importorskip("pip")
    monkeypatch.setattr(command.shutil, "which", lambda name: found if request.param == "uv" else None)
    return request.param


@pytest.fixture
def places(tmp_path):
    """The index directory and the directory to install into."""
    return tmp_path / "index", tmp_path / "site"


def left(site: Path) -> set[str]:
    """What is in ``site``, apart from the lock file."""
    return {path.name for path in site.iterdir()} - {".pyautoload-install.lock"} if site.exists() else set()


def test_a_wheel_of_a_directory_index_is_installed_and_imported(installer, places):
    index, site = places
    build(index, "alpha-tool", {"alphatool/__init__.py": "x = 1", "alphatool/sub.py": "class C: ..."})
    load = Load()
    load.allow_install(["alpha-tool"], index=str(index), into=site)
    assert load("alphatool.sub.C").__name__ == "C"
    assert load.alphatool.x == 1
    assert left(site) == {"alphatool", "alpha_tool-1.0.dist-info"}


def test_without_into_it_goes_to_the_packages_of_the_environment(places, tmp_path, monkeypatch):
    pytest.importorskip("pip")
    index, site = tmp_path / "an index", places[1]
    build(index, "ordinary", {"ordinary_mod.py": "x = 7"})
    packages = {"purelib": str(site)}
    monkeypatch.setattr("pyautoload.thirdparty.installer.install.sysconfig.get_path", packages.get)
    load = Load()
    load.allow_install({"ordinary_mod": "ordinary"}, index=str(index))
    assert load.ordinary_mod.x == 7
    assert left(site) - {"__pycache__"} == {"ordinary_mod.py", "ordinary-1.0.dist-info"}


def test_dependencies_come_along_if_they_were_named(installer, places):
    index, site = places
    build(index, "top-a", {"top_a.py": "import dep_b"}, requires=("dep-b>=2,<3", "unwanted; extra == 'more'"))
    for version in ("1.0", "2.5", "3.0"):
        build(index, "dep-b", {"dep_b.py": f"version = '{version}'"}, version)
    load = Load()
    load.allow_install(["top-a"], index=str(index), into=site)
    with pytest.raises(InstallError, match=r"needs dep-b.*add 'dep-b' to packages=") as caught:
        load("top_a")
    assert "pip install" in str(caught.value)
    assert left(site) == set()
    load.allow_install(["top-a", "dep-b"], index=str(index), into=site)
    assert load("top_a").dep_b.version == "2.5"


def test_a_local_wheel_is_installed(installer, places):
    index, site = places
    path = build(index, "filed", {"filed_mod.py": "x = 2"})
    load = Load()
    load.allow_install([str(path)], index=str(index), into=site)
    assert load.filed_mod.x == 2


def test_hashes_are_checked(installer, places):
    index, site = places
    path = build(index, "hashed", {"hashed.py": "x = 3"})
    load = Load()
    load.allow_install(["hashed==1.0"], index=str(index), into=site, require_hashes={"hashed": ["sha256:" + "0" * 64]})
    with pytest.raises(InstallError):
        load("hashed")
    assert left(site) == set()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    load.allow_install([f"hashed==1.0 --hash=sha256:{digest}"], index=str(index), into=site, require_hashes=True)
    assert load.hashed.x == 3


def test_a_distribution_that_does_not_provide_the_name_is_not_kept(installer, places):
    index, site = places
    build(index, "misleading", {"something_else.py": ""})
    load = Load()
    load.allow_install({"misleading": "misleading"}, index=str(index), into=site)
    with pytest.raises(InstallError, match="does not provide misleading"):
        load("misleading")
    assert left(site) == set()


def test_a_distribution_that_is_not_there_leaves_nothing_and_says_what_to_type(installer, places):
    index, site = places
    index.mkdir()
    load = Load()
    load.allow_install(["not-there"], index=str(index), into=site)
    with pytest.raises(InstallError, match=r"-m pip install .*not-there"):
        load("not_there")
    assert left(site) == set()


def test_what_is_in_the_way_stays_as_it_was(installer, places):
    index, site = places
    build(index, "double", {"double_pkg/a.py": "", "double_top.py": "", "zz_last.py": ""})
    (site / "double_pkg").mkdir(parents=True)
    (site / "zz_last.py").write_text("mine")
    load = Load()
    load.allow_install({"double_top": "double"}, index=str(index), into=site)
    with pytest.raises(InstallError, match="is there already"):
        load("double_top")
    assert left(site) == {"double_pkg", "zz_last.py"}
    assert (site / "zz_last.py").read_text() == "mine"
    assert list((site / "double_pkg").iterdir()) == []


def test_a_namespace_shared_with_another_distribution_is_merged(installer, places):
    index, site = places
    build(index, "shared-two", {"shared_ns/two.py": "x = 2"})
    (site / "shared_ns").mkdir(parents=True)
    (site / "shared_ns/one.py").write_text("x = 1")
    load = Load()
    load.allow_install({"shared_ns_two": "shared-two"}, index=str(index), into=site)
    with pytest.raises(InstallError, match="does not provide"):
        load("shared_ns_two")
    from pyautoload.thirdparty.installer.staging import move_all

    staged = site.parent / "staged"
    (staged / "shared_ns").mkdir(parents=True)
    (staged / "shared_ns/two.py").write_text("x = 2")
    move_all(str(staged), str(site))
    assert {path.name for path in (site / "shared_ns").iterdir()} == {"one.py", "two.py"}


def test_a_failing_move_takes_everything_back(tmp_path, monkeypatch):
    from pyautoload.thirdparty.installer import staging

    source, site = tmp_path / "staged", tmp_path / "site"
    for name in ("a.py", "b/c.py", "d.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("")
    site.mkdir()
    real = os.rename

    def rename(path, target):
        if path.endswith("d.py") and "staged" in path:
            raise OSError("disk full")
        real(path, target)

    monkeypatch.setattr(staging.os, "rename", rename)
    with pytest.raises(OSError, match="disk full"):
        staging.move_all(str(source), str(site))
    assert list(site.iterdir()) == []
    assert (source / "a.py").exists()
    assert (source / "b/c.py").exists()


def test_a_path_is_built_where_that_was_allowed(places, tmp_path, monkeypatch):
    pytest.importorskip("pip")
    monkeypatch.setattr(command.shutil, "which", lambda name: None)
    project = _project(tmp_path / "project")
    load = Load()
    load.allow_install({"built_here": str(project)}, index=str(project), into=places[1], only_binary=False)
    assert load.built_here.x == "built"


def test_a_git_commit_is_built_where_that_was_allowed(places, tmp_path, monkeypatch):
    pytest.importorskip("pip")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.setattr(command.shutil, "which", lambda name: None)
    project = _project(tmp_path / "project")
    git = ["git", "-C", str(project), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    load = Load()
    source = f"built-here @ git+{project.as_uri()}@{commit}"
    load.allow_install([source], index=str(project), into=places[1], only_binary=False)
    assert load.built_here.x == "built"


def _project(directory: Path) -> Path:
    """A project whose build backend is its own file, so that building needs no index."""
    directory.mkdir()
    built = build(directory, "built-here", {"built_here.py": "x = 'built'"})
    (directory / "kept.bin").write_bytes(built.read_bytes())
    built.unlink()
    (directory / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'built-here'\nversion = '1.0'\n"
    )
    (directory / "backend.py").write_text(
        "import os, shutil\n"
        "def build_wheel(to, settings=None, metadata=None):\n"
        f"    name = {built.name!r}\n"
        "    shutil.copy('kept.bin', os.path.join(to, name))\n"
        "    return name\n"
        "def build_sdist(to, settings=None): raise NotImplementedError\n"
    )
    return directory


def test_threads_install_once(installer, places, monkeypatch):
    index, site = places
    build(index, "raced", {"raced.py": "x = 4"})
    load = Load()
    load.allow_install(["raced"], index=str(index), into=site)
    runs, real = [], command.Command.run
    monkeypatch.setattr(command.Command, "run", lambda self, *args: (runs.append(1), real(self, *args)))
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(load("raced"))) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join(90) for thread in threads]
    assert len(got) == 4
    assert len(runs) == len(set(got)) == 1


def test_processes_install_once(places, python):
    pytest.importorskip("pip")
    index, site = places
    build(index, "contended", {"contended.py": "x = 5"})
    code = f"""
        from pyautoload.thirdparty.load import load
        load.allow_install(["contended"], index={str(index)!r}, into={str(site)!r})
        print(load.contended.x)
    """
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(python(code).stdout.strip())) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join(90) for thread in threads]
    assert results == ["5"] * 3
    assert left(site) - {"__pycache__"} == {"contended.py", "contended-1.0.dist-info"}


def test_the_time_limit_ends_the_installer_and_leaves_nothing(places, monkeypatch):
    index, site = places
    index.mkdir()
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(command.Command, "arguments", lambda self, library, requirements: endless)
    load = Load()
    load.allow_install(["slow"], index=str(index), into=site, timeout=1)
    start = time.monotonic()
    with pytest.raises(InstallError, match="within 1 seconds"):
        load("slow")
    assert time.monotonic() - start < 30
    assert left(site) == set()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A pypiserver on loopback with a user and a password; gives its URL and the directory of its packages."""
    pytest.importorskip("pypiserver")
    packages = tmp_path_factory.mktemp("packages")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        "import sys\nfrom wsgiref.simple_server import make_server\nimport pypiserver\n"
        "app = pypiserver.app(roots=[sys.argv[1]], authenticate=['list', 'download', 'update'], password_file='.',\n"
        "    auther=lambda user, password: (user, password) == ('me', 's3cr3t'), disable_fallback=True)\n"
        "make_server('127.0.0.1', int(sys.argv[2]), app).serve_forever()\n"
    )
    log = (packages.parent / "server.log").open("w")
    process = subprocess.Popen([sys.executable, "-c", code, str(packages), str(port)], stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process, packages.parent / "server.log")
        yield f"127.0.0.1:{port}/simple/", packages
    finally:
        process.kill()
        process.wait()
        log.close()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the index server did not start")


@pytest.fixture
def direct(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_private_index_server_by_name_with_credentials(installer, server, places, direct, caplog):
    address, packages = server
    name = f"served-{installer}"
    build(packages, name, {f"served_{installer}.py": "x = 6"})
    load = Load()
    load.add_registry("local", f"http://{address}", username="me", password="s3cr3t")
    load.allow_install([f"{name}>=1"], index="local", into=places[1])
    with caplog.at_level("DEBUG", logger="pyautoload"):
        assert load(f"served_{installer}").x == 6
    assert "served" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_wrong_credentials_fail_without_being_shown(installer, server, places, direct):
    address, packages = server
    build(packages, "locked-away", {"locked_away.py": ""})
    load = Load()
    load.allow_install(["locked-away"], index=f"http://me:wr0ngpw@{address}", into=places[1])
    with pytest.raises(InstallError) as caught:
        load("locked_away")
    assert "wr0ngpw" not in str(caught.value)
    assert left(places[1]) == set()


def test_a_name_nobody_knows_gives_the_ordinary_error(places):
    load = Load()
    load.allow_install(["fine"], into=places[1])
    with pytest.raises(MissingError, match="nothing is guessed"):
        load("other_name")
    assert not places[1].exists()
