"""The documentation is true: every block runs, every page is reachable, every link leads somewhere, the site builds."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import Page, blocks

pytestmark = pytest.mark.once

PROJECT = Path(__file__).resolve().parent.parent
DOCS = PROJECT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
# A page whose blocks are pieces of one program → the files that it is about, and how the program begins.
PROGRAMS = {
    "reloading.md": (
        {
            "myapp/models/user.py": "class User: ...\n",
            "myapp/db.py": "def connect(): ...\n",
            "myapp/web.py": "from myapp import db\nfrom myapp.models import User\n\n\nclass Web(User): ...\n",
        },
        "import importlib\n\nrequest = 'GET /'\n\n\ndef handle(request):\n    importlib.import_module('myapp.web')\n",
    )
}

# A page about a framework → that.
FRAMEWORKS = {
    "celery.md": "celery",
    "clusters.md": "distributed",
    "command-line-tools.md": "click",
    "django.md": "django",
    "fastapi.md": "fastapi",
    "flask.md": "flask",
    "tutorial.md": "flask",
}


@pytest.mark.parametrize("name", [name for name in PAGES if name not in PROGRAMS])
def test_every_block_does_what_the_page_says(name: str, tmp_path: Path) -> None:
    if name in FRAMEWORKS:
        pytest.importorskip(FRAMEWORKS[name], reason=f"the page needs {FRAMEWORKS[name]}")
    Page((DOCS / name).read_text(encoding="utf-8"), tmp_path).run()


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_blocks_of_a_page_are_one_program_that_runs(name: str, tmp_path: Path) -> None:
    files, beginning = PROGRAMS[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    found = blocks((DOCS / name).read_text(encoding="utf-8"))
    pieces = [beginning, *(block.source for block in found if block.language == "python")]
    program = "```python\n# main.py\n" + "\n\n".join(pieces) + "```\n"
    Page(program, tmp_path).run()


def test_every_page_is_in_the_navigation_and_the_other_way_round() -> None:
    listed = re.findall(r"[\w-]+\.md", (PROJECT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2])
    assert sorted(listed) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages_and_headings_that_exist(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        page, _, heading = target.partition("#")
        path = DOCS / (page or name)
        assert path.is_file(), f"{name} links to {target}"
        if heading:
            assert heading in headings(path), f"{name} links to {target}"


def test_the_map_names_files_that_exist() -> None:
    text = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
    the_map = text.partition("## The folders")[2].partition("## Words")[0]
    named = set(re.findall(r"`([\w/]+(?:\.py|\.js|/))`", the_map)) | set(
        re.findall(r'\["([\w/]+(?:\.py|/))<br/>', the_map)
    )
    assert len(named) > 40
    # A name without a directory is that of one file, in the folder that the sentence is about.
    places = (PROJECT / "pyautoload").rglob("*.py")
    there = {path.name for path in places}
    assert [name for name in sorted(named) if name not in there and not (PROJECT / "pyautoload" / name).exists()] == []


def headings(path: Path) -> set[str]:
    """The anchors of a page, as Python-Markdown makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in found]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("the site needs pip install 'pyautoload[docs]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "site" / "api" / "index.html").read_text(encoding="utf-8")
    assert "eager_load_namespace" in reference
