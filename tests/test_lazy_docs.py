"""The Python blocks of the pages on lazy exports and load run and print what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_readme import PROJECT, blocks, run


@pytest.mark.parametrize("page", ["lazy-exports.md", "load.md"])
def test_every_python_block_runs_and_prints_what_it_says(page: str, tmp_path: Path) -> None:
    ran = 0
    for number, block in enumerate(blocks((PROJECT / "docs" / page).read_text(encoding="utf-8"))):
        path = tmp_path / (block.file or f"block{number}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.source, encoding="utf-8")
        if path.parent == tmp_path:
            output = run(path, tmp_path)
            ran += 1
            assert block.output == output
    assert ran
