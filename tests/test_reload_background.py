"""`enable_reloading(background=False)`: what has changed is known, and waits."""

from __future__ import annotations

import time

import pytest

from pyautoload import AutoLoader, ReloadError, live


def test_an_edit_is_there_at_the_next_call_and_not_before(tree):
    root = tree({"app/limit.py": "LIMIT = 0\n"})
    loader = AutoLoader(root / "app").enable_reloading(background=False).setup()
    import app

    assert app.limit.LIMIT == 0
    for number in range(1, 6):
        (root / "app/limit.py").write_text(f"LIMIT = {number}\n", encoding="utf-8")
        result = loader.reload_if_changed()  # at once: what is on its way is waited for
        assert result is not None
        assert (result.changed, app.limit.LIMIT) == (["app.limit"], number)
        assert loader.reload_if_changed() is None


def test_nothing_is_applied_by_itself(tree):
    root = tree({"app/limit.py": "LIMIT = 0\n", "app/other.py": "OTHER = 0\n"})
    loader = AutoLoader(root / "app").enable_reloading(background=False).setup()
    import app

    assert (app.limit.LIMIT, app.other.OTHER) == (0, 0)
    (root / "app/limit.py").write_text("LIMIT = 1\n", encoding="utf-8")
    (root / "app/other.py").write_text("OTHER = 1\n", encoding="utf-8")
    loader.enable_reloading(background=False)  # the same options: nothing begins anew
    assert loader.reloader is not None
    assert loader.reloader.may_have_changed()  # known, and complete
    assert (app.limit.LIMIT, app.other.OTHER) == (0, 0)
    loader.enable_reloading()
    deadline = time.monotonic() + 20
    while (app.limit.LIMIT, app.other.OTHER) != (1, 1) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (app.limit.LIMIT, app.other.OTHER) == (1, 1)


def test_a_failure_is_raised_once(tree):
    root = tree({"app/limit.py": "LIMIT = 0\n"})
    loader = AutoLoader(root / "app").enable_reloading(background=False).setup()
    import app

    assert app.limit.LIMIT == 0
    (root / "app/limit.py").write_text("LIMIT = (\n", encoding="utf-8")
    with pytest.raises(ReloadError):
        loader.reload_if_changed()
    assert loader.reload_if_changed() is None
    assert app.limit.LIMIT == 0


def test_a_live_program_can_wait_too(tree, monkeypatch):
    root = tree({"lab.py": "LIMIT = 0\n"})
    monkeypatch.syspath_prepend(str(root))
    loader = live(str(root), background=False)
    import lab

    (root / "lab.py").write_text("LIMIT = 1\n", encoding="utf-8")
    assert loader.reload_if_changed()
    assert lab.LIMIT == 1
