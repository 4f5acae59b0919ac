"""What every subscriber is: its interface, its ends, and the HTTP session below it.

A subscription reads no clock to measure, counts nothing and swallows nothing; that is its user's business.
"""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NoReturn, Self

import aiohttp

KEEP_ALIVE_S = 3600.0  # the server decides when an idle connection ends, not the client
CONNECT_TIMEOUT_S = 60.0

HandOver = Callable[[list[bytes]], None]
"""Takes the messages of one response, line, event or frame, in order, as the bytes that were published."""


AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""An address as `socket.getaddrinfo` gives it: family, type, protocol, canonical name, address."""
SocketFactory = Callable[[AddressInfo], socket.socket]
"""Makes the socket that is to be connected to an address."""


class SubscriptionEnded(Exception):
    """The peer ended the subscription; the text says why."""


class CursorGone(SubscriptionEnded):
    """The server cannot resume from this cursor: start again without one."""


class RequestRefused(SubscriptionEnded):
    """The server answered with a status that is not the transport's."""


ENDS = (SubscriptionEnded, aiohttp.ClientError, OSError, TimeoutError)
"""What connecting and receiving raise when it is the peer's or the line's doing, so that to connect again may help."""


class Subscription(ABC):
    """One subscriber of one feed, over one connection of its own.

    Enter it to connect, await `receive` to be handed the messages, leave it to close. It is for one use.

    `url` is the transport's address. `after` is the cursor of an earlier subscription to resume from; without it the
    subscription starts with the next message that is published once it is entered. `headers` go with every request.
    `socket_factory` makes its sockets; None: as usual. Without `keep_connection` each request has a connection of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        after: int | None = None,
        headers: Mapping[str, str] | None = None,
        socket_factory: SocketFactory | None = None,
        keep_connection: bool = True,
    ) -> None:
        self.url = url
        self.cursor = after
        """The position up to which messages were handed over; None until the server has said where it starts."""
        self._session = aiohttp.ClientSession(
            # A subscriber has a connection of its own, as a browser has. The defaults would share 100 among all, and
            # end a stream after 300 s.
            connector=aiohttp.TCPConnector(
                limit=0,
                socket_factory=socket_factory,
                **({"keepalive_timeout": KEEP_ALIVE_S} if keep_connection else {"force_close": True}),
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            skip_auto_headers=("Accept-Encoding",),  # no compression is asked for
        )

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()
        await self._session.close()

    @abstractmethod
    async def _connect(self) -> None:
        """Do all that is needed before messages can come. Raises `SubscriptionEnded`, or aiohttp.ClientError."""

    @abstractmethod
    async def receive(self, hand_over: HandOver) -> NoReturn:
        """Hand over messages until cancelled.

        Raises `CursorGone` or another `SubscriptionEnded` when the peer ends it, and aiohttp.ClientError when the
        connection breaks.
        """

    async def _close(self) -> None:  # noqa: B027  # most transports have nothing to say when they leave
        """Say good-bye, if the transport does."""


async def check(response: aiohttp.ClientResponse, *expected: int) -> None:
    """Raise `CursorGone` for 410 and `RequestRefused` for anything else that is not `expected`."""
    if response.status in expected:
        return
    said = (await response.text())[:500].strip() or response.reason
    kind = CursorGone if response.status == 410 else RequestRefused
    raise kind(f"{response.url.path} answered {response.status}: {said}")


def position(headers: Mapping[str, str]) -> int | None:
    """The position that a response's `ETag` names, or None without one."""
    tag = headers.get("ETag")
    return None if tag is None else int(tag.strip('"'))
