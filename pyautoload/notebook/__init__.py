"""`%load_ext pyautoload`: edits are brought in before each cell of IPython and Jupyter, and names follow.

``extension`` is what IPython calls; ``shell_session`` holds what one shell has; the others know nothing of IPython.
"""
