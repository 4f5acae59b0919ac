"""What every subscriber is: its interface and its ends.

A subscription reads no clock to measure, counts nothing and swallows nothing; that is its user's business.
"""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from clients.opening import Opener
from clients.sockets import SocketFactory

if TYPE_CHECKING:
    from clients.http2 import Http2

Cursor = Any
"""Where a subscription stands: whatever its transport has for that. What one had reached resumes another."""
HandOver = Callable[[list[bytes]], None]
"""Takes the messages of one response, line, event or frame, in order, as the bytes that were published."""


class Subscription(ABC):
    """One subscriber of one feed, over one connection of its own, or a stream of its own on a shared one.

    Enter it to connect, await `receive` to be handed the messages, leave it to close. It is for one use.

    `url` is the transport's address. `after` is the cursor of an earlier subscription to resume from; without it the
    subscription starts with the next message that is published once it is entered. `headers` go with every request.
    `socket_factory` makes its sockets; None: as usual. `tls` is
    how a https URL is connected to; None: as usual. With `http2` it has
    streams on connections that it shares with others. Without `keep_connection` each request has a connection of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        after: Cursor | None = None,
        headers: Mapping[str, str] | None = None,
        socket_factory: SocketFactory | None = None,
        tls: ssl.SSLContext | None = None,
        http2: "Http2 | None" = None,
        keep_connection: bool = True,
    ) -> None:
        self.url = url
        self.cursor: Cursor | None = after
        """Up to where messages were handed over; None as long as the server has not said where that is."""
        self._opener = Opener(headers, socket_factory, tls, http2, keep_connection=keep_connection)

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except BaseException:
            await self._close()
            self._opener.leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._close()
        finally:
            self._opener.leave()

    @abstractmethod
    async def _connect(self) -> None:
        """Do all that is needed before messages can come. Raises `SubscriptionEnded`, or aiohttp.ClientError."""

    @abstractmethod
    async def receive(self, hand_over: HandOver) -> NoReturn:
        """Hand over messages until cancelled.

        Raises `CursorGone` or another `SubscriptionEnded` when the peer ends it, and aiohttp.ClientError when the
        connection breaks.
        """

    @abstractmethod
    async def _close(self) -> None:
        """Close the connection, if there is one; before that, say good-bye, if the transport does."""
