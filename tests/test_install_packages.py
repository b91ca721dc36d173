"""load.allow_install: what may be named, and what is refused before anything is started."""

from __future__ import annotations

import zipfile

import pytest

pytest.importorskip("packaging")

from pyautoload.thirdparty.load import Load
from pyautoload.thirdparty.load_errors import InstallRefused

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("something was started"))
    return Load()


def wheel(directory, name, files):
    path = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for file, text in files.items():
            made.writestr(file, text)
    return path


HOSTILE = [
    "--index-url=https://evil.example/simple",
    "-r/etc/passwd",
    "../x",
    "./../../x",
    "/no/such/x-1.0-py3-none-any.whl",
    "x; rm -rf ~",
    "x && curl evil",
    "x | sh",
    "$(touch y)",
    "`touch y`",
    "x\n--index-url=https://evil.example",
    "x\r--pre",
    "x\0y",
    "x @ https://evil.example/x-1.0-py3-none-any.whl",
    "x @ http://evil.example/x.whl",
    "x @ git+https://host.example/x.git",
    "x @ git+https://host.example/x.git@main",
    "x @ git+https://host.example/x.git@0123abc",
    f"x @ git+http://host.example/x.git@{COMMIT}",
    f"x @ git+ext::sh -c touch@{COMMIT}",
    f"x @ git+https://me:secret@host.example/x.git@{COMMIT}",
    f"x @ git+https://host.example/x.git?a@{COMMIT}#egg=y",
    "x --hash=sha256:short",
    "x --extra-index-url https://evil.example",
    "",
    " ",
    "x==1.0 y",
    "x[extra",
    "é",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_requirements_are_refused(load, text):
    with pytest.raises(InstallRefused):
        load.allow_install([text], only_binary=False)
    with pytest.raises(InstallRefused):
        load.allow_install({"x": text}, only_binary=False)


@pytest.mark.parametrize("name", ["--index-url=x", "../x", "a;b", "a.b", "a b", ""])
def test_hostile_import_names_are_refused(load, name):
    with pytest.raises(InstallRefused, match="not an import name"):
        load.allow_install({name: "fine"})
    load.allow_install(["fine"])
    with pytest.raises(ImportError):
        load(name)


@pytest.mark.parametrize(
    "index",
    [
        "--extra-index-url=https://evil.example",
        "ftp://host.example/simple",
        "http://host.example/simple",
        "file:///etc",
        "https://",
        "https://host.example/ --pre",
        "https://host.example/\n--pre",
        "no_such_directory",
        "",
    ],
)
def test_hostile_indexes_are_refused(load, index, tree):
    tree({})
    with pytest.raises(InstallRefused):
        load.allow_install(["fine"], index=index)
    with pytest.raises(InstallRefused):
        load.add_registry("r", index)


def test_one_text_in_place_of_a_list_is_refused(load):
    with pytest.raises(InstallRefused, match="list of requirements"):
        load.allow_install("requests")


def test_a_git_commit_is_accepted_where_building_is(load):
    text = f"tool @ git+https://host.example/tool.git@{COMMIT}"
    with pytest.raises(InstallRefused, match="only_binary=False"):
        load.allow_install([text])
    load.allow_install([text], only_binary=False)


def test_sources_that_must_be_built_need_only_binary_off(load, tree):
    root = tree({"tool/pyproject.toml": "[build-system]\nrequires=[]\n[project]\nname = 'my.Tool'\nversion='1'\n"})
    with pytest.raises(InstallRefused, match="only_binary=False"):
        load.allow_install(["./tool"])
    load.allow_install(["./tool"], only_binary=False)
    assert list(load._installer.allowed) == ["my-tool"]
    (root / "tool/pyproject.toml").write_text("[tool.x]\nname = 'no'\n")
    with pytest.raises(InstallRefused, match="does not state its name"):
        load.allow_install(["./tool"], only_binary=False)


def test_what_is_not_allowed_is_not_installed(load):
    load.allow_install(["something-else"])
    with pytest.raises(ModuleNotFoundError, match="nothing is guessed"):
        load("no_such_module_here")


def test_an_import_name_is_taken_from_the_wheel_or_given_never_guessed(load, tree, tmp_path):
    tree({})
    path = wheel(
        tmp_path,
        "scikit_thing",
        {"skthing/__init__.py": "", "sk_single.py": "", "scikit_thing-1.0.dist-info/METADATA": ""},
    )
    load.allow_install(["./" + path.name])
    find = load._installer.package_for
    assert find("skthing").name == find("sk_single").name == "scikit-thing"
    with pytest.raises(ModuleNotFoundError):
        find("scikit_thing")
    load.allow_install(["scikit-thing"], index=str(tmp_path))
    assert load._installer.package_for("skthing").name == "scikit-thing"
    load.allow_install({"other": "scikit-thing"})
    assert load._installer.package_for("other").name == "scikit-thing"
    with pytest.raises(ModuleNotFoundError):
        load._installer.package_for("scikit_thing")


def test_required_hashes_must_be_there_and_fit(load):
    digest = "sha256:" + "a" * 64
    with pytest.raises(InstallRefused, match="has none"):
        load.allow_install(["x==1.0"], require_hashes=True)
    with pytest.raises(InstallRefused, match="one version"):
        load.allow_install([f"x>=1 --hash={digest}"], require_hashes=True)
    with pytest.raises(InstallRefused, match="must look like"):
        load.allow_install(["x==1.0"], require_hashes={"x": ["md5:abc"]})
    load.allow_install([f"x==1.0 --hash={digest}"], require_hashes=True)
    assert load._installer.allowed["x"].line == f"x==1.0 --hash={digest}"
    load.allow_install(["X==1.0"], require_hashes={"x": [digest]})


def test_a_broken_wheel_is_refused(load, tree):
    tree({"bad-1.0-py3-none-any.whl": "no zip", "notawheel.whl": ""})
    for name in ("./bad-1.0-py3-none-any.whl", "./notawheel.whl"):
        with pytest.raises(InstallRefused, match="not a distribution"):
            load.allow_install([name])


def test_registries_by_name_show_no_credentials(load, caplog):
    load.add_registry("company", "https://me:pw%401@packages.example/simple")
    load.add_registry("other", "https://b.example/simple", username="me", password="topsecret")
    assert load.registries() == {"company": "https://packages.example/simple", "other": "https://b.example/simple"}
    load.allow_install(["x"], index="company")
    index = load._installer.index
    assert index.full == "https://me:pw%401@packages.example/simple"
    assert "pw" not in repr(index) + repr(load) + str(load.registries())
    assert "pw" not in str(index.redacted(f"error at {index.full} and pw@1 and pw%401"))
    assert "pw" not in " ".join(load._installer.command.arguments("lib", "req"))
    load.remove_registry("company")
    assert list(load.registries()) == ["other"]
    with pytest.raises(KeyError, match="no registry"):
        load.remove_registry("company")
    with pytest.raises(InstallRefused, match="not a name"):
        load.add_registry("--x", "https://b.example/simple")


def test_a_given_index_is_the_only_one(load, monkeypatch):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://evil.example")
    monkeypatch.setenv("UV_INDEX", "https://evil.example")
    load.allow_install(["x"], index="https://packages.example/simple")
    environment = load._installer.command.environment()
    assert "evil" not in str(environment)
    assert environment["PIP_INDEX_URL"] == environment["UV_DEFAULT_INDEX"] == "https://packages.example/simple"


def test_installing_can_be_switched_off_again(load):
    load.allow_install({"no_such_module_here": "something"})
    load.disallow_install()
    with pytest.raises(ModuleNotFoundError, match="allow_install"):
        load("no_such_module_here")
