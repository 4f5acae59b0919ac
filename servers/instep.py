"""Connections that have all that there is: they read by one cursor, and a delivery to each of them is one `write`.

Of what each connection has of its own (a cursor, a pump, their methods) a delivery to one of thousands finds nothing in a
cache. So whoever has caught up joins those who are in step, of which nothing is touched but what writes to the transport.
Who has no room for the moment steps out, with the position that it has reached, and is back when it has caught up.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from servers.hub import CALLED_AT_ONCE, Cursor, CursorGone, Hub, Message

Write = Callable[[bytes], None]


class Member(Protocol):
    """Somebody who may be in step."""

    def meet(self) -> None:
        """Join now, if you are where the others are."""

    def step_out(self, position: int) -> None:
        """Read alone again, from there."""

    def stop(self) -> None:
        """Nothing more will come."""


def _nowhere(data: bytes) -> None:
    """What is written to somebody who has left."""


class InStep:
    """Those who say the same by the same encoding."""

    def __init__(self, hub: Hub, encode: Callable[[list[Message]], bytes]) -> None:
        self._cursor = Cursor(hub, 0, 0)
        self._encode = encode
        self._members: dict[Member, Write] = {}
        self._waiting: dict[Member, None] = {}  # to meet them when the round is over
        self._round: list[Write] = []  # of those to whom `_data` is to be written; empty between rounds
        self._written = 0  # to how many of them it has been
        self._writing = False  # whether it is being written at this moment
        self._data = b""
        self._before = 0  # where they were before they had it

    def join(self, member: Member, position: int, write: Write) -> bool:
        """Take somebody in who has read up to there; returns whether the others are there too. If not, they will meet."""
        if self._round or (self._members and position != self._cursor.position):
            self._waiting[member] = None
            return False
        if not self._members:
            self._cursor.position = position
            self._cursor.follow(self._look)
        self._members[member] = write
        return True

    def leave(self, member: Member) -> int:
        """Let somebody go who is in step; returns the position that it has reached."""
        if not self._round:
            del self._members[member]
            self._let_go()
            return self._cursor.position
        # In the middle of a round nobody joins and nobody is taken out, so the places are the same.
        place = next(i for i, each in enumerate(self._members) if each is member)
        self._members[member] = self._round[place] = _nowhere
        # Who leaves while it is being written to leaves for want of room, and has been written to.
        reached = self._written + (CALLED_AT_ONCE if self._writing else 0)
        return self._cursor.position if place < reached else self._before

    def forget(self, member: Member) -> None:
        """Somebody who is not in step does not want to meet them any more."""
        self._waiting.pop(member, None)

    def _look(self) -> None:
        """Begin a round if there is something new, and there is none."""
        while self._members and not self._round:
            before = self._cursor.position
            try:
                messages = self._cursor.take()
            except CursorGone:
                self._dissolve()
                return
            if messages is None:
                if self._cursor.closed:
                    for member in list(self._members):
                        member.stop()
                return
            self._before, self._data = before, self._encode(messages)
            self._round, self._written = list(self._members.values()), 0
            self._write_to_some()

    def _write_to_some(self) -> None:
        """Write to the next few; the round ends with the last of them."""
        data, upto = self._data, self._written + CALLED_AT_ONCE
        self._writing = True
        for write in self._round[self._written : upto]:
            try:
                write(data)
            except RuntimeError:  # uvloop's, if the connection is closed: that it is lost will be told
                continue
        self._writing, self._written = False, upto
        if upto < len(self._round):
            asyncio.get_running_loop().call_soon(self._go_on)
            return
        self._round = []
        for member in [member for member, write in self._members.items() if write is _nowhere]:
            del self._members[member]
        self._let_go()
        waiting, self._waiting = self._waiting, {}
        for member in waiting:
            member.meet()

    def _go_on(self) -> None:
        self._write_to_some()
        if not self._round:  # there may be more since it began
            asyncio.get_running_loop().call_soon(self._look)

    def _dissolve(self) -> None:
        """The position of all is gone: each is told by itself."""
        members, self._members = self._members, {}
        self._let_go()
        for member in members:
            member.step_out(self._cursor.position)

    def _let_go(self) -> None:
        if not self._members:
            self._cursor.follow(None)
