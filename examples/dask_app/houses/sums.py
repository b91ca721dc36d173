"""What is kept of a file: enough for the model, and no more for a million lines than for ten."""

from __future__ import annotations

from houses.features import features
from houses.rows import rows


class Sums:
    """Sums over some houses: of products of features, of these with the price, and of squared prices."""

    def __init__(self, products: list[list[float]], prices: list[float], count: int) -> None:
        self.products = products
        self.prices = prices
        self.count = count

    @classmethod
    def of(cls, text: str) -> Sums:
        """The sums of one file: this is what runs on the workers."""
        pairs = [(features(row), row["price"]) for row in rows(text)]
        size = range(len(pairs[0][0]))
        products = [[sum(found[i] * found[j] for found, _ in pairs) for j in size] for i in size]
        return cls(products, [sum(found[i] * price for found, price in pairs) for i in size], len(pairs))

    def __add__(self, other: Sums) -> Sums:
        pairs = zip(self.products, other.products, strict=True)
        products = [added(first, second) for first, second in pairs]
        return Sums(products, added(self.prices, other.prices), self.count + other.count)


def added(first: list[float], second: list[float]) -> list[float]:
    """The sums of two lists' numbers."""
    return [a + b for a, b in zip(first, second, strict=True)]
