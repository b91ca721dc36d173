"""The README is true: its blocks run as they stand and print what it says, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from doc_blocks import Page

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_block_of_the_readme_does_what_the_readme_says(tmp_path: Path) -> None:
    page = Page(README, tmp_path)
    page.run()
    assert page.checked >= 10


def test_the_readme_links_only_to_what_is_there() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []
