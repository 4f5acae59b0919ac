"""The lines, against servers of the tests' own: what passes is counted to the byte; what is cut is reset, or vanishes."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pushbench.demo.lines import DatagramLane, StreamLane
from pushbench.shaping import Line
from pushbench.turns import Turns

TIMEOUT_S = 20
UP, DOWN = b"GET /polling HTTP/1.1\r\nhost: x\r\n\r\n", b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\n\r\n'


@contextmanager
def turning(turns: Turns) -> Iterator[None]:
    """Have the loop turn in a thread."""
    over = threading.Event()

    def tick() -> None:
        turns.at(time.monotonic_ns() + 5_000_000, tick)

    def run() -> None:
        tick()
        while not over.is_set():
            turns.turn()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(TIMEOUT_S)


@contextmanager
def answering() -> Iterator[int]:
    """A server that answers every request with the same bytes; gives its port."""

    def serve(one: socket.socket) -> None:
        with one:
            while one.recv(len(UP), socket.MSG_WAITALL):
                one.sendall(DOWN)

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=partial(_quietly, serve, one), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(serve: object, one: socket.socket) -> None:
    try:
        serve(one)  # type: ignore[operator]
    except OSError:
        return


@pytest.fixture
def lanes() -> Iterator[tuple[StreamLane, StreamLane]]:
    turns = Turns()
    made = (StreamLane(turns), StreamLane(turns))
    with answering() as port, turning(turns):
        for one in made:
            one.server = ("127.0.0.1", port)
        yield made
    for one in made:
        one.close()
    turns.close()


@pytest.fixture
def lane(lanes: tuple[StreamLane, StreamLane]) -> StreamLane:
    return lanes[0]


def until(true: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


def dialled(lane: StreamLane) -> socket.socket:
    return socket.create_connection(("127.0.0.1", lane.port), timeout=TIMEOUT_S)


def ask(client: socket.socket) -> bytes:
    client.sendall(UP)
    return client.recv(len(DOWN), socket.MSG_WAITALL)


def test_what_passes_is_counted_to_the_byte_and_kept(lane: StreamLane) -> None:
    with dialled(lane) as client:
        for _ in range(3):
            assert ask(client) == DOWN
        counts = lane.counts
        assert (counts.up_bytes, counts.down_bytes, counts.connections) == (3 * len(UP), 3 * len(DOWN), 1)
        kept = counts.exchanges.kinds["GET 304"]
        assert (bytes(kept.up.first), bytes(kept.down.first)) == (UP, DOWN)


def test_a_line_that_is_stretched_delays_connections_that_are_open(lanes: tuple[StreamLane, StreamLane]) -> None:
    lane, short_lane = lanes
    with dialled(lane) as client:
        assert ask(client) == DOWN
        lane.stretch(Line(round_trip_ns=3600 * 10**9))
        client.sendall(UP)
        until(lambda: lane.counts.up_bytes == 2 * len(UP))
        with dialled(short_lane) as other:  # on the same loop, to the same server: what is not held back comes meanwhile
            for _ in range(10):
                assert ask(other) == DOWN
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        assert lane.counts.down_bytes == len(DOWN)


def test_a_line_that_is_cut_resets_what_is_open_and_what_comes_until_it_is_mended(lane: StreamLane) -> None:
    with dialled(lane) as client:
        assert ask(client) == DOWN
        lane.cut = True
        lane.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionResetError), dialled(lane) as client:
        client.recv(1)
    lane.cut = False
    with dialled(lane) as client:
        assert ask(client) == DOWN
    assert lane.counts.connections == 2


def test_datagrams_pass_both_ways_and_vanish_while_the_line_is_cut() -> None:
    turns = Turns()
    lane = DatagramLane(turns)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        for one in (server, client):
            one.settimeout(TIMEOUT_S)
            one.bind(("127.0.0.1", 0))
        lane.server = server.getsockname()
        client.connect(("127.0.0.1", lane.port))
        with turning(turns):
            client.send(b"hello")
            data, back = server.recvfrom(100)
            server.sendto(b"answer", back)
            assert (data, client.recv(100)) == (b"hello", b"answer")
            assert (lane.counts.up_bytes, lane.counts.down_bytes, lane.open_count) == (5, 6, 1)
            lane.cut = True
            client.send(b"lost")
            server.sendto(b"lost too", back)
            until(lambda: lane.vanished == 2)
            lane.cut = False
            client.send(b"again")
            assert server.recvfrom(100) == (b"again", back)
            server.sendto(b"answer again", back)
            assert client.recv(100) == b"answer again"
    lane.close()
    turns.close()


def test_datagrams_of_one_client_are_one_exchange_up_and_down() -> None:
    turns = Turns()
    lane = DatagramLane(turns)
    with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        for one in (server, client):
            one.settimeout(TIMEOUT_S)
            one.bind(("127.0.0.1", 0))
        lane.server = server.getsockname()
        with turning(turns):
            for _ in range(2):
                client.sendto(b"hello", ("127.0.0.1", lane.port))
                _, back = server.recvfrom(100)
                server.sendto(b"answer", back)
                client.recv(100)
        [exchange] = lane.counts.exchanges.kinds.values()
        assert (exchange.up.size, exchange.down.size) == (10, 12)
    lane.close()
    turns.close()
