"""What ``find_problems`` finds, by reading files and by importing them in a child process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyautoload import AutoLoader
from pyautoload.checking import Problem, find_problems
from pyautoload.checking.import_cycles import Rehearsal, components, find_cycles
from pyautoload.checking.import_graph import ImportGraph
from pyautoload.checking.source_imports import FUNCTION, IMPORT_TIME, TYPING, Reference, read_source
from pyautoload.checking.survey import Survey
from pyautoload.errors import SetupError

Tree = Callable[[dict[str, str]], Path]


class Shouting:
    """An inflector of somebody's own."""

    def camelize(self, stem: str, path: str) -> str:
        return stem.upper()


@pytest.fixture
def problems(tree: Tree) -> Callable[..., list[Problem]]:
    """``problems({"app/user.py": ""})``: what is found in these files, without running them unless ``run=True``."""

    def find(
        files: dict[str, str],
        *,
        run: bool = False,
        configure: Callable[[AutoLoader], Any] | None = None,
        **options: Any,
    ) -> list[Problem]:
        root = tree(files)
        loader = AutoLoader(root / next(iter(files)).split("/")[0])
        if configure is not None:
            configure(loader)
        try:
            return find_problems(loader, static=not run, **options)
        finally:
            loader.unregister()

    return find


def only(found: list[Problem], kind: str) -> Problem:
    """The one problem of that kind."""
    matching = [problem for problem in found if problem.kind == kind]
    assert len(matching) == 1, found
    return matching[0]


# What is read from a file


def references(source: str) -> list[tuple[int, str, str, str | None]]:
    found = read_source(source.encode(), "m.py", "app.models.user", is_package=False)
    return [(reference.line, reference.kind, reference.module, reference.name) for reference in found.references]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import app.db", (1, IMPORT_TIME, "app.db", None)),
        ("from app import db", (1, IMPORT_TIME, "app", "db")),
        ("from . import post", (1, IMPORT_TIME, "app.models", "post")),
        ("from ..lib import x", (1, IMPORT_TIME, "app.lib", "x")),
        ("def f():\n    from app import db", (2, FUNCTION, "app", "db")),
        ("class C:\n    from app import db", (2, IMPORT_TIME, "app", "db")),
        ("if TYPE_CHECKING:\n    from app import db", (2, TYPING, "app", "db")),
        ("if not TYPE_CHECKING:\n    from app import db", (2, IMPORT_TIME, "app", "db")),
        ("import typing as t\nif t.TYPE_CHECKING:\n    import app", (3, TYPING, "app", None)),
        ("if y:\n    pass\nelif x:\n    import app.db", (4, IMPORT_TIME, "app.db", None)),
        ("f = lambda: app.x\nimport app", (2, IMPORT_TIME, "app", None)),
        ("with x as y:\n    import app.db", (2, IMPORT_TIME, "app.db", None)),
        ("match 1:\n    case 1:\n        import app.db", (3, IMPORT_TIME, "app.db", None)),
        ("def f():\n    import app.db\nf()", (2, IMPORT_TIME, "app.db", None)),
    ],
)
def test_imports_are_read_with_their_kind_and_line(source: str, expected: tuple[int, str, str, str | None]) -> None:
    assert expected in references(source)


@pytest.mark.parametrize(
    ("source", "line", "kind"),
    [
        ("from app import models\nclass C(models.Base): ...", 2, IMPORT_TIME),
        ("from app import models\n@models.Base\ndef f(): ...", 2, IMPORT_TIME),
        ("from app import models\ndef f(x=models.Base): ...", 2, IMPORT_TIME),
        ("from app import models\ndef f():\n    models.Base()", 3, FUNCTION),
        ("from app import models\nf = lambda: models.Base", 2, FUNCTION),
        ("from app import models\nx = [models.Base for y in z]", 2, IMPORT_TIME),
        ("from app import models\nasync def f():\n    async with models.Base: ...", 3, FUNCTION),
        ("from __future__ import annotations\nfrom app import models\ndef f(x: models.Base): ...", 3, TYPING),
        ("import app\nclass C:\n    x = app.models.Base", 3, IMPORT_TIME),
    ],
)
def test_names_used_through_a_namespace_are_references(source: str, line: int, kind: str) -> None:
    assert (line, kind, "app.models", "Base") in references(source)


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("sys.platform == 'amiga'", False),
        ("sys.platform != 'amiga'", True),
        ("sys.platform.startswith('amiga')", False),
        ("sys.version_info >= (3, 8)", True),
        ("sys.version_info[0] == 2", False),
        ("not sys.version_info < (3, 8) and os.name != 'amiga'", True),
        ("__name__ == '__main__'", False),
        ("False or unknown", True),
        ("sys.version_info >= 'nonsense'", True),
    ],
)
def test_branches_that_are_not_taken_here_do_not_count(condition: str, runs: bool) -> None:
    assert bool(references(f"if {condition}:\n    import app.db")) is runs


@pytest.mark.skipif(sys.version_info < (3, 15), reason="there are no lazy imports")
def test_a_lazy_import_takes_effect_later() -> None:
    assert references("lazy from app import db\nlazy import app.x") == [
        (1, FUNCTION, "app", "db"),
        (2, FUNCTION, "app.x", None),
    ]


def test_a_name_that_a_function_binds_itself_is_no_reference() -> None:
    found = references("from app import models\ndef f(models):\n    return models.Base\n")
    assert [reference for reference in found if reference[0] == 3] == []


def test_an_import_in_a_try_that_catches_import_errors_is_guarded() -> None:
    source = b"try:\n    import app.a\nexcept (ImportError, OSError):\n    import app.b\n"
    found = read_source(source, "m.py", "m", is_package=False).references
    assert [(reference.module, reference.guarded) for reference in found] == [("app.a", True), ("app.b", False)]


@pytest.mark.parametrize(
    "source",
    [
        "from x import *",
        "globals()['X'] = 1",
        "def __getattr__(name): ...",
        "import sys\nsys.modules[__name__] = 1",
        "exec('X = 1')",
    ],
)
def test_a_module_that_may_bind_more_than_it_shows_is_dynamic(source: str) -> None:
    assert read_source(source.encode(), "m.py", "m", is_package=False).dynamic


def test_the_cost_of_null_bytes_and_other_garbage_is_a_syntax_error() -> None:
    assert read_source(b"x = \0", "m.py", "m", is_package=False).error is not None
    assert read_source(b"# coding: nonsense\n", "m.py", "m", is_package=False).error is not None


# Names


def test_a_tree_that_is_well_has_no_problems(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/models/user.py": "from app.models import Post\nclass User: ...",
        "app/models/post.py": "from app import models\nclass Post:\n    def user(self): return models.User",
        "app/html_parser.py": "class HTMLParser: ...",
        "app/__init__.py": "VERSION = 1",
        "app/__main__.py": "raise SystemExit(3)",
    }
    assert problems(files) == []
    assert problems(files, run=True) == []


@pytest.mark.parametrize("run", [False, True])
def test_a_class_under_another_name_is_a_warning_with_the_rule_that_mends_it(
    problems: Callable[..., list[Problem]], run: bool
) -> None:
    problem = only(problems({"app/db.py": "import os\nclass Database: ..."}, run=run), "expected-name")
    assert (problem.severity, problem.module) == ("warning", "app.db")
    assert "expected to define Db, but it defines Database" in problem.message
    assert 'loader.inflect({"db": "Database"})' in problem.remedy


@pytest.mark.parametrize("run", [False, True])
def test_a_module_of_functions_is_a_note_unless_somebody_asks_for_the_name(
    problems: Callable[..., list[Problem]], run: bool
) -> None:
    files = {"app/helpers.py": "def f(): ..."}
    assert only(problems(files, run=run), "expected-name").severity == "note"
    files["app/use.py"] = "def use():\n    from app import Helpers\nclass Use: ..."
    problem = only(problems(files, run=run), "expected-name")
    assert problem.severity == "error"
    assert "use.py:2 asks for it" in problem.message


def test_names_made_at_run_time_count_when_the_module_is_imported(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/user.py": "globals()['User'] = type('User', (), {})",
        "app/post.py": "for name in ['Post']: vars()[name] = 1",
    }
    assert problems(files, run=True) == []
    assert problems(files) == []


def test_plain_modules_are_passed_over(problems: Callable[..., list[Problem]]) -> None:
    assert problems({"app/errors.py": "class Wrong(Exception): ..."}, plain=["errors.py"]) == []


@pytest.mark.parametrize("name", ["foo-bar.py", "class.py", "2fast.py"])
def test_a_stem_that_cannot_be_a_name_is_an_error(problems: Callable[..., list[Problem]], name: str) -> None:
    problem = only(problems({f"app/{name}": ""}), "invalid-name")
    assert problem.path is not None
    assert problem.path.endswith(name)
    assert "rename it" in problem.remedy


@pytest.mark.parametrize("run", [False, True])
def test_a_stem_whose_expected_name_is_a_keyword_can_be_imported(
    problems: Callable[..., list[Problem]], run: bool
) -> None:
    found = problems({"app/none.py": "class X: ...", "app/true.py": ""}, run=run)

    invalid = [problem for problem in found if problem.kind == "invalid-name"]
    assert [(problem.severity, "can be imported as a module" in problem.message) for problem in invalid] == [
        ("warning", True),
        ("warning", True),
    ]


@pytest.mark.parametrize("run", [False, True])
def test_a_class_in_a_file_of_exactly_its_name_is_hidden_by_the_module(
    problems: Callable[..., list[Problem]], run: bool
) -> None:
    files = {
        "app/UserService.py": "import os\n\n\nclass UserService: ...\n",
        "app/Helpers.py": "def help(): ...\n",
    }
    problem = only(problems(files, run=run), "expected-name")

    assert (problem.severity, problem.line, problem.module) == ("warning", 4, "app.UserService")
    assert "app.UserService is the module" in problem.message
    assert "user_service.py" in problem.remedy


def test_a_name_that_is_deleted_again_is_not_called_defined(problems: Callable[..., list[Problem]]) -> None:
    found = problems({"app/dele.py": "class Dele: ...\n\n\ndel Dele\n"}, run=True)

    assert "Dele is not there when the file has run" in only(found, "expected-name").message


def test_all_conflicts_are_told_not_only_the_first(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/hotel.py": "class Hotel: ...",
        "app/hotel/__init__.py": "class Hotel: ...",
        "app/inn.py": "class Inn: ...",
        "app/inn/__init__.py": "class Inn: ...",
        "app/inn/room.py": "class Nope: ...",
    }
    found = problems(files)
    assert [problem.kind for problem in found] == ["conflict", "conflict", "expected-name"]
    assert all("is defined by both" in problem.message for problem in found[:2])


def test_two_files_with_one_expected_name_are_a_conflict(problems: Callable[..., list[Problem]]) -> None:
    files = {"app/foo_bar.py": "class FooBar: ...", "app/foo__bar.py": "class FooBar: ..."}
    assert "FooBar is the expected name of both" in only(problems(files), "conflict").message


def test_a_root_called_like_a_module_of_the_standard_library_is_a_conflict(
    problems: Callable[..., list[Problem]],
) -> None:
    assert "'queue'" in only(problems({"queue/job.py": "class Job: ..."}), "conflict").message


def test_shadowed_files_are_warnings(problems: Callable[..., list[Problem]]) -> None:
    files = {"app/user.py": "class User: ...", "more/user.py": "class User: ..."}
    found = problems(files, configure=lambda loader: loader.push_dir("more", namespace="app"))
    assert [problem.kind for problem in found] == ["shadowed"]
    assert found[0].path == str(Path("more/user.py").resolve())


def test_dead_patterns_and_rules_are_warnings(problems: Callable[..., list[Problem]]) -> None:
    def configure(loader: AutoLoader) -> None:
        loader.ignore("vendor", "*_draft.py").collapse("*/concerns").do_not_eager_load("tasks")
        loader.inflect({"db": "Database", "html": "HTML"})

    files = {"app/idea_draft.py": "", "app/db.py": "class Database: ...", "app/a/concerns/x.py": "class X: ..."}
    found = problems(files, configure=configure)
    assert sorted(problem.message.split(" ")[0] for problem in found) == [
        "do_not_eager_load('tasks')",
        "ignore('vendor')",
        "inflect({'html':",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from app.models import Usr", "did you mean User?"),
        ("from app.models.user import Usr", "correct the name"),
        ("import app.model", "did you mean models?"),
        ("def f():\n    from app.models import Usr", "did you mean User?"),
        ("from app import models\nx = models.Usr", "did you mean User?"),
    ],
)
def test_an_import_of_a_managed_name_that_is_not_there_is_an_error(
    problems: Callable[..., list[Problem]], source: str, said: str
) -> None:
    files = {"app/models/user.py": "class User: ...", "app/use.py": f"{source}\nclass Use: ..."}
    assert said in only(problems(files), "unknown-name").remedy


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    from app.models import Usr\nexcept ImportError:\n    Usr = None",
        "if TYPE_CHECKING:\n    from app.models import Usr",
        "from app.own import whatever",
        "from app.models import User\nx = User.anything",
        "import os.path as models\nmodels.Usr",
        "from app.models import __path__",
        "from app.html_parser import HTMLParser",
        "from app.models.user import later, said",
    ],
)
def test_what_may_be_there_is_no_unknown_name(problems: Callable[..., list[Problem]], source: str) -> None:
    files = {
        "app/models/user.py": "class User: ...\nsaid: int\ndef f():\n    global later\n    later = 1",
        "app/html_parser.py": "class HTMLParser: ...",
        "app/own/__init__.py": "def __getattr__(name): ...",
        "app/own/x.py": "class X: ...",
        "app/use.py": f"{source}\nclass Use: ...",
    }
    assert [problem for problem in problems(files) if problem.kind == "unknown-name"] == []


# Cycles

RING = {
    "app/user.py": "from app import Post\nclass User(Post): ...",
    "app/post.py": "from app import User\nclass Post: ...",
}


def test_a_cycle_that_fails_is_an_error_with_every_import_in_it(problems: Callable[..., list[Problem]]) -> None:
    problem = only(problems(RING), "cycle")
    assert problem.message.startswith("app.post → app.user → app.post: ")
    assert [detail.split(" at ")[0] for detail in problem.details] == [
        "app.post imports app.user",
        "app.user imports app.post",
        "app.post.Post is not there yet when app.post is imported first",
        "app.user.User is not there yet when app.user is imported first",
    ]
    assert problem.details[0].endswith("post.py:1")


def test_a_cycle_that_fails_is_told_once_also_when_the_modules_are_imported(
    problems: Callable[..., list[Problem]],
) -> None:
    assert [problem.kind for problem in problems(RING, run=True)] == ["cycle"]


def test_packages_are_imported_before_what_lies_in_them(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/__init__.py": "from app import tail\n",
        "app/head.py": "from app import Tail\nclass Head: ...",
        "app/tail.py": "class Tail: ...\nimport app.head\n",
    }
    # Were app.head the first, it would fail; but its package comes before it.
    assert [problem.kind for problem in problems(files, run=True)] == ["tolerated-cycle"]


def test_a_star_import_binds_what_it_brings(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/__init__.py": "from app.one import *\nfrom app.two import *\n",
        "app/one.py": "limit = 1\nclass One: ...",
        "app/two.py": "from app import limit\nclass Two: ...",
    }
    assert [problem for problem in problems(files, run=True) if problem.is_finding] == []


def test_a_cycle_may_fail_from_one_side_only(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/user.py": "class User: ...\nfrom app import Post",
        "app/post.py": "from app import User\nclass Post: ...",
    }
    problem = only(problems(files), "cycle")
    assert "app.post.Post is not there yet when app.post is imported first" in problem.details
    assert "app.user is imported first" not in str(problem)


@pytest.mark.parametrize(
    "post",
    [
        "import app.user\nclass Post: ...",
        "from app import user\nclass Post: ...",
        "class Post: ...\nfrom app import User",
    ],
)
def test_a_tolerated_cycle_is_a_note(problems: Callable[..., list[Problem]], post: str) -> None:
    files = {"app/user.py": "import app.post\nclass User: ...", "app/post.py": post}
    found = problems(files, run=True)
    if "class Post: ...\nfrom" in post:
        assert found[0].kind == "cycle"  # it does fail when app.user comes first: User is not there yet
    else:
        assert [problem.kind for problem in found] == ["tolerated-cycle"]
        assert not found[0].is_finding


def test_imports_in_functions_and_for_type_checkers_make_no_cycle(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/user.py": "from app import Post\nclass User: ...",
        "app/post.py": """
            TYPE_CHECKING = False
            if TYPE_CHECKING:
                from app import User
            class Post:
                def user(self):
                    from app import User
        """,
    }
    assert problems(files, run=True) == []


def test_groups_are_found_without_recursion() -> None:
    size = 5000
    ring = {str(number): [str((number + 1) % size)] for number in range(size)}
    assert [len(group) for group in components(ring)] == [size]
    assert components({"a": ["b"], "b": ["c"], "c": []}) == []


def random_tree(seed: int, size: int = 5) -> dict[str, str]:
    """Modules that import each other at random: before or after their class, as name or as module, in functions."""
    chance = random.Random(seed)
    stems = [f"thing_{letter}" for letter in "abcdefgh"[:size]]
    names = {stem: "Thing" + stem[-1].upper() for stem in stems}
    files = {}
    for stem in stems:
        before, after = [], []
        for other in chance.sample(stems, 2):
            if other == stem:
                continue
            statement = chance.choice(
                [
                    f"from app import {names[other]}",
                    f"from app import {names[other]}",
                    f"import app.{other}",
                    f"from app.{other} import {names[other]}",
                    f"def f():\n    from app import {names[other]}",
                    f"import app\nx = app.{names[other]}",
                    f"def g():\n    import app\n    return app.{names[other]}\ng()",
                ]
            )
            (before if chance.random() < 0.7 else after).append(statement)
        files[f"app/{stem}.py"] = "\n".join([*before, f"class {names[stem]}: ...", *after]) + "\n"
    return files


@pytest.mark.parametrize("seed", range(12))
def test_what_is_acted_out_agrees_with_what_python_does(tree: Tree, seed: int) -> None:
    files = random_tree(seed)
    loader = AutoLoader(tree(files) / "app")
    graph = ImportGraph(Survey(loader.config, loader.inflector))
    modules = sorted(graph.survey.files)
    rehearsal = Rehearsal(graph)
    said = {module: rehearsal.run(module) is not None for module in modules}
    loader.setup()
    happened = {}
    for module in modules:
        loader.unload()
        try:
            loader.resolve(module)
        except ImportError:
            happened[module] = True
        else:
            happened[module] = False
    assert said == happened
    assert bool([cycle for cycle in find_cycles(graph) if cycle.failures]) == any(happened.values())


def test_a_cycle_whose_failure_is_caught_is_tolerated(problems: Callable[..., list[Problem]]) -> None:
    files = dict(RING)
    files["app/post.py"] = "try:\n    from app import User\nexcept ImportError:\n    User = None\nclass Post: ..."
    files["app/user.py"] = "try:\n    from app import Post\nexcept ImportError:\n    Post = None\nclass User: ..."
    assert [problem.kind for problem in problems(files, run=True)] == ["tolerated-cycle"]


# What the child process finds


def test_modules_that_fail_are_found_with_the_line_and_those_that_fail_with_them(
    problems: Callable[..., list[Problem]],
) -> None:
    files = {
        "app/broken.py": "x = 1\nraise ValueError('no\\nway')\nclass Broken: ...",
        "app/needs.py": "from app import Broken\nclass Needs: ...",
    }
    problem = only(problems(files, run=True), "import")
    assert (problem.module, problem.line) == ("app.broken", 2)
    assert problem.message == "ValueError: no"
    assert problem.details == ("way", "not importable because of it: app.needs")


def test_a_syntax_error_is_told_once(problems: Callable[..., list[Problem]]) -> None:
    files = {"app/wrong.py": "x = 1\nclass Wrong(:", "app/needs.py": "import app.wrong\nclass Needs: ..."}
    for run in (False, True):
        found = problems(files, run=run)
        assert [(problem.kind, problem.line) for problem in found] == [("syntax", 2)]


def test_a_library_that_is_missing_is_found(problems: Callable[..., list[Problem]]) -> None:
    problem = only(problems({"app/user.py": "\nimport no_such_library\nclass User: ..."}, run=True), "import")
    assert problem.message == "ModuleNotFoundError: No module named 'no_such_library'"
    assert problem.line == 2


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\nprint('the end', flush=True)\nos._exit(3)", "ended the process with exit code 3"),
        ("import os\nos._exit(0)", "ended the process with exit code 0"),
        ("import sys\nsys.exit('bye')", "calls sys.exit(bye)"),
        pytest.param(
            "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
            "was killed by SIGSEGV",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no such signal"),
        ),
    ],
)
def test_a_module_that_ends_the_process_is_a_finding_and_not_the_end(
    problems: Callable[..., list[Problem]], source: str, said: str
) -> None:
    files = {
        "app/bad.py": f"{source}\nclass Bad: ...",
        "app/after.py": "import app.bad\nclass After: ...",
        "app/wrong.py": "class Other: ...",
    }
    found = problems(files, run=True)
    problem = only(found, "crash")
    assert said in problem.message
    assert problem.path is not None
    assert problem.path.endswith("bad.py")
    assert only(found, "expected-name").module == "app.wrong"


def test_what_a_crashing_module_printed_and_what_needs_it_is_told(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/a_first.py": "from app import Crash\nclass AFirst: ...",
        "app/crash.py": "import os\nprint('last words', flush=True)\nos._exit(1)\nclass Crash: ...",
        "app/z_last.py": "from app import Crash\nclass ZLast: ...",
    }
    problem = only(problems(files, run=True), "crash")
    assert problem.module == "app.crash"
    assert problem.details == ("last words", "not importable because of it: app.a_first, app.z_last")


def test_the_innermost_module_that_is_running_is_the_one_that_ended_the_process(
    problems: Callable[..., list[Problem]],
) -> None:
    files = {
        "app/broken.py": "raise OSError('no')",
        "app/crash.py": """
            import os
            from app import fine
            try:
                import app.broken
            except OSError:
                os._exit(1)
        """,
        "app/fine.py": "x = 1",
    }
    found = {problem.kind: problem.module for problem in problems(files, run=True) if problem.is_finding}
    assert found == {"crash": "app.crash", "import": "app.broken"}


def test_an_import_that_never_ends_is_found(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "app/endless.py": "import time\nwhile True: time.sleep(1)\nclass Endless: ...",
        "app/ok.py": "class Ok: ...",
    }
    assert "did not end within 5 s" in only(problems(files, run=True, timeout=5), "crash").message


def test_the_checking_process_imports_nothing_itself(problems: Callable[..., list[Problem]]) -> None:
    problems({"app/user.py": "import sys\nsys.was_here = True\nclass User: ..."}, run=True)
    assert not hasattr(sys, "was_here")
    assert "app" not in sys.modules


def test_threads_left_behind_by_a_module_do_not_hold_the_check_up(problems: Callable[..., list[Problem]]) -> None:
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nclass User: ..."
    assert problems({"app/user.py": source}, run=True) == []


def test_modules_of_the_working_directory_can_be_imported_by_those_that_are_checked(
    problems: Callable[..., list[Problem]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {"app/user.py": "import helper_of_tests\nclass User: ...", "helper_of_tests.py": ""}
    assert problems(files, run=True) == []


def test_progress_is_told(problems: Callable[..., list[Problem]]) -> None:
    told: list[tuple[int, int, str]] = []
    files = {f"app/m{number}.py": f"class M{number}: ..." for number in range(3)}
    problems(files, run=True, progress=lambda *progress: told.append(progress))
    assert told[-1] == (3, 3, "app.m2")


def test_an_inflector_of_ones_own_is_sent_to_the_child(tree: Tree) -> None:
    loader = AutoLoader(tree({"app/user.py": "class USER: ..."}) / "app", inflector=Shouting())
    assert find_problems(loader, static=True) == []


def test_an_inflector_that_cannot_be_sent_is_an_error_that_says_so(tree: Tree) -> None:
    class Local:
        def camelize(self, stem: str, path: str) -> str:
            return stem.title()

    loader = AutoLoader(tree({"app/user.py": "class User: ..."}) / "app", inflector=Local())
    with pytest.raises(SetupError, match="cannot be sent to a child process"):
        find_problems(loader)


def test_a_package_that_makes_its_own_loader_is_checked_with_that(problems: Callable[..., list[Problem]]) -> None:
    files = {
        "parcel/__init__.py": "from pyautoload import AutoLoader\nloader = AutoLoader.for_package().setup()",
        "parcel/label.py": "class Label: ...",
        "parcel/wrong.py": "from parcel import Label\nraise OSError",
    }
    assert [(p.kind, p.module) for p in problems(files, run=True)] == [("import", "parcel.wrong")]


# The whole


def test_kinds_can_be_left_out_and_have_to_exist(problems: Callable[..., list[Problem]]) -> None:
    assert problems(RING, skip=["cycle"]) == []
    with pytest.raises(SetupError, match="unknown kind of problem 'cycles'"):
        problems(RING, skip=["cycles"])


def test_the_loader_is_left_as_it_is(tree: Tree) -> None:
    loader = AutoLoader(tree({**RING, "app/hotel.py": "", "app/hotel/__init__.py": ""}) / "app")
    before = list(loader.config.ignored.patterns)
    find_problems(loader, static=True)
    assert loader.config.ignored.patterns == before
    assert not loader.is_set_up
    assert loader.loaded() == []


def test_errors_come_first_then_by_place_and_the_same_each_time(problems: Callable[..., list[Problem]]) -> None:
    files = {"app/b.py": "class Nope: ...", "app/a.py": "class Nope: ...", "app/z-z.py": "", "app/f.py": "def f(): ..."}
    found = problems(files)
    assert [problem.severity for problem in found] == ["error", "warning", "warning", "note"]
    assert [problem.module for problem in found[1:3]] == ["app.a", "app.b"]
    assert problems(files) == found


def test_a_problem_reads_as_a_line_with_its_place(problems: Callable[..., list[Problem]]) -> None:
    text = str(only(problems({"app/wrong.py": "x = ("}), "syntax"))
    assert "wrong.py:1: error: SyntaxError: " in text
    assert text.endswith("[syntax]")
    assert Reference(IMPORT_TIME, 1, "a", None, "import", False).root == ""


@pytest.mark.skipif(os.name == "nt", reason="there a process keeps the parent it had")
def test_nothing_is_left_of_a_check_that_was_killed(tree, tmp_path):
    mark = str(tmp_path / "began")
    tree({"app/slow.py": f"import time\nopen({mark!r}, 'w').close()\ntime.sleep(90)\n"})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "pyautoload", "check", "--root", "app"]
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not os.path.exists(mark):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(temporary.iterdir())
    process.kill()
    process.wait()
    while list(temporary.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        ({"app/broken.py": "class Brokn: ..."}, "did you mean Broken? Rename Brokn, or rename the file to brokn.py"),
        ({"app/animals.py": "class Cat: ..."}, "rename the file to cat.py, or add it to plain_modules"),
        ({"app/animals.py": "class Cat: ...\nclass Dog: ..."}, "give each class a file of its own"),
        ({"app/html.py": "class HTml: ..."}, ""),
        ({"app/db.py": "class Database: ...\nclass Query: ..."}, 'loader.inflect({"db": "Database"})'),
    ],
)
def test_the_remedy_is_the_one_that_helps(
    problems: Callable[..., list[Problem]], files: dict[str, str], remedy: str
) -> None:
    found = problems(files)
    assert [problem.remedy[: len(remedy)] for problem in found] == ([remedy] if remedy else [])
