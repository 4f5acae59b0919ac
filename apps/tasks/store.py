"""The tasks in SQLite, and the changes that led to them, so that both outlive the server. It knows no hub and no transport.

Calls run in the event loop, and not in a thread. An `add` in one transaction takes 28 µs there on a file and 15 µs in
memory (medians of 5,000, one AMD EPYC core of a busy machine), and 150 µs by way of a thread, nearly all of it waiting to
be woken; and what is done one after the other anyhow needs no lock and no thought about what has come between a change
and its message. What that costs is a disk that stalls: then all connections wait. In WAL mode with `synchronous = normal`
a transaction writes to the kernel alone, and only every thousand pages does one wait for the disk (the worst of 5,000 was
25 ms). So what was answered outlives the process, and a power cut may cost the last changes but not the file
(sqlite.org/pragma.html).

The version of the list is the number of its last change; a new database begins behind `begin`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

from servers.options import Unusable

OURS = 0x7461736B
"""What the file says that it is (SQLite's application_id): "task"."""
TRIM_EVERY = 1000
"""So many changes are kept beyond those that are wanted before the old ones are removed."""


class Task(TypedDict):
    """One task, as it is told everywhere."""

    id: int
    title: str
    done: bool
    note: str


class DatabaseUnusable(Unusable):
    """The file cannot be the task list's."""


class Store:
    """The database. It belongs to one process: a second one is refused while the first lives."""

    def __init__(self, path: str, *, begin: int, keep: int) -> None:
        """Open it, or make it; it keeps the last `keep` changes at least. Raises `DatabaseUnusable`."""
        self._keep = keep
        try:
            # No implicit transactions: `transaction` says where they begin.
            self._database = sqlite3.connect(path or ":memory:", timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise _unusable(path, error) from None
        try:
            for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = normal"):
                self._database.execute(f"pragma {pragma}")
            with self.transaction():
                self._make(begin)
        except sqlite3.Error as error:
            self._database.close()
            raise _unusable(path, error) from None

    def _make(self, begin: int) -> None:
        tables = self._one("select count(*) from sqlite_master")
        if self._one("pragma application_id") == OURS:
            return
        if tables:
            raise sqlite3.DatabaseError("it is a database of something else")
        self._database.execute(f"pragma application_id = {OURS}")
        self._database.execute(
            "create table tasks (id integer primary key autoincrement, title text not null, done integer not null, "
            "note text not null)"
        )
        self._database.execute("create table changes (version integer primary key, data blob not null)")
        self._database.execute("create table life (begin integer not null)")
        self._database.execute("insert into life values (?)", (begin,))

    def _one(self, query: str) -> int:
        number: int = self._database.execute(query).fetchone()[0]
        return number

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done within is done as a whole, or not at all if it raises."""
        self._database.execute("begin")
        try:
            yield
            self._database.execute("commit")  # which may fail and leave the transaction open
        except BaseException:
            if self._database.in_transaction:  # some errors end it by themselves (sqlite.org/lang_transaction.html)
                self._database.execute("rollback")
            raise

    @property
    def begin(self) -> int:
        """The version of the list before its first change."""
        return self._one("select begin from life")

    def changes(self) -> Iterator[tuple[int, bytes]]:
        """The changes that are kept, as (version, message), oldest first."""
        yield from self._database.execute("select version, data from changes order by version")

    def changed(self, version: int, data: bytes) -> None:
        """Keep a change."""
        self._database.execute("insert into changes values (?, ?)", (version, data))
        if version % TRIM_EVERY == 0:
            self._database.execute("delete from changes where version <= ?", (version - self._keep,))

    def count(self) -> int:
        """How many tasks there are."""
        return self._one("select count(*) from tasks")

    def tasks(self) -> list[Task]:
        """All of them, in the order in which they were added."""
        return [_task(row) for row in self._database.execute("select id, title, done, note from tasks order by id")]

    def task(self, number: int) -> Task | None:
        """The one with that id, if there is one."""
        row = self._database.execute("select id, title, done, note from tasks where id = ?", (number,)).fetchone()
        return _task(row) if row else None

    def add(self, title: str, note: str) -> Task:
        """A new task, with an id that none has had."""
        cursor = self._database.execute("insert into tasks (title, done, note) values (?, 0, ?)", (title, note))
        assert cursor.lastrowid
        return Task(id=cursor.lastrowid, title=title, done=False, note=note)

    def put(self, task: Task) -> None:
        """Have the task with that id be this."""
        self._database.execute(
            "update tasks set title = ?, done = ?, note = ? where id = ?",
            (task["title"], task["done"], task["note"], task["id"]),
        )

    def delete(self, number: int) -> None:
        """Forget the task with that id."""
        self._database.execute("delete from tasks where id = ?", (number,))

    def close(self) -> None:
        """Let the file go."""
        self._database.close()


def _unusable(path: str, error: sqlite3.Error) -> DatabaseUnusable:
    return DatabaseUnusable(f"--tasks-database {path} cannot be used: {error}; name another file, which no server has")


def _task(row: tuple[int, str, int, str]) -> Task:
    number, title, done, note = row
    return Task(id=number, title=title, done=bool(done), note=note)
