"""What every transport promises of its messages: all of them, once, in order, unchanged; and a refusal where it cannot."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from clients.ends import CursorGone
from pushbench import contract
from pushbench.conformance import CHECKS, Bench, Check
from pushbench.reach import Reach
from pushbench.scenario_keys import BUILT_IN, Load
from pushbench.target import Running
from pushbench.transports import Transport
from tests.conformance.conftest import LOG_MESSAGES, Feed, Serve, subscriber, take
from tests.serving import Server


@pytest.fixture(scope="session")
def roomy_server(serve: Serve) -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.mark.parametrize("check", [check for check in CHECKS if not check.long], ids=lambda check: check.name)
async def test_it_does_what_its_contract_claims(transport: Transport, roomy_server: Server, check: Check) -> None:
    known = contract.known(BUILT_IN)
    target = known.target(Load(transport=transport.name, subscribers=1))
    reach = Reach(tls=bool(roomy_server.authority), authority=roomy_server.authority)
    target = replace(target, reach=reach, shares_log=bool(roomy_server.pids))
    running = Running("127.0.0.1", roomy_server.port, 1, asyncio.get_running_loop().create_future())
    bench = Bench(known, target, running, transport, target.serves[transport.name])
    if not check.not_claimed(bench):
        await check.make(bench)


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
