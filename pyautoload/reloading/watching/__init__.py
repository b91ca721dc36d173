"""Watching: learns that files may have changed, from events or by looking, and keeps the state of that.

Only ``reloader`` calls it. What it finds it hands on as a batch; whether anything has really changed is for
``planning/`` to say.
"""
