"""Sockets are handed to the process that is started, as far as the system lets them: by number, or shared."""

import json
import socket

import pytest
from served import Served

from pyautoload.serving.server import process_start
from pyautoload.serving.server.listening_socket import listen
from pyautoload.serving.server.socket_handover import Handing

CHILD = """
    import json, os
    from pyautoload.serving.server.socket_handover import received

    sockets = received(json.loads(os.environ["TICKET"]))
    assert not any(each.get_inheritable() for each in sockets.values())
    sockets["channel"].sendall(b"ready")
    sockets["listener"].setblocking(True)
    connection, _ = sockets["listener"].accept()
    connection.sendall(b"from the child")
    connection.close()
"""


def test_a_child_accepts_on_a_socket_that_it_was_handed(tree, monkeypatch):
    base = tree({"child_that_accepts.py": CHILD})
    monkeypatch.setattr(process_start, "_MODULE", "child_that_accepts")
    monkeypatch.chdir(base)
    listener, (mine, its) = listen("127.0.0.1", 0), socket.socketpair()
    starter = process_start.Starter(lambda: None, warm=False)
    with listener, mine:
        with its, Handing({"listener": listener, "channel": its}) as handing:
            process = starter.start({"TICKET": json.dumps(handing.ticket)}, handing.descriptors)
            handing.over_to(process.pid)
        assert not listener.get_inheritable()
        mine.settimeout(60)
        assert mine.recv(100) == b"ready"
        with socket.create_connection(listener.getsockname(), timeout=60) as client:
            assert client.recv(100) == b"from the child"
        assert process.wait(60) == 0


def test_a_program_is_served_edited_and_restarted(tree):
    pytest.importorskip("click")
    pytest.importorskip("werkzeug")
    base = tree(
        {
            "pyproject.toml": """
                [tool.pyautoload]
                roots = ["app"]
                do_not_reload = ["app/db.py"]
            """,
            "app/db.py": "NAME = 'db 1'",
            "app/web.py": """
                from app.db import NAME

                def word():
                    return "word 1"

                def application(environ, start_response):
                    start_response("200 OK", [])
                    return [f"{word()}, {NAME}".encode()]
            """,
        }
    )
    with Served(base, "app.web:application") as server:
        assert server.ready().get().text == "word 1, db 1"
        server.edit("app/web.py", "word 1", "word 2")
        server.shows("word 2, db 1")
        server.edit("app/db.py", "db 1", "db 2")
        server.shows("word 2, db 2")
        assert server.started == 2
