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
            self.cursor = self._begins(position(headers))

    def _after(self) -> int | None:
        """Behind which id to go on."""
        return self.cursor

    def _begins(self, at: int | None) -> object:
        """The cursor of one that has had nothing yet."""
        return at

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


class Reached(NamedTuple):
    """How far one has come to whom messages come in any order."""

    upto: int
    """It has all up to this id,"""
    beyond: frozenset[int] = frozenset()
    """and these."""


class Streams(_Sessions):
    """Each message on a stream of its own, behind its id. Its cursor is what it has had."""

    def __init__(self, url: str, **options: object) -> None:
        super().__init__(url, **options)  # type: ignore[arg-type]
        if isinstance(self.cursor, int):
            self.cursor = Reached(self.cursor)
        self._begun: dict[int, bytes] = {}  # streams that have not ended

    def _after(self) -> int | None:
        return self.cursor.upto if self.cursor else None

    def _begins(self, at: int | None) -> Reached | None:
        return None if at is None else Reached(at)

    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        data = self._begun.pop(stream, b"") + data
        if not ended:
            self._begun[stream] = data
            return
        number, size = varint(data)
        if self._is_new(number):
            self._hand_over([data[size:]])

    def _is_new(self, number: int) -> bool:
        """Whether it has not had that one, which it has now."""
        assert self.cursor
        upto, beyond = self.cursor
        if number <= upto or number in beyond:
            return False
        beyond |= {number}
        while upto + 1 in beyond:
            upto += 1
            beyond -= {upto}
        self.cursor = Reached(upto, beyond)
        return True


class Datagrams(_Sessions):
    """Each message in a datagram, behind its id. Its cursor is the highest that it has had: what is lost stays lost."""

    def _came(self, stream: int, data: bytes, ended: bool) -> None:
        if stream >= 0:
            raise SubscriptionEnded("the server opened a stream where datagrams were asked for")
        number, size = varint(data)
        if self.cursor is not None:
            self.cursor = max(self.cursor, number)
        self._hand_over([data[size:]])
