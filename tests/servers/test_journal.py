"""The journal: what was appended is there in the next life, a torn end is dropped, and ids go on."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given, strategies as st

from servers import journal as module
from servers.hub import CursorTooOld, Hub
from servers.journal import Journal, JournalUnusable
from tests.serving import Server, serving


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "journal")


def as_killed(path: str, into: Path, torn_bytes: int = 0) -> str:
    """A copy of the files as they lie now, as a process that is killed leaves them; its last bytes may be missing."""
    for end in ("", "-wal"):
        shutil.copy(path + end, into / f"killed{end}")
    log = into / "killed-wal"
    os.truncate(log, log.stat().st_size - torn_bytes)
    return str(into / "killed")


def test_what_was_appended_is_there_after_a_kill(path: str, tmp_path: Path) -> None:
    journal = Journal(path, keep=10)
    for number in (1, 2, 3):
        journal.append(number, b"m%d" % number)
    again = Journal(as_killed(path, tmp_path), keep=10)
    assert list(again.messages()) == [(1, b"m1"), (2, b"m2"), (3, b"m3")]
    for one in (journal, again):
        one.close()


@pytest.mark.parametrize("torn_bytes", [1, 100, 4000])
def test_a_torn_last_message_is_dropped_and_its_number_is_given_anew(path: str, tmp_path: Path, torn_bytes: int) -> None:
    journal = Journal(path, keep=10)
    for number in (1, 2, 3):
        journal.append(number, b"m%d" % number)
    again = Journal(as_killed(path, tmp_path, torn_bytes), keep=10)
    assert list(again.messages()) == [(1, b"m1"), (2, b"m2")]
    hub = Hub(keep=again.append)
    hub.restore(again.messages())
    assert hub.publish(b"another") == 3
    assert list(again.messages())[-1] == (3, b"another")
    for one in (journal, again):
        one.close()


def test_it_is_trimmed_to_what_is_to_be_kept(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIM_EVERY", 4)
    journal = Journal(path, keep=3)
    for number in range(1, 10):
        journal.append(number, b"m")
    kept = [number for number, _ in journal.messages()]
    journal.close()
    assert kept == [6, 7, 8, 9]  # at the eighth it kept three


def test_a_second_process_or_a_file_of_something_else_is_refused_in_one_line(path: str, tmp_path: Path) -> None:
    journal = Journal(path, keep=3)
    with pytest.raises(JournalUnusable, match=r"cannot be used: database is locked.*name another file"):
        Journal(path, keep=3)
    journal.close()
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"certainly no database" * 100)
    with pytest.raises(JournalUnusable, match="not a database"):
        Journal(str(foreign), keep=3)


@given(st.lists(st.integers(1, 30), unique=True).map(sorted), st.integers(1, 5))
def test_a_hub_restores_the_last_run_of_consecutive_messages_as_far_as_its_log_goes(numbers: list[int], size: int) -> None:
    hub = Hub(log_messages=size)
    hub.restore((number, b"m%d" % number) for number in numbers)
    tail: list[int] = []
    for number in numbers:
        tail = [*tail, number] if tail and number == tail[-1] + 1 else [number]
    tail = tail[-size:]
    assert hub.last_id == (numbers[-1] if numbers else 0)
    if tail:
        assert [message.id for message in hub.after(tail[0] - 1)] == tail
        if tail[0] > 1:
            with pytest.raises(CursorTooOld):
                hub.check(tail[0] - 2)
    assert hub.publish(b"next") == hub.last_id == (numbers[-1] if numbers else 0) + 1


async def test_a_server_that_is_killed_goes_on_where_it_was(path: str, http: aiohttp.ClientSession) -> None:
    with serving(journal=path) as server:
        await _publish(http, server, b"one", b"two")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with serving(journal=path) as server:
        async with http.get(server.url("/polling"), headers={"If-None-Match": '"1"'}) as response:
            assert (await response.read(), response.headers["ETag"]) == (b"two\n", '"2"')
        assert await _publish(http, server, b"three") == 3
    with (
        serving(journal=path) as server,
        serving() as other,
    ):  # also after a proper end
        assert await _last_id(http, server) == 3
        assert await _last_id(http, other) == 0


def test_a_journal_that_cannot_be_opened_ends_the_server_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "servers", "--port=0", f"--journal={tmp_path / 'missing' / 'journal'}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr.startswith("python -m servers: the journal ")
    assert len(ended.stderr.splitlines()) == 1


async def _publish(http: aiohttp.ClientSession, server: Server, *messages: bytes) -> int:
    for data in messages:
        async with http.post(server.url("/publish"), data=data) as response:
            last: int = json.loads(await response.read())["id"]
    return last


async def _last_id(http: aiohttp.ClientSession, server: Server) -> int:
    async with http.get(server.url("/status")) as response:
        last: int = (await response.json())["last_id"]
        return last
