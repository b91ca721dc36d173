"""``from pyautoload.serving.celery import reload_tasks``: Celery workers in development, where programs look for it."""

from pyautoload.serving.frameworks.celery_worker import reload_tasks

__all__ = ["reload_tasks"]
