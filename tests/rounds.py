"""How often a random test is tried: a few times in the ordinary suite, thousands of times when that is asked for."""

from __future__ import annotations

import os

__all__ = ["ON_DEMAND", "rounds"]

# The variable has a number: how many times the usual count. `PYAUTOLOAD_FUZZ=1` tries each as often as is published.
ON_DEMAND = "PYAUTOLOAD_FUZZ" in os.environ


def rounds(few: int, many: int) -> int:
    """How often.

    Args:
        few: in the ordinary suite.
        many: where ``PYAUTOLOAD_FUZZ`` is set, times its number.
    """
    return int(many * float(os.environ["PYAUTOLOAD_FUZZ"] or 1)) if ON_DEMAND else few
