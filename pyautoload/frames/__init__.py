"""Frames: who called, and whose lines a traceback or a warning names, as the stack of the thread shows.

``importing/``, ``lazy/``, ``checking/``, ``profiling.py`` and ``AutoLoader`` ask here; it knows none of them.
"""
