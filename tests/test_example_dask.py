"""The example of a pipeline on Dask: it is edited while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Running, copied, ran

pytest.importorskip("distributed", reason="distributed is not installed")
pytestmark = pytest.mark.once


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return copied("dask_app", tmp_path)


def test_it_prints_the_model(pipeline: Path) -> None:
    assert "price = -6.0·1 + 2.7·area (12 houses)" in ran(pipeline, "pipeline.py", "--once").stdout


def test_an_edit_is_in_the_next_model(pipeline: Path) -> None:
    with Running(pipeline, "pipeline.py") as running:
        running.printed("12 houses")
        text = (pipeline / "houses/features.py").read_text(encoding="utf-8")
        text = text.replace('"area")', '"area", "rooms")').replace('row["area"]]', 'row["area"], row["rooms"]]')
        running.write("houses/features.py", text)
        running.printed(r"·rooms \(12 houses\)")
