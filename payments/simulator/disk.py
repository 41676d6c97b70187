"""One SQLite file in which the simulated account outlives its process.

Each request is one transaction. It is not forced to the disk: it survives the end of the process, however that comes,
and not that of the machine.
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from payments.simulator.documents import Document

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (kind, id)
)
"""


class Disk:
    """The file at `path`, made if need be. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(SCHEMA)
        self._connection.commit()

    def load(self) -> Iterable[tuple[str, Document]]:
        """Every document, in the order in which they were made."""
        rows = self._connection.execute("SELECT kind, body FROM document ORDER BY position")
        return [(kind, json.loads(body)) for kind, body in rows]

    def save(self, written: Iterable[tuple[str, Document]], removed: Iterable[tuple[str, str]]) -> None:
        """Write and remove, in one transaction."""
        with self._connection as connection:
            connection.executemany(
                "INSERT INTO document (kind, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                [(kind, document["id"], json.dumps(document)) for kind, document in written],
            )
            connection.executemany("DELETE FROM document WHERE kind = ? AND id = ?", list(removed))

    def clear(self) -> None:
        """Remove every document."""
        with self._connection as connection:
            connection.execute("DELETE FROM document")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
