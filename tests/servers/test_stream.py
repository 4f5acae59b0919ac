"""`GET /stream`, as curl sees it, and its last line."""

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from servers.hub import Hub
from servers.options import Options
from servers.stream import routes
from tests.servers.bodies import bodies
from tests.servers.conftest import Caller


async def test_a_stream_is_chunked_names_its_start_and_may_not_be_stored_or_compressed(ask: Caller) -> None:
    last_id = await ask.publish(b"before")
    async with ask.get("/stream", accept_encoding="gzip, br") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.headers["etag"] == f'"{last_id}"'
        assert response.headers["cache-control"] == "no-store"
        assert "content-encoding" not in response.headers


async def test_a_stream_is_a_message_a_line_from_where_it_is_asked_to_start(ask_patiently: Caller) -> None:
    last_id = await ask_patiently.publish(b"old", b"1", b"2")
    async with ask_patiently.get(f"/stream?after={last_id - 2}") as response:
        assert response.headers["etag"] == f'"{last_id - 2}"'
        await ask_patiently.publish(b"3")
        assert await response.content.readexactly(6) == b"1\n2\n3\n"


async def test_a_heartbeat_is_an_empty_line(ask: Caller) -> None:
    async with ask.get("/stream") as response:
        assert await response.content.readexactly(2) == b"\n\n"


async def test_the_last_line_of_a_reader_that_fell_off_the_log_names_the_reason() -> None:
    hub = Hub(log_messages=2)
    (route,) = routes(hub, Options())
    assert isinstance(route, Route)
    response = await route.endpoint(Request({"type": "http", "method": "GET", "headers": [], "query_string": b""}))
    assert isinstance(response, StreamingResponse)
    hub.publish(b"1")
    lines = bodies(response)
    assert await anext(lines) == b"\n"  # so that a server which waits for a body sends the head
    assert await anext(lines) == b"1\n"
    assert hub.cursors == 1
    for _ in range(3):
        hub.publish(b"x")
    assert await anext(lines) == (
        b"\0cursor_too_old: message 2 is no longer kept, the oldest kept is 3: start again without a cursor\n"
    )
    assert await anext(lines, None) is None
    assert hub.cursors == 0
