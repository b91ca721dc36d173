"""The processes of ``pyautoload serve``: a supervisor that holds the socket, a worker that serves, and what they say.

Only the command line calls this, and the supervisor, which starts ``python -m pyautoload.serving.server.worker``.
"""
