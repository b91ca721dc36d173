"""The model: the price as a sum of features, each times a weight (least squares)."""

from __future__ import annotations

from functools import reduce
from operator import add

from houses.features import NAMES
from houses.sums import Sums


class Model:
    """Weights, one for each feature."""

    def __init__(self, weights: list[float], count: int) -> None:
        self.weights = weights
        self.count = count

    @classmethod
    def fit(cls, parts: list[Sums]) -> Model:
        """The weights that fit the houses of all files best."""
        whole = reduce(add, parts)
        equations = [[*line, price] for line, price in zip(whole.products, whole.prices, strict=True)]
        return cls(solved(equations), whole.count)

    def __str__(self) -> str:
        terms = " + ".join(f"{weight:.1f}·{name}" for name, weight in zip(NAMES, self.weights, strict=True))
        return f"price = {terms} ({self.count} houses)"


def solved(lines: list[list[float]]) -> list[float]:
    """The solution of linear equations, by Gauss and Jordan."""
    for at in range(len(lines)):
        best = max(range(at, len(lines)), key=lambda line: abs(lines[line][at]))
        lines[at], lines[best] = lines[best], lines[at]
        lines[at] = [value / lines[at][at] for value in lines[at]]
        for other in range(len(lines)):
            if other != at:
                factor = lines[other][at]
                lines[other] = [a - factor * b for a, b in zip(lines[other], lines[at], strict=True)]
    return [line[-1] for line in lines]
