"""The relay: what goes in at one end comes out at the other, whole, in order, not too early, and ends as it ended.

Here it runs in a thread of the test, between sockets of the test.
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from pushbench import machine
from pushbench.control import Channel, Note, Switchboard
from pushbench.relay import Faults, RelayPlan, RelayReport, relay
from pushbench.schedule import NS, Schedule
from pushbench.shaping import Line

MS = 1_000_000
LONG = Schedule(rate_hz=1, warmup_s=0, measure_s=4000)
FAR = Line(round_trip_ns=60 * MS)
RESET = struct.pack("ii", 1, 0)


@pytest.fixture(autouse=True)
def _nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay collects garbage before it begins, in a process of its own. In that of the tests it would be late: to look at
    all that is there takes longer than a window here.
    """
    monkeypatch.setattr("pushbench.relay.gc", SimpleNamespace(collect=lambda: 0, freeze=lambda: None))


@dataclass(frozen=True, slots=True)
class Relayed:
    """A relay, from the run's side, and the server behind it."""

    channel: Channel
    report: asyncio.Future[RelayReport]
    server: socket.socket
    address: tuple[str, int]

    async def ask(self, **note: Any) -> Note:
        self.channel.send(**note)
        return await self.channel.receive()

    async def reported(self) -> RelayReport:
        self.channel.send(report=True)
        return await self.report

    async def both_ends(self) -> tuple[socket.socket, socket.socket]:
        """A client's connection, and what the server sees of it."""
        client = socket.socket()
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, self.address)
        served, _ = await loop.sock_accept(self.server)
        served.setblocking(False)
        return client, served


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard() as opened:
        yield opened


async def begin(board: Switchboard, line: Line = FAR, faults: Faults = Faults(), schedule: Schedule = LONG) -> Relayed:  # noqa: B008  it is frozen
    plan = RelayPlan(board.address, line, faults, schedule, 1, tuple(os.sched_getaffinity(0)))
    report = asyncio.ensure_future(asyncio.to_thread(relay, plan))
    channel = await board.channel("relay")
    assert await channel.receive() == {"ready": True, "pid": os.getpid()}
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    host, port = server.getsockname()
    channel.send(host=host, port=port)
    told = await channel.receive()
    return Relayed(channel, report, server, (told["host"], told["port"]))


async def received(one: socket.socket, size: int = 65_536) -> bytes:
    return await asyncio.get_running_loop().sock_recv(one, size)


async def sent(one: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(one, data)


async def until_end(one: socket.socket) -> bytes:
    parts = []
    while part := await received(one):
        parts.append(part)
    return b"".join(parts)


PAYLOAD = bytes(range(256)) * 4_000
"""A megabyte, more than a line holds."""

LINES = {
    "short": Line(),
    "far": FAR,
    "jittery": Line(round_trip_ns=20 * MS, jitter_ns=10 * MS),
    "narrow": Line(bit_per_s=80_000_000),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_bytes_come_out_as_they_went_in_both_ways(board: Switchboard, line: Line) -> None:
    relayed = await begin(board, line)
    client, served = await relayed.both_ends()
    with relayed.server, client, served:

        async def speak(one: socket.socket, data: bytes) -> None:
            await sent(one, data)
            one.shutdown(socket.SHUT_WR)

        _, _, there, back = await asyncio.gather(
            speak(client, PAYLOAD), speak(served, PAYLOAD[::-1]), until_end(served), until_end(client)
        )
        assert there == PAYLOAD
        assert back == PAYLOAD[::-1]
        assert (await relayed.reported()).resets == 0


async def test_a_request_pays_the_handshake_and_one_transit_and_its_answer_one_transit(board: Switchboard) -> None:
    relayed = await begin(board)
    began_ns = time.monotonic_ns()
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        await sent(client, b"?")
        assert await received(served) == b"?"
        assert time.monotonic_ns() - began_ns >= FAR.round_trip_ns + FAR.transit_ns
        answered_ns = time.monotonic_ns()
        await sent(served, b"!")
        assert await received(client) == b"!"
        assert time.monotonic_ns() - answered_ns >= FAR.transit_ns
        await relayed.reported()


@pytest.mark.parametrize("speaker", ["client", "server"])
async def test_a_half_close_is_passed_on_behind_what_came_before_and_the_other_half_stays(
    board: Switchboard, speaker: str
) -> None:
    relayed = await begin(board)
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        one, other = (client, served) if speaker == "client" else (served, client)
        began_ns = time.monotonic_ns()
        await sent(one, b"last words")
        one.shutdown(socket.SHUT_WR)
        assert await until_end(other) == b"last words"
        assert time.monotonic_ns() - began_ns >= FAR.transit_ns
        await sent(other, b"and an answer")
        other.shutdown(socket.SHUT_WR)
        assert await until_end(one) == b"and an answer"
        await relayed.reported()


@pytest.mark.parametrize("speaker", ["client", "server"])
async def test_a_reset_is_passed_on_as_a_reset_after_one_transit(board: Switchboard, speaker: str) -> None:
    relayed = await begin(board)
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        one, other = (client, served) if speaker == "client" else (served, client)
        began_ns = time.monotonic_ns()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.close()
        with pytest.raises(ConnectionResetError):
            await received(other)
        assert time.monotonic_ns() - began_ns >= FAR.transit_ns
        await relayed.reported()


async def test_whom_the_server_refuses_is_reset_after_one_round_trip(board: Switchboard) -> None:
    relayed = await begin(board)
    relayed.server.close()
    with socket.socket() as client:
        client.setblocking(False)
        began_ns = time.monotonic_ns()
        await asyncio.get_running_loop().sock_connect(client, relayed.address)
        with pytest.raises(ConnectionResetError):
            await received(client)
        assert time.monotonic_ns() - began_ns >= FAR.round_trip_ns
        await relayed.reported()


async def test_a_server_that_came_back_elsewhere_gets_the_connections_from_then_on(board: Switchboard) -> None:
    relayed = await begin(board, Line())
    with relayed.server, socket.create_server(("127.0.0.1", 0)) as later:
        later.setblocking(False)
        host, port = later.getsockname()
        assert await relayed.ask(host=host, port=port) == {"host": "127.0.0.1", "port": relayed.address[1]}
        with socket.create_connection(relayed.address):
            served, _ = await asyncio.get_running_loop().sock_accept(later)
            served.close()
            await relayed.reported()


async def test_who_does_not_read_holds_up_who_sends(board: Switchboard) -> None:
    """What fits between them is bounded: by the line, and by the buffers that the kernel has for each socket."""
    kernel_bytes = sum(int((machine.text(f"proc/sys/net/ipv4/tcp_{one}mem") or "").split()[2]) for one in "rw")
    relayed = await begin(board)
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        most = 4 * kernel_bytes + FAR.capacity_bytes  # twice what may be there, because the kernel's limits are soft
        written = 0
        with suppress(TimeoutError):
            while written <= most:
                async with asyncio.timeout(1):
                    await sent(served, PAYLOAD)
                written += len(PAYLOAD)
        assert written <= most
        # And it goes on as soon as there is room again.
        got = 0
        while got < written:
            got += len(await received(client, 1 << 20))
        await relayed.reported()


async def test_a_stall_holds_everything_up_until_it_is_over(board: Switchboard) -> None:
    relayed = await begin(board, Line(), Faults(stall_ns=100 * MS), Schedule(rate_hz=1, warmup_s=0, measure_s=0.3))
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        start_ns = time.monotonic_ns()
        assert await relayed.ask(measure=start_ns) == {}
        await asyncio.sleep((start_ns + 120 * MS - time.monotonic_ns()) / NS)  # it begins 100 ms after the start
        await sent(client, b"?")
        assert await received(served) == b"?"
        assert time.monotonic_ns() - start_ns >= 200 * MS
        assert (await relayed.reported()).lag.late_ns


async def test_as_many_are_reset_as_are_asked_for_and_both_sides_hear_it(board: Switchboard) -> None:
    relayed = await begin(board, FAR, Faults(resets=2), Schedule(rate_hz=1, warmup_s=0, measure_s=0.1))
    pairs = [await relayed.both_ends() for _ in range(3)]
    await relayed.ask(measure=time.monotonic_ns())

    async def ended(one: socket.socket) -> str:
        try:
            return "closed" if not await received(one) else "spoken to"
        except ConnectionResetError:
            return "reset"

    waiting = [asyncio.ensure_future(ended(one)) for pair in pairs for one in pair]
    while sum(one.done() for one in waiting) < 4:
        await asyncio.wait([one for one in waiting if not one.done()], return_when=asyncio.FIRST_COMPLETED)
    assert (await relayed.reported()).resets == 2
    fates = [await one for one in waiting]
    assert sorted(zip(fates[::2], fates[1::2], strict=True)) == [
        ("closed", "closed"),
        ("reset", "reset"),
        ("reset", "reset"),
    ]
    for one in (relayed.server, *(end for pair in pairs for end in pair)):
        one.close()


async def test_who_says_nothing_for_too_long_is_closed_and_who_speaks_is_not(board: Switchboard) -> None:
    relayed = await begin(board, Line(), Faults(idle_ns=200 * MS))
    client, served = await relayed.both_ends()
    with relayed.server, client, served:
        for _ in range(3):
            spoken_ns = time.monotonic_ns()
            await sent(client, b"?")
            assert await received(served) == b"?"
            await asyncio.sleep(0.05)
        assert await received(client) == await received(served) == b""
        assert time.monotonic_ns() - spoken_ns >= 200 * MS
        assert (await relayed.reported()).idle_cuts == 1


async def test_a_note_that_means_nothing_to_it_ends_it_with_the_note(board: Switchboard) -> None:
    relayed = await begin(board)
    relayed.server.close()
    relayed.channel.send(dance=True)
    with pytest.raises(ValueError, match="dance"):
        await relayed.report
