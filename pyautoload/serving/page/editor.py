"""Links that open a file at a line in the editor of the one who started the server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import quote

__all__ = ["editor_link"]

ENVIRONMENT = "PYAUTOLOAD_EDITOR"
# The name of an editor → what its links look like.
_EDITORS = {
    "vscode": "vscode://file{file}:{line}",
    "code": "vscode://file{file}:{line}",
    "vscodium": "vscodium://file{file}:{line}",
    "cursor": "cursor://file{file}:{line}",
    "windsurf": "windsurf://file{file}:{line}",
    "zed": "zed://file{file}:{line}",
    "pycharm": "pycharm://open?file={file}&line={line}",
    "idea": "idea://open?file={file}&line={line}",
    "sublime": "subl://open?url=file://{file}&line={line}",
    "textmate": "txmt://open?url=file://{file}&line={line}",
    "macvim": "mvim://open?url=file://{file}&line={line}",
    "emacs": "emacs://open?url=file://{file}&line={line}",
}


def editor_link(file: str, line: int | None, environment: Mapping[str, str] = os.environ) -> str:
    """The link; empty where there is no such file to open.

    Args:
        file: an absolute path.
        line: 1 where it is not known.
        environment: ``PYAUTOLOAD_EDITOR`` has the name of an editor, or a link with ``{file}`` and ``{line}``, or
            ``none``; else the terminal of an editor is known by what it sets, and VS Code is taken.
    """
    if not os.path.isabs(file):
        return ""
    form = _form(environment)
    path = quote(file.replace(os.sep, "/").encode("utf-8", "surrogateescape"), safe="/:")
    path = path if path.startswith("/") else f"/{path}"  # a drive of Windows
    return form.replace("{file}", path).replace("{line}", str(line or 1))


def _form(environment: Mapping[str, str]) -> str:
    wanted = environment.get(ENVIRONMENT, "").strip()
    if wanted.lower() == "none":
        return ""
    if "{file}" in wanted:
        # A link that is a script would run in the page.
        return "" if wanted.lower().startswith(("javascript:", "data:", "vbscript:")) else wanted
    if wanted.lower() in _EDITORS:
        return _EDITORS[wanted.lower()]
    if "PYCHARM_HOSTED" in environment or environment.get("TERMINAL_EMULATOR", "").startswith("JetBrains"):
        return _EDITORS["pycharm"]
    if "CURSOR_TRACE_ID" in environment:
        return _EDITORS["cursor"]
    return _EDITORS["zed" if environment.get("ZED_TERM") else "vscode"]
