"""All the wiring there is: which directory, and the few rules that differ from the convention."""

from __future__ import annotations

from pathlib import Path

from pyautoload import AutoLoader

loader = (
    AutoLoader(Path(__file__).parent / "blog")
    # models/concerns/sluggable.py is blog.models.Sluggable.
    .collapse("*/concerns")
    # db.py defines Database. (html_renderer.py needs no rule.)
    .inflect({"db": "Database"})
    # Sample data is nothing for production.
    .do_not_eager_load("tasks")
    .setup()
)
