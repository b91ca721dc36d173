"""Forms that only this site can send."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from flask import abort, request, session


class CSRFProtection:
    """Refuses a POST whose form does not carry the token that is in the visitor's cookie."""

    def before(self, action: str) -> None:
        """Check the token of what changes something."""
        super().before(action)  # type: ignore[misc]
        if request.method == "GET":
            return
        sent, kept = request.form.get("csrf_token", ""), session.get("csrf_token", "")
        if not kept or not hmac.compare_digest(sent, kept):
            abort(400, "The form is too old, or another site sent it. Go back, reload the page and try again.")

    def render(self, template: str, **values: Any) -> str:
        """Give each page the visitor's token as ``csrf_token``."""
        token = session.setdefault("csrf_token", secrets.token_urlsafe())
        page: str = super().render(template, csrf_token=token, **values)  # type: ignore[misc]
        return page
