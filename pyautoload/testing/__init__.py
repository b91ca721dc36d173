"""Tests that answer as you save: ``pyautoload test``.

pytest runs in a process of its own (``run_process``), forked from a template with the libraries where there is one. In
it, ``plugin`` tells the ``recorder`` whose turn it is: a test, a fixture that several tests share, a file that is
being collected. What each of them used is kept in the ``recording``. After an edit, ``facts`` says of each file what
differs, ``edges`` which files took values from which, and ``selection`` which tests that concerns. ``session`` does
this, ``running`` once or at each save; ``report`` tells.

Nothing here is imported by the rest of the package but by the command line.
"""
