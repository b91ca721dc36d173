"""A small client of the language server protocol, for what an editor would ask pyright."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


class LanguageServer:
    """``pyright-langserver`` for one directory, spoken to over its standard input and output."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pyright.langserver", "--stdio"],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        folder = {"uri": directory.as_uri(), "name": "project"}
        self.ask(
            "initialize",
            processId=None,
            rootUri=directory.as_uri(),
            workspaceFolders=[folder],
            capabilities={"workspace": {"configuration": True, "workspaceFolders": True}},
        )
        self.tell("initialized")

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait(20)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def open(self, name: str, text: str) -> None:
        """Open a file as an editor does, with text that need not be on disk."""
        document = {"uri": (self.directory / name).as_uri(), "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def definition(self, name: str, text: str, marked: str) -> list[tuple[str, int]]:
        """File and line (from 1) that go-to-definition leads to from the end of ``marked``."""
        found = self.ask("textDocument/definition", **self._at(name, text, marked, 1)) or []
        places = found if isinstance(found, list) else [found]
        return [(_relative(place, self.directory), _line(place)) for place in places]

    def completion(self, name: str, text: str, marked: str) -> list[str]:
        """What is offered after ``marked``."""
        found = self.ask("textDocument/completion", **self._at(name, text, marked, 0))
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found)]

    def _at(self, name: str, text: str, marked: str, back: int) -> dict[str, Any]:
        before = text[: text.index(marked) + len(marked) - back]
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return {"textDocument": {"uri": (self.directory / name).as_uri()}, "position": position}

    def tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its answer; what the server asks meanwhile is answered with nothing."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" not in message:
                assert "error" not in message, message
                if message["id"] == self._number:
                    return message.get("result")
            elif "id" in message:
                items = (
                    message.get("params", {}).get("items", []) if message["method"].endswith("configuration") else []
                )
                self._send({"id": message["id"], "result": [{} for _ in items] or None})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        stream = self._process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(stream.read(length))
        return message


def _relative(place: dict[str, Any], directory: Path) -> str:
    uri: str = place.get("targetUri") or place["uri"]
    return uri.removeprefix(directory.as_uri() + "/")


def _line(place: dict[str, Any]) -> int:
    span = place.get("targetSelectionRange") or place["range"]
    return int(span["start"]["line"]) + 1
