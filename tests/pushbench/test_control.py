"""The control channel: notes arrive as they were sent, and nobody waits for one who has gone."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from pushbench.control import BlockingChannel, ChannelClosed, Switchboard, connect


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard() as opened:
        yield opened


async def test_a_caller_is_known_by_its_role_and_notes_go_both_ways(board: Switchboard) -> None:
    async with await connect(board.address, "swarm") as theirs:
        ours = await board.channel("swarm")
        ours.send(connect=5, host="127.0.0.1")
        assert await theirs.receive() == {"connect": 5, "host": "127.0.0.1"}
        theirs.send(connected=5, ended={})
        theirs.send(done=True)
        assert [await ours.receive(), await ours.receive()] == [{"connected": 5, "ended": {}}, {"done": True}]


async def test_a_channel_can_be_asked_for_before_its_role_has_called(board: Switchboard) -> None:
    waiting = asyncio.create_task(board.channel("publisher"))
    await asyncio.sleep(0)
    assert not waiting.done()
    async with await connect(board.address, "publisher") as theirs:
        theirs.send(ready=True)
        assert await (await waiting).receive() == {"ready": True}


async def test_each_role_has_its_own_channel(board: Switchboard) -> None:
    async with await connect(board.address, "a") as a, await connect(board.address, "b") as b:
        a.send(says="a")
        b.send(says="b")
        for role in ("b", "a"):
            assert await (await board.channel(role)).receive() == {"says": role}


async def test_code_without_a_loop_speaks_the_same(board: Switchboard) -> None:
    heard: list[object] = []

    def publisher() -> None:
        with BlockingChannel(board.address, "publisher") as channel:
            channel.send(ready=True)
            heard.append(channel.receive())
            try:
                channel.receive()
            except ChannelClosed:
                heard.append("closed")

    thread = threading.Thread(target=publisher)
    thread.start()
    async with await board.channel("publisher") as ours:
        assert await ours.receive() == {"ready": True}
        ours.send(start_ns=12)
    await asyncio.to_thread(thread.join)
    assert heard == [{"start_ns": 12}, "closed"]


async def test_a_channel_whose_other_side_has_gone_says_so(board: Switchboard) -> None:
    theirs = await connect(board.address, "swarm")
    ours = await board.channel("swarm")
    async with theirs:
        pass
    with pytest.raises(ChannelClosed):
        await ours.receive()


async def test_leaving_the_board_closes_every_channel() -> None:
    async with Switchboard() as board:
        asked_for, never_asked_for = await connect(board.address, "a"), await connect(board.address, "b")
        await board.channel("a")
        await board.channel("b")
    for theirs in (asked_for, never_asked_for):
        async with theirs:
            with pytest.raises(ChannelClosed):
                await theirs.receive()


@pytest.mark.parametrize("turns", range(8))
async def test_who_has_called_but_not_yet_said_its_role_is_let_go_with_the_others(
    turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with Switchboard() as board:
        caller = socket.create_connection(board.address[:2])
        for _ in range(turns):  # of the loop: so far has the board come with accepting the call when it closes
            await asyncio.sleep(0)
    with caller, suppress(ConnectionResetError):  # which it is if the board had not come to it at all
        caller.setblocking(False)
        async with asyncio.timeout(30):
            assert await asyncio.get_running_loop().sock_recv(caller, 1) == b""
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_caller_that_leaves_without_a_word_disturbs_nobody(
    board: Switchboard, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection(*board.address[:2])
    writer.close()
    await writer.wait_closed()
    async with await connect(board.address, "swarm") as theirs:
        theirs.send(ready=True)
        assert await (await board.channel("swarm")).receive() == {"ready": True}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    "hello",
    [b'{"role": "swarm"}', b'{"role": "swarm", "token": "guessed"}', b'{"role": "swarm", "token": 7}', b"GET /", b"7"],
)
async def test_who_does_not_know_the_token_is_let_go_and_takes_nobodys_place(board: Switchboard, hello: bytes) -> None:
    reader, writer = await asyncio.open_connection(*board.address[:2])
    writer.write(hello + b"\n")
    assert await reader.read() == b""
    writer.close()
    async with await connect(board.address, "swarm") as theirs:
        theirs.send(ready=True)
        assert await (await board.channel("swarm")).receive() == {"ready": True}


async def test_a_role_that_has_called_is_not_given_to_who_calls_later(board: Switchboard) -> None:
    async with await connect(board.address, "swarm") as first:
        ours = await board.channel("swarm")
        async with await connect(board.address, "swarm") as second:
            with pytest.raises(ChannelClosed):
                await second.receive()
        first.send(still="here")
        assert await ours.receive() == {"still": "here"}
