"""Who may come in: the table of refusals for every transport, each with its status or close code."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from pushbench.transports import OVER_TCP, Transport
from servers.access import SUBPROTOCOL, WITH_TOKEN
from servers.options import Options
from servers.token import ENVIRONMENT, Exposed, TokenUnusable, token_of
from tests.serving import Server, serving

TOKEN = "a-token.of_this~test"
WRONG = "a-token.of_that~test"
FRIEND = "https://friend.example"
MOST = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("access") / "token"
    path.write_text(TOKEN + "\n")
    with serving(token_file=path, allow_origins=FRIEND, max_message_bytes=100, log_bytes=1000) as running:
        yield running


@pytest.fixture(params=OVER_TCP.values(), ids=list(OVER_TCP))
def row(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


async def answer(server: Server, row: Transport, query: str = "", **headers: str) -> tuple[int, str]:
    """Status and refusal of a request, or of a handshake: 101 if it became a WebSocket."""
    async with aiohttp.ClientSession() as session:
        url = server.url(row.path) + query
        if row.asks == "upgrade":
            try:
                async with session.ws_connect(url, headers=headers):
                    return 101, ""
            except aiohttp.WSServerHandshakeError as error:
                return error.status, error.headers["refusal"] if error.headers else ""
        async with session.get(url, headers=headers) as response:
            return response.status, response.headers.get("refusal", "")


def welcome(row: Transport) -> tuple[int, str]:
    return {"again": 204, "once": 200, "upgrade": 101}[row.asks], ""


BEARER = f"Bearer {TOKEN}"


async def test_without_a_token_it_is_401(server: Server, row: Transport) -> None:
    assert await answer(server, row) == (401, "token_missing")
    assert await answer(server, row, Authorization=f"Basic {TOKEN}") == (401, "token_missing")


@pytest.mark.parametrize("wrong", [WRONG, TOKEN[:-1], TOKEN + "x", "", "\u00e9"])
async def test_with_another_token_it_is_401(server: Server, row: Transport, wrong: str) -> None:
    assert await answer(server, row, Authorization=f"Bearer {wrong}") == (401, "token_wrong")


async def test_with_the_token_it_comes_in_by_header_and_by_query(server: Server, row: Transport) -> None:
    assert await answer(server, row, Authorization=BEARER) == welcome(row)
    assert await answer(server, row, query=f"?access_token={TOKEN}") == welcome(row)
    assert await answer(server, row, query=f"?access_token={WRONG}") == (401, "token_wrong")


async def test_from_a_page_elsewhere_it_is_403_unless_that_is_allowed(server: Server, row: Transport) -> None:
    assert await answer(server, row, Authorization=BEARER, Origin="https://foe.example") == (403, "origin_refused")
    assert await answer(server, row, Authorization=BEARER, Origin="null") == (403, "origin_refused")
    assert await answer(server, row, Authorization=BEARER, Origin=FRIEND) == welcome(row)
    assert await answer(server, row, Authorization=BEARER, Origin=server.url("").rstrip("/")) == welcome(row)


async def test_what_is_no_origin_is_no_page_that_may_come_in(server: Server, row: Transport) -> None:
    assert await answer(server, row, Authorization=BEARER, Origin="http://[") == (403, "origin_refused")


async def test_without_a_token_a_name_that_was_led_here_is_no_origin_of_ours() -> None:
    with serving() as server:
        for host, status in ((f"127.0.0.1:{server.port}", 204), (f"localhost:{server.port}", 204), ("evil.example", 403)):
            found = await answer(server, OVER_TCP["polling"], Host=host, Origin=f"http://{host}")
            assert found[0] == status, host


async def test_an_unauthenticated_page_learns_of_its_origin_first(server: Server, row: Transport) -> None:
    assert await answer(server, row, Origin="https://foe.example") == (403, "origin_refused")


async def test_a_head_that_is_too_large_is_431(server: Server, row: Transport) -> None:
    assert await answer(server, row, Authorization=BEARER, Cookie="x" * 20_000) == (431, "head_too_large")
    assert await answer(server, row, Authorization=BEARER, Cookie="x" * 8_000) == welcome(row)


async def test_when_as_many_are_open_as_may_be_it_is_503_and_later_it_is_not(row: Transport) -> None:
    if row.polls:
        pytest.skip("nothing of it stays open")
    with serving(max_connections=MOST, longpoll_timeout_s=60) as server, ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(opened(server, row))
        assert await answer(server, row) == (503, "too_many_connections")
        stack.close()
        while (found := await answer(server, row))[0] == 503:
            pass
        assert found == welcome(row)


def opened(server: Server, row: Transport) -> socket.socket:
    """A connection with a request that is held: its head has come, or of a long poll will not come."""
    lines = {
        "again": 'If-None-Match: "0"\r\n',
        "once": "",
        "upgrade": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    }[row.asks]
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"GET {row.path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
    if row.asks != "again":
        assert connection.recv(4)
    else:  # the next one is read behind it
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(4)
    return connection


async def test_a_message_that_is_too_large_is_413_or_1009(server: Server) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": BEARER}) as session:
        async with session.post(server.url("/publish"), data=b"x" * 101) as response:
            assert (response.status, response.headers["refusal"]) == (413, "message_too_large")
        async with session.ws_connect(server.url("/publish")) as socket:
            await socket.send_bytes(b"x" * 101)
            frame = await socket.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1009)
        async with session.ws_connect(server.url("/websocket")) as socket:
            await socket.send_bytes(b"x" * 101)
            frame = await socket.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_publishing_wants_the_token_too(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(server.url("/publish"), data=b"x") as response:
            assert response.status == 401
            assert response.headers["www-authenticate"] == "Bearer"
        async with session.post(
            server.url("/publish"), data=b"x", headers={"Authorization": f"Bearer {WRONG}"}
        ) as response:
            assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
            assert WRONG not in await response.text()


async def test_a_browsers_websocket_may_bring_the_token_among_its_subprotocols_and_never_gets_it_back(
    server: Server,
) -> None:
    async with aiohttp.ClientSession() as session:
        offered = [SUBPROTOCOL, WITH_TOKEN + TOKEN]
        async with session.ws_connect(server.url("/websocket"), protocols=offered) as socket:
            assert socket.protocol == SUBPROTOCOL
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await session.ws_connect(server.url("/websocket"), protocols=[SUBPROTOCOL, WITH_TOKEN + WRONG])
        assert error.value.status == 401


async def test_a_page_of_an_allowed_origin_may_read_the_answer_and_ask_with_the_headers_that_it_needs(
    server: Server,
) -> None:
    async with aiohttp.ClientSession() as session:
        asked = {"Origin": FRIEND, "Access-Control-Request-Method": "GET"}
        wanted = "authorization,if-none-match,last-event-id"
        async with session.options(
            server.url("/polling"), headers={**asked, "Access-Control-Request-Headers": wanted}
        ) as response:
            assert response.status == 200
            assert response.headers["access-control-allow-origin"] == FRIEND
        async with session.get(server.url("/polling"), headers={"Origin": FRIEND, "Authorization": BEARER}) as response:
            assert response.headers["access-control-allow-origin"] == FRIEND
            assert "etag" in response.headers["access-control-expose-headers"].lower()


# --- where the token comes from, and when there has to be one


def test_the_token_is_of_the_file_or_else_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"  {TOKEN}\n")
    assert token_of(Options(token_file=str(path)), "another-token-of-16") == TOKEN
    assert token_of(Options(), TOKEN) == TOKEN
    assert token_of(Options(), None) == ""


@pytest.mark.parametrize("token", ["", "short", "with a space in the token", "x" * 15, "tökentökentökentöken"])
def test_what_is_no_token_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(TokenUnusable, match=f"{ENVIRONMENT} holds {len(token)} characters") as error:
        token_of(Options(), token)
    assert not token or token not in str(error.value)


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(TokenUnusable, match="--token-file /no/such cannot be read: No such file or directory"):
        token_of(Options(token_file="/no/such"), None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "push.example"])
def test_a_server_that_others_can_reach_wants_a_token_or_to_be_told_that_it_is_wanted_without(host: str) -> None:
    with pytest.raises(Exposed, match=f"--host {host} can be reached from other hosts, and there is no token.*--insecure"):
        token_of(Options(host=host), None)
    assert token_of(Options(host=host), TOKEN) == TOKEN
    assert token_of(Options(host=host, insecure=True), None) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_nobody_asks(host: str) -> None:
    assert token_of(Options(host=host), None) == ""
