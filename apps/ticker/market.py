"""What is traded: prices that walk at random from a seed, and what a channel's state is after an update. Pure.

Amounts are whole numbers, cents and thousandths, so that whoever adds them up gets the same, in JavaScript too.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

BENCH = "bench"
"""The channel whose updates are published from outside."""
TRADES = "trades."
"""How the names of the other channels begin; a symbol follows."""
KNOWN = ("BTC-EUR", "ETH-EUR", "SOL-EUR", "XRP-EUR", "ADA-EUR", "LTC-EUR", "DOT-EUR", "BCH-EUR")
STEP = 0.001
"""The standard deviation of a price's step, as a part of the price."""

State = Any
"""What a channel stands at, as JSON; None before its first update."""
Fold = Callable[[State, Any], State]
"""The state after an update, from the one before and the update's data."""


def symbols(count: int) -> tuple[str, ...]:
    """The names of that many."""
    return (*KNOWN[:count], *(f"T{number:03}-EUR" for number in range(len(KNOWN) + 1, count + 1)))


class Walk:
    """Trades without an end: the same of the same seed."""

    def __init__(self, names: tuple[str, ...], seed: int) -> None:
        self._random = random.Random(seed)
        self._names = names
        self._price_cents = {name: self._random.randint(1_00, 50_000_00) for name in names}

    def trade(self) -> tuple[str, dict[str, Any]]:
        """The next: its symbol, and the data of its update."""
        name = self._random.choice(self._names)
        moved = round(self._price_cents[name] * self._random.gauss(1, STEP))
        self._price_cents[name] = max(1, moved)
        return name, {
            "price_cents": self._price_cents[name],
            "amount_thousandths": self._random.randint(1, 5000),
            "side": self._random.choice(("buy", "sell")),
        }


def trades(state: State, data: Mapping[str, Any]) -> State:
    """The state of a symbol's trades: it depends on every one, so that who has missed one stands at another."""
    price = data["price_cents"]
    if state is None:
        state = {"low_cents": price, "high_cents": price, "volume_thousandths": 0, "trades": 0}
    return {
        "price_cents": price,
        "low_cents": min(state["low_cents"], price),
        "high_cents": max(state["high_cents"], price),
        "volume_thousandths": state["volume_thousandths"] + data["amount_thousandths"],
        "trades": state["trades"] + 1,
    }


def latest(state: State, data: State) -> State:
    """The state of `bench`: what was published last."""
    return data


def fold_of(channel: str) -> Fold:
    """How the state of a channel comes from its updates."""
    return latest if channel == BENCH else trades
