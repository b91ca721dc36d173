"""What a worker runs: ``celery -A worker worker --pool threads``."""

from __future__ import annotations

import os
from pathlib import Path

from celery_app import app
from pyautoload import AutoLoader
from pyautoload.serving.celery import reload_tasks

loader = AutoLoader.from_config(Path(__file__).parent).setup()
if os.environ.get("JOBS_ENV") == "development":
    reload_tasks(app, loader, "jobs.tasks")
else:
    loader.eager_load()
