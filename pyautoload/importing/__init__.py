"""The import machinery: finding, loading, and access to what a namespace holds.

Python calls the finder, the loaders and the hooks in packages. ``lifecycle.py`` installs them, ``reloading/`` and
``bundles/`` use the loader and the binder, ``AutoLoader`` loads by ``explicit_loading.py``. A loader is known
here by its tree and its binder.
"""
