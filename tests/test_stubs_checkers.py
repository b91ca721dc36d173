"""Real checkers on real trees: mypy --strict, pyright, and pyright's language server."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from language_server import LanguageServer

from pyautoload import AutoLoader
from pyautoload.stubs import Stubs, generate, write

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]
PROJECT = Path(__file__).resolve().parent.parent

FILES = {
    "src/app/models/user.py": "class User:\n    name: str = ''\n",
    "src/app/models/html_page.py": "class HTMLPage:\n    def render(self) -> str:\n        return ''\n",
    "src/app/models/concerns/taggable.py": "class Taggable:\n    tags: list[str] = []\n",
    "src/app/helpers.py": "def shout(text: str) -> str:\n    return text.upper()\n",
    "src/app/admin/__init__.py": "class Admin:\n    ok = True\n",
    "src/app/hotel/__init__.py": (
        "from .suite import Suite\nfrom app.hotel import Room\n"
        "def stars(name: str, *, more: int = 3) -> int:\n    return more\n"
        "class Hotel:\n    def __init__(self, name: str) -> None:\n        self.name = name\n        self.rank = 3\n"
    ),
    "src/app/hotel/room.py": "class Room: ...\n",
    "src/app/hotel/suite.py": "class Suite:\n    size = 3\n",
    "src/app/inn.py": "def limit(rooms: int) -> int:\n    return rooms\n",
    "src/app/inn/bed.py": "class Bed: ...\n",
    "more/app/models/invoice.py": (
        "from app.models import User\nRATE = 3\nclass Invoice:\n    def owner(self) -> User:\n        return User()\n"
    ),
    "more/app/billing/rate.py": "class Rate:\n    value: int = 1\n",
    "lib/jobs/adapters/redis_adapter.py": "class RedisAdapter:\n    port = 1\n",
    "parts/accounts/account.py": "class Account:\n    name = ''\n",
    "parts/accounts/money/currency.py": "from domain import Account\nclass Currency:\n    owner: Account\n",
    "parts/top/session.py": "class Session:\n    key = ''\n",
    "parts/top/reports/daily.py": "from session import Session\nclass Daily(Session): ...\n",
    "parts/top/concerns/sharing.py": "class Sharing:\n    public = True\n",
}
# Each line is right, and has to be understood: the annotations make a type that is not known an error.
RIGHT = """
import app
import app.models.user
import domain
import jobs
import reports
from app import Admin, helpers
from app.billing import Rate
from app.billing.rate import Rate as SameRate
from app.hotel import Hotel, Room, Suite, stars
from app.inn import Bed, limit
from app.models import HTMLPage, Invoice, Taggable, User, invoice, taggable
from app.models.invoice import Invoice as SameInvoice
from app.models.taggable import Taggable as SameTaggable
from domain import Account, account
from domain.account import Account as SameAccount
from domain.money import Currency
from jobs.adapters import RedisAdapter
from reports.daily import Daily
from session import Session
from sharing import Sharing

user_class: type[User] = app.models.user.User
same_user: type[User] = app.models.User
same_invoice: type[Invoice] = SameInvoice
name: str = User().name + Invoice().owner().name + app.models.invoice.Invoice().owner().name
page: str = HTMLPage().render() + app.helpers.shout("x") + helpers.shout("y")
number: int = Rate().value + SameRate().value + app.billing.Rate().value + invoice.RATE + Suite().size
hotel: int = stars("x") + stars("x", more=1) + Hotel("a").rank + limit(3)
hotel_name: str = Hotel("a").name
tags: list[str] = Taggable().tags + SameTaggable().tags + taggable.Taggable().tags
admin: bool = Admin().ok
room: Room = app.hotel.Room()
bed: Bed = app.inn.Bed()
owner: str = Account().name + SameAccount().name + Currency().owner.name + domain.money.Currency().owner.name
moved: type[Account] = account.Account
port: int = RedisAdapter().port + jobs.adapters.RedisAdapter().port
key: str = Session().key + Daily().key + reports.Daily().key
public: bool = Sharing().public
"""
# Each line is wrong, and has to be an error.
WRONG = [
    "from app.models import Person",
    "from app.billing import Price",
    "from domain import Person",
    "app.models.Person",
    "app.hotel.Lobby",
    "User().age",
    "HTMLPage().render() + 1",
    "Invoice().owner().age",
    "stars(1)",
    "Account().age",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stubs]:
    """A project with acronyms, a collapsed directory, explicit and implicit namespaces and five roots."""
    directory = tmp_path_factory.mktemp("checked")
    for name, text in {**FILES, "right.py": RIGHT, "wrong.py": RIGHT + "\n".join(WRONG) + "\n"}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    loader = AutoLoader(directory / "src/app")
    loader.push_dir(directory / "more/app", "app")
    loader.push_dir(directory / "lib/jobs/adapters", "jobs.adapters")
    loader.push_dir(directory / "parts/accounts", "domain")
    loader.push_dir(directory / "parts/top", "")
    stubs = generate(loader.collapse("**/concerns"), directory)
    loader.unregister()
    assert not write(stubs).kept
    assert stubs.notes == []
    places = [os.path.relpath(path, directory) for path in stubs.search_paths]
    (directory / "pyrightconfig.json").write_text(json.dumps({"extraPaths": places}))
    (directory / "mypy.ini").write_text(
        f"[mypy]\nstrict = true\nexplicit_package_bases = true\nmypy_path = {os.pathsep.join(places)}\n"
    )
    return directory, stubs


def run(command: list[str], directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=directory,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        env={**os.environ, **environment},
    )


@functools.cache
def need_pyright() -> None:
    """Skip where pyright, or the Node.js that it runs on, is not there."""
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyautoload[test]'")
    done = run(["pyright", "--version"], PROJECT)
    if done.returncode != 0:
        pytest.skip(f"pyright cannot run here: {(done.stderr or done.stdout)[-300:]}")


def pyright(directory: Path, *arguments: str) -> list[dict[str, object]]:
    need_pyright()
    done = run(["pyright", "--outputjson", "--pythonpath", sys.executable, *arguments], directory)
    found: list[dict[str, object]] = json.loads(done.stdout)["generalDiagnostics"]
    return found


def wrong_lines() -> list[int]:
    first = RIGHT.count("\n") + 1
    return list(range(first, first + len(WRONG)))


def test_mypy_strict_understands_every_right_line_and_reports_every_wrong_one(project):
    directory, _stubs = project
    done = run(["mypy", "."], directory)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line for line in errors if not line.startswith("wrong.py")] == []
    assert sorted({int(line.split(":")[1]) for line in errors}) == wrong_lines()


def test_pyright_understands_every_right_line_and_reports_every_wrong_one(project):
    directory, _stubs = project
    found = [item for item in pyright(directory) if item["severity"] == "error"]
    assert [item for item in found if not str(item["file"]).endswith("wrong.py")] == []
    assert sorted({item["range"]["start"]["line"] + 1 for item in found}) == wrong_lines()


def test_pyright_warns_of_modules_that_have_another_name_on_disk_and_of_nothing_else(project):
    directory, _stubs = project
    warnings = [str(item["message"]) for item in pyright(directory, "right.py") if item["severity"] == "warning"]
    named = {message.split('"')[1] for message in warnings if "resolved from source" in message}
    assert named <= {
        "app.billing.rate",
        "app.models.invoice",
        "app.models.taggable",
        "domain",
        "domain.account",
        "domain.money",
        "sharing",
    }
    assert len(named) == len(set(warnings))


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example application, with its stubs."""
    directory = tmp_path_factory.mktemp("example") / "blog"
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyi", ".*")
    shutil.copytree(PROJECT / "examples" / "blog", directory, ignore=leave_out)
    loader = AutoLoader(directory / "blog").collapse("*/concerns").inflect({"db": "Database"})
    stubs = generate(loader, directory)
    loader.unregister()
    assert (stubs.search_paths, stubs.explicit_bases, stubs.notes) == ([], False, [])
    write(stubs)
    return directory


def test_the_example_passes_mypy_strict(blog):
    config = "[mypy]\nstrict = true\n[mypy-pyautoload.*]\nfollow_imports = silent\n"
    (blog / "mypy.ini").write_text(config)
    done = run(["mypy", "."], blog, MYPYPATH=str(PROJECT))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_passes_pyright(blog):
    (blog / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(PROJECT)]}))
    assert pyright(blog) == []


def test_an_editor_completes_names_and_goes_to_the_class_itself(blog):
    need_pyright()
    text = (
        "import blog\nfrom blog.models import Post, Sluggable\n"
        "blog.services.\nblog.models.Tag\nblog.models.post\nPost.su\n"
    )
    with LanguageServer(blog) as server:
        server.open("look.py", text)
        above = (blog / "blog/models/post.py").read_text().partition("class Post(")[0]
        place = ("blog/models/post.py", above.count("\n") + 1)
        assert server.definition("look.py", text, "import Post") == [place]
        assert server.definition("look.py", text, "Post, Sluggable")[0][0] == "blog/models/concerns/sluggable.py"
        assert server.definition("look.py", text, "blog.models.Tag")[0][0] == "blog/models/tag.py"
        assert server.definition("look.py", text, "blog.models.post")[0][0] == "blog/models/post.py"
        assert {"HTMLRenderer", "AtomFeed", "html_renderer"} <= set(
            server.completion("look.py", text, "blog.services.")
        )
        assert {"Tag", "Validated", "tag"} <= set(server.completion("look.py", text, "from blog.models import "))
        assert "summary" in server.completion("look.py", text, "Post.su")


def test_an_editor_finds_the_files_of_every_root(project):
    need_pyright()
    directory, _stubs = project
    text = (
        "from app.models import Invoice, Taggable\nfrom domain import Account\nfrom jobs.adapters import RedisAdapter\n"
    )
    with LanguageServer(directory) as server:
        server.open("look.py", text)
        found = [
            server.definition("look.py", text, name)[0]
            for name in ("import Invoice", "Taggable", "Account", "import RedisAdapter")
        ]
    assert found == [
        ("more/app/models/invoice.py", 3),
        ("src/app/models/concerns/taggable.py", 1),
        ("parts/accounts/account.py", 1),
        ("lib/jobs/adapters/redis_adapter.py", 1),
    ]
