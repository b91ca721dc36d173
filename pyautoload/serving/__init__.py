"""Development servers: middleware that reloads between requests, and what ``pyautoload serve`` is made of.

``pyautoload.serving.wsgi``, ``.asgi`` and ``.celery`` are what programs import; they need no server library. The
folders from the top down, each knows only those below it:

- ``server/``: the processes of ``pyautoload serve``, called by the command line only;
- ``middleware/``: what stands around an application, for programs that bring a server of their own;
- ``application/``: the application that answers, and its successor after a reload;
- ``frameworks/``: what Django and Celery remember of modules;
- ``page/``: what a browser gets from us.

Nothing here is imported before it is asked for.
"""
