"""`GET /longpoll`, as curl sees it."""

import asyncio

from tests.servers.conftest import Caller


async def test_the_first_answer_is_a_validator_to_ask_with_at_once(ask_patiently: Caller) -> None:
    last_id = await ask_patiently.publish(b"before")
    async with ask_patiently.get("/longpoll") as response:
        assert (response.status, response.headers["etag"]) == (204, f'"{last_id}"')


async def test_what_is_already_there_is_answered_at_once(ask_patiently: Caller) -> None:
    last_id = await ask_patiently.publish(b"old", b"1", b"2")
    async with ask_patiently.get("/longpoll", if_none_match=f'"{last_id - 2}"') as response:
        assert (response.status, response.headers["etag"]) == (200, f'"{last_id}"')
        assert await response.read() == b"1\n2\n"


async def test_a_poll_is_held_until_there_is_something(ask_patiently: Caller) -> None:
    last_id = await ask_patiently.publish(b"old")

    async def poll() -> bytes:
        async with ask_patiently.get("/longpoll", if_none_match=f'"{last_id}"') as response:
            return await response.read()

    polling = asyncio.ensure_future(poll())
    async with asyncio.timeout(20):
        while await ask_patiently.cursors() == 0:
            assert not polling.done()
    await ask_patiently.publish(b"new")
    assert await polling == b"new\n"


async def test_a_poll_is_not_modified_when_its_time_is_over(ask: Caller) -> None:
    last_id = await ask.publish(b"old")
    async with ask.get("/longpoll", if_none_match=f'"{last_id}"') as response:
        assert (response.status, response.headers["etag"]) == (304, f'"{last_id}"')
        assert await response.read() == b""
