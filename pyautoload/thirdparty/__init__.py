"""What stands behind ``pyautoload.load``: modules, objects and files by name, also of distributions that are missing.

Only ``pyautoload`` itself calls this, when ``load`` is first used. It knows nothing of loaders and their trees.
"""
