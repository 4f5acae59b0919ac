"""WebTransport: what the server says on its own streams, or in datagrams, in a session of HTTP/3."""

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from clients.ends import SubscriptionEnded, refusal
from clients.opening import position
from clients.subscription import HandOver, Subscription

if TYPE_CHECKING:
    from clients.quic import Session


def varint(data: bytes) -> tuple[int, int]:
    """A number of QUIC's at the beginning of the data (RFC 9000 section 16), and how many bytes it has; more than there are
    if it is not complete."""
    size = 1 << (data[0] >> 6)
    return int.from_bytes(data[:size]) & ((1 << (8 * size - 2)) - 1), size


class _Sessions(Subscription):
    """What the three ways have in common."""

    _session: "Session | None" = None
    _ended: asyncio.Future[NoReturn] | None = None

    async def _connect(self) -> None:
        after = self._after()
        self._session = await self._opener.session(self.url, params=None if after is None else {"after": str(after)})
        status, headers, body = await self._session.open()
        if status != 200:
            raise refusal(self.url, status, body.decode(errors="replace").strip())
        if self.cursor is None:
            self.cursor = position(headers)

    def _after(self) -> int | None:
        """Behind which id to go on."""
        return self.cursor

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each message."""
        assert self._session
        self._hand_over = hand_over
        self._ended = asyncio.get_running_loop().create_future()
        self._session.give_to(self)
        await self._ended
        raise AssertionError("it only ends with an exception")

    def session_ended(self, error: Exception) -> None:
        """Of the session: nothing comes any more."""
        if self._ended and not self._ended.done():
            self._ended.set_exception(error)

    def stream_data_received(self, stream: int, data: bytes, ended: bool) -> None:
        """Of the session: more came on a stream."""
        try:
            self._came(stream, data, ended)
        except Exception as error:  # also of whom it was handed over to
            self.session_ended(error)

    @abstractmethod
    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        """More came on a stream, or a datagram, which is of none (-1)."""

    def datagram_received(self, data: bytes) -> None:
        """Of the session: a datagram came."""
        self.stream_data_received(-1, data, True)

    async def _close(self) -> None:
        if self._session:
            self._session.close()


class WebTransport(_Sessions):
    """All messages on one stream, each behind its length. Its cursor is the position at which it began plus those since."""

    _rest = b""
    """A message that is not complete."""

    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        data, at = self._rest + data, 0
        while at < len(data):
            length, size = varint(data[at : at + 8])
            end = at + size + length
            if at + size > len(data) or end > len(data):
                break
            message = data[at + size : end]
            at = end
            if self.cursor is not None:
                self.cursor += 1
            self._hand_over([message])
        self._rest = data[at:]
        if ended:
            raise SubscriptionEnded("the server ended the stream of all messages")


def _numbered(data: bytes) -> tuple[int, bytes]:
    """A message and its id. Raises SubscriptionEnded."""
    number, size = varint(data) if data else (0, 1)
    if size > len(data):
        raise SubscriptionEnded("the server sent a message without an id")
    return number, data[size:]


class Reached(NamedTuple):
    """How far one has come to whom messages come in any order."""

    upto: int
    """It has all up to this id,"""
    beyond: frozenset[int] = frozenset()
    """and these."""


class Streams(_Sessions):
    """Each message on a stream of its own, behind its id. Its cursor is what it has had, or up to which id all."""

    def __init__(self, url: str, **options: object) -> None:
        self._upto: int | None = None
        self._beyond: set[int] = set()
        self._begun: dict[int, bytes] = {}  # streams that have not ended
        super().__init__(url, **options)  # type: ignore[arg-type]

    @property  # made only when it is asked for, which is when one resumes
    def cursor(self) -> Reached | None:
        """How far it has come."""
        return None if self._upto is None else Reached(self._upto, frozenset(self._beyond))

    @cursor.setter
    def cursor(self, at: Reached | int | None) -> None:
        self._upto, beyond = (at.upto, at.beyond) if isinstance(at, Reached) else (at, frozenset())
        self._beyond = set(beyond)

    def _after(self) -> int | None:
        return self._upto

    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        data = self._begun.pop(stream, b"") + data
        if not ended:
            self._begun[stream] = data
            return
        number, message = _numbered(data)
        if self._is_new(number):
            self._hand_over([message])

    def _is_new(self, number: int) -> bool:
        """Whether it has not had that one, which it has now."""
        if self._upto is None:
            raise SubscriptionEnded("the server has not said where it begins: its answer has no ETag with a number")
        if number <= self._upto or number in self._beyond:
            return False
        self._beyond.add(number)
        while self._upto + 1 in self._beyond:
            self._upto += 1
            self._beyond.discard(self._upto)
        return True


class Datagrams(_Sessions):
    """Each message in a datagram, behind its id. Its cursor is the highest that it has had: what is lost stays lost."""

    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        if stream >= 0:
            raise SubscriptionEnded("the server opened a stream where datagrams were asked for")
        number, message = _numbered(data)
        if self.cursor is not None:
            self.cursor = max(self.cursor, number)
        self._hand_over([message])
