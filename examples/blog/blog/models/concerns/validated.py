"""Records that refuse to be saved while something is wrong with them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from blog import Invalid


class Validated:
    """Calls ``problems()`` before each insert and update, and raises ``Invalid`` if it finds any."""

    def problems(self) -> dict[str, str]:
        """What is wrong: field → reason; a model overrides this."""
        raise NotImplementedError(f"{type(self).__name__} is validated, so it says what its problems are")

    def validate(self) -> None:
        """Raise ``Invalid`` if there is any problem."""
        problems = self.problems()
        if problems:
            raise Invalid(problems)

    @staticmethod
    def length_problem(value: str | None, most: int) -> str | None:
        """Why ``value`` is not between 1 and ``most`` characters long, or ``None``."""
        if not value or not value.strip():
            return "is missing"
        return f"is longer than {most} characters" if len(value) > most else None


@event.listens_for(Validated, "before_insert", propagate=True)
@event.listens_for(Validated, "before_update", propagate=True)
def _validate(_mapper: Any, _connection: Any, record: Validated) -> None:
    record.validate()
