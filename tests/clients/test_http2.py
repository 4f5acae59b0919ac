"""Subscribers that share connections of HTTP/2: all that a transport promises, on streams, with hypercorn as the server."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from clients.ends import ENDS, RequestRefused
from clients.http2 import Http2
from clients.stream import Stream
from clients.subscription import Subscription
from clients.websocket import WebSocket
from pushbench import certificates, contract
from pushbench.certificates import Certificates
from pushbench.conformance import CHECKS, Bench, Check
from pushbench.reach import Reach
from pushbench.scenario_keys import Load
from pushbench.target import Running
from pushbench.transports import OVER_TCP, Transport, load_class
from tests.conformance.conftest import Feed, take
from tests.serving import Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(server="hypercorn") as running:
        yield running


@pytest.fixture(params=OVER_TCP.values(), ids=list(OVER_TCP))
def row(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


SHORT = [check for check in CHECKS if not check.long and check.name != "held"]  # which counts requests in the clear


@pytest.mark.parametrize("check", SHORT, ids=lambda check: check.name)
async def test_over_http2_it_does_what_the_contract_claims(row: Transport, server: Server, check: Check) -> None:
    known = contract.known("hypercorn")
    target = known.target(Load(transport=row.name, subscribers=1))
    running = Running("127.0.0.1", server.port, 1, asyncio.get_running_loop().create_future())
    bench = Bench(known, target, running, row, target.serves[row.name], http2=Http2(10))
    if not check.not_claimed(bench):
        await check.make(bench)


def subscriber(row: Transport, url: str, shared: Http2) -> Subscription:
    options = {"interval_s": 0.02} if row.polls else {}
    made: Subscription = load_class(row.client)(url, http2=shared, **options)
    return made


async def test_so_many_share_a_connection_and_with_the_last_of_them_it_is_closed(row: Transport, server: Server) -> None:
    made: list[socket.socket] = []

    def factory(address: tuple[object, ...]) -> socket.socket:
        made.append(socket.socket(*address[:3]))  # type: ignore[arg-type]
        return made[-1]

    shared = Http2(3, socket_factory=factory)
    async with AsyncExitStack() as stack:
        for _ in range(7):
            await stack.enter_async_context(subscriber(row, server.url(row.path), shared))
        assert len(made) == 3
    async with asyncio.timeout(20):
        while any(one.fileno() >= 0 for one in made):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_one_that_leaves_ends_its_stream_and_the_others_go_on(row: Transport, server: Server) -> None:
    shared = Http2(10)
    async with aiohttp.ClientSession() as http, subscriber(row, server.url(row.path), shared) as stays:
        async with subscriber(row, server.url(row.path), shared):
            pass
        await Feed(server, http).publish(b"still here")
        assert await take(stays, 1) == [b"still here"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


async def test_over_tls_it_is_agreed_on(row: Transport, made: Certificates) -> None:
    with serving(server="hypercorn", tls_certificate=made.certificate, tls_key=made.key) as server:
        reach = Reach(tls=True, authority=made.authority)
        shared = Http2(10, tls=reach.context())
        url = server.url(row.path).replace("http:", "https:")
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=reach.context() or True)) as http,
            subscriber(row, url, shared) as subscription,
        ):
            async with http.post(url.replace(row.path, "/publish"), data=b"secret"):
                pass
            assert await take(subscription, 1) == [b"secret"]


async def test_a_server_that_does_not_speak_it_is_told_as_such(made: Certificates) -> None:
    with serving() as plain, pytest.raises(ENDS):
        async with Stream(plain.url("/stream"), http2=Http2(10)):
            pass
    with serving(tls_certificate=made.certificate, tls_key=made.key) as secure:
        shared = Http2(10, tls=Reach(tls=True, authority=made.authority).context())
        url = secure.url("/stream").replace("http:", "https:")
        with pytest.raises(aiohttp.ClientConnectionError, match="does not speak HTTP/2"):
            async with Stream(url, http2=shared):
                pass


@pytest.mark.parametrize("client", [Stream, WebSocket])
async def test_a_refusal_is_one_over_http2_too(client: type[Subscription], server: Server) -> None:
    with pytest.raises(RequestRefused, match="/nowhere answered 40"):
        async with client(server.url("/nowhere"), http2=Http2(10)):
            pass


async def test_a_server_that_ends_ends_all_its_streams() -> None:
    with serving(server="hypercorn") as server:
        shared = Http2(10)
        async with (
            Stream(server.url("/stream"), http2=shared) as stream,
            WebSocket(server.url("/websocket"), http2=shared) as other,
        ):
            ends = [asyncio.ensure_future(one.receive(lambda messages: None)) for one in (stream, other)]
            await asyncio.sleep(0)
            server.process.terminate()
            async with asyncio.timeout(20):
                found = await asyncio.gather(*ends, return_exceptions=True)
            assert all(isinstance(end, ENDS) for end in found), found


async def test_what_is_said_on_a_websocket_may_be_longer_than_a_frame_and_than_the_window(server: Server) -> None:
    """Of both the server says how long they may be: 16 KiB, and 64 KiB until it has read."""
    shared = Http2(1)
    async with WebSocket(server.url("/echo"), http2=shared) as socket:
        taken: list[bytes] = []
        reading = asyncio.ensure_future(socket.receive(taken.extend))
        said = [bytes([65 + nth]) * 65_000 for nth in range(4)]
        for one in said:
            socket.say(one)
        async with asyncio.timeout(20):
            while len(taken) < len(said) and not reading.done():  # noqa: ASYNC110  # a list tells nobody
                await asyncio.sleep(0.001)
        assert taken == said
        reading.cancel()
