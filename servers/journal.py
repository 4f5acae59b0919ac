"""The journal: the hub's log in a file, so that a server that is killed goes on where it was. It knows no transport.

It is a SQLite database in WAL mode: one row a message, one transaction a row, written before anybody is woken. A
transaction that was cut off fails its checksum and is dropped with all that follows (sqlite.org/walformat.html), so what
is read is always the log up to some message. Nothing waits for the disk: what was written outlives the process, and not
a power cut.
"""

import sqlite3
from collections.abc import Iterator

from servers.options import Unusable

TRIM_EVERY = 1000
"""So many messages are appended between two looks for those that need not be kept any more."""


class JournalUnusable(Unusable):
    """The file cannot be the journal."""


class Journal:
    """The file. It belongs to one process: a second one is refused while the first lives."""

    def __init__(self, path: str, *, keep: int) -> None:
        """Open it, or make it; it keeps at least the last `keep` messages. Raises `JournalUnusable`."""
        self._keep = keep
        try:
            # No implicit transactions: each statement is its own.
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
            for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = off"):
                self._database.execute(f"pragma {pragma}")
            self._database.execute("create table if not exists messages (id integer primary key, data blob not null)")
        except sqlite3.Error as error:
            raise JournalUnusable(
                f"the journal {path} cannot be used: {error}; is it another server's, or no journal? name another file"
            ) from None

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """What is kept, as (id, data), oldest first."""
        yield from self._database.execute("select id, data from messages order by id")

    def append(self, number: int, data: bytes) -> None:
        """Keep a message; it is in the file when this returns."""
        self._database.execute("insert into messages values (?, ?)", (number, data))
        if number % TRIM_EVERY == 0:
            self._database.execute("delete from messages where id <= ?", (number - self._keep,))

    def close(self) -> None:
        """Let the file go."""
        self._database.close()
