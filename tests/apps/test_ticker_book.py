"""The book of one channel: what it does with each message, in Python and, by the same table, in JavaScript."""

import json
import shutil
import subprocess
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from apps.pages import DIRECTORY
from apps.ticker import book as books
from apps.ticker.book import Book
from apps.ticker.market import BENCH, Walk, symbols, trades

CHANNEL = "trades.BTC-EUR"
RESYNC = {"op": "resync", "channel": CHANNEL}


def update(seq: int, price: int = 100) -> dict[str, Any]:
    data = {"price_cents": price, "amount_thousandths": 10, "side": "buy"}
    return {"type": "update", "channel": CHANNEL, "seq": seq, "data": data}


def state(count: int) -> Any:
    """After so many of these updates."""
    found = None
    for number in range(count):
        found = trades(found, update(number + 1)["data"])
    return found


def snapshot(seq: int) -> dict[str, Any]:
    return {"type": "snapshot", "channel": CHANNEL, "seq": seq, "data": state(seq)}


GAP = {"type": "gap", "channels": [CHANNEL], "says": "…"}
OTHER_GAP = {"type": "gap", "channels": ["bench"], "says": "…"}

TABLE: list[tuple[str, list[tuple[dict[str, Any], bool]], tuple[int, bool, int, int]]] = [
    # what happens: messages, and whether a resync is asked for; seq, in sync, gaps, repeats
    ("in order", [(snapshot(0), False), (update(1), False), (update(2), False)], (2, True, 0, 0)),
    ("before the snapshot", [(update(3), False), (snapshot(2), False), (update(4), False)], (4, True, 0, 0)),
    ("old before it", [(update(1), False), (update(2), False), (snapshot(2), False)], (2, True, 0, 0)),
    ("a repeat", [(snapshot(3), False), (update(3), False), (update(4), False)], (4, True, 0, 1)),
    ("a gap", [(snapshot(0), False), (update(2), True)], (0, False, 1, 0)),
    ("asked once", [(snapshot(0), False), (update(2), True), (update(4), False)], (0, False, 1, 0)),
    ("mended", [(snapshot(0), False), (update(2), True), (update(3), False), (snapshot(2), False)], (3, True, 1, 0)),
    ("again", [(snapshot(0), False), (update(2), True), (update(4), False), (snapshot(2), True)], (2, False, 2, 0)),
    ("told of it", [(snapshot(5), False), (GAP, True), (snapshot(9), False)], (9, True, 1, 0)),
    ("told when it knew", [(snapshot(0), False), (update(2), True), (GAP, False)], (0, False, 1, 0)),
    ("of another", [(snapshot(5), False), (OTHER_GAP, False)], (5, True, 0, 0)),
    ("not its own", [(snapshot(5), False), ({"type": "subscribed", "channels": [CHANNEL]}, False)], (5, True, 0, 0)),
]


@pytest.mark.parametrize(("messages", "after"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_book_asks_for_a_resync_if_and_only_if_it_has_missed_something(
    messages: list[tuple[dict[str, Any], bool]], after: tuple[int, bool, int, int]
) -> None:
    book = Book(CHANNEL)
    asked = [book.take(message) for message, _ in messages]
    assert asked == [RESYNC if wanted else None for _, wanted in messages]
    assert (book.seq, book.in_sync, book.gaps, book.repeats) == after
    assert book.state == state(book.seq)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to run JavaScript")
def test_the_browsers_book_does_the_same() -> None:
    program = f"""
        const {{ Book }} = await import({json.dumps(f"data:text/javascript,{_escaped()}")});
        const table = JSON.parse(process.argv[1]);
        const done = table.map((messages) => {{
          const book = new Book({json.dumps(CHANNEL)});
          const asked = messages.map((message) => book.take(message));
          return [asked, book.seq, book.inSync, book.gaps, book.repeats, book.state];
        }});
        console.log(JSON.stringify(done));
    """
    table = [[message for message, _ in messages] for _, messages, _ in TABLE]
    command = ["node", "--input-type=module", "-e", program, json.dumps(table)]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    for (_, messages, after), (asked, *rest) in zip(TABLE, done, strict=True):
        assert asked == [RESYNC if wanted else None for _, wanted in messages]
        assert rest == [*after, state(after[0])]


def _escaped() -> str:
    return quote((DIRECTORY / "book.js").read_text())


@given(st.integers(1, 60), st.sets(st.integers(1, 60)), st.integers(0, 5), st.integers(0, 2**32))
def test_whatever_is_lost_the_state_is_the_servers_once_a_resync_has_come(
    count: int, lost: set[int], late: int, seed: int
) -> None:
    """A snapshot takes its way too: it comes so many updates after it was asked for."""
    walk = Walk(symbols(1), seed)
    book, now = Book(CHANNEL), None
    coming: list[tuple[int, dict[str, Any]]] = [(1, {"type": "snapshot", "channel": CHANNEL, "seq": 0, "data": None})]
    for seq in range(1, count + 1):
        _, data = walk.trade()
        messages = [message for due, message in coming if due <= seq]
        coming = [(due, message) for due, message in coming if due > seq]
        now = trades(now, data)
        if seq not in lost:
            messages.append({"type": "update", "channel": CHANNEL, "seq": seq, "data": data})
        for message in messages:
            if book.take(message):
                coming.append((seq + late, {"type": "snapshot", "channel": CHANNEL, "seq": seq, "data": now}))
    for _, message in coming:
        while asked := book.take(message):
            message = {"type": "snapshot", "channel": asked["channel"], "seq": count, "data": now}
    book.take({"type": "snapshot", "channel": CHANNEL, "seq": count, "data": now})
    assert (book.seq, book.state, book.in_sync) == (count, now, True)
    assert book.state["trades"] == count


def test_updates_that_wait_for_a_snapshot_that_does_not_come_are_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "MOST_WAITING", 2)
    book = Book(CHANNEL)
    for seq in (4, 5, 6):
        book.take(update(seq))
    assert book.take(snapshot(3)) == RESYNC


def test_the_state_of_bench_is_what_came_last() -> None:
    book = Book(BENCH)
    book.take({"type": "snapshot", "channel": BENCH, "seq": 1, "data": None})
    book.take({"type": "update", "channel": BENCH, "seq": 2, "data": [1]})
    assert book.state == [1]


# --- what is traded


def test_the_same_seed_makes_the_same_trades_and_another_makes_others() -> None:
    one, same, other = [[walk.trade() for _ in range(50)] for walk in (Walk(symbols(5), seed) for seed in (1, 1, 2))]
    assert one == same != other


def test_prices_stay_above_nothing_and_each_symbol_is_traded() -> None:
    walk = Walk(symbols(3), 7)
    seen = [walk.trade() for _ in range(5000)]
    assert {name for name, _ in seen} == set(symbols(3))
    assert all(data["price_cents"] >= 1 and data["amount_thousandths"] >= 1 for _, data in seen)


def test_there_are_as_many_names_as_are_asked_for_and_all_differ() -> None:
    for count in (1, 8, 9, 100):
        names = symbols(count)
        assert len(set(names)) == len(names) == count
    assert symbols(9)[-1] == "T009-EUR"
