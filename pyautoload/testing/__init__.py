"""Tests that answer as you save: ``pyautoload test``.

pytest runs in a process of its own (``run_process`` starts it, ``pytest_child`` is it), forked from a template with
the libraries where there is one. In it, ``plugin`` tells the ``recorder`` whose turn it is: a test, a fixture that
several tests share, a file that is being collected. What each of them used is kept in the ``recorded_dependencies``.
After an edit, ``source_summary`` says of each file what differs, ``value_dependencies`` which files took values from
which, and ``selection`` which tests that concerns. ``run_session`` does this, ``running`` once or at each save;
``run_report`` tells.

Nothing here is imported by the rest of the package but by the command line.
"""
