"""The changes of the task list: heard by every transport, without a gap or a repeat, and behind a restart."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from apps.tasks.store import DatabaseUnusable, Store
from apps.tasks.tasklist import TaskList
from pushbench.transports import OVER_TCP, Transport
from servers.hub import CursorTooOld, Hub
from tests.apps.acting import Act, Rest, Socket, Way
from tests.conformance.conftest import client_of
from tests.serving import Server, serving

WITHIN_S = 30
"""How long something may take that has to happen."""


class Follower:
    """Takes the list, and follows it from there."""

    def __init__(self, listed: dict[str, Any]) -> None:
        self.version: int = listed["version"]
        self.tasks = {task["id"]: task for task in listed["tasks"]}
        self._heard = asyncio.Event()

    def hear(self, messages: list[bytes]) -> None:
        for message in messages:
            change = json.loads(message)
            assert change["version"] == self.version + 1, "there is a gap, or a repeat"
            self.version = change["version"]
            task = change["task"]
            if change["action"] == "delete":
                del self.tasks[task["id"]]
            else:
                self.tasks[task["id"]] = task
        self._heard.set()

    async def follow(self, server: Server, row: Transport) -> None:
        options: dict[str, Any] = {"interval_s": 0.01} if row.polls else {}
        client = client_of(row)(server.url(f"/tasks/changes{row.path}"), after=self.version, **options)
        async with client as subscription:
            await subscription.receive(self.hear)

    async def reaches(self, version: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while self.version < version:
                self._heard.clear()
                await self._heard.wait()


async def write(way: Way, name: str, count: int) -> None:
    """Some of everything."""
    mine: list[int] = []
    for number in range(count):
        if number % 4 == 3:
            await way.act(action="delete", id=mine.pop(0))
        elif number % 4 == 2:
            await way.act(action="rename", id=mine[-1], title=f"{name} renamed {number}")
        else:
            mine.append((await way.act(action="add", title=f"{name} {number}"))["task"]["id"])
            await way.act(action="done", id=mine[0], done=bool(number % 2))


async def test_followers_that_start_in_the_middle_of_many_writers_end_with_the_same_list_by_every_transport(
    server: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(server.url("/tasks/socket")) as one, http.ws_connect(server.url("/tasks/socket")) as two:
        ways: list[Way] = [Rest(server, http), Rest(server, http), Act(server, http), Socket(one), Socket(two)]
        writing = asyncio.gather(*(write(way, f"writer {number}", 40) for number, way in enumerate(ways)))
        following, followers = [], []
        for row in OVER_TCP.values():
            await asyncio.sleep(0)
            followers.append(Follower(await Rest(server, http).act(action="list")))
            following.append(asyncio.ensure_future(followers[-1].follow(server, row)))
        assert not writing.done()
        await writing
        listed = await Rest(server, http).act(action="list")
        for follower, task in zip(followers, following, strict=True):
            await follower.reaches(listed["version"])
            assert list(follower.tasks.values()) == listed["tasks"]
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def test_two_clients_over_different_ways_and_transports_see_each_others_changes(
    server: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(server.url("/tasks/socket")) as socket:
        rest, by_socket = Rest(server, http), Socket(socket)
        listed = await rest.act(action="list")
        one, other = Follower(listed), Follower(listed)
        following = [
            asyncio.ensure_future(one.follow(server, OVER_TCP["sse"])),
            asyncio.ensure_future(other.follow(server, OVER_TCP["polling"])),
        ]
        added = await by_socket.act(action="add", title="by socket")
        await one.reaches(added["version"])
        assert one.tasks[added["task"]["id"]] == added["task"]
        done = await rest.act(action="done", id=added["task"]["id"], done=True)
        await other.reaches(done["version"])
        assert other.tasks[added["task"]["id"]] == done["task"]
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


# --- restarts


async def test_the_stored_list_of_a_server_that_was_killed_goes_on_where_it_was_and_so_does_a_reader_of_before(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    database = tmp_path / "tasks.sqlite3"
    with serving(program="apps", ticker_hz=0, tasks_database=database) as first:
        await Act(first, http).act(action="add", title="heard")
        before = Follower(await Act(first, http).act(action="list"))
        await Act(first, http).act(action="add", title="not heard")
        kept = await Act(first, http).act(action="list")
        first.process.kill()
        await asyncio.to_thread(first.process.wait)
    with serving(program="apps", ticker_hz=0, tasks_database=database) as second:
        assert await Act(second, http).act(action="list") == kept
        changed = await Act(second, http).act(action="done", id=1)
        assert changed["version"] == kept["version"] + 1
        following = asyncio.ensure_future(before.follow(second, OVER_TCP["websocket"]))
        await before.reaches(changed["version"])
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert list(before.tasks.values()) == (await Act(second, http).act(action="list"))["tasks"]


async def test_without_a_database_a_cursor_of_another_life_is_refused_and_not_taken_for_one_of_this(
    server: Server, later_server: Server, http: aiohttp.ClientSession
) -> None:
    for title in ("one", "two", "three"):
        await Act(later_server, http).act(action="add", title=title)
    cursor = (await Act(server, http).act(action="add", title="of before"))["version"]
    async with http.get(later_server.url(f"/tasks/changes/stream?after={cursor}")) as answer:
        assert (answer.status, answer.headers["refusal"]) == (410, "cursor_too_old")


@contextmanager
def opened(path: Path, keep: int = 100, begin: int = 0) -> Iterator[tuple[TaskList, Hub]]:
    with closing(Store(str(path), begin=begin, keep=keep)) as store:
        hub = Hub(log_messages=keep)
        yield TaskList(store, hub, limit=5), hub


def test_versions_do_not_go_backwards_whatever_the_clock_says_and_although_nothing_is_left(tmp_path: Path) -> None:
    with opened(tmp_path / "tasks", begin=1000) as (tasks, hub):
        tasks.act({"action": "add", "title": "a"})
        tasks.act({"action": "delete", "id": 1})
        assert (hub.before_oldest, hub.last_id) == (1000, 1002)
    with opened(tmp_path / "tasks", begin=5) as (tasks, hub):
        assert tasks.act({"action": "list"}) == {"version": 1002, "tasks": []}
        assert (hub.before_oldest, hub.last_id) == (1000, 1002)


def test_a_cursor_whose_next_change_is_no_longer_kept_is_too_old_also_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path / "tasks", keep=3) as (tasks, _):
        tasks.act({"action": "add", "title": "a"})
        for _ in range(5):
            tasks.act({"action": "done", "id": 1})
    with opened(tmp_path / "tasks", keep=3) as (_, hub):
        assert [message.id for message in hub.after(3)] == [4, 5, 6]
        with pytest.raises(CursorTooOld):
            hub.check(2)


def test_old_changes_are_removed_from_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.tasks.store.TRIM_EVERY", 4)
    with closing(Store(str(tmp_path / "tasks"), begin=0, keep=3)) as store:
        tasks = TaskList(store, Hub(log_messages=3), limit=5)
        tasks.act({"action": "add", "title": "a"})
        for _ in range(8):
            tasks.act({"action": "done", "id": 1})
        assert [version for version, _ in store.changes()] == [6, 7, 8, 9]


def test_after_a_commit_that_fails_and_leaves_the_transaction_open_the_next_is_done() -> None:
    with closing(Store("", begin=0, keep=1)) as store:
        store._database.execute("pragma foreign_keys = on")
        store._database.execute("create table of_task (id references tasks deferrable initially deferred)")

        def refused_at_the_commit() -> None:
            with store.transaction():
                store.add("a", "")
                store._database.execute("insert into of_task values (7)")

        with pytest.raises(sqlite3.IntegrityError):
            refused_at_the_commit()
        with store.transaction():
            store.add("b", "")
        assert [task["title"] for task in store.tasks()] == ["b"]


def test_an_error_that_has_ended_the_transaction_itself_is_the_one_that_is_raised() -> None:
    with closing(Store("", begin=0, keep=1)) as store:

        def rolled_back_by_itself() -> None:
            with store.transaction():
                store._database.execute("rollback")
                raise sqlite3.OperationalError("the real one")

        with pytest.raises(sqlite3.OperationalError, match="the real one"):
            rolled_back_by_itself()
        with store.transaction():
            store.add("a", "")
        assert store.count() == 1


def test_there_may_be_only_so_many_tasks(tmp_path: Path) -> None:
    with opened(tmp_path / "tasks") as (tasks, hub):
        for _ in range(5):
            tasks.act({"action": "add", "title": "a"})
        with pytest.raises(Exception, match="there are 5 tasks, and no more may be: delete one"):
            tasks.act({"action": "add", "title": "a"})
        assert hub.last_id == 5
        tasks.act({"action": "delete", "id": 2})
        assert tasks.act({"action": "add", "title": "a"})["task"]["id"] == 6


def test_a_file_that_is_no_task_list_or_another_servers_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough that SQLite reads its head " * 20)
    with pytest.raises(DatabaseUnusable, match="name another file"):
        Store(str(tmp_path / "text"), begin=0, keep=1)
    with opened(tmp_path / "mine"), pytest.raises(DatabaseUnusable, match="locked"):
        Store(str(tmp_path / "mine"), begin=0, keep=1)
    with pytest.raises(DatabaseUnusable, match="unable to open"):
        Store(str(tmp_path / "nowhere" / "tasks"), begin=0, keep=1)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table birds (name text)")
    with pytest.raises(DatabaseUnusable, match="a database of something else"):
        Store(str(path), begin=0, keep=1)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("birds",)]
