"""``pyautoload mcp``, asked by the client of the ``mcp`` package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from served import served

pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")

from mcp import ClientSession, StdioServerParameters  # noqa: E402
from mcp.client.stdio import stdio_client  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.skipif(os.name == "nt", reason="Unix sockets")]

FILES = {
    "pyproject.toml": "[tool.pyautoload]\nroots = ['shop']\n",
    "shop/order.py": "class Order:\n    def total(self):\n        return 3\n",
    "shop/item.py": "class Item:\n    price = 2\n",
    "tests/test_order.py": "from shop import Order\n\ndef test_total():\n    assert Order().total() == 3\n",
    "tests/test_item.py": "from shop import Item\n\ndef test_price():\n    assert Item.price == 2\n",
    "shop/web.py": (
        "import shop\n\ndef app(environ, start_response):\n    text = str(shop.Order().total()).encode()\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [text]\n"
    ),
}
Call = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path, name, text)
    return tmp_path


def write(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def talk(directory: Path, conversation: Callable[[Call], Coroutine[Any, Any, None]]) -> None:
    """Start ``pyautoload mcp`` in a directory, and have a conversation with it."""

    async def main() -> None:
        command = StdioServerParameters(
            command=sys.executable, args=["-m", "pyautoload", "mcp"], cwd=str(directory), env=dict(os.environ)
        )
        async with stdio_client(command) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            listed = await session.list_tools()
            assert {tool.name for tool in listed.tools} == {"sync", "tests", "problems", "explain", "check"}

            async def call(name: str, **arguments: Any) -> dict[str, Any]:
                result = await session.call_tool(name, arguments)
                content: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
                return content

            await conversation(call)

    anyio.run(main)


def test_without_a_running_command_it_says_what_to_start_and_reads_the_files(project: Path) -> None:
    async def conversation(call: Call) -> None:
        assert "pyautoload test" in (await call("sync"))["error"]
        assert "pyautoload test" in (await call("tests"))["error"]
        assert "pyautoload serve" in (await call("problems"))["error"]
        found = await call("explain", subject="shop.Order")
        assert found["found"]
        assert found["file"] == str(project / "shop" / "order.py")
        write(project, "shop/bad.py", "from shop import Nobody\n\nclass Bad: ...\n")
        assert "unknown-name" in [each["kind"] for each in (await call("check"))["problems"]]
        write(project, "pyproject.toml", "")
        assert "tool.pyautoload" in (await call("check"))["error"]

    talk(project, conversation)


def test_sync_says_how_the_affected_tests_came_out(project: Path) -> None:
    async def conversation(call: Call) -> None:
        first = (await call("sync"))["test"]  # waits for the first run
        assert first["counts"]["passed"] == 2
        assert first["failing"] == []
        write(project, "shop/order.py", FILES["shop/order.py"].replace("3", "4"))
        told = (await call("sync"))["test"]
        assert told["reloaded"] == [str(project / "shop" / "order.py")]
        assert list(told["selected"]) == ["tests/test_order.py::test_total"]
        assert [each["id"] for each in told["failed"]] == told["failing"] == ["tests/test_order.py::test_total"]
        assert "assert 4 == 3" in told["failed"][0]["longrepr"]
        again = (await call("sync"))["test"]
        assert (again["reloaded"], again["failed"]) == ([], [])
        assert again["failing"] == ["tests/test_order.py::test_total"]
        assert [each["id"] for each in (await call("tests"))["tests"]] == ["tests/test_order.py::test_total"]
        found = await call("tests", pattern="*price", failed=False, run=True)
        assert [(each["id"], each["outcome"]) for each in found["tests"]] == [
            ("tests/test_item.py::test_price", "passed")
        ]
        assert (await call("sync"))["test"]["counts"]["passed"] == 1
        write(project, "shop/item.py", "class (\n")
        broken = (await call("sync"))["test"]
        assert list(broken["broken"]) == [str(project / "shop" / "item.py")]
        problems = (await call("problems"))["test"]
        assert list(problems["broken"]) == [str(project / "shop" / "item.py")]
        assert [each["id"] for each in problems["failing"]] == ["tests/test_order.py::test_total"]
        write(project, "shop/item.py", FILES["shop/item.py"])
        write(project, "shop/order.py", FILES["shop/order.py"])
        assert (await call("sync"))["test"]["failing"] == []
        assert (await call("problems"))["test"] == {"broken": {}, "failing": []}

    command = [sys.executable, "-m", "pyautoload", "test", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()  # it is there, and asked where it is
            talk(project, conversation)
        finally:
            process.kill()


def test_sync_says_what_a_server_reloaded_and_which_requests_raised(project: Path) -> None:
    order = FILES["shop/order.py"]
    with served(project, "shop.web:app") as server:

        async def conversation(call: Call) -> None:
            assert server.get().text == "3"
            assert (await call("sync"))["serve"]["raised"] == []
            write(project, "shop/order.py", order.replace("3", "4"))
            told = (await call("sync"))["serve"]
            assert told["reloads"][-1]["changed"] == ["shop.order"]
            assert server.get().text == "4"
            write(project, "shop/order.py", order.replace("return 3", "raise ValueError('no')"))
            assert (await call("sync"))["serve"]["failing"] is None
            assert server.get().status == 500
            raised = (await call("sync"))["serve"]["raised"]
            assert any("ValueError: no" in each.get("error", "") for each in raised)
            assert {"request": "GET /", "status": 500} in raised
            write(project, "shop/order.py", "class (\n")
            broken = (await call("sync"))["serve"]
            assert broken["failing"]["errors"][0]["place"] == f"{project / 'shop' / 'order.py'}:1"
            assert (await call("problems"))["serve"]["failing"] == broken["failing"]
            write(project, "shop/order.py", order.replace("3", "5"))
            assert (await call("sync"))["serve"]["failing"] is None
            assert server.get().text == "5"
            # What asks for another process is applied, too, when the answer comes.
            write(project, "pyproject.toml", FILES["pyproject.toml"] + "do_not_eager_load = []\n")
            assert (await call("sync"))["serve"]["restarts"]
            assert server.get().text == "5"

        talk(project, conversation)


def test_sync_waits_for_a_program_that_did_not_start_and_does_after_the_edit(project: Path) -> None:
    write(project, "shop/web.py", "raise ValueError\n")
    with served(project, "shop.web:app") as server:

        async def conversation(call: Call) -> None:
            first = (await call("sync"))["serve"]
            assert "ValueError" in first["failing"]["errors"][0]["error"]
            write(project, "shop/web.py", FILES["shop/web.py"])
            assert (await call("sync"))["serve"]["failing"] is None
            assert server.get().text == "3"

        talk(project, conversation)
