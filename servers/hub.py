"""The hub: one bounded log of messages, and many cursors that read it.

It knows messages, their ids and who waits for them. It knows nothing of HTTP, WebSocket or any transport.

Theory of operation
1. Publishing appends to the log and wakes every waiting cursor; nothing is copied to anyone. A connection costs a
   cursor (one integer and at most one future), not a queue.
2. A cursor reads whatever has come since it last read. Under load a reader that is late finds several messages, so
   messages batch by themselves.
3. The log is bounded, by messages and by bytes. A reader that is slower than the feed falls behind without growing any
   memory; when the next message that it needs has left the log, it is told so by `CursorTooOld`, and that is its end.
4. Ids are consecutive and start at 1. A cursor's position is the id of the last message that it has handed out, and so
   the number from which the same reader can resume.
5. A reader that follows is called instead of woken, which costs a call, and not a future and a task. Followers are called
   in rounds: what is published during one is taken in the next, all of it at once.
6. Waiters are futures of their own, never one that is shared: cancelling a task cancels the future that it awaits, and
   one leaving reader must not cancel the others.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import length_hint
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

CALLED_AT_ONCE = 64
"""How many followers are called before the event loop has its turn: a fan-out to thousands must not hold back all else."""
BATCH_BYTES = 64 * 1024
"""How much data a cursor hands out at once, so that one late reader cannot hold the loop with one huge write."""

FORBIDDEN = {b"\n": "a newline", b"\r": "a carriage return", b"\0": "a NUL"}
"""What data may not hold: line-based transports end a message with a newline (SSE also with a carriage return), and a
line of the stream that starts with NUL is the server's own."""


class Refused(Exception):
    """Something the hub will not do: a `name` for programs, and a sentence for people."""

    name = "refused"


class MessageRefused(Refused):
    """The data cannot be a message."""

    name = "message_refused"


class MessageTooLarge(MessageRefused):
    """The data is longer than a message may be."""

    name = "message_too_large"


class CursorInvalid(Refused):
    """What was given as a cursor is no position at all."""

    name = "cursor_invalid"


class CursorGone(Refused):
    """The cursor's position cannot be resumed; the reader must start again without one."""


class CursorTooOld(CursorGone):
    """The next message after the cursor is no longer kept."""

    name = "cursor_too_old"


class CursorUnknown(CursorGone):
    """The cursor is ahead of the log: it belongs to another life of the server."""

    name = "cursor_unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message of the log. Compared and hashed by identity, so that a transport can cache its encoding."""

    id: int
    data: bytes
    """UTF-8 text, without any of `FORBIDDEN`."""
    text: str = field(repr=False)
    """The same, decoded: decoding also proves that the data is UTF-8."""


class Hub:
    """The log and its readers. All methods belong to one event loop's thread."""

    def __init__(
        self,
        *,
        log_messages: int = 10_000,
        log_bytes: int = 64 * 1024 * 1024,
        max_message_bytes: int = 65_536,
        keep: Callable[[int, bytes], None] | None = None,
    ) -> None:
        """`keep` is called with the id and the data of each message before anybody is woken."""
        if log_messages < 1 or log_bytes < max_message_bytes:
            raise ValueError(
                f"log_messages={log_messages} and log_bytes={log_bytes} must hold at least one message "
                f"of {max_message_bytes} bytes"
            )
        self.max_message_bytes = max_message_bytes
        self.joined = True  # with what other processes have, if they share a log
        self.closed = False
        self._log_bytes = log_bytes
        self._keep = keep
        self._ring: list[Message | None] = [None] * log_messages  # message i is at i % log_messages
        self._last = 0  # id of the newest message; 0 before the first
        self._oldest = 1  # id of the oldest message that is kept; last + 1 when none is
        self._bytes = 0  # of the data of all kept messages
        self._looked_up: tuple[tuple[int, int, int], list[Message]] = ((-1, -1, -1), [])  # by `after` last
        self._cursors: set[Cursor] = set()
        self._waiting: dict[asyncio.Future[None], None] = {}  # a dict, because it keeps the order of arrival
        self._followers: dict[Cursor, Callable[[], None]] = {}  # likewise
        self._round: Iterator[Callable[[], None]] | None = None  # those that are to be called; None when all have been
        self._again = False  # whether there is more since it began
        self._together: WeakValueDictionary[object, Any] = WeakValueDictionary()  # what readers of one kind have together
        self._calling = False  # whether they are being called, or will be in the loop's next turn

    @property
    def last_id(self) -> int:
        """The id of the newest message, 0 before the first."""
        return self._last

    @property
    def before_oldest(self) -> int:
        """The position from which all that is kept can be read."""
        return self._oldest - 1

    @property
    def cursors(self) -> int:
        """How many cursors are open."""
        return len(self._cursors)

    def publish(self, data: bytes) -> int:
        """Append a message, wake all readers, and return its id. Raises as `readable` does."""
        text = self.readable(data)
        if self._keep is not None:
            self._keep(self._last + 1, data)
        self._append(Message(self._last + 1, data, text))
        self._wake()
        return self._last

    async def accept(self, *messages: bytes) -> int:
        """Publish messages, in this order, and return the last one's id once all are in the log for good.

        Raises as `readable` does; what came before the one that is refused has been published.
        """
        for data in messages:
            last_id = self.publish(data)
        return last_id

    def readable(self, data: bytes) -> str:
        """The text of data that can be a message.

        Raises `MessageTooLarge`, or `MessageRefused` for data that is empty, is not UTF-8, or holds one of `FORBIDDEN`.
        """
        if len(data) > self.max_message_bytes:
            raise MessageTooLarge(
                f"the message has {len(data)} bytes; at most {self.max_message_bytes} are taken: split it"
            )
        if not data:
            raise MessageRefused("the message is empty; an empty line is a heartbeat: send at least one byte")
        for byte, name in FORBIDDEN.items():
            if byte in data:
                raise MessageRefused(
                    f"the message holds {name} at byte {data.index(byte)}; "
                    f"it would end the message early on line-based transports: encode it (JSON does)"
                )
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise MessageRefused(
                f"byte {error.start} of the message is not UTF-8 ({error.reason}): send text in UTF-8"
            ) from None

    def restore(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """Go on with messages that have their ids already: (id, data), oldest first; a gap forgets what is before it."""
        for number, data in messages:
            if number != self._last + 1:
                self.forget(number - 1)
            self._append(Message(number, data, data.decode()))
        self._wake()

    def forget(self, position: int) -> None:
        """Keep nothing, and go on behind this position: who is not there is told `CursorTooOld`, or `CursorUnknown`."""
        self._ring = [None] * len(self._ring)
        self._last, self._oldest, self._bytes = position, position + 1, 0
        self._looked_up = ((-1, -1, -1), [])
        self._wake()

    def _append(self, message: Message) -> None:
        size = len(self._ring)
        while self._oldest <= self._last and (
            message.id - self._oldest >= size or self._bytes + len(message.data) > self._log_bytes
        ):
            oldest = self._ring[self._oldest % size]
            assert oldest is not None
            self._bytes -= len(oldest.data)
            self._ring[self._oldest % size] = None
            self._oldest += 1
        self._ring[message.id % size] = message
        self._bytes += len(message.data)
        self._last = message.id

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

        self._again = True
        if self._followers and not self._calling:
            self._calling = True
            asyncio.get_running_loop().call_soon(self._call_followers)

    def _call_followers(self) -> None:
        """Call the next few of all followers; more messages wait until all have been called, and then come together."""
        if self._round is None:
            self._round, self._again = iter(list(self._followers.values())), False
        for look in islice(self._round, CALLED_AT_ONCE):
            look()
        if not length_hint(self._round):
            self._round = None
        self._calling = self._round is not None or self._again
        if self._calling:
            asyncio.get_running_loop().call_soon(self._call_followers)

    async def start(self, after: int | None) -> int:
        """The position at which a reader starts that is behind the id `after`, or wants what comes from now on (None).

        Raises as `check` does.
        """
        position = self._last if after is None else after
        self.check(position)
        return position

    async def newest(self) -> int:
        """The id of the newest message that was accepted."""
        return self._last

    def check(self, position: int) -> None:
        """Raise `CursorTooOld` or `CursorUnknown` unless a reader can resume after `position`."""
        if position + 1 < self._oldest:
            raise CursorTooOld(
                f"message {position + 1} is no longer kept, the oldest kept is {self._oldest}: start again without a cursor"
            )
        if position > self._last:
            raise CursorUnknown(
                f"the cursor is {position} but the newest message is {self._last}: start again without a cursor"
            )

    def after(self, position: int, limit_bytes: int = BATCH_BYTES) -> list[Message]:
        """The messages after `position`, oldest first; raises as `check` does.

        The list ends early once it holds `limit_bytes` of data. Readers at the same place are given the same list, and must
        not change it: in a fan-out that is nearly everybody, and looking it up anew took 1 to 3 µs of 19 a delivery.
        """
        place = (position, self._last, limit_bytes)
        if place == self._looked_up[0]:
            return self._looked_up[1]
        self.check(position)
        size = len(self._ring)
        messages: list[Message] = []
        for i in range(position + 1, self._last + 1):
            message = self._ring[i % size]
            assert message is not None  # `check` has shown that it is kept
            messages.append(message)
            limit_bytes -= len(message.data)
            if limit_bytes <= 0:
                break
        self._looked_up = (place, messages)
        return messages

    def cursor(self, after: int | None = None, *, wake_every_s: float = 0) -> "Cursor":
        """A reader of all messages after the id `after`; None starts with the next message to come.

        `wake_every_s` makes the cursor hand out an empty list whenever so many seconds have passed: a moment to send a
        heartbeat, or to end a held request. 0 never does.
        """
        return Cursor(self, self._last if after is None else after, wake_every_s)

    def close(self) -> None:
        """End every cursor: what they wait for will not come any more."""
        self.closed = True
        self._wake()


class Cursor:
    """One reader. Enter it, then iterate over lists of messages; the iteration ends when the hub is closed.

    `async for` raises `CursorTooOld` or `CursorUnknown` when the position cannot be resumed. Who would rather be called
    than wait follows, and takes.
    """

    __slots__ = ("_ended", "_future", "_hub", "_look", "_timer", "_wake_every_s", "_woken", "position")

    def __init__(self, hub: Hub, position: int, wake_every_s: float) -> None:
        self.position = position  # id of the last message that was handed out
        self._hub = hub
        self._wake_every_s = wake_every_s
        self._future: asyncio.Future[None] | None = None  # set only while waiting
        self._look: Callable[[], None] | None = None  # set only while following, or standing by
        self._timer: asyncio.TimerHandle | None = None  # set only while entered, and if it wakes at all
        self._woken = False  # someone wants the reader to look up even if there is no message
        self._ended = False  # nothing more is wanted

    def __enter__(self) -> Self:
        self._hub._cursors.add(self)
        if self._wake_every_s:
            self._timer = asyncio.get_running_loop().call_later(self._wake_every_s, self._beat)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hub._cursors.discard(self)
        self.follow(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Message]:
        """Wait for messages; an empty list if the cursor was woken without any."""
        hub = self._hub
        while not self.closed:
            if (messages := self.take()) is not None:
                return messages
            self._future = asyncio.get_running_loop().create_future()
            hub._waiting[self._future] = None
            try:
                await self._future
            finally:
                hub._waiting.pop(self._future, None)
                self._future = None
        raise StopAsyncIteration

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._ended or self._hub.closed

    def end(self) -> None:
        """Hand out nothing more, as if the hub were closed."""
        self._ended = True
        self.wake()

    def take(self) -> list[Message] | None:
        """What has come, without waiting: None if nothing has, an empty list if the cursor was woken without any."""
        hub = self._hub
        if self.position == hub._last and not self._woken:
            return None
        self._woken = False
        # What `after` would find in its memory, without the call: in a fan-out nearly everybody asks for the same.
        (position, last, limit_bytes), messages = hub._looked_up
        if position != self.position or last != hub._last or limit_bytes != BATCH_BYTES:
            messages = hub.after(self.position)
        if messages:
            self.position = messages[-1].id
        return messages

    def follow(self, look: Callable[[], None] | None) -> None:
        """Have `look` called whenever there may be something to take, or the hub is closed. It may not raise.

        None: no more; but if a round is under way it may be called once again.
        """
        self._look = look
        if look:
            self._hub._followers[self] = look
        else:
            self._hub._followers.pop(self, None)

    def stand_by(self) -> None:
        """Follow, but be called only when it is woken: what comes is taken by others meanwhile."""
        self._hub._followers.pop(self, None)

    def together(self, key: object, make: "Callable[[Hub], T]") -> T:
        """What all readers of one kind have together, made for the first of them, and gone with the last."""
        found: T | None = self._hub._together.get(key)
        if found is None:
            found = self._hub._together[key] = make(self._hub)
        return found

    def wake(self) -> None:
        """Make the reader look up now, with an empty list if there is nothing new."""
        self._woken = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
        if self._look:
            self._look()

    def _beat(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._wake_every_s, self._beat)
        self.wake()


def parse_position(text: str) -> int:
    """The position that a client sent: a decimal number, quoted or not; `CursorInvalid` for anything else."""
    digits = text.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise CursorInvalid(f"{text[:40]!r} is no cursor: send the number that the server gave, or none at all")
    return int(digits)
