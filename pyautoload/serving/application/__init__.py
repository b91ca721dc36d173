"""The application that answers: named or made, recreated when its code changes, and changed over to while requests run.

``middleware/`` calls this, and ``server/`` for the application that the command line names.
"""
