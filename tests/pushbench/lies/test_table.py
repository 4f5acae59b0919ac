"""The table of lies, and the ways in which they are run."""

import inspect
from dataclasses import fields
from importlib import import_module
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from naive import sends
from pushbench.environment import CHECKOUT
from pushbench.lies import gallery
from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage
from pushbench.lies.table import LIES, Lie
from pushbench.lies.ways import counted_sends
from pushbench.results import ResultsError


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_every_lie_has_all_its_words_and_a_way_to_be_run(lie: Lie) -> None:
    assert [field.name for field in fields(lie) if getattr(lie, field.name) == ""] == []
    assert inspect.iscoroutinefunction(import_module(f"pushbench.lies.ways.{lie.name}").both)


def test_no_way_is_without_a_lie() -> None:
    ways = {path.stem for path in (CHECKOUT / "pushbench" / "lies" / "ways").glob("[a-z]*.py")}
    assert ways == set(LIES)


class Told:
    """A stage whose naive script says what is given, and on which there are no trials."""

    async def naive(self, name: str, *arguments: object, served: bool = True) -> dict[str, Any]:
        assert (name, served) == ("sends", True)
        return {"sent_per_s": 5e3, "deliveries_per_s": 5e5, "received": 80_000, "received_per_s": 4e4, "connected": 99}


async def test_sends_are_set_beside_what_the_same_subscribers_received_in_the_same_run() -> None:
    pair = await counted_sends.both(cast(Stage, Told()))
    assert pair == Pair(
        5e5, 4e4, "5,000 messages/s sent, times 100", "80,000 messages received, and 99 of 100 still connected"
    )


async def test_the_script_counts_what_arrives_at_whom() -> None:
    """A server that gives what is published to the first subscriber alone, and ends the second."""
    first: list[web.WebSocketResponse] = []

    async def subscribe(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        if first:
            return socket
        first.append(socket)
        async for _ in socket:
            pass
        return socket

    async def publish(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            await first[0].send_str(message.data)
        return socket

    app = web.Application()
    app.add_routes([web.get("/websocket", subscribe), web.get("/publish", publish)])
    async with TestServer(app) as server:
        assert server.port
        made = await sends.main(server.port, 2, 0.3)
    assert 0 < made["received_per_s"] <= made["sent_per_s"]
    assert made["deliveries_per_s"] == pytest.approx(2 * made["sent_per_s"])
    assert made["connected"] == 1


@pytest.mark.parametrize(
    ("name", "unfounded"),
    [
        ("saturated_client", "core is full, so"),
        ("one_process", "several times"),
        ("averages", "Locust"),
        ("counted_sends", "144,000"),
    ],
)
def test_no_lie_says_what_a_run_or_its_source_may_contradict(name: str, unfounded: str) -> None:
    lie = LIES[name]
    assert unfounded not in lie.why + lie.seen


def test_the_queue_of_the_script_itself_is_told_of_polls_in_phase() -> None:
    assert "the script's own queue is in what it says of the server" in LIES["in_phase"].why


def test_the_gallery_has_its_order_whatever_is_asked_for_first() -> None:
    assert [lie.name for lie in gallery.chosen([])] == list(LIES)
    assert [lie.name for lie in gallery.chosen(["averages", "closed_loop", "averages"])] == ["closed_loop", "averages"]


@pytest.mark.parametrize(("name", "hint"), [("averges", "did you mean averages"), ("xyz", "there are closed_loop, ")])
def test_a_name_that_is_not_there_is_told_with_the_nearest_or_with_all(name: str, hint: str) -> None:
    with pytest.raises(ResultsError, match=f"no lie is called {name}: {hint}"):
        gallery.chosen([name])
