"""``from pyautoload.serving.wsgi import ReloadMiddleware``: the middleware for WSGI, where programs look for it."""

from pyautoload.serving.middleware.wsgi_middleware import ReloadMiddleware

__all__ = ["ReloadMiddleware"]
