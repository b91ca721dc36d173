"""Installing what ``load`` misses: only what the user named, from where the user said, all of it or nothing.

``thirdparty/load.py`` calls this once ``load.allow_install`` was called.
"""
