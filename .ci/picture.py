"""Make docs/images/serve.svg: a session of ``pyautoload serve`` as it was printed.

python .ci/picture.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from rich.console import Console
from rich.text import Text

PROJECT = Path(__file__).resolve().parent.parent
PICTURE = PROJECT / "docs" / "images" / "serve.svg"
FILES = {
    "shop/models/order.py": "class Order:\n    def total(self) -> int:\n        return 40\n",
    "shop/web.py": (
        "from flask import Flask\n\nfrom shop.models import Order\n\napp = Flask(__name__)\n\n\n"
        '@app.get("/")\ndef home() -> str:\n    return f"total: {Order().total()}\\n"\n'
    ),
}
ORDER, WEB = "shop/models/order.py", "shop/web.py"
# The file, what is replaced in it by what, and what the page says then.
EDITS = [
    (ORDER, "return 40", "return 42", "total: 42"),
    (ORDER, "return 42", "return 2 *", "total: 42"),
    (ORDER, "return 2 *", "return 2 * 22", "total: 44"),
    (WEB, '@app.get("/")', '@app.get("/total")\n@app.get("/")', "total: 44"),
]


def main() -> None:
    """Run the session in a directory of its own, and draw it."""
    with tempfile.TemporaryDirectory() as name:
        lines = session(Path(name))
    console = Console(record=True, width=96, file=open(os.devnull, "w", encoding="utf-8"), force_terminal=True)  # noqa: SIM115
    for line in lines:
        console.print(line)
    svg = console.export_svg(title="pyautoload serve")
    # The picture loads nothing: it is drawn with what monospaced font there is.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


def session(directory: Path) -> list[Text]:
    """The lines of a session: the server's own, and between them what was edited."""
    for path, text in FILES.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pyautoload", "serve", "shop.web:app", "--root", "shop", "--port", "0"]
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=output)
    try:
        address = waited(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8")))[0]
        lines = [Text("$ pyautoload serve shop.web:app --root shop", style="bold"), *taken(log, 0)]
        for path, before, after, shown in EDITS:
            ask(address)
            time.sleep(0.8)
            seen = len(log.read_text("utf-8"))
            file = directory / path
            file.write_text(file.read_text("utf-8").replace(before, after), encoding="utf-8")
            waited(lambda shown=shown: shown in ask(address))
            time.sleep(1.5)
            lines += [
                Text(
                    f"\n# {path}: {before} → {after!r}" if "\n" in after else f"\n# {path}: {before} → {after}",
                    style="dim",
                ),
                *taken(log, seen),
            ]
        return [
            Text.from_ansi(line.replace(address, "http://127.0.0.1:8000")) if isinstance(line, str) else line
            for line in lines
        ]
    finally:
        process.terminate()
        process.wait()


def taken(log: Path, seen: int) -> list[str]:
    """What the server has printed since, but for requests that were asked over and over."""
    found: list[str] = []
    for line in log.read_text("utf-8")[seen:].splitlines():
        if line.strip() and " GET " not in line:
            found.append(line)
    return found


def ask(address: str) -> str:
    """The page, or the error page."""
    try:
        with urllib.request.urlopen(address) as answer:
            return str(answer.read(), "utf-8")
    except urllib.error.HTTPError as error:
        return str(error.read(), "utf-8")


def waited(condition):
    """What a condition gives as soon as it is true."""
    for _ in range(300):
        if found := condition():
            return found
        time.sleep(0.1)
    raise TimeoutError(condition)


if __name__ == "__main__":
    main()
