"""What every transport promises of its messages: all of them, once, in order, unchanged."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from clients.ends import CursorGone
from pushbench.transports import Transport
from tests.conformance.conftest import LOG_MESSAGES, Feed, subscriber, take
from tests.serving import Server

SCRIPTS = [
    "plain",
    "  two leading spaces and a trailing one ",
    ": starts like a comment",
    "data: looks like a field",
    "Ελληνικά, кириллица, עברית, العربية, हिन्दी, ไทย, 中文, 日本語, 한국어",
    "emoji: 👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳, beyond the basic plane: 𝔸 𠜎",
    "combining: e\u0301, right to left \u202e mark, byte order mark \ufeff inside",
    "line ends that only Unicode knows: \x0b \x0c \x1c \x85 \u2028 \u2029",
    '{"json": "with \\n escapes", "tab": "\t"}',
    "%0A&amp;<script>",
]


@pytest.mark.parametrize("subscribers", [1, 50])
async def test_each_subscriber_gets_each_message_once_and_in_order(
    transport: Transport, server: Server, feed: Feed, subscribers: int
) -> None:
    messages = [b"message %d of %d" % (i, subscribers) for i in range(100)]
    async with AsyncExitStack() as stack:
        all_of_them = [await stack.enter_async_context(subscriber(transport, server)) for _ in range(subscribers)]
        taking = [asyncio.ensure_future(take(each, len(messages))) for each in all_of_them]
        await feed.publish(*messages)
        for taken in await asyncio.gather(*taking):
            assert taken == messages


async def test_a_subscriber_gets_nothing_that_was_published_before_it_came(
    transport: Transport, server: Server, feed: Feed
) -> None:
    await feed.publish(b"before")
    async with subscriber(transport, server) as subscription:
        await feed.publish(b"after")
        assert await take(subscription, 1) == [b"after"]


async def test_what_was_published_while_it_was_away_arrives_when_it_resumes(
    transport: Transport, server: Server, feed: Feed
) -> None:
    async with subscriber(transport, server) as subscription:
        await feed.publish(b"1", b"2")
        assert await take(subscription, 2) == [b"1", b"2"]
    await feed.publish(b"3", b"4", b"5")
    async with subscriber(transport, server, after=subscription.cursor) as resumed:
        await feed.publish(b"6")
        assert await take(resumed, 4) == [b"3", b"4", b"5", b"6"]


async def test_a_subscriber_that_has_seen_nothing_can_resume_too(transport: Transport, server: Server, feed: Feed) -> None:
    async with subscriber(transport, server) as subscription:
        pass
    await feed.publish(b"while away")
    async with subscriber(transport, server, after=subscription.cursor) as resumed:
        assert await take(resumed, 1) == [b"while away"]


async def test_text_in_several_scripts_survives(transport: Transport, server: Server, feed: Feed) -> None:
    messages = [text.encode() for text in SCRIPTS]
    async with subscriber(transport, server) as subscription:
        await feed.publish(*messages)
        assert await take(subscription, len(messages)) == messages


async def test_heartbeats_are_not_messages(held_transport: Transport, server: Server, feed: Feed) -> None:
    """The server sends one every 0.1 s, and ends a held poll every 0.2 s."""
    async with subscriber(held_transport, server) as subscription:
        taken: list[bytes] = []
        taking = asyncio.ensure_future(take(subscription, 1, into=taken))
        await asyncio.wait({taking}, timeout=0.5)
        assert taken == []
        await feed.publish(b"at last")
        assert await taking == [b"at last"]


async def test_a_cursor_older_than_the_log_gets_the_named_refusal(
    transport: Transport, forgetful_server: Server, feed: Feed
) -> None:
    forgetful = Feed(forgetful_server, feed.http)
    async with subscriber(transport, forgetful_server) as subscription:
        cursor = subscription.cursor
    await forgetful.publish(*[b"%d" % i for i in range(LOG_MESSAGES + 1)])
    with pytest.raises(CursorGone, match="cursor_too_old"):
        async with subscriber(transport, forgetful_server, after=cursor) as late:
            await take(late, 1)


async def test_a_cursor_of_another_life_of_the_server_is_refused(transport: Transport, server: Server, feed: Feed) -> None:
    with pytest.raises(CursorGone, match="cursor_unknown"):
        async with subscriber(transport, server, after=10**9) as stranger:
            await take(stranger, 1)
