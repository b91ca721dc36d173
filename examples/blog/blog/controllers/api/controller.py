"""What every controller of the JSON API has."""

from __future__ import annotations

from typing import Any

from flask import abort, request

from blog import controllers


class Controller(controllers.Controller):
    """Takes and gives JSON. There is no form token: another site's form cannot send JSON."""

    def fields(self, *names: str) -> dict[str, str]:
        """The named strings of the object that was sent; what is absent is empty."""
        sent: Any = request.get_json()
        if not isinstance(sent, dict):
            abort(400, "Send an object.")
        fields = {name: sent.get(name, "") for name in names}
        wrong = [name for name, value in fields.items() if not isinstance(value, str)]
        if wrong:
            abort(400, f"These have to be strings: {', '.join(wrong)}.")
        return {name: value.strip() for name, value in fields.items()}
