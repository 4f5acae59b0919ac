"""`GET /polling`, as curl sees it."""

from servers.hub import Hub
from servers.options import Options
from servers.polling import RESPONSE_BYTES
from tests.servers.conftest import Caller


async def test_the_first_answer_is_a_validator_to_ask_with(ask: Caller) -> None:
    last_id = await ask.publish(b"before")
    async with ask.get("/polling") as response:
        assert (response.status, response.headers["etag"]) == (204, f'"{last_id}"')


async def test_an_answer_has_all_that_is_new_one_message_a_line(ask: Caller) -> None:
    last_id = await ask.publish(b"old", b"1", b"2")
    async with ask.get("/polling", if_none_match=f'"{last_id - 2}"') as response:
        assert response.status == 200
        assert response.headers["etag"] == f'"{last_id}"'
        assert response.content_type == "text/plain"
        assert await response.read() == b"1\n2\n"


async def test_nothing_new_is_not_modified(ask: Caller) -> None:
    last_id = await ask.publish(b"old")
    async with ask.get("/polling", if_none_match=f'"{last_id}"') as response:
        assert (response.status, response.headers["etag"]) == (304, f'"{last_id}"')
        assert await response.read() == b""


async def test_an_answer_is_not_compressed_even_if_asked(ask: Caller) -> None:
    last_id = await ask.publish(b"x" * 4000)
    async with ask.get("/polling", if_none_match=f'"{last_id - 1}"', accept_encoding="gzip, br") as response:
        assert "content-encoding" not in response.headers


def test_one_answer_has_room_for_what_a_minute_brings() -> None:
    """A poller comes seldom: if an answer were as small as a push, it could never catch up."""
    assert Options().max_message_bytes * 200 < RESPONSE_BYTES <= Options().log_bytes
    hub = Hub(max_message_bytes=65_536)
    for _ in range(300):
        hub.publish(b"x" * 65_536)
    assert len(hub.after(0, RESPONSE_BYTES)) == RESPONSE_BYTES // 65_536


async def test_asked_by_a_query_it_answers_200_also_when_there_is_nothing_new(ask: Caller) -> None:
    last_id = await ask.publish(b"old", b"new")
    async with ask.get(f"/polling?after={last_id - 1}") as response:
        assert (response.status, response.headers["etag"], await response.read()) == (200, f'"{last_id}"', b"new\n")
    async with ask.get(f"/polling?after={last_id}") as response:
        assert (response.status, response.headers["etag"], await response.read()) == (200, f'"{last_id}"', b"")
    async with ask.get("/polling?after=x") as response:
        assert (response.status, response.headers["refusal"]) == (400, "cursor_invalid")
