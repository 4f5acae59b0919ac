"""WebTransport at the server: who may come in, what is refused, how a session ends; malformed packets do no harm."""

import asyncio
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.stream import QuicStream

from clients.ends import SubscriptionEnded
from clients.quic import Session, session
from clients.webtransport import Datagrams, WebTransport
from pushbench import certificates
from pushbench.certificates import Certificates
from pushbench.transports import TRANSPORTS, Transport
from servers import quic
from servers.options import Options
from servers.varint import varint
from tests.conformance.conftest import client_of
from tests.serving import Server, serving_quic

QUIC = [row for row in TRANSPORTS.values() if row.quic]
TOKEN = "a-token.of_this~test"
FRIEND = "https://friend.example"
MOST = 3
SERVERS_OWN = 15
"""The first stream that the server opens in one direction beside the three of HTTP/3."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(made: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("access") / "token"
    path.write_text(TOKEN)
    with serving_quic(made, token_file=path, allow_origins=FRIEND) as running:
        yield running


@pytest.fixture(params=QUIC, ids=[row.name for row in QUIC])
def row(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


async def answer(server: Server, path: str, **headers: str) -> tuple[int, str]:
    """Status and refusal of a request for a session."""
    one = await session(server.url(path), headers, None, server.tls)
    try:
        status, said, _ = await one.open()
    finally:
        one.close()
    return status, said.get("refusal", "")


BEARER = f"Bearer {TOKEN}"


async def test_without_the_token_or_with_another_it_is_401(server: Server, row: Transport) -> None:
    assert await answer(server, row.path) == (401, "token_missing")
    assert await answer(server, row.path, authorization=f"Bearer {TOKEN[:-1]}") == (401, "token_wrong")


async def test_with_the_token_it_comes_in_by_header_and_by_query(server: Server, row: Transport) -> None:
    assert await answer(server, row.path, authorization=BEARER) == (200, "")
    assert await answer(server, f"{row.path}?access_token={TOKEN}") == (200, "")


async def test_from_a_page_elsewhere_it_is_403_unless_that_is_allowed(server: Server, row: Transport) -> None:
    foe = await answer(server, row.path, authorization=BEARER, origin="https://foe.example")
    assert foe == (403, "origin_refused")
    assert await answer(server, row.path, authorization=BEARER, origin=FRIEND) == (200, "")


async def test_a_head_that_is_too_large_is_431(server: Server, row: Transport) -> None:
    assert await answer(server, row.path, authorization=BEARER, cookie="x" * 20_000) == (431, "head_too_large")
    assert await answer(server, row.path, authorization=BEARER, cookie="x" * 8_000) == (200, "")


async def test_what_is_no_cursor_is_400_and_one_that_is_gone_410(server: Server, row: Transport) -> None:
    assert await answer(server, f"{row.path}?after=x", authorization=BEARER) == (400, "cursor_invalid")
    assert await answer(server, f"{row.path}?after=99", authorization=BEARER) == (410, "cursor_unknown")


async def test_what_is_no_path_of_it_is_404_or_405(server: Server) -> None:
    assert (await answer(server, "/nowhere", authorization=BEARER))[0] == 404
    assert (await answer(server, "/stream", authorization=BEARER))[0] == 405


async def test_when_as_many_are_open_as_may_be_it_is_503_and_later_it_is_not(made: Certificates, row: Transport) -> None:
    with serving_quic(made, max_connections=MOST) as server:
        async with AsyncExitStack() as stack:
            for _ in range(MOST):
                await stack.enter_async_context(WebTransport(server.url("/webtransport"), tls=server.tls))
            assert await answer(server, row.path) == (503, "too_many_connections")
        async with asyncio.timeout(20):
            while (found := await answer(server, row.path))[0] == 503:
                pass
        assert found == (200, "")


async def test_over_tcp_it_is_told_where_it_is_spoken(server: Server, row: Transport) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=server.tls)
    head = f"CONNECT {row.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {BEARER}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"not_webtransport: WebTransport is spoken over HTTP/3: ask there, at the same port of UDP" in said


class Curious(Session):
    """A session that asks for what it likes."""

    asks: dict[str, str]

    def _ask(self) -> None:
        assert self._http
        self._number = self._quic.get_next_available_stream_id()
        head = {":scheme": "https", ":authority": self._url.authority, ":path": self._url.raw_path_qs, **self.asks}
        self._http.send_headers(self._number, [(name.encode(), value.encode()) for name, value in sorted(head.items())])


async def test_what_is_not_webtransport_is_501(server: Server) -> None:
    one: Any = await session(server.url("/polling"), {}, None, server.tls)
    one.__class__ = Curious
    one.asks = {":method": "GET"}
    status, said, body = await one.open()
    one.close()
    assert (status, said["refusal"]) == (501, "not_webtransport")
    assert body.startswith(b"not_webtransport: only WebTransport is spoken here")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


async def cursors(server: Server, http: aiohttp.ClientSession) -> int:
    async with http.get(server.url("/status"), ssl=server.tls or True, headers={"authorization": BEARER}) as said:
        count: int = (await said.json())["cursors"]
        return count


class Kept:
    """Keeps why a session ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def stream_data_received(self, stream: int, data: bytes, ended: bool) -> None:
        pass

    def datagram_received(self, data: bytes) -> None:
        pass

    def session_ended(self, error: Exception) -> None:
        self.ended.set_result(error)


@pytest.mark.parametrize("how", ["stream", "datagram"])
async def test_a_subscriber_that_says_something_is_told_that_it_should_not(
    server: Server, http: aiohttp.ClientSession, how: str
) -> None:
    one = await session(server.url("/webtransport"), {"authorization": BEARER}, None, server.tls)
    assert (await one.open())[0] == 200
    kept = Kept()
    one.give_to(kept)
    assert one._http
    if how == "datagram":
        one._http.send_datagram(one._number, b"hello")
    else:
        stream = one._http.create_webtransport_stream(one._number, is_unidirectional=True)
        one._quic.send_stream_data(stream, b"hello")
    one._transmit()
    async with asyncio.timeout(20):
        error = await kept.ended
        while await cursors(server, http):
            pass
    one.close()
    assert isinstance(error, SubscriptionEnded)
    assert "closed with 1008: a subscriber says nothing" in str(error)


@pytest.mark.parametrize("how", ["resets the session", "stops the stream", "stops the session"])
async def test_a_client_that_wants_no_more_leaves_nothing_behind_and_no_word_in_the_log(
    made: Certificates, http: aiohttp.ClientSession, how: str
) -> None:
    with serving_quic(made, stderr=subprocess.PIPE) as server:
        one = await session(server.url("/webtransport"), {}, None, server.tls)
        assert (await one.open())[0] == 200
        one.give_to(Kept())
        assert await cursors(server, http) == 1
        if how == "resets the session":
            one._quic.reset_stream(one._number, 0)
        else:
            one._quic.stop_stream(one._number if how == "stops the session" else SERVERS_OWN, 0)
        one._transmit()
        async with asyncio.timeout(20):
            while await cursors(server, http):
                async with http.post(server.url("/publish"), data=b"x", ssl=server.tls or True) as said:
                    assert said.status == 200
        one.close()
        server.process.terminate()
        assert server.process.stderr is not None
        assert await asyncio.to_thread(server.process.stderr.read) == ""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_when_it_stops_every_reader_is_told(made: Certificates, loop: str) -> None:
    with serving_quic(made, loop=loop) as server:
        async with AsyncExitStack() as stack:
            clients = [client_of(row)(server.url(row.path), tls=server.tls) for row in QUIC for _ in range(5)]
            there = [await stack.enter_async_context(client) for client in clients]
            listening = [asyncio.ensure_future(one.receive(lambda messages: None)) for one in there]
            server.process.terminate()
            ends = await asyncio.gather(*listening, return_exceptions=True)
            assert {str(end) for end in ends} == {"the server closed with 1001: the server is stopping"}
            assert await asyncio.to_thread(server.process.wait, 20) == -15


async def test_what_fits_into_no_datagram_is_lost_like_any_other(made: Certificates, http: aiohttp.ClientSession) -> None:
    with serving_quic(made) as server:
        async with Datagrams(server.url("/webtransport_datagrams"), tls=server.tls) as one:
            taken: list[bytes] = []
            came = asyncio.Event()

            def take(messages: list[bytes]) -> None:
                taken.extend(messages)
                if messages == [b"last"]:
                    came.set()

            receiving = asyncio.ensure_future(one.receive(take))
            most = TRANSPORTS["webtransport_datagrams"].most_bytes
            for message in (b"x" * most, b"y" * 2000, b"last"):
                async with http.post(server.url("/publish"), data=message, ssl=server.tls or True) as said:
                    assert said.status == 200
            async with asyncio.timeout(20):
                await came.wait()
            receiving.cancel()
            assert taken == [b"x" * most, b"last"]


async def test_malformed_packets_do_no_harm_and_leave_nothing(made: Certificates, http: aiohttp.ClientSession) -> None:
    chance = random.Random(6)
    with serving_quic(made, stderr=subprocess.PIPE) as server, socket.socket(type=socket.SOCK_DGRAM) as anyone:
        anyone.connect(("127.0.0.1", server.port))
        for number in range(3000):
            ids = b"\x08" + chance.randbytes(8) + b"\x08" + chance.randbytes(8)
            initial = b"\xc0\x00\x00\x00\x01" + ids + b"\x00" + chance.choice((b"\x44\x96", b"\x7f\xff", b""))
            begin = chance.choice((b"", b"\x40", initial, initial, b"\xe0\xff\x00\x00\x1d" + ids))
            anyone.send((begin + chance.randbytes(chance.choice((0, 1, 20, 1200, 1472))))[:1472] or b"\0")
            if number % 500 == 0:
                assert await cursors(server, http) == 0
        async with WebTransport(server.url("/webtransport"), tls=server.tls) as one:
            assert one.cursor == 0
        server.process.terminate()
        assert server.process.stderr is not None
        assert "Traceback" not in await asyncio.to_thread(server.process.stderr.read)


async def test_a_head_without_an_end_is_not_collected(server: Server) -> None:
    """It claims to be 2**40 bytes long, and never ends."""
    one = await session(server.url("/webtransport"), {"authorization": BEARER}, None, server.tls)
    assert (await one.open())[0] == 200
    kept = Kept()
    one.give_to(kept)
    stream = one._quic.get_next_available_stream_id()
    one._quic.send_stream_data(stream, b"\x01\xc0\x00\x01\x00\x00\x00\x00\x00" + b"x" * 100_000)
    one._transmit()
    async with asyncio.timeout(20):
        assert "0x107: head_too_large" in str(await kept.ended)
    one.close()


async def test_one_connection_may_have_one_session_after_the_other(made: Certificates, http: aiohttp.ClientSession) -> None:
    """Each has a stream of the server's, of which a client grants so many at a time."""
    with serving_quic(made) as server:
        one: Any = await session(server.url("/webtransport"), {}, None, server.tls)
        assert (await one.open())[0] == 200
        one.give_to(Kept())
        assert await cursors(server, http) == 1
        for _ in range(200):
            before = one._number
            one._quic.reset_stream(before, 0)
            one._quic.stop_stream(before, 0)
            one._status, one._answered = 0, asyncio.get_running_loop().create_future()
            one._ask()
            one._transmit()
            async with asyncio.timeout(20):
                await one._answered
            one._read()
        async with asyncio.timeout(20):
            while await cursors(server, http) != 1:
                pass
        said = asyncio.Event()
        one._reader.stream_data_received = lambda stream, data, ended: said.set()
        async with http.post(server.url("/publish"), data=b"x", ssl=server.tls or True) as response:
            assert response.status == 200
        async with asyncio.timeout(20):
            await said.wait()
        one.close()


async def test_trailers_are_no_second_request(server: Server, http: aiohttp.ClientSession) -> None:
    one = await session(server.url("/webtransport"), {"authorization": BEARER}, None, server.tls)
    assert (await one.open())[0] == 200
    kept = Kept()
    one.give_to(kept)
    assert one._http
    one._http.send_headers(one._number, [(b"x-trailer", b"1")], end_stream=True)
    one._transmit()
    async with asyncio.timeout(20):
        await kept.ended
        while await cursors(server, http):
            pass
    one.close()


async def test_a_capsule_of_no_known_kind_changes_nothing_and_the_one_that_says_good_bye_ends_the_session(
    server: Server, http: aiohttp.ClientSession
) -> None:
    """Browsers send some of reserved kinds, so that nobody forgets to drop them."""
    one = await session(server.url("/webtransport"), {"authorization": BEARER}, None, server.tls)
    assert (await one.open())[0] == 200
    kept: Any = Kept()
    said = asyncio.Event()
    kept.stream_data_received = lambda stream, data, ended: said.set()
    one.give_to(kept)
    assert one._http
    reserved = varint(0x17 + 0x29 * 1000) + varint(2) + b"ab"
    good_bye = varint(quic.CLOSE_SESSION) + varint(4) + b"\0\0\0\0"
    for part in (reserved[:3], reserved[3:], reserved + good_bye[:1]):
        one._http.send_data(one._number, part, end_stream=False)
        one._transmit()
    async with asyncio.timeout(20):
        while not said.is_set():
            async with http.post(
                server.url("/publish"), data=b"x", ssl=server.tls or True, headers={"authorization": BEARER}
            ) as taken:
                assert taken.status == 200
        assert await cursors(server, http) == 1
        one._http.send_data(one._number, good_bye[1:], end_stream=False)
        one._transmit()
        while await cursors(server, http):
            pass
    one.close()


async def test_who_asks_for_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic, "SILENT_S", 0.01)
    endpoint = quic._Endpoint(None, Options())  # type: ignore[arg-type]
    connection = quic.Connection(endpoint, QuicConnection(configuration=QuicConfiguration()))
    given_up = asyncio.Event()
    monkeypatch.setattr(connection, "close", lambda **said: given_up.set())
    async with asyncio.timeout(20):
        await given_up.wait()
    connection.end()
    assert endpoint.connections == set()


def test_what_is_asked_of_aioquic_beside_its_documentation_is_there() -> None:
    told = QuicConnection(configuration=QuicConfiguration())
    assert len(told._datagrams_pending) == 0
    assert told._streams == {}
    assert QuicStream(0).sender._buffer == b""
