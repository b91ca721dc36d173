"""The connection to the database; autoload.py has the rule that ``db.py`` defines ``Database``."""

from __future__ import annotations

from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session, configure_mappers, scoped_session, sessionmaker

import pyautoload
from blog.models import Base


class Database:
    """One engine, and one session for each thread that handles a request."""

    def __init__(self, url: str) -> None:
        # SQLAlchemy wants to know every model before the first query. Loading them here, and not from inside
        # its configuration, also keeps its lock and the import system's locks apart when threads serve.
        pyautoload.eager_load_namespace("blog.models")
        configure_mappers()
        self.engine = create_engine(url)
        event.listen(self.engine, "connect", _enforce_foreign_keys)
        self._sessions = scoped_session(sessionmaker(self.engine))

    @property
    def session(self) -> Session:
        """The session of the running thread."""
        return self._sessions()

    def create(self) -> None:
        """Create the tables that are not there yet."""
        Base.metadata.create_all(self.engine)

    def release(self) -> None:
        """End the running thread's session; what it did not commit is rolled back."""
        self._sessions.remove()

    def close(self) -> None:
        """Close every connection."""
        self._sessions.remove()
        self.engine.dispose()


def _enforce_foreign_keys(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA foreign_keys = ON")
