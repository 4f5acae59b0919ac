import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import uvloop

from clients.sockets import AddressInfo
from pushbench.wire import (
    IP_BYTES,
    SYN_BYTES,
    TCP_BYTES,
    TIMESTAMP_BYTES,
    UDP_BYTES,
    Line,
    Meter,
    Traffic,
    WireError,
    read,
    total,
)

HEADER = IP_BYTES + TCP_BYTES + TIMESTAMP_BYTES


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server that says the same to every line; gives its port."""

    serving = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        while await reader.readline():
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.gather(*(task for task in serving if task))


async def connect(line: Line, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))
    made = line.socket(address)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, address[4])
    return await asyncio.open_connection(sock=made)


async def ask(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], size: int, answer: bytes) -> None:
    streams[1].write(b"?" * (size - 1) + b"\n")
    assert await streams[0].readexactly(len(answer)) == answer


async def swept(meter: Meter, closing: int) -> None:
    """Wait until the other side has closed, too."""
    while len(meter._closing) > closing:
        meter.sweep()
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_what_went_over_in_the_window_is_counted_and_nothing_else(factory: object) -> None:
    async def measure() -> tuple[Traffic, Traffic]:
        meter = Meter(copies=False)
        async with answering(b"answer") as port:
            line = Line(meter)
            streams = await connect(line, port)
            await ask(streams, 100, b"answer")
            before = line.traffic()
            await meter.begin()
            for _ in range(3):
                await ask(streams, 50, b"answer")
            traffic = await meter.end()
            await ask(streams, 1000, b"answer")
            streams[1].close()
            return before, traffic

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        before, traffic = runner.run(measure())
    assert (before.connections, before.opened, before.down_bytes, before.up_bytes) == (1, 1, 6, 100)
    assert (traffic.connections, traffic.opened, traffic.down_bytes, traffic.up_bytes) == (1, 0, 18, 150)
    assert traffic.requests == 3
    assert traffic.down_tcpip_bytes == HEADER * traffic.down_packets
    assert traffic.up_tcpip_bytes == HEADER * traffic.up_packets


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_connections_that_come_and_go_in_the_window_are_counted_to_their_last_segment(factory: object) -> None:
    async def measure() -> Traffic:
        meter = Meter(copies=True)
        async with answering(b"answer") as port:
            old = await connect(Line(meter), port)
            await ask(old, 10, b"answer")
            await meter.begin()
            for _ in range(5):
                new = await connect(Line(meter), port)
                await ask(new, 20, b"answer")
                new[1].close()
                await new[1].wait_closed()
            await ask(old, 10, b"answer")
            old[1].close()
            await old[1].wait_closed()
            await swept(meter, 0)
            traffic = await meter.end()
            meter.close()
            return traffic

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        traffic = runner.run(measure())
    assert (traffic.connections, traffic.opened, traffic.down_bytes, traffic.up_bytes) == (6, 5, 36, 110)
    # Of each that came and went: SYN, question, FIN; SYN-ACK, answer, FIN; and acknowledgements beside them.
    assert traffic.up_packets >= 5 * 3 + 2
    assert traffic.down_packets >= 5 * 3 + 2
    assert traffic.down_tcpip_bytes == HEADER * traffic.down_packets + 5 * SYN_BYTES
    assert traffic.up_tcpip_bytes == HEADER * traffic.up_packets + 5 * SYN_BYTES


@contextmanager
def sniffing() -> Iterator[socket.socket]:
    """All packets of loopback. Skips the test for whoever may not see them."""
    try:
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    except PermissionError:
        pytest.skip("only root sees the packets themselves")
    with sniffer:
        sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        sniffer.bind(("lo", 0x0800))
        sniffer.setblocking(False)
        yield sniffer


def seen(sniffer: socket.socket, port: int) -> dict[str, tuple[int, int]]:
    """How many packets to and from a port there were, and how many bytes with all headers."""
    counts = {"up": (0, 0), "down": (0, 0)}
    with suppress(BlockingIOError):
        while True:
            packet, (_, _, kind, _, _) = sniffer.recvfrom(1 << 17)
            if kind == 4:  # PACKET_OUTGOING: on loopback each packet goes out and comes in
                continue
            here, there = struct.unpack("!HH", packet[(packet[0] & 15) * 4 :][:4])
            if port in (here, there):
                way = "up" if there == port else "down"
                counts[way] = (counts[way][0] + 1, counts[way][1] + len(packet))
    return counts


async def test_the_kernels_counts_are_those_of_the_packets_themselves() -> None:
    meter = Meter(copies=True)
    with sniffing() as sniffer:
        async with answering(b"a" * 3000) as port:
            await meter.begin()
            for size in (1, 128, 5000):
                streams = await connect(Line(meter), port)
                for _ in range(4):
                    await ask(streams, size, b"a" * 3000)
                streams[1].close()
                await streams[1].wait_closed()
            await swept(meter, 0)
            traffic = await meter.end()
        packets = seen(sniffer, port)
    assert packets["down"] == (traffic.down_packets, traffic.down_bytes + traffic.down_tcpip_bytes)
    assert packets["up"] == (traffic.up_packets, traffic.up_bytes + traffic.up_tcpip_bytes)


async def test_a_copy_does_not_keep_the_other_side_from_being_told() -> None:
    told = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        told.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        _, writer = await connect(Line(Meter(copies=True)), server.sockets[0].getsockname()[1])
        writer.close()
        await writer.wait_closed()
        await told.wait()


async def test_copies_do_not_outlive_the_meter() -> None:
    meter = Meter(copies=True)
    async with answering(b"answer") as port:
        closed, kept = await connect(Line(meter), port), await connect(Line(meter), port)
        copies = [*meter._open.values()]
        await meter.begin()
        closed[1].close()
        await closed[1].wait_closed()
        meter.close()
        assert [copy.fileno() for copy in copies] == [-1, -1]
        kept[1].close()


def test_datagrams_are_counted_by_their_own_socket_in_the_window_and_to_its_end() -> None:
    """The kernel has no counts of UDP. One stays, one closes in the window; what is before and behind it is not in it."""

    async def over() -> Traffic:
        meter = Meter(copies=True)
        with socket.socket(type=socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            address = (socket.AF_INET, socket.SOCK_DGRAM, 0, "", server.getsockname())
            stays, leaves = meter.make(address), meter.make(address)

            def exchange(one: socket.socket) -> None:
                one.send(b"question")
                server.sendto(b"answer", server.recvfrom(100)[1])
                assert one.recv(100) == b"answer"

            for one in (stays, leaves):
                one.connect(server.getsockname())
                exchange(one)
            await meter.begin()
            exchange(stays)
            exchange(leaves)
            leaves.close()
            traffic = await meter.end()
            exchange(stays)
            stays.close()
        meter.close()
        return traffic

    heads = 2 * (IP_BYTES + UDP_BYTES)
    assert asyncio.run(over()) == Traffic(2, 0, 12, 16, 2, 2, 0, heads, heads)


def test_without_connections_there_is_no_traffic() -> None:
    assert total([]) == Traffic()


def test_a_kernel_that_tells_too_little_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(socket.socket):
        def getsockopt(self, *arguments: int) -> bytes:  # type: ignore[override]
            return bytes(104)

    with Old() as old, pytest.raises(WireError, match=r"104 bytes, and 208 are needed: it takes Linux 4\.19"):
        read(old)


async def test_a_meter_with_sources_gives_its_sockets_these_addresses_in_turn_on_loopback() -> None:
    meter = Meter(copies=False, sources=["127.0.0.7", "127.0.1.7"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: AddressInfo = (socket.AF_INET, socket.SOCK_STREAM, 0, "", listener.getsockname())
        for expected in ("127.0.0.7", "127.0.1.7", "127.0.0.7"):
            with meter.make(address) as one:
                one.connect(listener.getsockname())
                assert one.getsockname()[0] == expected
