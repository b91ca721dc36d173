"""``from pyautoload.serving.asgi import ReloadMiddleware``: the middleware for ASGI, where programs look for it."""

from pyautoload.serving.middleware.asgi_middleware import ReloadMiddleware

__all__ = ["ReloadMiddleware"]
