"""A part of the subscribers: those that one of several swarm processes has. Pure.

Subscribers are dealt like cards, one to each process in turn. So every process has its share of those that join late, read
slowly, leave or vanish, and what a subscriber does, and when, does not depend on how many processes there are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the subscribers, counted from 0, that is one process's."""

    number: int = 0
    of: int = 1

    def numbers(self, subscribers: int) -> range:
        """Which of so many."""
        return range(self.number, subscribers, self.of)

    def count(self, subscribers: int) -> int:
        """How many of so many."""
        return len(self.numbers(subscribers))

    def has(self, subscriber: int) -> bool:
        """Whether that one is here."""
        return subscriber % self.of == self.number

    def here(self, subscriber: int) -> int:
        """Which of this part's own that one is."""
        return subscriber // self.of

    def seed(self, seed: int) -> int:
        """A seed that no other part has; that of the first is as it was given."""
        return seed if not self.number else hash((seed, self.number))


ALL = Part()
"""All subscribers."""
