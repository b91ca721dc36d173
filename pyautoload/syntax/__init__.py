"""Syntax: what source text says of itself, before anything runs: imports, conditions, names that are bound.

Whoever reads the source of others calls it: ``checking/``, ``stubs/``, ``lazy/``, ``reloading/code/``.
"""
