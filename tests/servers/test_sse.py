"""`GET /sse` and `/sse_plain`, as curl sees them, and their last event."""

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute, Route

from servers.hub import Hub
from servers.options import Options
from servers.sse import routes
from tests.servers.bodies import bodies
from tests.servers.conftest import Caller


@pytest.fixture(params=["/sse", "/sse_plain"])
def path(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


async def test_an_event_stream_names_its_start_and_may_not_be_stored_or_compressed(ask: Caller, path: str) -> None:
    last_id = await ask.publish(b"before")
    async with ask.get(path, accept_encoding="gzip, br") as response:
        assert response.status == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["etag"] == f'"{last_id}"'
        assert response.headers["cache-control"] == "no-store"
        assert "content-encoding" not in response.headers


async def test_the_first_block_is_where_the_reader_is_and_each_event_where_it_gets(
    ask_patiently: Caller, path: str
) -> None:
    last_id = await ask_patiently.publish(b"old", b"1", b"2")
    expected = b"id: %d\r\n\r\n" % (last_id - 2)
    expected += b"".join(b"id: %d\r\ndata: %d\r\n\r\n" % (last_id - 2 + number, number) for number in (1, 2, 3))
    async with ask_patiently.get(path, last_event_id=str(last_id - 2)) as response:
        await ask_patiently.publish(b"3")
        assert await response.content.readexactly(len(expected)) == expected


async def test_without_that_header_it_starts_where_the_query_says_and_with_it_the_header_says_where(
    ask: Caller, path: str
) -> None:
    last_id = await ask.publish(b"1", b"2")
    async with ask.get(f"{path}?after={last_id - 2}") as response:
        assert response.headers["etag"] == f'"{last_id - 2}"'
        assert b"data: 1\r\n" in await response.content.readuntil(b"data: 1\r\n")
    async with ask.get(f"{path}?after={last_id - 2}", last_event_id=str(last_id - 1)) as response:
        assert response.headers["etag"] == f'"{last_id - 1}"'
    async with ask.get(f"{path}?after=soon") as response:
        assert (response.status, response.headers["refusal"]) == (400, "cursor_invalid")


async def test_a_heartbeat_is_a_comment(ask: Caller, path: str) -> None:
    async with ask.get(path) as response:
        await response.content.readuntil(b"\r\n\r\n")
        assert await response.content.readuntil(b"\r\n\r\n") == b": heartbeat\r\n\r\n"


def endpoint(hub: Hub, path: str) -> BaseRoute:
    (route,) = [route for route in routes(hub, Options()) if isinstance(route, Route) and route.path == path]
    return route


async def test_the_last_event_of_a_reader_that_fell_off_the_log_has_the_reason_as_its_type(path: str) -> None:
    hub = Hub(log_messages=2)
    route = endpoint(hub, path)
    assert isinstance(route, Route)
    response = await route.endpoint(Request({"type": "http", "method": "GET", "headers": [], "query_string": b""}))
    events = bodies(response)
    assert await anext(events) == b"id: 0\r\n\r\n"
    assert hub.cursors == 1
    for _ in range(3):
        hub.publish(b"x")
    assert await anext(events) == (
        b"event: cursor_too_old\r\n"
        b"data: message 1 is no longer kept, the oldest kept is 2: start again without a cursor\r\n\r\n"
    )
    assert await anext(events, None) is None
    assert hub.cursors == 0


async def test_only_one_of_the_two_is_starlettes_own_response() -> None:
    """What is compared is the library: were both the same, the variant would say nothing."""
    kinds = []
    for path in ("/sse", "/sse_plain"):
        route = endpoint(Hub(), path)
        assert isinstance(route, Route)
        kinds.append(
            isinstance(
                await route.endpoint(Request({"type": "http", "method": "GET", "headers": [], "query_string": b""})),
                StreamingResponse,
            )
        )
    assert kinds == [False, True]
