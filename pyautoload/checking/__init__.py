"""Checking: what is wrong with a tree, found without running it, or by importing it in a child process."""

from __future__ import annotations

from pyautoload.checking.check import find_problems
from pyautoload.checking.problem import Problem

__all__ = ["Problem", "find_problems"]
