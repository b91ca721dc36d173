"""Middleware for WSGI and ASGI: a reload between requests, and the script in each page.

Programs import it as ``pyautoload.serving.wsgi`` and ``pyautoload.serving.asgi``; ``server/`` puts it around what
it serves.
"""
