"""``pyautoload check`` with lazy imports: what they delay, what they cure."""

# ruff: noqa: E501  (texts of files on one line)

from __future__ import annotations

import pytest

pytest.importorskip("click")
from command_line import run, run_json

CONFIG = '[tool.pyautoload]\nroots = ["app"]\nplain_modules = ["*"]\n'
LAZY = f"{CONFIG}lazy_imports = true\n"
MAIN = "from app.base import Base\nfrom app.effect import X\ndef use(): return X, Base\n"
BASE = """
    HANDLERS = {}
    def register(name): HANDLERS[name] = name
    import functools
    class Registry:
        def __init__(self): self.views = {}
        def add(self, name): self.views[name] = name
    application = Registry()
    @functools.singledispatch
    def shown(value): ...
    class Base:
        registry = Registry()
        known = []
        level = 1
        def __init_subclass__(cls): Base.known.append(cls)
    """

EFFECTS = {
    "registry": ("from app.base import register\nregister('effect')", "stores into app.base.HANDLERS"),
    "__init_subclass__": ("from app.base import Base\nclass C(Base): ...", "stores into app.base.Base.known"),
    "application": ("from app.base import application\napplication.add('x')", "stores into app.base.application.views"),
    "of a class": ("from app.base import Base\nBase.registry.add('x')", "stores into app.base.Base.registry.views"),
    "dispatch": (
        "from app.base import shown\n@shown.register\ndef f(x: int): ...",
        "stores into app.base.shown.registry",
    ),
    "signal": (
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)",
        "changes the handler of SIGTERM",
    ),
    "logging": ("import logging\nlogging.basicConfig()", "changes the logging of 'root'"),
    "level": ("import logging\nlogging.getLogger('x.y').setLevel(10)", "changes the logging of 'x.y'"),
    "environment": ("import os\nos.environ['X_OF_TEST'] = '1'", "changes os.environ"),
    "path": ("import sys\nsys.path.append('/nowhere')", "changes sys.path"),
    "hook": ("import sys\nsys.excepthook = lambda *_: None", "changes sys.excepthook"),
    "exit": ("import atexit\natexit.register(print)", "changes what runs at exit"),
    "warnings": ("import warnings\nwarnings.simplefilter('ignore')", "changes warnings.filters"),
    "function": ("import app.base\napp.base.register = print", "replaces app.base.register"),
    "attribute": ("from app.base import Base\nBase.level = 2", "changes app.base.Base.level"),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_file_that_others_may_count_on_is_told_with_the_line_to_add(tree, effect):
    source, words = EFFECTS[effect]
    files = {"app/main.py": MAIN, "app/base.py": BASE, "app/effect.py": f"{source}\nX = 1\n"}
    tree({"pyproject.toml": CONFIG, **files})
    found = run_json("check", "--lazy", expect=1)["problems"]
    problems = [problem for problem in found if problem["kind"] == "lazy-effect"]
    assert [problem["module"] for problem in problems] == ["app.effect"]
    assert words in problems[0]["message"]
    assert 'except_for = ["app.effect"]' in problems[0]["remedy"]
    # What is kept eager as it says is no finding any more.
    tree({"pyproject.toml": CONFIG + 'lazy_imports = { except_for = ["app.effect"] }\n'})
    assert [p for p in run_json("check", "--lazy")["problems"] if p["kind"] == "lazy-effect"] == []


def test_files_that_only_define_are_no_findings(tree):
    tree(
        {
            "pyproject.toml": CONFIG,
            "app/main.py": "import json, app.pkg.one\nfrom app.base import Base\nfrom app.pkg.two import f\nclass M(Base): ...",
            "app/base.py": "import logging\nlog = logging.getLogger(__name__)\nclass Base: ...\ncache = {}\ncache['own'] = 1",
            "app/pkg/one.py": "class One: ...",
            "app/pkg/two.py": "import app.base\ndef f(): app.base.cache.clear()",
        }
    )
    assert run("check", "--lazy").output == "no problems found\n"


def test_what_is_imported_by_nobody_is_no_finding(tree):
    tree({"pyproject.toml": CONFIG, "app/effect.py": "import os\nos.environ['X_OF_TEST'] = '1'"})
    assert run("check", "--lazy").output == "no problems found\n"


CIRCLE = {
    "app/user.py": "from app.post import Post\nclass User:\n    def posts(self): return [Post()]",
    "app/post.py": "from app.user import User\nclass Post:\n    def author(self): return User()",
}


def test_a_circle_that_lazy_imports_cure_is_told_as_such(tree):
    tree({"pyproject.toml": CONFIG, **CIRCLE})
    assert [problem["kind"] for problem in run_json("check", expect=1)["problems"]] == ["cycle"]
    tree({"pyproject.toml": LAZY})
    problem = run_json("check")["problems"][0]
    assert problem["kind"] == "tolerated-cycle"
    assert "cured by lazy imports" in problem["message"]


def test_a_circle_that_they_do_not_cure_stays_an_error(tree):
    tree(
        {
            "pyproject.toml": LAZY,
            "app/user.py": "from app.post import Post\nclass User(Post): ...",
            "app/post.py": "from app.user import User\nclass Post(User): ...",
        }
    )
    assert "cycle" in [problem["kind"] for problem in run_json("check", expect=1)["problems"]]


def test_an_import_that_fails_is_a_finding_though_it_is_lazy(tree):
    tree({"pyproject.toml": LAZY, "app/user.py": "import nothing_at_all\nclass User: ..."})
    found = run_json("check", expect=1)["problems"]
    assert [(problem["kind"], problem["module"]) for problem in found] == [("import", "app.user")]


def test_static_and_lazy_exclude_each_other(tree):
    tree({"pyproject.toml": CONFIG, "app/": ""})
    assert "use one of them" in run("check", "--static", "--lazy", expect=2).output
