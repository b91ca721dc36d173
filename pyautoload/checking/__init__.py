"""Checking: what is wrong with a tree, found without running it, or by importing it in a child process.

The command line and the pytest plugin call this, and users ``find_problems``. It looks at a loader from outside.
"""

from __future__ import annotations

from pyautoload.checking.problem import Problem
from pyautoload.checking.problem_search import find_problems

__all__ = ["Problem", "find_problems"]
