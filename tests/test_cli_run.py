"""Commands that run the user's code, or write for it: profile, build, console, init, bench."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
from command_line import CONFIG, run, run_apart, run_json

from pyautoload import AutoLoader
from pyautoload.cli._names import Names, names_in
from pyautoload.settings import load

Tree = Callable[[dict[str, str]], Path]

FILES = {
    "pyproject.toml": CONFIG + 'inflections = { db = "Database" }\n',
    "app/models/user.py": "from app.models import Post\nclass User:\n    def greet(self): return 'hello'\n",
    "app/models/post.py": "class Post: ...\n",
    "app/admin/post.py": "class Post: ...\n",
    "app/lib/html_parser.py": "class HTMLParser: ...\n",
    "app/db.py": "class Database: ...\n",
}


# profile


def test_profile_shows_a_table(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    output = run_apart("profile", "--limit", "2", cwd=tmp_path).stdout
    assert "5 modules, 3 not shown" in output
    assert str(tmp_path) not in output


def test_profile_of_a_name_measures_what_it_needs(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    found = json.loads(run_apart("profile", "app.models.User", "--json", cwd=tmp_path).stdout)
    assert [each["name"] for each in found["imports"]] == ["app.models.user", "app.models.post"]
    assert found["imports"][1]["importer"] == "app.models.user"
    assert found["imports"][0]["importer"] is None


def test_profile_writes_a_page(tree: Tree, tmp_path: Path) -> None:
    root = tree(FILES)
    assert "5 modules" in run_apart("profile", "-o", "p.html", cwd=tmp_path).stdout
    assert "app.models.user" in (root / "p.html").read_text(encoding="utf-8")


def test_profile_reports_failures_and_shows_the_rest(tree: Tree, tmp_path: Path) -> None:
    tree({**FILES, "app/bad.py": "raise OSError('no')"})
    result = run_apart("profile", cwd=tmp_path, expect=1)
    assert "app.bad: OSError: no" in result.stderr
    assert "6 modules" in result.stdout
    assert "ModuleNotFoundError" in run_apart("profile", "app.Nothing", cwd=tmp_path, expect=1).stderr


# build


def test_build_writes_a_bundle_that_is_used(tree: Tree, tmp_path: Path) -> None:
    root = tree(FILES)
    assert "app.bundle: 5 modules" in run("build", "-o", "app.bundle").output
    code = (
        "from pyautoload import AutoLoader\n"
        "loader = AutoLoader('app', bundle='trusted:app.bundle').setup()\n"
        "import app\nprint(app.models.User.__name__)"
    )
    for file in (root / "app").rglob("*.py"):
        file.write_text("raise RuntimeError('the file was read')")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("User\n", "")


def test_build_tells_what_it_left_out(tree: Tree) -> None:
    tree({**FILES, "app/bad.py": "class ("})
    found = run_json("build", "-o", "app.bundle", expect=1)
    assert found["modules"] == 5
    assert [Path(path).name for path in found["skipped"]] == ["bad.py"]


def test_build_into_a_place_that_cannot_be_written_is_a_wrong_use(tree: Tree) -> None:
    tree(FILES)
    assert "cannot be written" in run("build", "-o", "app/db.py/x", expect=2).output


# console


def at_the_prompt(cwd: Path, *lines: str) -> list[str]:
    """What ``pyautoload console --plain`` prints for some lines."""
    result = run_apart("console", "--plain", cwd=cwd, input="\n".join([*lines, ""]))
    return [line.replace(">>> ", "").replace("... ", "") for line in result.stdout.splitlines()] + [result.stderr]


def test_at_the_prompt_names_are_there_without_an_import(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    output = at_the_prompt(tmp_path, "User", "HTMLParser", "app.Database", "loader.loaded()[-1]")
    assert output[:4] == [
        "<class 'app.models.user.User'>",
        "<class 'app.lib.html_parser.HTMLParser'>",
        "<class 'app.db.Database'>",
        "'app.db'",
    ]
    assert "Every expected name is there without an import" in output[-1]


def test_a_name_of_several_modules_has_to_be_written_in_full(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    output = at_the_prompt(tmp_path, "Post", "app.admin.Post")
    assert "Post may be app.admin.Post or app.models.Post: write it in full" in output[-1]
    assert output[0] == "<class 'app.admin.post.Post'>"


def test_own_names_and_builtins_come_first(tree: Tree, tmp_path: Path) -> None:
    tree({**FILES, "app/object.py": "class Object: ...", "app/exception.py": "raise RuntimeError"})
    output = at_the_prompt(tmp_path, "User = 5", "User", "Exception", "loader.loaded()")
    assert output[:3] == ["5", "<class 'Exception'>", "[]"]


def test_a_file_that_fails_shows_its_error_at_the_prompt(tree: Tree, tmp_path: Path) -> None:
    tree({**FILES, "app/bad.py": "raise OSError('no')"})
    output = at_the_prompt(tmp_path, "Bad", "User")
    assert "OSError: no" in output[-1]
    assert output[0] == "<class 'app.models.user.User'>"


def test_reload_at_the_prompt_brings_in_changes(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    edit = "open('app/models/user.py', 'w').write(\"class User:\\n    def greet(self): return 'good day'\\n\")"
    output = at_the_prompt(
        tmp_path, "user = User()", "user.greet()", f"_ = {edit}", "reload()", "user.greet()", "User().greet()"
    )
    assert output[0] == "'hello'"
    assert output[1].startswith("reloaded in ")
    assert output[2:4] == ["'good day'", "'good day'"]


def test_a_reload_that_fails_says_so_and_goes_on(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    edit = "open('app/models/user.py', 'w').write('class User(:')"
    output = at_the_prompt(tmp_path, "User", f"_ = {edit}", "reload()", "User().greet()")
    assert "SyntaxError" in output[1]
    assert "'hello'" in output


def test_code_can_be_run_without_a_prompt(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    source = "def f():\n    return User().greet()\nprint(f())"
    assert run_apart("console", "-c", source, cwd=tmp_path).stdout == "hello\n"
    assert "ZeroDivisionError" in run_apart("console", "-c", "1 / 0", cwd=tmp_path, expect=1).stderr
    assert "SyntaxError" in run_apart("console", "-c", "1 +", cwd=tmp_path, expect=1).stderr


@pytest.mark.once
def test_ipython_is_used_where_it_is_installed(tree: Tree, tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    tree(FILES)
    lines = "User\ndef f(): return HTMLParser\n\nf()\nreload()\nexit()\n"
    output = run_apart("console", cwd=tmp_path, input=lines).stdout
    assert "In [1]:" in output
    assert "app.models.user.User" in output
    assert "app.lib.html_parser.HTMLParser" in output
    assert "nothing to reload" in output


def test_the_tab_key_knows_names_that_are_not_loaded(tree: Tree) -> None:
    loader = AutoLoader(tree(FILES) / "app").setup()
    names = Names(loader, {})
    assert names.completions("Us") == ["User"]
    assert names.candidates("HTMLParser") == ["app.lib.HtmlParser"]
    assert loader.loaded() == []


def test_names_of_inner_functions_count() -> None:
    code = compile("def f():\n    def g(): return User\n    return g", "x", "exec")
    assert "User" in names_in(code)


# init


def test_init_shows_what_it_found_and_asks(tree: Tree) -> None:
    root = tree({"pyproject.toml": "[project]\nname = 'x'", "app/db.py": "class Database: ...", "tests/test_x.py": ""})
    output = run("init", input="n\n", expect=1).output
    assert "found 1 Python file in app" in output
    assert "db → Database" in output
    assert (root / "pyproject.toml").read_text() == "[project]\nname = 'x'"
    assert not (root / "tests" / "test_autoload.py").exists()


def test_init_writes_a_configuration_with_which_check_is_content(tree: Tree) -> None:
    root = tree(
        {
            "pyproject.toml": "[project]\nname = 'x'",
            "src/shop/models/concerns/sluggable.py": "class Sluggable: ...",
            "src/shop/models/order.py": "from shop.models import Sluggable\nclass Order(Sluggable): ...",
            "src/shop/db.py": "class Database: ...",
            "src/shop/errors.py": "class NotFound(Exception): ...\nclass Wrong(Exception): ...",
            "src/shop/http_client.py": "class HTTPClient: ...",
            "tests/test_x.py": "",
        }
    )
    run("init", "--yes")
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith("[project]\nname = 'x'\n\n[tool.pyautoload]\n")
    settings = load(root)
    assert settings.roots == ["src/shop"]
    assert settings.inflections == {"db": "Database"}
    assert settings.plain_modules == ["src/shop/errors.py"]
    assert settings.collapse == ["*/concerns"]
    assert run("check").output == "no problems found\n"


def test_the_test_that_init_writes_passes_and_fails_when_it_should(tree: Tree, tmp_path: Path) -> None:
    root = tree({"app/user.py": "class User: ..."})
    run("init", "--yes")
    # As it is the same without plugins of others, and to load them takes longer than the test.
    source = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": source, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    for source, code in (("class User: ...", 0), ("class Person: ...", 1)):
        (root / "app" / "user.py").write_text(source)
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == code, done.stdout + done.stderr
    assert "expected to define User" in done.stdout


def test_init_leaves_alone_what_is_there(tree: Tree) -> None:
    root = tree({"pyproject.toml": CONFIG, "app/user.py": "", "tests/test_autoload.py": "# mine"})
    assert "has a [tool.pyautoload] already" in run("init", "--yes", expect=2).output
    (root / "pyproject.toml").unlink()
    assert "stays as it is" in run("init", "--yes").output
    assert (root / "tests" / "test_autoload.py").read_text() == "# mine"


def test_init_without_any_code_says_so(tree: Tree) -> None:
    tree({"tests/test_x.py": "", "docs/conf.py": ""})
    assert "name one with --root" in run("init", expect=1).output


def test_init_takes_the_roots_that_it_is_given(tree: Tree) -> None:
    root = tree({"lib/one/a.py": "class A: ...", "lib/two/b.py": "class B: ..."})
    run("init", "--root", "lib/two", "--yes")
    assert load(root).roots == ["lib/two"]


def test_init_ignores_migrations_and_invents_no_rules(tree: Tree) -> None:
    root = tree(
        {
            "app/migrations/0001_initial.py": "",
            "app/broken.py": "class Brokn: ...",
            "app/models/concerns/sluggable.py": "class Sluggable: ...",
            "app/models/order.py": "from app.models.concerns import Sluggable\nclass Order(Sluggable): ...",
        }
    )
    run("init", "--yes")
    settings = load(root)
    assert settings.ignore == ["**/migrations"]
    assert (settings.collapse, settings.inflections) == ([], {})
    assert run("check").output == "no problems found\n"


def test_init_writes_no_test_that_would_fail(tree: Tree) -> None:
    root = tree({"app/user.py": "import nothing_of_this_name\nclass User: ..."})
    output = run("init", "--yes").output
    assert "is not written, as it would fail" in output
    assert "nothing_of_this_name" in output
    assert not (root / "tests").exists()


@pytest.mark.parametrize(
    ("line", "shown"),
    [("loader = AutoLoader('app')", "--loader start:loader"), ("AutoLoader('app').setup()", "Replace it")],
)
def test_init_finds_a_loader_that_the_program_creates(tree: Tree, line: str, shown: str) -> None:
    root = tree({"app/user.py": "class User: ...", "start.py": f"from pyautoload import AutoLoader\n{line}\n"})
    output = run("init", "--yes", expect=1).output
    assert "start.py:2 creates a loader already" in output
    assert shown in output
    assert not (root / "pyproject.toml").exists()
    (root / "start.py").write_text("from pyautoload import AutoLoader\nloader = AutoLoader.from_config().setup()\n")
    run("init", "--yes")
    assert load(root).roots == ["app"]


# bench


def test_bench_compares_with_python_alone(tree: Tree, tmp_path: Path) -> None:
    tree({"pyproject.toml": CONFIG, "app/one.py": "class One: ...", "app/two.py": "import app.one\nclass Two: ..."})
    output = run_apart("bench", "--runs", "1", cwd=tmp_path).stdout
    assert output.startswith("2 modules, Python ")
    lines = [line for line in output.splitlines() if line.endswith(" loaded")]
    assert [line.split()[-2] for line in lines] == ["2", "0", "2", "2", "2"]
    assert "1.000×" in lines[0]


def test_bench_says_when_python_alone_cannot_import_the_tree(tree: Tree, tmp_path: Path) -> None:
    tree({**FILES, "app/bad.py": "raise OSError"})
    output = run_apart("bench", "--runs", "1", cwd=tmp_path).stdout
    assert "2 of 6 modules cannot be imported" in output
    assert "setup(), eager_load(): 1 module fails (app.bad: OSError)" in output
    found = json.loads(run_apart("bench", "--runs", "2", "--json", cwd=tmp_path).stdout)
    assert [len(each["seconds"]) for each in found["runs"]] == [2, 2, 2, 2, 2]
    assert found["modules"] == 6


def test_bench_tells_of_a_crash(tree: Tree, tmp_path: Path) -> None:
    tree({"pyproject.toml": CONFIG, "app/bad.py": "import os\nos._exit(3)"})
    assert "ended with 3" in run_apart("bench", "--runs", "1", cwd=tmp_path, expect=1).stderr
