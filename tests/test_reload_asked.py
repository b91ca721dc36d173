"""Edits that ask for a restart: said once, and what was saved with them is applied as soon as it can be."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

from collections.abc import Callable

import pytest
from reload_app import App, app  # noqa: F401

_THREAD = "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()\nX = 1\n"
# What is saved together with an edit that asks: its files before, then, and how to see that it is applied.
_COMPANIONS: dict[str, tuple[dict[str, str], dict[str, str | None], str]] = {
    "a value": ({"user.py": "Y = 1"}, {"user.py": "Y = 2"}, "at('user').Y == 2"),
    "a body": ({"user.py": "def f(): return 1"}, {"user.py": "def f(): return 2"}, "at('user').f() == 2"),
    "one that has gone": (
        {"user.py": "try:\n    from APP.low import Z\nexcept ImportError:\n    Z = 2", "low.py": "Z = 1"},
        {"low.py": None},
        "at('user').Z == 2",
    ),
    "a file that is read": (
        {"user.py": "with open(__file__[:-3] + '.txt') as f: Y = f.read()", "user.txt": "1"},
        {"user.txt": "2"},
        "at('user').Y == '2'",
    ),
    "an entry": (
        {
            "user.py": "import os\nY = len([n for n in os.listdir(os.path.dirname(__file__)) if n[:1] == 'e'])",
            "e1.py": "",
        },
        {"e2.py": ""},
        "at('user').Y == 2",
    ),
    "one that was missed": (
        {"user.py": "try:\n    from APP.low import Z\nexcept ImportError:\n    Z = 2"},
        {"low.py": "Z = 1"},
        "at('user').Z == 1",
    ),
}


@pytest.mark.parametrize(("before", "after", "applied"), _COMPANIONS.values(), ids=_COMPANIONS)
@pytest.mark.parametrize("undo", [_THREAD, _THREAD + "# X\n"], ids=["undone", "harmless"])
def test_what_was_saved_together_with_an_edit_that_asks(
    app: Callable[..., App], before: dict[str, str], after: dict[str, str | None], applied: str, undo: str
) -> None:
    at = app({"asks.py": _THREAD, **before}, options={"watch": False})
    at("asks")
    at("user")
    at.write("asks.py", _THREAD + "W = 2\n")
    for name, text in after.items():
        at.write(name, text)
    assert at.loader.reload().restart_required
    assert not eval(applied, {"at": at})
    again = at.loader.reload()
    assert not again.restart_required, "it was asked for"
    assert f"{at.name}.asks" in again.still_waiting
    at.write("asks.py", undo)
    result = at.loader.reload()
    assert result.ok, result
    assert eval(applied, {"at": at})
    assert not at.loader.reload().still_waiting


def test_a_watched_edit_is_applied_when_the_one_that_asked_is_undone(app: Callable[..., App]) -> None:
    at = app({"asks.py": _THREAD, "user.py": "Y = 1"})
    at("asks")
    at("user")
    assert at.edit(asks=_THREAD + "W = 2", user="Y = 2").restart_required
    at.edit("asks.py", _THREAD)
    assert at.settled(lambda: at("user").Y == 2)


def test_other_edits_go_on_while_one_waits(app: Callable[..., App]) -> None:
    at = app({"asks.py": _THREAD, "user.py": "Y = 1", "other.py": "Z = 1"}, options={"watch": False})
    for name in ("asks", "user", "other"):
        at(name)
    at.write("asks.py", _THREAD + "W = 2")
    assert at.loader.reload().restart_required
    at.write("other.py", "Z = 2")
    result = at.loader.reload()
    assert result.reexecuted == [f"{at.name}.other"]
    assert result.still_waiting == [f"{at.name}.asks"]
    at.write("asks.py", _THREAD)
    assert at.loader.reload().ok
