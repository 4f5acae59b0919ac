"""The feed: a process that publishes one message after the other, stamped with when it was due, to every server there is.

It waits as long as there is no server. One that was gone and is back is asked what it has, and gets what it lacks: the id
of a message is its number and one, on every server. One that lacks more than is kept could not have these ids again: it
is left out, and that is said. A message that is overdue is sent at once; when they are overdue by more than `BEHIND_NS` the
schedule begins anew, which is counted.
"""

import http.client
import json
import os
import random
import time
from collections import deque
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from select import EPOLLIN
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed

from pushbench import message, padding
from pushbench.control import BlockingChannel, ChannelClosed, Contact, Note
from pushbench.publisher import WAYS, PublishingFailed
from pushbench.reach import Reach
from pushbench.turns import Turns

NS = 1_000_000_000
TIMEOUT_S = 2.0
"""How long a server may take to answer."""
BEHIND_NS = 2 * NS
AGAIN_NS = NS // 5
"""After so long a server that did not answer is asked again."""
KEPT = 64
"""So many messages are kept for a server that did not get them when another did."""
VARIETY = 16
"""So many different fillings messages have, in turn."""


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What the process is told when it is made."""

    control: Contact
    rate_hz: float
    payload_bytes: int


def feed(plan: FeedPlan) -> None:
    """Be the feed until the channel is closed. Runs in a process of its own."""
    with BlockingChannel(plan.control, "feed") as channel:
        turns = Turns()
        feeding = Feed(turns, plan.rate_hz, plan.payload_bytes)
        channel.send(ready=True, pid=os.getpid())
        turns.watch(channel.fileno(), EPOLLIN, lambda bits: channel.send(**feeding.do(channel.receive())))
        with suppress(ChannelClosed):
            while True:
                turns.turn()
        feeding.leave()


class Place(NamedTuple):
    """Where a server is."""

    host: str
    port: int
    certificate: str = ""
    """The file with its certificate; empty if it speaks plain HTTP."""


class Outlet:
    """One server: a WebSocket on which messages are published, for a POST takes it a millisecond more."""

    def __init__(self, at: Place) -> None:
        reach = Reach(tls=bool(at.certificate), authority=Path(at.certificate).read_text() if at.certificate else "")
        self.at = at
        self.has = _last_id(at, reach)
        """How many messages it had when this was made."""
        self._stack = ExitStack()
        self._way = self._stack.enter_context(WAYS["websocket"]((at.host, at.port), "/publish", reach))

    def say(self, data: bytes) -> None:
        """Send it one."""
        self._way.send(data)

    def close(self) -> None:
        """Be done with it."""
        with suppress(PublishingFailed, ConnectionClosed):
            self._stack.close()


def _last_id(at: Place, reach: Reach) -> int:
    context = reach.context()
    connection = (
        http.client.HTTPSConnection(at.host, at.port, timeout=TIMEOUT_S, context=context)
        if context
        else http.client.HTTPConnection(at.host, at.port, timeout=TIMEOUT_S)
    )
    with closing(connection):
        connection.request("GET", "/status")
        last_id: int = json.loads(connection.getresponse().read())["last_id"]
        return last_id


LOST = (OSError, http.client.HTTPException, ValueError, PublishingFailed, ConnectionClosed)
"""What an outlet raises when its server is gone, or is not what it was."""


class Feed:
    """What is published, where and when."""

    def __init__(self, turns: Turns, rate_hz: float, payload_bytes: int) -> None:
        self._turns = turns
        self._interval_ns = round(NS / rate_hz)
        self._life = 0  # timers of an earlier one do nothing
        self._servers: list[Place] = []
        self._outlets: list[Outlet] = []
        self._left_out: list[str] = []  # a sentence for each that is
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._count = 0
        self._late_ns = 0
        self._begun_anew = 0
        self._fill(payload_bytes)

    def do(self, note: Note) -> Note:
        """Do as a note says; returns how it goes."""
        if "servers" in note:
            self._servers = [Place(*one) for one in note["servers"]]
            self.leave()
            self._turns.at(0, partial(self._again, self._life))  # when that is answered: it may take a while
        if "payload_bytes" in note and note["payload_bytes"] != self._payload_bytes:
            self._fill(note["payload_bytes"])
        if "rate_hz" in note and (interval_ns := round(NS / note["rate_hz"])) != self._interval_ns:
            self._interval_ns = interval_ns
            self._begin()
        late_ns, self._late_ns = self._late_ns, 0
        return {
            "count": self._count,
            "waits": not self._outlets,
            "left_out": self._left_out,
            "late_ms": late_ns / 1e6,
            "begun_anew": self._begun_anew,
        }

    def leave(self) -> None:
        """Be done with the servers."""
        self._life += 1
        for outlet in self._outlets:
            outlet.close()
        self._outlets = []
        self._left_out = []

    def _fill(self, payload_bytes: int) -> None:
        self._payload_bytes = payload_bytes
        draw = random.Random(payload_bytes)
        self._pads = tuple(padding.records(payload_bytes - message.FRAME_BYTES, draw) for _ in range(VARIETY))

    def _connect(self) -> None:
        """Come to the servers, give each what it lacks, and go on."""
        self.leave()
        try:
            for place in self._servers:
                self._outlets.append(Outlet(place))
            has_most = max((outlet.has for outlet in self._outlets), default=0)
            if has_most > self._count:  # of others, so what is kept is not the last of it
                self._count = has_most
                self._kept.clear()
            for outlet in list(self._outlets):
                if self._count - outlet.has > len(self._kept):
                    self._leave_out(outlet)
                    continue
                for data in self._lacking(outlet.has):
                    outlet.say(data)
        except LOST:
            self._lose()
            return
        self._begin()

    def _lacking(self, has: int) -> list[bytes]:
        """What a server does not have that others have: all of it is kept."""
        return list(self._kept)[len(self._kept) - (self._count - has) :]

    def _leave_out(self, outlet: Outlet) -> None:
        """Publish nothing there: a message's id would be another than on other servers, and than its number and one."""
        outlet.close()
        self._outlets.remove(outlet)
        self._left_out.append(
            f"The server at {outlet.at.host}:{outlet.at.port} lacks {self._count - outlet.has} messages, and the last "
            f"{len(self._kept)} are kept: it gets no more. Start the demo anew."
        )

    def _lose(self) -> None:
        """A server is gone: come to it again, unless the console says before that it is stopped."""
        self.leave()
        self._turns.at(time.monotonic_ns() + AGAIN_NS, partial(self._again, self._life))

    def _again(self, life: int) -> None:
        if life == self._life and self._servers:
            self._connect()

    def _begin(self) -> None:
        """Begin the schedule, if there is a server: the next message is due after one interval."""
        if not self._outlets:
            return  # in the same life, for in it the servers are come to again
        self._life += 1
        self._await(time.monotonic_ns() + self._interval_ns)

    def _await(self, due_ns: int) -> None:
        self._turns.at(due_ns, partial(self._publish, self._life, due_ns))

    def _publish(self, life: int, due_ns: int) -> None:
        """Publish the one that is due, to all at once."""
        if life != self._life:
            return
        sent_ns = time.monotonic_ns()
        self._late_ns = max(self._late_ns, sent_ns - due_ns)
        if sent_ns - due_ns > BEHIND_NS:
            self._begun_anew += 1
            self._begin()
            return
        data = message.encode(self._count, due_ns, sent_ns, self._payload_bytes, self._pads)
        self._kept.append(data)
        self._count += 1
        try:
            for outlet in self._outlets:
                outlet.say(data)
        except LOST:
            self._lose()
            return
        self._await(due_ns + self._interval_ns)
