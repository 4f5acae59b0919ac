"""Rooms: who says which message of a schedule, and who hears it. Pure.

In a two-way load the subscribers say the messages themselves, each in its turn: message g is said by subscriber g mod N, of
N. They are in R rooms, subscriber s in room s mod R, and all of a room hear what one of it says, who said it included. With
one room for each, what one hears is the answer to what it said. R divides N, so that message g is of room g mod R.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pushbench import ledger
from pushbench.ledger import Ledger
from pushbench.part import Part


@dataclass(frozen=True, slots=True)
class Rooms:
    """So many subscribers in so many rooms."""

    subscribers: int
    rooms: int

    def __post_init__(self) -> None:
        if self.rooms < 1 or self.subscribers % self.rooms:
            raise ValueError(f"{self.subscribers} subscribers cannot be divided among {self.rooms} rooms")

    @property
    def size(self) -> int:
        """How many are in each."""
        return self.subscribers // self.rooms

    def room(self, subscriber: int) -> int:
        """In which room that one is."""
        return subscriber % self.rooms

    def said_by(self, subscriber: int, messages: int) -> range:
        """Which of so many messages that one says."""
        return range(subscriber, messages, self.subscribers)

    def in_turn(self, part: Part, messages: int) -> Iterator[int]:
        """Which of so many messages the subscribers of that part say, ascending."""
        return (seq for seq in range(messages) if part.has(seq % self.subscribers))


def reckon(
    subscriber: NDArray[np.int64],
    seq: NDArray[np.int64],
    *,
    rooms: Rooms,
    part: Part,
    messages: int,
    unsaid: Mapping[int, int] = MappingProxyType({}),
    coalesced: int = 0,
) -> tuple[Ledger, int]:
    """The ledger of a part's deliveries in the order in which they came, and how many of these were of another room.

    `subscriber` counts those of the part, `seq` the messages of all, as parallel arrays. What is expected is every message
    of the own room that was said, once, and in order as far as one and the same has said it: what several say at the same
    time comes in an order of the server's, the same for all or not. `unsaid` has for speakers, by their numbers among all,
    how many of their last messages they never said.
    """
    who = np.array(part.numbers(rooms.subscribers), dtype=np.int64)
    strays = seq % rooms.rooms != who[subscriber] % rooms.rooms
    kept, said = subscriber[~strays], seq[~strays]
    # A stream of its own for each pair of a hearer and one whom it hears. All have as many numbers: who says less begins
    # with a later one.
    speaker = said % rooms.subscribers
    turns = -(-messages // rooms.subscribers)  # of those that say most
    begin = np.zeros(rooms.subscribers, dtype=np.int64)
    begin[messages % rooms.subscribers or rooms.subscribers :] = 1
    for number, count in unsaid.items():
        begin[number] += count
    members = np.arange(rooms.size) * rooms.rooms
    speakers = (who[:, None] % rooms.rooms + members).ravel()
    found = ledger.reckon(
        kept * rooms.size + speaker // rooms.rooms,
        said // rooms.subscribers + begin[speaker],
        subscribers=len(speakers),
        messages=turns,
        first_expected=begin[speakers],
        coalesced=coalesced,
    )
    return found, int(np.count_nonzero(strays))
