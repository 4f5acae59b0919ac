"""`GET /status` counts what could leak."""

import asyncio

from tests.servers.conftest import Caller


async def test_the_status_counts_messages_and_readers(ask_patiently: Caller) -> None:
    last_id = await ask_patiently.publish(b"1")
    async with ask_patiently.get("/status") as response:
        before = await response.json()
    assert set(before) == {"last_id", "cursors", "tasks", "rooms", "in_rooms"}
    assert before["last_id"] == last_id
    async with ask_patiently.get("/stream"), asyncio.timeout(20):
        while await ask_patiently.cursors() != before["cursors"] + 1:
            pass
        async with ask_patiently.get("/status") as response:
            assert (await response.json())["tasks"] > before["tasks"]
