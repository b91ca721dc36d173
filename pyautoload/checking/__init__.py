"""Checking: what is wrong with a tree, found without running it, or by importing it in a child process."""

from __future__ import annotations

from pyautoload.checking.problem import Problem
from pyautoload.checking.problem_search import find_problems

__all__ = ["Problem", "find_problems"]
