"""Modules from a SQLite database: a source is three questions about paths.

python examples/sqlite_source/sqlite_source.py
"""

import os
import sqlite3
import tempfile
import time
from contextlib import closing

from pyautoload import AutoLoader


class SqliteSource:
    """Files in a table, by path. The root ``base`` need not exist on disk."""

    def __init__(self, database, base):
        self.database = os.path.abspath(database)
        self.base = os.path.abspath(base)
        with closing(self._connect()) as connection, connection:
            connection.execute("create table if not exists file (path text primary key, content blob, changed integer)")

    def write(self, path, content):
        """Add or replace a file; ``path`` is relative to the root, with slashes."""
        with closing(self._connect()) as connection, connection:
            row = (path, content.encode(), time.time_ns())
            connection.execute("insert or replace into file values (?, ?, ?)", row)

    def list(self, directory):
        """The names in a directory, each with whether it is one itself."""
        prefix = self._inner(directory)
        prefix = f"{prefix}/" if prefix else ""
        names = {}
        for (path,) in self._rows("select path from file where substr(path, 1, ?) = ?", len(prefix), prefix):
            first, slash, _ = path[len(prefix) :].partition("/")
            names[first] = bool(slash)
        if not names:
            raise FileNotFoundError(directory)
        return names.items()

    def read(self, path):
        """The content of a file."""
        rows = self._rows("select content from file where path = ?", self._inner(path))
        if not rows:
            raise FileNotFoundError(path)
        return rows[0][0]

    def stat(self, path):
        """When it was changed, in ns, and its size in bytes; a directory changes with the files below it."""
        inner = self._inner(path)
        rows = self._rows("select changed, length(content) from file where path = ?", inner)
        if rows:
            return rows[0]
        prefix = f"{inner}/" if inner else ""
        query = "select max(changed), count(*) from file where substr(path, 1, ?) = ?"
        changed, count = self._rows(query, len(prefix), prefix)[0]
        if not count:
            raise FileNotFoundError(path)
        return changed + count, 0

    def _inner(self, path):
        inner = os.path.relpath(path, self.base).replace(os.sep, "/")
        return "" if inner == "." else inner

    def _rows(self, query, *values):
        with closing(self._connect()) as connection:
            return connection.execute(query, values).fetchall()

    def _connect(self):
        return sqlite3.connect(self.database)


def main():
    with tempfile.TemporaryDirectory() as directory:
        source = SqliteSource(os.path.join(directory, "code.db"), "shop")
        source.write("user.py", "class User:\n    name = 'from the database'\n")
        source.write("models/order.py", "from shop import User\n\n\nclass Order:\n    buyer = User\n")
        loader = AutoLoader().push_dir("shop", source=source).setup()
        import shop

        print(shop.models.Order.buyer.name)
        source.write("guest.py", "class Guest: ...\n")
        from shop import Guest

        print(Guest)
        print(loader.loaded())


if __name__ == "__main__":
    main()
