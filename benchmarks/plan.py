"""What a run of the benchmarks is given: how many rounds, how large the trees, where to put them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Group, Result, measure
from benchmarks.process import HERE
from benchmarks.trees import Tree, generated

WORK = HERE / ".work"


@dataclass
class Plan:
    """The settings of one run.

    Attributes:
        sizes: modules of the small, the usual and the large tree.
        cold: whether the rounds with an empty page cache are made, too.
        ruby: whether Zeitwerk is measured where it is installed.
        real: whether a real code base is measured where it is installed.
    """

    rounds: int = 5
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    work: Path = WORK
    cold: bool = True
    ruby: bool = True
    real: bool = True
    started: float = field(default_factory=time.time)
    say: Callable[[str], None] = field(default=lambda message: None)

    @property
    def usual(self) -> int:
        """The size that most figures are given for: 10,000 modules."""
        return self.sizes[min(1, len(self.sizes) - 1)]

    @property
    def edited(self) -> tuple[int, ...]:
        """The sizes of the trees that are edited while they are loaded: 1,000, 5,000 and 10,000 modules."""
        if self.sizes == (1_000, 10_000, 100_000):
            return (1_000, 5_000, 10_000)
        return tuple(max(size, 100) for size in self.sizes if size <= 10_000) or (1_000,)

    @property
    def large(self) -> int:
        return self.sizes[-1]

    def tree(self, modules: int, *, mirror: bool = False) -> Tree:
        """The generated tree of that size; made if it is not there yet."""
        self.say(f"tree of {modules:,} modules")
        return generated(self.work, modules, mirror=mirror and self.ruby)

    def measure(self, group: Group) -> list[Result]:
        return measure(group, self.rounds, self.say)
