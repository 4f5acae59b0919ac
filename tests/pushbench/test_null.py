"""The floor without a network: everybody who joined gets every message, once, at its time or later."""

import asyncio
import time

from pushbench import message
from pushbench.null import Null, Source
from pushbench.publisher import Feed
from pushbench.schedule import Schedule

TEN = Schedule(rate_hz=1000, warmup_s=0, measure_s=0.01)


async def test_everybody_who_joined_gets_every_message_as_it_is_due() -> None:
    source = Source()
    got: dict[int, list[bytes]] = {0: [], 1: []}
    enough = asyncio.Event()

    def note(who: int, messages: list[bytes]) -> None:
        got[who] += messages
        if all(len(one) == TEN.count for one in got.values()):
            enough.set()

    async def subscribe(who: int) -> None:
        async with Null("", source=source) as subscription:
            await subscription.receive(lambda messages: note(who, messages))

    lives = [asyncio.create_task(subscribe(who)) for who in got]
    await asyncio.sleep(0)
    assert len(source.subscribers) == 2
    start_ns = time.monotonic_ns()
    source.start(Feed(TEN, start_ns, start_ns + 60_000_000_000, 100))
    async with asyncio.timeout(20):
        await enough.wait()
    stamps = [message.decode(data) for data in got[0]]
    assert [(stamp.seq, stamp.due_ns) for stamp in stamps] == [(seq, start_ns + TEN.due_ns(seq)) for seq in range(10)]
    assert all(stamp.sent_ns >= stamp.due_ns for stamp in stamps)
    assert source.slip_ns == [stamp.sent_ns - stamp.due_ns for stamp in stamps]
    assert got[1] == got[0]
    assert {len(data) for data in got[0]} == {100}
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    assert source.subscribers == []
