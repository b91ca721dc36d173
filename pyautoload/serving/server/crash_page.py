"""What a browser gets when a request fails in the program: the error, on a page that reloads when it is mended."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyautoload.serving.page.access import is_loopback
from pyautoload.serving.page.error_page import error_page
from pyautoload.serving.page.failure import Failure

if TYPE_CHECKING:
    from pyautoload.serving.middleware.base import Middleware

__all__ = ["crash_page"]


def crash_page(
    middleware: Middleware, method: str, mount: str, client: str | None, names: frozenset[str],
    header: Callable[[str], str | None], error: BaseException,
) -> bytes | None:  # fmt: skip
    """The page for a request that failed.

    Args:
        middleware: ours, around the program.
        method: of the request.
        mount: the path below which the application is.
        client: the address of the connection.
        names: the names of the request's headers.
        header: gives the value of one.
        error: what the program raised.

    Returns:
        HTML, or ``None`` where no page was asked for, or pages are not to show errors.
    """
    pages = middleware.pages
    if not pages.overlay or not pages.wants(method, header):
        return None
    script = middleware.script(mount).element("").decode()
    if not is_loopback(client, names):
        return error_page("Error", "Internal Server Error", "", "", script)
    directory = os.getcwd()
    failure = Failure.of(error, directory)
    return error_page(failure.summary, failure.headline(directory), failure.trace, "", script)
