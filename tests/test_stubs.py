"""Stubs: what is generated, what is written, what is left alone. Nothing of the user's code is run."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from pyautoload import AutoLoader
from pyautoload.stubs import Stubs, check, generate, write


def lines(stubs: Stubs, path: str) -> list[str]:
    """The lines of a stub below its header."""
    text = next(text for file, text in stubs.files.items() if Path(file).as_posix().endswith(path))
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_a_namespace_names_its_modules_and_what_they_define(tree):
    tree({"app/models/user.py": "class User: ...", "app/models/blog_post.py": "class BlogPost: ..."})
    stubs = generate(AutoLoader("app"))
    assert lines(stubs, "app/__init__.pyi") == ["from . import models as models"]
    assert lines(stubs, "app/models/__init__.pyi") == [
        "from . import blog_post as blog_post",
        "from . import user as user",
        "from .blog_post import BlogPost as BlogPost",
        "from .user import User as User",
    ]


def test_the_name_is_the_one_that_the_file_really_defines(tree):
    tree(
        {
            "app/html_parser.py": "class HTMLParser: ...",
            "app/limit.py": "LIMIT: int = 3",
            "app/db.py": "class Database: ...",
            "app/helpers.py": "def shout(text): ...",
            "app/only_typed.py": "OnlyTyped: int",
            "app/for_types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    class ForTypes: ...",
            "app/either.py": "try:\n    import numpy\nexcept ImportError:\n    Either = 1\nelse:\n    Either = 2",
        }
    )
    found = lines(generate(AutoLoader("app").inflect({"db": "Database"})), "app/__init__.pyi")
    assert [line for line in found if not line.startswith("from . ")] == [
        "from .db import Database as Database",
        "from .either import Either as Either",
        "from .html_parser import HTMLParser as HTMLParser",
        "from .limit import LIMIT as LIMIT",
    ]
    assert "from . import helpers as helpers" in found


def test_a_name_that_comes_by_a_star_import_from_a_managed_file_is_seen(tree):
    tree(
        {
            "app/user.py": "from .people.base import *",
            "app/group.py": "from .people.base import *",
            "app/people/base.py": "__all__ = ['User']\nclass User: ...\nclass Group: ...",
        }
    )
    found = lines(generate(AutoLoader("app")), "app/__init__.pyi")
    assert "from .user import User as User" in found
    assert not any("Group" in line for line in found)


def test_no_file_is_run_and_one_that_cannot_be_parsed_is_a_note(tree):
    tree({"app/boom.py": "raise SystemExit", "app/broken.py": "class Broken(:"})
    stubs = generate(AutoLoader("app"))
    assert "from . import broken as broken" in lines(stubs, "app/__init__.pyi")
    assert [note for note in stubs.notes if "broken.py cannot be read: line 1" in note]


def test_names_that_no_import_statement_can_spell_are_left_out(tree):
    tree({"app/2fa.py": "x = 1", "app/class.py": "x = 1", "app/__main__.py": "", "app/user.py": "class User: ..."})
    found = lines(generate(AutoLoader("app")), "app/__init__.pyi")
    assert found == ["from . import user as user", "from .user import User as User"]


def test_collapsed_files_get_the_name_that_they_have_at_run_time(tree):
    tree({"app/models/concerns/taggable.py": "class Taggable: ...", "app/models/post.py": "class Post: ..."})
    stubs = generate(AutoLoader("app").collapse("*/concerns"))
    assert "from .concerns.taggable import Taggable as Taggable" in lines(stubs, "models/__init__.pyi")
    assert lines(stubs, "models/taggable.pyi")[0] == "from app.models.concerns.taggable import *"
    assert lines(stubs, "concerns/__init__.pyi") == []


def test_a_second_root_is_joined_in_the_first_one(tree):
    base = tree({"src/app/user.py": "class User: ...", "more/app/billing/rate.py": "class Rate: ..."})
    stubs = generate(AutoLoader("src/app").push_dir("more/app", "app"))
    assert "from . import billing as billing" in lines(stubs, "src/app/__init__.pyi")
    assert "from more.app.billing.rate import Rate as Rate" in lines(stubs, "src/app/billing/__init__.pyi")
    assert stubs.search_paths == [str(base / "src")]
    assert stubs.explicit_bases


def test_a_namespace_without_a_directory_of_its_name_lies_in_typings(tree):
    base = tree({"app/models/user.py": "class User: ..."})
    stubs = generate(AutoLoader("app/models", "domain"))
    assert lines(stubs, "typings/domain/__init__.pyi") == [
        "from app.models import user as user",
        "from app.models.user import User as User",
    ]
    assert stubs.search_paths == [str(base / "typings")]


def test_code_of_a_package_stays_visible_in_its_stub(tree):
    tree(
        {
            "app/hotel/__init__.py": '''
            """Hotels."""
            from app.hotel import Room
            from .suite import Suite
            from ._tools import _secret
            import os
            STARS = 5
            def rate(name: str, *, more: int = len(os.sep)) -> int:
                return more
            class Hotel:
                kind = "hotel"
                if os.name == "nt":
                    def on_windows(self) -> bool:
                        return True
                def __init__(self, name: str) -> None:
                    self.name = name
                    self.open: bool = True
                    self.path = os.getcwd()
            ''',
            "app/hotel/room.py": "class Room: ...",
            "app/hotel/suite.py": "class Suite: ...",
            "app/hotel/_tools.py": "_secret = 1",
        }
    )
    stubs = generate(AutoLoader("app"))
    found = lines(stubs, "hotel/__init__.pyi")
    assert "from .room import Room as Room" in found
    assert "from app.hotel.suite import Suite as Suite" in found
    assert "from app.hotel._tools import _secret" in found
    assert "def rate(name: str, *, more: int=...) -> int:" in found
    assert {
        "        def on_windows(self) -> bool:",
        "STARS = 5",
        "    name: str",
        "    open: bool",
        "    path: _Any",
        "    kind = 'hotel'",
    } <= set(found)
    assert "from .hotel import Hotel as Hotel" in lines(stubs, "app/__init__.pyi")
    assert not any("getcwd" in line for line in found)


def test_a_package_that_lists_its_names_itself_needs_no_stub(tree):
    tree({"app/hotel/__init__.py": "from .room import Room", "app/hotel/room.py": "class Room: ..."})
    assert not any(Path(path).parent.name == "hotel" for path in generate(AutoLoader("app")).files)


def test_a_module_beside_a_directory_of_its_name_speaks_for_the_namespace(tree):
    # It is the package, so its relative imports start inside the directory.
    tree({"app/inn.py": "from ..bar import Bar\nclass Inn: ...", "app/inn/bed.py": "class Bed: ...", "app/bar.py": ""})
    found = lines(generate(AutoLoader("app")), "inn/__init__.pyi")
    assert {"from app.bar import Bar as Bar", "from .bed import Bed as Bed", "class Inn:"} <= set(found)


def test_a_star_import_in_a_module_beside_its_directory_starts_inside_the_directory(tree):
    tree({"app/inn.py": "from .bed import *", "app/inn/bed.py": "class Inn: ...", "app/bed.py": "class Wrong: ..."})
    loader = AutoLoader("app").setup()
    from pyautoload.stubs.defined_names import Definitions
    from pyautoload.tree.introspection import Introspection

    assert list(
        Definitions(Introspection(loader.tree, loader.binder.naming)).names(loader.where("app.inn"), "app.inn")
    ) == ["Inn"]


def test_a_package_that_is_installed_elsewhere_is_not_hidden(tree):
    tree({"ext/extra.py": "class Extra: ..."})
    stubs = generate(AutoLoader("ext", "pytest"))
    assert stubs.files == {}
    assert "a checker sees that one only" in stubs.notes[0]


def test_what_is_written_is_the_same_every_time_and_up_to_date_afterwards(tree):
    base = tree({"app/models/user.py": "class User: ...", "app/admin/__init__.py": "class Admin: ..."})
    loader = AutoLoader("app")
    written = write(generate(loader))
    assert len(written.missing) == 2
    assert not check(generate(loader))
    first = (base / "app/models/__init__.pyi").read_bytes()
    (base / "app/models/__init__.pyi").unlink()
    write(generate(loader))
    assert (base / "app/models/__init__.pyi").read_bytes() == first


def test_the_hash_seed_and_the_working_directory_change_nothing(tree, python):
    tree({f"app/m{number}.py": f"class M{number}: ..." for number in range(9)})
    code = """
    import sys
    from pyautoload import AutoLoader
    from pyautoload.stubs import generate
    print(list(generate(AutoLoader("app")).files.values()))
    """
    assert python(code, PYTHONHASHSEED="1").stdout == python(code, PYTHONHASHSEED="2").stdout


def test_check_reports_missing_outdated_and_stale_stubs(tree):
    base = tree({"app/models/user.py": "class User: ...", "app/old/thing.py": "class Thing: ..."})
    loader = AutoLoader("app")
    write(generate(loader))
    (base / "app/models/user.py").write_text("class Person: ...")
    (base / "app/old/thing.py").unlink()
    (base / "app/jobs").mkdir()
    (base / "app/jobs/mail.py").write_text("class Mail: ...")
    found = check(generate(loader))
    assert found.missing == [str(base / "app/jobs/__init__.pyi")]
    assert found.outdated == [str(base / "app/__init__.pyi"), str(base / "app/models/__init__.pyi")]
    assert found.stale == [str(base / "app/old/__init__.pyi")]


def test_stale_stubs_go_and_so_do_directories_that_held_nothing_else(tree):
    base = tree({"src/app/user.py": "class User: ...", "more/app/billing/rate.py": "class Rate: ..."})
    loader = AutoLoader("src/app").push_dir("more/app", "app")
    write(generate(loader))
    assert (base / "src/app/billing").is_dir()
    (base / "more/app/billing/rate.py").unlink()
    write(generate(loader))
    assert not (base / "src/app/billing").exists()


@pytest.mark.parametrize("by_hand", ["class Mine: ...\n", "", None])
def test_a_stub_that_somebody_wrote_or_edited_is_never_touched(tree, by_hand):
    base = tree({"app/user.py": "class User: ..."})
    loader = AutoLoader("app")
    write(generate(loader))
    stub = base / "app/__init__.pyi"
    stub.write_text(stub.read_text() + "class Mine: ...\n" if by_hand is None else by_hand)
    before = stub.read_bytes()
    (base / "app/other.py").write_text("class Other: ...")
    assert write(generate(loader)).kept == [str(stub)]
    (base / "app/user.py").unlink()
    (base / "app/other.py").unlink()
    write(generate(loader))
    assert stub.read_bytes() == before


def test_stubs_of_a_project_inside_the_project_are_not_stale(tree):
    base = tree({"app/user.py": "class User: ...", "app/vendor/shop/cart.py": "class Cart: ..."})
    inner, outer = AutoLoader("app/vendor/shop"), AutoLoader("app").ignore("vendor")
    write(generate(inner, base / "app/vendor"))
    assert check(generate(outer)).stale == []


def test_line_ends_that_a_checkout_turned_are_no_difference(tree):
    base = tree({"app/user.py": "class User: ..."})
    loader = AutoLoader("app")
    write(generate(loader))
    stub = base / "app/__init__.pyi"
    stub.write_bytes(stub.read_bytes().replace(b"\n", b"\r\n"))
    assert not check(generate(loader))


def test_the_running_loader_does_not_see_the_stubs(tree):
    tree({"app/models/concerns/taggable.py": "class Taggable: ...", "app/models/post.py": "class Post: ..."})
    loader = AutoLoader("app").collapse("*/concerns")
    write(generate(loader))
    loader.setup()
    assert loader.eager_load() == ["app", "app.models", "app.models.post", "app.models.taggable"]


@pytest.mark.once
def test_formatters_leave_stubs_as_they_are(tree):
    base = tree({"app/a_rather_long_name_for_a_file_that_holds_one_class.py": """
        class ARatherLongNameForAFileThatHoldsOneClass: ...
        """})  # fmt: skip
    loader = AutoLoader("app")
    write(generate(loader))
    for command in (["format"], ["check", "--select", "ALL", "--fix"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=base, check=command == ["format"])
    assert not check(generate(loader))


def test_an_extension_module_is_read_from_the_stub_or_the_source_beside_it(tree):
    suffix = EXTENSION_SUFFIXES[0]
    tree(
        {
            f"app/fast{suffix}": "",
            "app/fast.py": "class Fast: ...",
            f"app/faster{suffix}": "",
            "app/faster.pyi": "class Faster: ...",
            f"app/unknown{suffix}": "",
        }
    )
    stubs = generate(AutoLoader("app"))
    assert lines(stubs, "app/__init__.pyi")[2:] == [
        "from .fast import Fast as Fast",
        "from .faster import Faster as Faster",
    ]
    assert [note for note in stubs.notes if note.startswith("app.unknown: ")]


def test_a_root_in_an_archive_is_a_note(tree):
    base = tree({"app/user.py": "class User: ..."})
    with zipfile.ZipFile(base / "more.zip", "w") as archive:
        archive.writestr("app/order.py", "class Order: ...")
        archive.writestr("app/sales/rate.py", "class Rate: ...")
    stubs = generate(AutoLoader("app").push_dir("more.zip/app", "app"))
    assert [Path(path).name for path in stubs.files] == ["__init__.pyi"]
    assert "order" not in "".join(stubs.files.values())
    assert [note for note in stubs.notes if "not a directory of the file system" in note]


def test_a_running_loader_looks_at_the_files_once_more(tree):
    base = tree({"app/models/user.py": "class User: ..."})
    loader = AutoLoader("app").setup()
    write(generate(loader))
    (base / "app/models/order.py").write_text("class Order: ...")
    (base / "app/jobs").mkdir()
    (base / "app/jobs/mail.py").write_text("class Mail: ...")
    (base / "app/models/user.py").unlink()
    stubs = generate(loader)
    assert lines(stubs, "models/__init__.pyi") == ["from . import order as order", "from .order import Order as Order"]
    assert "from . import jobs as jobs" in lines(stubs, "app/__init__.pyi")
