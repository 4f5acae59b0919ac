"""How a connection is opened: the head of the answer is aiohttp's, and what follows it is the subscription's."""

import asyncio
import itertools
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

import clients.opening
from clients.ends import CursorGone, RequestRefused, SubscriptionEnded
from clients.longpoll import LongPoll
from clients.opening import Cut
from clients.sockets import AddressInfo
from clients.sse import ServerSentEvents
from clients.stream import Stream
from clients.subscription import Subscription
from clients.websocket import WebSocket
from tests.clients.peer import Answer, Then, closing, endless, frame, peer, response, upgraded

TEXT = 0x1

Client = Callable[..., Subscription]
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What a server does on a connection before it waits for the client to close it."""

WELCOME: dict[Client, bytes] = {
    Stream: endless(),
    WebSocket: upgraded(),
    LongPoll: response("204 No Content", b"", 'ETag: "7"'),
}
"""The answer to which each client is connected. Server-Sent Events are read as a stream is."""


@pytest.fixture(params=WELCOME, ids=lambda client: client.__name__.lower())
def client(request: pytest.FixtureRequest) -> Client:
    given: Client = request.param
    return given


@pytest.fixture
def welcome(client: Client) -> bytes:
    return WELCOME[client]


@dataclass(slots=True)
class Server:
    """A server of scripts."""

    url: str = ""
    visits: list["asyncio.Task[None]"] = field(default_factory=list)
    """One a connection."""

    async def left(self) -> None:
        """Wait until the clients have closed all connections."""
        async with asyncio.timeout(20):
            await asyncio.gather(*self.visits)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """Serve each connection by the script, then hold it until the client closes it; only a good-bye is answered."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit
        server.visits.append(visit)
        try:
            await script(reader, writer)
            while said := await reader.read(1024):
                if said[0] == 0x88:
                    writer.write(closing(1000))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/feed"
        yield server


async def answered(reader: asyncio.StreamReader, data: bytes) -> bytes:
    """An answer to the next request: `%ACCEPT%` in it becomes the key of a WebSocket's handshake."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = re.search("Sec-WebSocket-Key: (.*)\r\n", request)
    return data.replace(b"%ACCEPT%", accept_key(key[1]).encode()) if key else data


def answering(data: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answered(reader, data))

    return script


async def outcome(subscription: Subscription) -> tuple[list[bytes], int | None, str]:
    """What is handed over until the subscription ends, the cursor then, and how it ends."""
    got: list[bytes] = []
    with pytest.raises((SubscriptionEnded, aiohttp.ClientError)) as end:
        async with asyncio.timeout(20), subscription:
            await subscription.receive(got.extend)
    return got, subscription.cursor, f"{end.type.__name__}: {end.value}"


EARLY_HINTS = b'HTTP/1.1 103 Early Hints\r\nETag: "1"\r\nLink: </style.css>\r\n\r\n'
STREAM = endless(b"a\n", b"b\n", last=True)
STREAMED = ([b"a", b"b"], 9, "SubscriptionEnded: the server ended the response")
FRAMES = upgraded(frame(TEXT, b"a"), frame(TEXT, b"b"), closing(1000))
FRAMED = ([b"a", b"b"], 9, "SubscriptionEnded: the server closed with 1000: no reason given")


@pytest.mark.parametrize(
    ("client", "data", "expected"),
    [
        (Stream, STREAM, STREAMED),
        (Stream, EARLY_HINTS + STREAM, STREAMED),
        (WebSocket, FRAMES, FRAMED),
        (Stream, response("410 Gone", b"too old"), ([], None, "CursorGone: /feed answered 410: too old")),
    ],
    ids=["stream", "after early hints", "websocket", "refusal"],
)
async def test_it_does_not_matter_where_an_answer_is_cut_in_two(
    client: Client, data: bytes, expected: tuple[list[bytes], int | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    came = asyncio.Event()

    class Noting(Cut):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            came.set()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data_now = await answered(reader, data)
        came.clear()
        writer.write(data_now[:cut])
        await writer.drain()
        await came.wait()  # so the two do not come in one piece
        writer.write(data_now[cut:])

    monkeypatch.setattr(clients.opening, "Cut", Noting)
    size = len(data.replace(b"%ACCEPT%", accept_key("").encode()))
    async with serving(script) as server:
        for cut in range(1, size):
            assert await outcome(client(server.url)) == expected, cut
        await server.left()


@pytest.mark.parametrize(
    ("client", "data", "expected"), [(Stream, STREAM, STREAMED), (WebSocket, FRAMES, FRAMED)], ids=["stream", "websocket"]
)
async def test_what_came_with_the_head_is_not_lost_even_if_the_server_has_left_before_it_is_wanted(
    client: Client, data: bytes, expected: tuple[list[bytes], int | None, str]
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answered(reader, data))
        writer.close()
        await writer.wait_closed()

    got: list[bytes] = []
    async with serving(script) as server, client(server.url) as subscription:
        await server.left()
        with pytest.raises(SubscriptionEnded) as end:
            await subscription.receive(got.extend)
    assert (got, subscription.cursor, f"{end.type.__name__}: {end.value}") == expected


@pytest.mark.parametrize(
    "interim",
    [b"HTTP/1.1 100 Continue\r\n\r\n", EARLY_HINTS, b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY_HINTS, b"\r\n" + EARLY_HINTS],
    ids=["100", "103", "both", "103 after an empty line"],
)
async def test_an_answer_that_announces_another_is_passed_over(client: Client, welcome: bytes, interim: bytes) -> None:
    async with peer(Answer(interim + welcome, Then.TALK)) as server, client(server.url) as subscription:
        assert str(subscription.cursor) == "7"


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n"], ids=["one", "two"])
async def test_empty_lines_before_an_answer_are_passed_over(client: Client, welcome: bytes, before: bytes) -> None:
    async with peer(Answer(before + welcome, Then.TALK)) as server, asyncio.timeout(20), client(server.url) as subscription:
        assert str(subscription.cursor) == "7"


@pytest.mark.parametrize("body", [b"", b"it has moved"], ids=["without a body", "with a body"])
async def test_a_redirect_is_followed(client: Client, welcome: bytes, body: bytes) -> None:
    moved = Answer(response("302 Found", body, "Location: /there", 'ETag: "1"'))
    async with peer(moved, Answer(welcome, Then.TALK)) as server, client(server.url) as subscription:
        assert [server.target(0), server.target(1)] == ["/feed", "/there"]
        assert str(subscription.cursor) == "7"


async def test_a_redirect_whose_body_does_not_end_is_followed_on_a_new_connection(client: Client, welcome: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 9\r\n\r\nit"
        writer.write(await answered(reader, welcome if len(server.visits) > 1 else moved))

    async with serving(script) as server:
        async with client(server.url) as subscription:
            assert str(subscription.cursor) == "7"
            async with asyncio.timeout(20):
                await server.visits[0]
        await server.left()
        assert len(server.visits) == 2


@pytest.mark.parametrize(("client", "data", "expected"), [(Stream, STREAM, STREAMED), (WebSocket, FRAMES, FRAMED)])
async def test_what_comes_with_the_head_behind_a_redirect_is_not_lost(
    client: Client, data: bytes, expected: tuple[list[bytes], int | None, str]
) -> None:
    async with peer(Answer(response("302 Found", b"", "Location: /there")), Answer(data, Then.HOLD)) as server:
        assert await outcome(client(server.url)) == expected


async def test_a_redirect_to_nowhere_is_a_refusal(client: Client) -> None:
    async with serving(answering(response("302 Found", b"it has moved"))) as server:
        with pytest.raises(RequestRefused, match="/feed answered 302"):
            async with client(server.url):
                pass
        await server.left()


async def test_redirects_without_end_are_an_error(client: Client) -> None:
    async with serving(answering(b"HTTP/1.1 302 Found\r\nLocation: /feed\r\nContent-Length: 9\r\n\r\n")) as server:
        with pytest.raises(aiohttp.TooManyRedirects):
            async with client(server.url):
                pass
        await server.left()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"no such thing\r\n\r\n",
        b"\0\0\0\0",
        b"<html>\n<p>\n\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\nETag: 7\n\n",
        frame(TEXT, b"a"),
    ],
)
async def test_what_is_no_http_is_an_error_and_nothing_to_wait_for(client: Client, data: bytes) -> None:
    async with serving(answering(data)) as server:
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(20), client(server.url):
                pass
        await server.left()


@pytest.mark.parametrize(
    "line",
    [b"X: a\x01b\r\n", b"X: a\r\n b\r\n", b"X: a\n"],
    ids=["a character of control", "a folded line", "a line feed alone"],
)
@pytest.mark.parametrize("client", [Stream, ServerSentEvents, LongPoll])
async def test_a_head_that_aiohttp_takes_for_http_and_httptools_does_not_is_an_end_too(client: Client, line: bytes) -> None:
    status, _, rest = (WELCOME[LongPoll] if client is LongPoll else endless()).partition(b"\r\n")
    async with serving(answering(status + b"\r\n" + line + rest)) as server:
        got, _, _ = await outcome(client(server.url))
        assert got == []
        await server.left()


@pytest.mark.parametrize("client", [Stream, ServerSentEvents])
async def test_an_answer_that_ends_with_its_head_is_an_end(client: Client) -> None:
    async with serving(answering(response("200 OK", b"", 'ETag: "7"'))) as server:
        assert await outcome(client(server.url)) == ([], 7, STREAMED[2])
        await server.left()


async def test_a_refusal_whose_words_are_no_text_is_told_all_the_same() -> None:
    async with serving(answering(response("410 Gone", b"d\xe9pass\xe9"))) as server:
        with pytest.raises(CursorGone, match=r"/feed answered 410: d.pass.$"):
            async with Stream(server.url):
                pass
        await server.left()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_connection_that_breaks_before_the_heads_end_is_a_clients_error(
    client: Client, welcome: bytes, reset: bool
) -> None:
    head_bytes = welcome.index(b"\r\n\r\n") + 4

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await answered(reader, welcome)
        writer.write(data[:cut])
        if reset:
            writer.transport.abort()
        else:
            writer.write_eof()

    async with serving(script) as server:
        for cut in range(head_bytes):  # noqa: B007 — of the script
            with pytest.raises(aiohttp.ClientError):
                async with asyncio.timeout(20), client(server.url):
                    pass
        await server.left()


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        (b"%ACCEPT%", accept_key("of another").encode(), "challenge"),
        (b"Sec-WebSocket-Accept: %ACCEPT%\r\n", b"", "challenge"),
        (b"Upgrade: websocket", b"Upgrade: h2c", "upgrade header"),
        (b"Connection: Upgrade", b"Connection: close", "connection header"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(right: bytes, wrong: bytes, says: str) -> None:
    async with serving(answering(FRAMES.replace(right, wrong))) as server:
        with pytest.raises(RequestRefused, match=f"/feed answered 101: .*{says}"):
            async with WebSocket(server.url):
                pass
        await server.left()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nETa",
        EARLY_HINTS,
        b"HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\ntoo",
    ],
    ids=["nothing", "half a head", "early hints", "half a refusal"],
)
async def test_cancelling_it_while_it_connects_closes_the_connection(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    came = asyncio.Event()

    class Noting(Cut):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            came.set()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answered(reader, data))
        if not data:
            came.set()

    async def connect() -> None:
        async with Stream(server.url):
            pass

    monkeypatch.setattr(clients.opening, "Cut", Noting)
    async with serving(script) as server, asyncio.timeout(20):
        connecting = asyncio.create_task(connect())
        await came.wait()
        connecting.cancel()
        await asyncio.wait({connecting})
        assert connecting.cancelled()
        await server.left()
        assert len(server.visits) == 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["at once", "behind a redirect"])
async def test_cancelling_it_at_any_step_of_the_loop_leaves_nothing_open(
    client: Client, welcome: bytes, elsewhere: bool
) -> None:
    async def moved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answered(reader, response("302 Found", b"moved", f"Location: {there.url}")))

    async def connect() -> None:
        async with client((here if elsewhere else there).url):
            connected.set()
            await asyncio.Event().wait()

    connected = asyncio.Event()
    async with serving(answering(welcome)) as there, serving(moved) as here, asyncio.timeout(20):
        for steps in itertools.count():
            connecting = asyncio.create_task(connect())
            for _ in range(steps):
                await asyncio.sleep(0)
            connecting.cancel()
            await asyncio.wait({connecting})
            assert connecting.cancelled()
            await here.left()
            await there.left()
            if connected.is_set():
                break


async def test_cancelling_it_while_it_waits_for_the_servers_good_bye_closes_the_connection() -> None:
    parting = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answered(reader, upgraded()))
        await reader.readexactly(8)
        parting.set()

    async def leave() -> None:
        async with WebSocket(server.url):
            pass

    async with serving(script) as server, asyncio.timeout(20):
        leaving = asyncio.create_task(leave())
        await parting.wait()
        leaving.cancel()
        await asyncio.wait({leaving})
        await server.left()


MUCH = [b"x" * 65535] * 64
SMALL = 1 << 16
"""Of a socket's buffers; both together hold much less."""


def narrow(address: AddressInfo) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    return made


@pytest.mark.parametrize(
    ("client", "data"),
    [
        (Stream, endless(*[line + b"\n" for line in MUCH], last=True)),
        (ServerSentEvents, endless(*[b"data: " + line + b"\n\n" for line in MUCH], last=True)),
        (
            WebSocket,
            upgraded(*[Frame(Opcode.BINARY, data).serialize(mask=False) for data in MUCH], closing(1000)),
        ),
    ],
    ids=["stream", "sse", "websocket"],
)
async def test_nothing_is_read_until_somebody_wants_it(client: Client, data: bytes) -> None:
    sent = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        writer.transport.set_write_buffer_limits(0)
        writer.write(await answered(reader, data))
        await writer.drain()
        sent.set()

    got: list[bytes] = []
    async with serving(script) as server, client(server.url, socket_factory=narrow) as subscription, asyncio.timeout(20):
        sending = asyncio.create_task(sent.wait())
        await asyncio.wait({sending}, timeout=0.1)
        assert not sending.done()
        with pytest.raises(SubscriptionEnded):
            await subscription.receive(got.extend)
        await sending
    assert got == MUCH
