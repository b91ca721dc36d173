"""What a browser gets when a request fails in the program: the error, on a page that reloads when it is fixed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyautoload.serving.page.error_page import closed_page, error_page
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.injection import Headers
from pyautoload.serving.page.response_headers import OF_ALL, OF_PAGES
from pyautoload.serving.page.visitor import Visitor

if TYPE_CHECKING:
    from pyautoload.serving.middleware.base import Middleware

__all__ = ["crash_page", "response"]


def crash_page(middleware: Middleware, method: str, mount: str, visitor: Visitor, error: BaseException) -> bytes | None:
    """The page for a request that failed.

    Args:
        middleware: ours, around the program.
        method: of the request.
        mount: the path below which the application is.
        visitor: who asks.
        error: what the program raised.

    Returns:
        HTML, or ``None`` where no page was asked for, or pages are not to show errors.
    """
    pages = middleware.pages
    if not pages.overlay or not pages.asks_for_a_page(method, visitor):
        return None
    if not pages.guard.lets_in(visitor):
        return closed_page("Internal Server Error", pages.guard.hint, "")
    script = middleware.script(mount, visitor).element("").decode()
    directory = os.getcwd()
    failure = Failure.of(error, directory)
    return error_page(failure.summary, failure.headline(directory), failure, "", script)


def response(page: bytes | None) -> tuple[Headers, bytes]:
    """Headers and body of the answer to a request that failed.

    Args:
        page: ``None`` where no page was asked for: a word will do then.
    """
    kind, more = ("text/html", OF_PAGES) if page is not None else ("text/plain", [])
    body = page if page is not None else b"Internal Server Error"
    return [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body))), *OF_ALL, *more], body
