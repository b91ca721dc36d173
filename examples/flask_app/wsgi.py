"""For production: ``gunicorn wsgi:app``."""

from __future__ import annotations

from pathlib import Path

from pyautoload import AutoLoader

loader = AutoLoader.from_config(Path(__file__).parent).setup()
# A mistake in any file shows at the start, and no visitor waits for a file to load.
loader.eager_load()
app = loader.resolve("notes.web.create_app")()
