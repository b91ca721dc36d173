"""For production: ``LIBRARY_ENV=production gunicorn wsgi:application``."""

from __future__ import annotations

from pathlib import Path

from pyautoload import AutoLoader

loader = AutoLoader.from_config(Path(__file__).parent).setup()
application = loader.resolve("config.wsgi.application")
# After Django is set up, as models ask for that. A mistake in any file shows now.
loader.eager_load()
