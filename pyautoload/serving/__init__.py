"""Development servers: middleware that reloads between requests, and what ``pyautoload serve`` is made of.

``pyautoload.serving.wsgi.ReloadMiddleware`` and ``pyautoload.serving.asgi.ReloadMiddleware`` need no server library;
nothing here is imported before it is asked for.
"""
