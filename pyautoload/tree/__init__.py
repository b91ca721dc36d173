"""What is managed: roots and patterns, names and the files behind them. No module is imported here, no file run.

``importing/``, ``reloading/``, ``checking/`` and ``stubs/`` ask ``ManagedTree``; the rest of this folder serves it.
"""
