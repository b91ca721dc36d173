"""The README is true: its blocks run as they stand and print what it says, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
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


def test_on_the_package_index_every_link_is_absolute() -> None:
    pytest.importorskip("hatchling", reason="it builds the package")
    spec = importlib.util.spec_from_file_location("hatch_build", PROJECT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    page = build.for_the_index(README, "https://example.org/us/it", "v1.0")
    targets = re.findall(r"\]\(([^)]+)", page)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "(https://example.org/us/it/blob/v1.0/docs/rules.md)" in page
    assert "(https://example.org/us/it/raw/v1.0/docs/images/serve.svg)" in page
