"""What is not a request is told so, in the same few words whatever it says."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

from pyautoload.serving.page.response_headers import OF_ALL

__all__ = ["PlainRefusals"]


class PlainRefusals(BaseHTTPRequestHandler):
    """A handler of requests that neither repeats what it refuses, nor writes it into a terminal."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what cannot be answered."""
        body = b"This is not a request that can be answered."
        self.send_response(code)
        length = ("Content-Length", str(len(body)))
        for name, value in (("Content-Type", "text/plain; charset=utf-8"), length, *OF_ALL, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)
