"""docs/streamlit.md as printed, with Streamlit's own runner of scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import FENCE, NAMED

pytest.importorskip("streamlit", reason="Streamlit is not installed")

PAGE = Path(__file__).parent.parent / "docs/streamlit.md"
# Several runs of the script in one session, with edits between them.
SESSION = """
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from streamlit.watcher.folder_black_list import FolderBlackList

sys.path.insert(0, "")
page = AppTest.from_file("app.py", default_timeout=60)
file = Path("lab/model.py")
text = file.read_text()

def show():
    page.run()
    print("SHOWN", [item.value for item in page.markdown], [item.message.partition(". ")[0] for item in page.exception])

show()
for old, new in {edits}:
    file.write_text(text.replace(old, new))
    show()
print("SHOWN", FolderBlackList(["**/lab"]).is_blacklisted(str(file.absolute())))
"""
TRUE = "True True"
EDITS = [
    ('f"run {', 'f"try {'),
    ("LARGE = 2", "LARGE = 2\n    HUGE = 3"),
    ('f"run {', 'f"{self.size.name} {'),
    ("SMALL = 1", "SMALL = 1 / 0"),
    ("class Model:", "class Model:\n    STEP = 1\n"),
]
SHOWN = [
    (["run 1", TRUE], []),
    (["try 2", TRUE], []),
    (["run 3", TRUE], []),
    (["SMALL 4", TRUE], []),
    ([], ["reloading lab.model failed at {file}:6: ZeroDivisionError: division by zero"]),
    (["run 5", TRUE], []),
]


def test_what_a_session_holds_stays_what_it_is(tmp_path: Path) -> None:
    for match in FENCE.finditer(PAGE.read_text(encoding="utf-8")):
        if named := NAMED.match(match[3]):
            file = tmp_path / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(match[3])
    done = subprocess.run(
        [sys.executable, "-c", SESSION.replace("{edits}", repr(EDITS))],
        cwd=tmp_path / "report",
        env={**os.environ, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()  # with the traceback, which Streamlit prints
    *shown, left_alone = [line.partition(" ")[2] for line in printed if line.startswith("SHOWN")]
    assert left_alone == "True"
    file = tmp_path / "report/lab/model.py"
    assert shown == [" ".join(map(str, line)).replace("{file}", str(file)) for line in SHOWN]
