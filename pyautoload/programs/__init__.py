"""Programs that know nothing of PyAutoload: ``live()``, and ``pyautoload run``, live or lazy.

The command line calls ``run_program``, which calls the other two; users, and ``notebook/``, call ``live_edits``.
"""
