"""The swarm: it does as it is told, and reports what its subscribers got and why any of them ended.

Here it runs in a thread of the test, with subscribers that follow a script instead of a server.
"""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import pytest

from clients.subscription import HandOver
from pushbench import histogram, machine, message
from pushbench.audience import Habits
from pushbench.control import Channel, ChannelClosed, Note, Switchboard
from pushbench.ledger import Ledger
from pushbench.schedule import NS, Schedule
from pushbench.swarm import SwarmPlan, swarm
from pushbench.swarm_report import SwarmReport
from pushbench.transports import Transport

LATENCY_NS = 40 * NS
"""How long before its delivery a message was due: so long that the delivery's own time does not matter."""
SENT_AFTER_NS = 10 * NS


@dataclass(slots=True)
class Script:
    """What the next subscribers do, and what they were told."""

    batches: list[list[int]] = field(default_factory=list)
    """The messages that every subscriber gets, by response."""
    refused: int = 0
    """How many of the first fail to connect."""
    end: str = ""
    """With what the subscribers end after that; empty: they wait."""
    farewell: str = ""
    """With what they fail to leave; empty: they leave."""
    resumed: list[list[int]] = field(default_factory=list)
    """The messages that one gets who comes with a cursor."""
    urls: list[str] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0


class Scripted:
    """A subscription that follows the script."""

    script: ClassVar[Script]

    def __init__(self, url: str, **options: Any) -> None:
        self.script.urls.append(url)
        self.script.options.append(options)
        self.cursor = options.get("after")

    async def __aenter__(self) -> Self:
        if self.script.refused:
            self.script.refused -= 1
            raise ConnectionRefusedError("nobody is there")
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.script.left += 1
        if self.script.farewell:
            raise RuntimeError(self.script.farewell)

    async def receive(self, hand_over: HandOver) -> None:
        due_ns = time.monotonic_ns() - LATENCY_NS
        for batch in self.script.batches if self.cursor is None else self.script.resumed:
            self.cursor = batch[-1]
            hand_over([message.encode(seq, due_ns, due_ns + SENT_AFTER_NS, 100) for seq in batch])
        if self.script.end:
            raise RuntimeError(self.script.end)
        await asyncio.Event().wait()


PUSHES = Transport("scripted", f"{__name__}:Scripted", "/scripted", "follows a script")
POLLS = replace(PUSHES, polls=True)
LONG = Schedule(rate_hz=0.001, warmup_s=1000, measure_s=3000)
"""Four messages, of which the last three are measured, in a window that a test never leaves."""


@pytest.fixture
def script() -> Script:
    Scripted.script = Script()
    return Scripted.script


@pytest.fixture(autouse=True)
def _collected_again() -> Iterator[None]:
    """The swarm switches the garbage collector off, and in the end has it look at all again: see conftest.py."""
    yield
    gc.enable()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class Talk:
    """The run's side of the conversation."""

    channel: Channel
    report: asyncio.Future[SwarmReport]

    async def ask(self, **note: Any) -> Note:
        self.channel.send(**note)
        return await self.answer()

    async def answer(self) -> Note:
        while (note := await self.channel.receive()).get("progress"):
            pass
        return note

    async def connect(self, total: int) -> Note:
        return await self.ask(connect=total, host="127.0.0.1", port=80)

    async def reported(self) -> SwarmReport:
        self.channel.send(report=True)
        return await self.report


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard() as opened:
        yield opened


async def begin(board: Switchboard, **changes: Any) -> Talk:
    habits = Habits(transport=PUSHES, subscribers=3, options={}, join_late=0, resume=0, leave_early=False, seed=1)
    schedule = changes.pop("schedule", LONG)
    plan = SwarmPlan(
        board.address, replace(habits, **changes), schedule, 1.0, 100, "filler", tuple(os.sched_getaffinity(0))
    )
    report = asyncio.ensure_future(asyncio.to_thread(swarm, plan))
    talk = Talk(await board.channel("swarm"), report)
    assert await talk.answer() == {"ready": True, "pid": os.getpid(), "clock": machine.clock()}
    return talk


async def test_it_connects_up_to_the_number_that_it_is_told_and_leaves_no_one(board: Switchboard, script: Script) -> None:
    talk = await begin(board)
    assert await talk.connect(2) == {"connected": 2, "ended": {}}
    assert await talk.connect(3) == {"connected": 3, "ended": {}}
    assert script.urls == ["http://127.0.0.1:80/scripted"] * 3
    assert [set(options) for options in script.options] == [{"socket_factory"}] * 3
    assert await talk.ask(disconnect=True) == {"connected": 3, "ended": {}}
    assert script.left == 3
    report = await talk.reported()
    assert len(report.connect_ns) == 3
    assert len(report.connecting_ns) == 2
    assert min(report.connecting_ns) > 0
    assert report.ended == {}


@pytest.mark.parametrize("seed", [1, 2])
async def test_subscribers_get_their_options_and_pollers_a_phase_that_the_seed_draws(
    board: Switchboard, script: Script, seed: int
) -> None:
    talk = await begin(board, transport=POLLS, options={"interval_s": 0.25}, seed=seed)
    await talk.connect(3)
    await talk.reported()
    assert {options["interval_s"] for options in script.options} == {0.25}
    phases = [options["phase"] for options in script.options]
    assert len(set(phases)) == 3
    assert all(0 <= phase < 1 for phase in phases)
    assert (phases == pytest.approx([0.13436424411240122, 0.8474337369372327, 0.763774618976614])) == (seed == 1)


async def test_it_reports_what_came_and_measures_what_is_not_of_the_warm_up(board: Switchboard, script: Script) -> None:
    script.batches = [[0], [1, 3], [2], [2]]
    talk = await begin(board)
    await talk.ask(measure=time.monotonic_ns() - 2000 * NS)
    await talk.connect(2)
    report = await talk.reported()
    assert report.ledger == Ledger(12, 8, 4, 2, 2, 2, gap_lengths=((4, 1),))
    assert report.deliveries_in_window == 10
    due, sent = (histogram.merged([encoded]) for encoded in (report.due_histogram, report.sent_histogram))
    assert due.get_total_count() == sent.get_total_count() == 8  # all but the two of message 0
    assert due.get_value_at_percentile(50) >= LATENCY_NS
    assert 0 < LATENCY_NS - SENT_AFTER_NS <= sent.get_value_at_percentile(50) < due.get_value_at_percentile(0)
    assert int(report.timeline.count.sum()) == 10
    assert report.age.time_s > 0


SHORT = Schedule(rate_hz=0.1, warmup_s=10, measure_s=30)
"""Likewise four messages."""
ALMOST_OVER = 40 * NS - NS // 10
"""So long ago this schedule began, if its window will be over in a tenth of a second. A machine is up for that long: the
moment of the beginning must not be before that of its start."""


async def test_who_joins_late_connects_in_the_window_and_is_expected_to_get_what_comes_since(
    board: Switchboard, script: Script
) -> None:
    script.batches = [[3]]
    talk = await begin(board, subscribers=4, join_late=2, schedule=SHORT)
    assert await talk.connect(2) == {"connected": 2, "ended": {}}
    await talk.ask(measure=time.monotonic_ns() - ALMOST_OVER)  # both are to have joined by now
    while (await talk.channel.receive())["deliveries"] < 4:
        pass
    report = await talk.reported()
    assert len(report.connect_ns) == 2  # how long the others took is not of the ramp
    # The first two should have had four messages each. The others joined after the third was due, and had all since.
    assert (report.ledger.expected, report.ledger.delivered, report.ledger.lost) == (10, 4, 6)
    assert report.ledger.gap_lengths == ((3, 2),)


async def test_a_late_joiner_that_cannot_connect_has_lost_what_came_since_it_should_have(
    board: Switchboard, script: Script
) -> None:
    talk = await begin(board, subscribers=1, join_late=1, schedule=SHORT)
    script.refused = 1
    await talk.ask(measure=time.monotonic_ns() - ALMOST_OVER)
    while not (answer := await talk.ask(tidy=True))["ended"]:
        pass
    assert answer == {"connected": 0, "ended": {"ConnectionRefusedError: nobody is there": 1}}
    report = await talk.reported()
    # It was to join in the middle of the window: at 25 s, between messages 2 and 3.
    assert (report.ledger.expected, report.ledger.lost) == (1, 1)


async def test_who_resumes_leaves_and_comes_back_with_its_cursor_and_nothing_else_is_expected_of_it(
    board: Switchboard, script: Script
) -> None:
    script.batches, script.resumed = [[0], [1]], [[2], [3]]
    talk = await begin(board, subscribers=2, resume=1, schedule=SHORT)
    await talk.connect(2)
    await talk.ask(measure=time.monotonic_ns() - ALMOST_OVER)
    while (await talk.channel.receive())["deliveries"] < 6:
        pass
    assert await talk.ask(disconnect=True) == {"connected": 2, "ended": {}}
    report = await talk.reported()
    assert [options.get("after") for options in script.options] == [None, None, 1]
    assert script.left == 3
    assert report.ledger == Ledger(8, 6, 2, gap_lengths=((2, 1),))


async def test_without_a_schedule_an_empty_report_is_made(board: Switchboard, script: Script) -> None:
    talk = await begin(board, schedule=None)
    await talk.connect(3)
    report = await talk.reported()
    assert report.ledger == Ledger()
    assert report.deliveries_in_window == 0
    assert len(report.connect_ns) == 3


async def test_who_cannot_connect_is_counted_by_reason(board: Switchboard, script: Script) -> None:
    script.refused = 2
    talk = await begin(board)
    reasons = {"ConnectionRefusedError: nobody is there": 2}
    assert await talk.connect(3) == {"connected": 1, "ended": reasons}
    assert (await talk.reported()).ended == reasons


async def test_who_ends_early_is_counted_by_reason_and_leaves_properly(board: Switchboard, script: Script) -> None:
    script.batches, script.end = [[0]], "that is all"
    talk = await begin(board)
    await talk.connect(3)
    await talk.ask(disconnect=True)
    report = await talk.reported()
    assert report.ended == {"RuntimeError: that is all": 3}
    assert report.ledger.delivered == 3
    assert script.left == 3


async def test_what_goes_wrong_when_it_was_told_to_leave_is_no_early_end(board: Switchboard, script: Script) -> None:
    script.farewell = "the server hung up first"
    talk = await begin(board)
    await talk.connect(3)
    assert await talk.ask(disconnect=True) == {"connected": 3, "ended": {}}
    assert (await talk.reported()).ended == {}


async def test_a_message_that_nobody_published_fails_the_report(board: Switchboard, script: Script) -> None:
    script.batches = [[4]]
    talk = await begin(board)
    await talk.connect(1)
    with pytest.raises(ValueError, match=r"only 0\.\.3 were published"):
        await talk.reported()


async def test_how_it_goes_is_told_meanwhile(board: Switchboard, script: Script) -> None:
    script.batches = [[0], [1]]
    talk = await begin(board)
    await talk.connect(3)
    while (note := await talk.channel.receive())["deliveries"] < 6:
        pass
    assert note["progress"] is True
    assert note["per_s"] > 0
    assert note["p99_ms"] >= LATENCY_NS / 1e6
    await talk.reported()


async def test_once_it_has_tidied_up_nothing_is_collected(board: Switchboard, script: Script) -> None:
    talk = await begin(board)
    assert gc.isenabled()
    await talk.ask(tidy=True)
    assert not gc.isenabled()
    await talk.reported()


async def test_it_ends_with_all_subscribers_when_the_run_has_gone(board: Switchboard, script: Script) -> None:
    talk = await begin(board)
    await talk.connect(3)
    async with talk.channel:
        pass
    with pytest.raises(ChannelClosed):
        await talk.report
    assert script.left == 3


async def test_what_it_cannot_do_it_refuses(board: Switchboard, script: Script) -> None:
    talk = await begin(board)
    talk.channel.send(dance=True)
    with pytest.raises(ValueError, match=r"a swarm cannot \{'dance': True\}"):
        await talk.report
