"""What is in a file: one house a line."""

from __future__ import annotations

import csv
import io


def rows(text: str) -> list[dict[str, float]]:
    """The lines of a CSV file, each as column → number."""
    return [{name: float(value) for name, value in line.items()} for line in csv.DictReader(io.StringIO(text))]
