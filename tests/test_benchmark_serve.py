"""The benchmark of development servers tells what happened, and leaves no process behind. No time is asserted."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, table
from benchmarks.measure import Group, Metric, Target, measure
from benchmarks.process import PROJECT, ContenderFailed, environment
from benchmarks.serving import session
from benchmarks.serving.client import Answer, Tally, get
from benchmarks.serving.contenders import CONTENDERS, OURS
from benchmarks.serving.server import PROC, Server, free_port
from benchmarks.serving.site import Site, site

pytestmark = pytest.mark.once

MODULES = 100

# Answers with the number in a file, read each time; the process that it starts must not outlive it.
_PLAIN = """
import http.server, json, pathlib, subprocess, sys

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"asked": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def plain(tmp_path: Path) -> Server:
    script = tmp_path / "plain.py"
    script.write_text(_PLAIN, encoding="utf-8")
    return Server([sys.executable, str(script), "{port}"], tmp_path, environment(), tmp_path / "log")


def answered(port: int, path: str = "/there") -> Answer:
    deadline = time.monotonic() + 60
    while not (answer := asyncio.run(get(port, path))).good and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


@pytest.mark.skipif(not PROC.exists(), reason="children are found by /proc")
def test_whatever_happens_a_server_is_ended_with_its_children(tmp_path: Path) -> None:
    server = plain(tmp_path)

    def interrupted() -> None:
        with server:
            assert answered(server.port).content == {"asked": "/there"}
            assert len(server.processes()) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert server.processes() == []
    assert asyncio.run(get(server.port, "/")).failure == "refused"


def test_a_server_that_does_not_start_is_an_error_with_what_it_wrote(tmp_path: Path) -> None:
    server = Server(
        [sys.executable, "-c", "raise SystemExit('no such app')"], tmp_path, environment(), tmp_path / "log"
    )
    some = Site(tmp_path, "flask")
    with server, pytest.raises(ContenderFailed, match="no such app"):
        asyncio.run(session.Session(server, some).ready())


def test_the_client_tells_what_became_of_a_request(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(600)

    async def asked(handler: Any) -> Answer:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        answer = await get(server.sockets[0].getsockname()[1], "/", 0.5)
        server.close()
        return answer

    assert asyncio.run(get(free_port(), "/")).failure == "refused"
    assert asyncio.run(asked(hang_up)).failure == "reset"
    assert asyncio.run(asked(silent)).failure == "none in time"


def test_failures_and_mixed_answers_are_counted() -> None:
    tally = Tally()
    for answer in (
        Answer(200, {"constant": 2, "derived": 5}, 1.0),
        Answer(200, {"constant": 3, "derived": 5}, 2.0),
        Answer(0, {}, 9.0, "reset"),
        Answer(500, {}, 1.0),
    ):
        tally.count(answer)
    assert (tally.requests, tally.failed, tally.mixed, tally.longest_ms) == (4, 2, 1, 9.0)
    assert tally.told() == "1 reset, 1 status 500"


def test_two_states_of_a_file_have_different_sizes_unless_asked_for(tmp_path: Path) -> None:
    served = site(tmp_path, MODULES, "django")
    sizes = []
    for filler in (None, None, 7, 7):
        served.edit("body", filler=filler)
        sizes.append(served.mid.stat().st_size)
    assert sizes[0] != sizes[1]
    assert sizes[2] == sizes[3]
    assert served.state.seen() == {"view": 1, "body": 5, "constant": 1, "derived": 3}
    served.restore()
    assert "RATE = 1\n" in served.mid.read_text(encoding="utf-8")


def test_ours_serves_the_edits_of_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # How much it uses while nothing happens is not what is tested.
    monkeypatch.setattr(session, "LOOK_AROUND", 0.1)
    monkeypatch.setattr(session, "IDLE", 0.5)
    for needed in ("flask", "click"):
        pytest.importorskip(needed)
    if importlib.util.find_spec("pyautoload.serving") is None:
        pytest.skip("needs pyautoload.serving")
    served = site(tmp_path, MODULES, "flask")
    (ours,) = (contender for contender in CONTENDERS["flask"] if contender.name == OURS)

    def server() -> Server:
        paths = environment(PYTHONPATH=str(PROJECT))
        return Server([sys.executable, *ours.command], served.base, paths, tmp_path / "log")

    figures = session.run(server, served, [session.edits(1), session.same_second(1)])
    assert {"view_ms", "body_ms", "constant_ms", "stall_ms"} <= {key for key, value in figures.items() if value}
    assert (figures["refused"], figures["mixed"], figures["stale"]) == (0, 0, 0)


def results() -> list[dict[str, Any]]:
    """Two contenders, two figures: as they stand in the JSON."""
    sides = {
        "a": lambda: {"ms": 4.5, "lost": 0},
        "b": lambda: {"ms": 1.5, "lost": 2, "told": "2 reset"},
        "c": lambda: {"ms": None, "ms_remark": "never live", "lost": 0},
    }
    metrics = [
        Metric("ms", "an edit", "ms", "a", [Target("b", 0.5, "a"), Target("c", 30), Target("absent", 30)]),
        Metric("lost", "lost", "requests", words="told"),
    ]
    group = Group("two", sides, metrics, warm_up=False, compact=True)
    return [vars(result) for result in measure(group, 2, lambda message: None)]


def test_a_compact_group_is_one_table_with_remarks_and_ratios() -> None:
    assert table.matrix(results()) == [
        ["", "a", "b", "c"],
        ["an edit, ms", "4.50", "1.50; 0.33×", "never live"],
        ["lost, requests", "0", "2; 2 reset", "0"],
    ]


def test_a_contender_that_never_got_there_has_missed_its_aim() -> None:
    targets = {target["side"]: target["reached"] for target in results()[0]["targets"]}
    assert targets == {"b": True, "c": False}


def test_the_page_holds_that_table_and_what_was_aimed_at() -> None:
    text = report._section("serve", {"title": "Servers.", "results": results()})
    assert text.count("**two: median (extremes); ratio to a; 2 rounds**") == 1
    assert "| lost, requests | 0 | 2; 2 reset | 0 |" in text
    assert "- an edit: MISSED: c has no figure." in text
    assert "- an edit: reached: b takes 0.33× of a" in text
