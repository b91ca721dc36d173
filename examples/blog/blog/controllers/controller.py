"""What every controller has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blog import Configuration


class Controller:
    """Answers one request: an action is a method that takes the variable parts of the address."""

    def __init__(self, session: Session, configuration: Configuration) -> None:
        self.session = session
        self.configuration = configuration

    def before(self, action: str) -> None:
        """Run before each action; concerns add to it and call ``super().before(action)``."""

    def handle(self, action: str, arguments: Mapping[str, str]) -> ResponseReturnValue:
        """Run ``action``."""
        self.before(action)
        answer: ResponseReturnValue = getattr(self, action)(**arguments)
        return answer

    def render(self, template: str, **values: Any) -> str:
        """An HTML page."""
        return render_template(template, **values)
