"""Programs that know nothing of PyAutoload: ``live()``, ``pyautoload run --live`` and ``pyautoload run --lazy``.

The command line calls ``live_program`` and ``lazy_program``; users, and ``notebook/``, call ``live_edits``.
"""
