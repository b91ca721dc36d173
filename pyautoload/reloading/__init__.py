"""Reloading: bring what is loaded up to date with what is on disk. Imported only when reloading is enabled.

The loader calls ``reloader``, and whoever serves requests ``gate``. From the top down, each line knows those below it,
and nothing above it, which ``make lint`` checks.

- ``reloader``: the one object that a loader delegates to.
- ``applying/``: all of a plan or nothing: bodies are patched, modules run again, and old objects take what is new.
- ``watching/``: events of the file system, or looking, where there are none.
- ``dependencies/``: who imports whom, and who used what has changed.
- ``planning/``: from files that may have changed to what is to be reloaded.
- ``records/``: what is kept of each loaded module.
- ``objects/``: functions, classes and values that keep their identity.
- ``code/``: what code objects say.
- ``gate``, ``interrupts``, ``restart``, ``result``: where requests and reloads wait for each other; whose exception it
  is; what a reload tells.
"""
