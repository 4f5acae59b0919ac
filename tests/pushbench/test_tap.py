import asyncio

from pushbench import tap
from pushbench.tap import Piece, Tape, tapped, tapped_datagrams


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data.upper())
    writer.close()
    await writer.wait_closed()


async def test_it_passes_all_on_both_ways_and_keeps_it() -> None:
    tape = Tape()
    async with (
        await asyncio.start_server(echo, "127.0.0.1", 0) as server,
        tapped("127.0.0.1", server.sockets[0].getsockname()[1], tape) as port,
    ):
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"said")
            assert await reader.readexactly(4) == b"SAID"
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
    assert [piece[1:] for piece in tape.pieces] == [
        (0, True, b"said"),
        (0, False, b"SAID"),
        (1, True, b"said"),
        (1, False, b"SAID"),
    ]
    assert [piece.at_ns for piece in tape.pieces] == sorted(piece.at_ns for piece in tape.pieces)


async def test_where_nobody_listens_the_connection_is_closed() -> None:
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        free = server.sockets[0].getsockname()[1]
    async with tapped("127.0.0.1", free, Tape()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_it_can_be_taken_away_while_connections_are_open() -> None:
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        async with tapped("127.0.0.1", server.sockets[0].getsockname()[1], Tape()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"said")
            assert await reader.readexactly(4) == b"SAID"
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


def test_a_tape_keeps_so_much_and_says_when_it_was_full() -> None:
    tape = Tape()
    half = bytes(tap.KEEP_BYTES // 2)
    for at_ns in (1, 2, 3, 4):
        tape.keep(Piece(at_ns, 0, True, half))
    assert (len(tape.pieces), tape.full_ns) == (2, 3)


async def test_datagrams_of_one_client_pass_on_both_ways_and_those_of_others_do_not() -> None:
    loop, tape = asyncio.get_running_loop(), Tape()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
            self.transport.sendto(data.upper(), peer)  # type: ignore[attr-defined]

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
            heard.put_nowait(data)

    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with tapped_datagrams("127.0.0.1", server.get_extra_info("sockname")[1], tape) as port:
        clients = [(await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", port)))[0] for _ in range(2)]
        for client, said in ((clients[0], b"one"), (clients[1], b"other"), (clients[0], b"two")):
            client.sendto(said)
        assert [await heard.get(), await heard.get()] == [b"ONE", b"TWO"]
        clients[0].sendto(b"last")
    for transport in (server, *clients):
        transport.close()
    assert [piece.data for piece in tape.pieces if piece.up] == [b"one", b"two", b"last"]
    assert [piece.data for piece in tape.pieces if not piece.up][:2] == [b"ONE", b"TWO"]
