"""For a WSGI server (``gunicorn wsgi:app``), and for a look in a browser: ``python wsgi.py``."""

from __future__ import annotations

import autoload
import blog

app = blog.Application()

if __name__ == "__main__":
    blog.tasks.Seed(app.database.session).run()
    app.database.release()
    app.run(port=5050)
else:
    # In production a mistake in any file shows here, and no visitor waits for a file to load.
    autoload.loader.eager_load()
