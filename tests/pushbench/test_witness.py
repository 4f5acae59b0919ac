import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pushbench import dissect
from pushbench.dissect import Incomprehensible, Parts
from pushbench.tap import Piece, Tape
from pushbench.witness import Account, Witness, account_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
ASK = b"GET / HTTP/1.1\r\n\r\n"
CHUNK = b"5\r\nfour\n\r\n"
IN_A_CHUNK = Parts(framing=3 + 1 + 2, payload=4, messages=1)


def on_tape(*pieces: tuple[int, bool, bytes]) -> Tape:
    tape = Tape()
    for at_ns, up, data in pieces:
        tape.keep(Piece(at_ns, 0, up, data))
    return tape


def test_it_tells_of_the_window_and_reads_what_came_before_to_understand_it() -> None:
    tape = on_tape(
        (1, True, ASK), (2, False, HEAD), (3, False, CHUNK), (10, False, CHUNK + CHUNK[:3]), (19, False, CHUNK[3:]),
        (20, False, CHUNK),
    )  # fmt: skip
    said = account_of(tape, (10, 20), dissect.requests, dissect.answers)
    assert said == Account(down=IN_A_CHUNK + IN_A_CHUNK, up=Parts())


def test_a_silent_window_has_nothing_in_it() -> None:
    tape = on_tape((1, True, ASK), (2, False, HEAD))
    assert account_of(tape, (10, 20), dissect.requests, dissect.answers) == Account(Parts(), Parts())


def test_a_tape_that_was_full_too_early_tells_nothing() -> None:
    tape = on_tape((1, True, ASK), (2, False, HEAD))
    tape.full_ns = 9
    assert account_of(tape, (10, 20), dissect.requests, dissect.answers) is None


def test_what_it_does_not_understand_it_does_not_tell() -> None:
    tape = on_tape((1, True, b"\x16\x03\n"))
    with pytest.raises(Incomprehensible):
        account_of(tape, (0, 20), dissect.requests, dissect.answers)
    witness = Witness(lambda url: None, bare=False)
    witness._tape = tape
    assert witness.account((0, 20)) is None
    witness._tape = on_tape((1, False, HEAD + b"many\r\n"))
    assert witness.account((0, 20)) is None


class Client:
    """Says something as soon as it is connected, and notes what it is told."""

    def __init__(self, port: int, told: asyncio.Event) -> None:
        self.port, self.told = port, told

    async def __aenter__(self) -> "Client":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(b"subscribe\n")
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.writer.close()

    async def receive(self, hand_over: Callable[[list[bytes]], None]) -> None:
        while line := await self.reader.readline():
            hand_over([line])
            if line == b"two\n":
                self.told.set()


async def test_it_is_a_subscriber_behind_a_tap_until_it_leaves() -> None:
    left, told = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"subscribe\n"
        writer.write(b"one\ntwo\n")
        assert await reader.read() == b""
        writer.close()
        left.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        witness = Witness(lambda url: Client(int(url.rsplit(":")[-1]), told), bare=True)
        await witness.begin("127.0.0.1", server.sockets[0].getsockname()[1], "")
        await told.wait()
        await witness.leave()
        await left.wait()
    said = witness.account((0, 2**63))
    assert said == Account(down=Parts(framing=2, payload=6, messages=2), up=Parts(framing=1, payload=9, messages=1))


async def test_one_that_cannot_connect_is_no_concern_of_anybody() -> None:
    def make(url: str) -> Any:
        raise ConnectionRefusedError

    witness = Witness(make, bare=True)
    await witness.begin("127.0.0.1", 1, "")
    await witness.leave()
    assert witness.account((0, 2**63)) == Account(Parts(), Parts())
