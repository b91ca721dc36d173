"""The gate: requests never see half a reload, a reload is never starved, and nobody waits for himself."""

# ruff: noqa: F811, BLE001  (a fixture imported by name; sources on one line)

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest
from reload_app import app  # noqa: F401

from pyautoload.reloading.gate import Gate, Pass

PAIR = "def left():\n    return {0}\ndef right():\n    return {0}\n"


@pytest.fixture
def frequent_switches():
    """Threads take turns ten times as often: more that could go wrong, and those that only wait wait less."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 10)
    yield
    sys.setswitchinterval(before)


def test_four_threads_never_see_an_exception_or_a_torn_pair_during_200_reloads(app, frequent_switches):
    a = app(a=PAIR.format(0), options={"watch": False})
    module = a("a")
    problems, stop = [], threading.Event()

    def hammer():
        while not stop.is_set():
            try:
                with a.loader.running():
                    pair = module.left(), module.right()
                if pair[0] != pair[1]:
                    problems.append(pair)
            except Exception as error:
                problems.append(error)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 201):
            a.write("a.py", PAIR.format(number))
            a.loader.reload()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert module.left() == module.right() == 200


def test_the_watcher_waits_for_those_inside(app):
    a = app(a=PAIR.format(1))
    module = a("a")
    with a.loader.running():
        a.write("a.py", PAIR.format(2))
        time.sleep(0.1)
        assert (module.left(), module.right()) == (1, 1)
    assert a.settled(lambda: module.left() == 2)


def test_a_reload_goes_on_after_the_time_limit_and_says_so(app):
    a = app(a=PAIR.format(1), options={"gate_timeout": 0.05})
    module = a("a")
    inside, leave = threading.Event(), threading.Event()

    def request():
        with a.loader.running():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=request)
    thread.start()
    inside.wait(10)
    result = a.edit(a=PAIR.format(2))
    leave.set()
    thread.join()
    assert module.left() == 2
    assert "still running" in str(result)


def test_a_request_may_reload_and_enter_again(app):
    a = app(a=PAIR.format(1), options={"watch": False})
    module = a("a")
    a.write("a.py", PAIR.format(2))
    with a.loader.running(), a.loader.running():
        start = time.monotonic()
        a.loader.reload()
        assert time.monotonic() - start < 1
        assert module.left() == 2


def test_two_requests_that_both_reload_do_not_wait_for_each_other(app):
    a = app(a=PAIR.format(1), options={"watch": False, "gate_timeout": 5.0})
    a("a")
    barrier, taken = threading.Barrier(2), []

    def request():
        with a.loader.running():
            barrier.wait(10)
            start = time.monotonic()
            a.loader.reload_if_changed()
            taken.append(time.monotonic() - start)

    a.write("a.py", PAIR.format(2))
    threads = [threading.Thread(target=request) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(taken) < 4
    assert a("a").left() == 2


def test_a_steady_stream_of_requests_does_not_starve_the_reload():
    gate, stop, done = Gate(), threading.Event(), threading.Event()

    def stream():
        while not stop.is_set():
            with Pass(gate):
                time.sleep(0.001)

    def reload():
        with gate.closed() as alone:
            assert alone
            done.set()

    threads = [threading.Thread(target=stream) for _ in range(4)]
    for thread in threads:
        thread.start()
    threading.Thread(target=reload).start()
    assert done.wait(10)
    stop.set()
    for thread in threads:
        thread.join()


def test_async_requests_wait_without_blocking_the_loop(app):
    a = app(a=PAIR.format(1))
    gate = a.loader.reloader.gate

    async def main():
        async with a.loader.running(), a.loader.running():
            pass
        closed = threading.Event()
        opened = threading.Event()

        def reload():
            with gate.closed():
                closed.set()
                opened.wait(10)

        thread = threading.Thread(target=reload)
        thread.start()
        closed.wait(10)

        async def request():
            async with a.loader.running():
                return "in"

        task = asyncio.ensure_future(request())
        await asyncio.sleep(0.02)
        assert not task.done()
        opened.set()
        assert await asyncio.wait_for(task, 10) == "in"
        thread.join()

    asyncio.run(main())


def test_a_pass_left_in_another_thread_is_counted_out():
    gate = Gate(timeout=0.2)
    ticket = Pass(gate)
    threading.Thread(target=ticket.__enter__).start()
    while not gate._inside:
        time.sleep(0.001)
    ticket.__exit__(None, None, None)
    with gate.closed() as alone:
        assert alone


def test_running_costs_nothing_without_reloading(app):
    a = app(a="")
    a.loader.disable_reloading()
    with a.loader.running():
        a.loader.unload()


def test_a_change_that_arrives_while_a_reload_waits_is_applied_next(app):
    a = app(a=PAIR.format(1), options={"gate_timeout": 5.0})
    module = a("a")
    with a.loader.running():
        a.write("a.py", PAIR.format(2))
        time.sleep(0.1)
        a.write("a.py", PAIR.format(3))
    assert a.settled(lambda: module.left() == 3)


def test_a_module_that_reloads_while_it_is_imported_does_not_hang(app):
    a = app(a="import pyautoload.loaders as ls\nfor l in ls.all_loaders():\n    l.reload()\nX = 1\n")
    assert a("a").X == 1
    a.edit(a="import pyautoload.loaders as ls\nfor l in ls.all_loaders():\n    l.reload()\nX = 2\n")
    assert a("a").X == 2


def test_enabling_and_disabling_are_idempotent(app):
    a = app(a=PAIR.format(1))
    a("a")
    before = threading.active_count()
    a.loader.enable_reloading(on_reload=a._note).enable_reloading(on_reload=a._note)
    assert threading.active_count() == before
    a.edit(a=PAIR.format(2))
    assert a("a").left() == 2
    a.loader.disable_reloading()
    a.loader.disable_reloading()
    assert threading.active_count() < before


@pytest.mark.parametrize("when", ["before", "after"])
def test_enabling_before_and_after_setup(tmp_path, when):
    from pyautoload import AutoLoader

    root = tmp_path / f"set_up_{when}"
    root.mkdir()
    (root / "a.py").write_text("X = 1\n")
    loader = AutoLoader(root)
    if when == "before":
        loader.enable_reloading(watch=False).setup()
    else:
        loader.setup().enable_reloading(watch=False)
    import importlib

    module = importlib.import_module(f"set_up_{when}.a")
    (root / "a.py").write_text("X = 22\n")
    loader.reload()
    assert module.X == 22


def test_newcomers_are_let_in_while_a_reload_waits_for_a_long_request():
    gate, done = Gate(timeout=60), threading.Event()
    long = Pass(gate)
    long.__enter__()

    def reload():
        with gate.closed() as alone:
            assert alone
            done.set()

    thread = threading.Thread(target=reload)
    thread.start()
    while not gate._busy:
        time.sleep(0.001)
    entered = threading.Thread(target=lambda: Pass(gate).__enter__())
    entered.start()
    entered.join(10)
    assert not entered.is_alive()
    assert not done.is_set()
    gate.leave(next(entry for entry in gate._inside if entry not in long._entries))
    long.__exit__(None, None, None)
    assert done.wait(10)
    thread.join()


def test_a_pass_with_a_limit_is_not_waited_for_any_longer():
    gate = Gate(timeout=60)
    stream = Pass(gate)
    threading.Thread(target=stream.__enter__).start()
    while not gate._inside:
        time.sleep(0.001)
    stream.limit(0.05)
    with gate.closed() as alone:
        assert alone
    stream.__exit__(None, None, None)
    assert not gate._inside


def test_a_context_that_is_copied_from_a_request_is_not_inside_for_longer_than_that():
    import contextvars

    gate = Gate()
    with Pass(gate):
        copied = contextvars.copy_context()
        assert copied.run(gate.enter) is None
    assert copied.run(gate.enter) is not None


def test_a_reload_from_within_waits_for_the_others():
    gate = Gate(timeout=0.05)
    other = Pass(gate)
    threading.Thread(target=other.__enter__).start()
    while not gate._inside:
        time.sleep(0.001)
    with Pass(gate), gate.parked(), gate.closed() as alone:
        assert not alone
