"""What frameworks remember of modules and have to forget after a reload: Django's caches, the tasks of Celery.

``application/`` and ``server/`` call ``after_reload``; programs import ``pyautoload.serving.celery``.
"""
