"""Send a task by its name and wait for what it gives: ``python send.py jobs.tasks.greet.greet Ann``."""

from __future__ import annotations

import sys

from celery_app import app

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(app.send_task(name, arguments).get(timeout=60))
