"""The server on Node: which room makes place for a new one, and what becomes of positions in it."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError

import pytest

from pushbench import contract
from tests.serving import ended

NODE = contract.known("node")
SERVER = contract.TARGETS / "node" / "server.js"
WAIT_S = 20

pytestmark = pytest.mark.skipif(bool(NODE.missing()), reason=NODE.missing() or "it is there")


class Rooms:
    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, path: str, data: bytes | None = None) -> tuple[int, str, str]:
        """The status, the ETag, and what is said."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self._port}/rooms/{path}", data)
        return self._answered(asked)

    def poll(self, room: str, cursor: int) -> tuple[int, str, str]:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/rooms/{room}/polling", headers={"If-None-Match": f'"{cursor}"'}
        )
        return self._answered(asked)

    def say(self, room: str, text: bytes = b"hello") -> int:
        """The id of the message."""
        number: int = json.loads(self.ask(f"{room}/publish", text)[2])["id"]
        return number

    def come(self, room: str) -> str:
        """The position at which one starts."""
        return self.ask(f"{room}/polling")[1]

    def _answered(self, asked: urllib.request.Request) -> tuple[int, str, str]:
        try:
            with urllib.request.urlopen(asked, timeout=WAIT_S) as answer:
                return answer.status, answer.headers["etag"] or "", answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.headers["etag"] or "", error.read().decode()


@contextmanager
def rooms(most: int) -> Iterator[Rooms]:
    process = subprocess.Popen(["node", str(SERVER), "--port=0", f"--max-rooms={most}"], stdout=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        yield Rooms(json.loads(process.stdout.readline())["port"])


def test_a_room_in_which_nothing_was_said_makes_place_before_one_that_was_asked_for_longer_ago() -> None:
    with rooms(2) as there:
        there.say("spoken")
        for name in ("silent", "another", "third"):
            there.come(name)
        assert there.poll("spoken", 0) == (200, '"1"', "hello\n")


def test_of_rooms_in_which_something_was_said_the_one_asked_for_longest_ago_makes_place() -> None:
    with rooms(2) as there:
        there.say("first")
        there.say("second")
        there.come("first")
        there.say("third")
        assert there.poll("first", 0) == (200, '"1"', "hello\n")
        assert there.poll("second", 0)[0] == 410


def test_a_room_that_is_made_anew_does_not_take_a_position_of_the_one_before_for_its_own() -> None:
    with rooms(1) as there:
        for _ in range(3):
            there.say("room")
        assert there.come("other") == '"3"'
        assert there.say("room") == 4
        for cursor in (0, 1, 2):
            status, _, said = there.poll("room", cursor)
            assert (status, said) == (410, f"cursor_too_old: message {cursor + 1} is no longer kept\n")
        assert there.poll("room", 3) == (200, '"4"', "hello\n")  # who had all of it has missed nothing
