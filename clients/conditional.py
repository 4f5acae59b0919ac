"""The conditional request that both kinds of polling make: what is new since the validator of the last answer?

Source: RFC 9110 sections 13.1.2, If-None-Match, and 13.1.3, If-Modified-Since. Whichever validators an answer names are
sent back as they came.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from clients.answers import Answered, Whole
from clients.coding import decoder
from clients.ends import RequestRefused, refusal
from clients.exchange import Exchange
from clients.subscription import HandOver, Subscription


class Validators(NamedTuple):
    """The cursor of who asks by conditional requests, as an answer named it."""

    etag: str
    modified: str = ""
    """Its `Last-Modified`; empty without one."""

    @property
    def headers(self) -> dict[str, str]:
        """By which it is asked what is new since."""
        asked = {"If-None-Match": self.etag}
        return asked | {"If-Modified-Since": self.modified} if self.modified else asked

    def __str__(self) -> str:
        """The ETag without what it is wrapped in."""
        return self.etag.removeprefix("W/").strip('"')


class ConditionalRequests(Subscription):
    """A subscriber that asks again and again, on one connection for as long as the server keeps it.

    aiohttp makes the first request on a connection. The others have the same headers, and are made without it. Of the
    very first one the validators of the answer count, and not its body: it says where a reader starts.
    """

    cursor: Validators | None

    _exchange: Exchange | None = None
    _headers = ""
    """Of the first request, but for the validator."""

    def __init__(
        self,
        url: str,
        *,
        after: Validators | int | None = None,
        start_url: str = "",
        keep_connection: bool = True,
        validators: bool = True,
        **options: Any,
    ) -> None:
        """`after` may be the number that an ETag holds. `start_url` is asked first, for a server that says elsewhere where
        a reader starts. Without `validators` it asks by a query, which is answered 200 whatever there is."""
        since = Validators(f'"{after}"') if isinstance(after, int) else after
        super().__init__(url, after=since, keep_connection=keep_connection, **options)
        self._start_url = start_url or url
        self._target = URL(url).raw_path_qs
        self._keep_connection = keep_connection
        self._validators = validators

    async def _connect(self) -> None:
        exchange = await self._begin(self._start_url, 200, 204, 304)
        if self.cursor is None:
            self.cursor = self._reached(exchange)

    async def _ask(self, hand_over: HandOver) -> bool:
        """Make one request, and hand over the messages of its answer; returns whether it had any."""
        answer = await self._answer()
        if answer.status not in (200, 304):
            said = answer.body[:500].decode(errors="replace").strip()
            raise refusal(self._target.partition("?")[0], answer.status, said)
        if answer.status != 200 or not (messages := [line for line in answer.body.split(b"\n") if line]):
            return False
        self.cursor = self._reached(answer)
        hand_over(messages)
        return True

    def _reached(self, answer: Exchange | Whole) -> Validators:
        """From where to ask next. Raises `RequestRefused` if the answer does not say."""
        if "etag" not in answer.headers:
            raise RequestRefused(
                f"{self._target} answered {answer.status} without an ETag, and there is nothing to ask from"
            )
        return Validators(answer.headers["etag"], answer.headers.get("last-modified", ""))

    async def _answer(self) -> Exchange | Whole:
        """The answer to one request, on the connection that there is, or on a new one."""
        exchange = self._exchange
        if exchange and self._keep_connection:
            try:
                await exchange.ask(self._request())
                return exchange
            except aiohttp.ServerDisconnectedError:
                if exchange.body or exchange.headers:
                    raise  # else the server had let it go before the request came, as it may
        if self._validators:
            return await self._begin(self.url, 200, 304, headers=self._since.headers)
        return await self._begin(self.url, 200, params={"after": str(self._since)})

    @property
    def _since(self) -> Validators:
        assert self.cursor is not None  # the first answer has said where it starts
        return self.cursor

    async def _begin(self, url: str, *statuses: int, **how: Mapping[str, str]) -> Exchange | Whole:
        """Ask on a new connection, or on a stream of a shared one."""
        await self._close()
        answer = await self._opener.get(url, *statuses, **how)
        if isinstance(answer, Answered):
            body = await answer.cut.body()
            decode = decoder(answer.headers.get("content-encoding", ""))
            return Whole(answer.status, answer.headers, decode(body) if decode and body else body)
        if not self._headers:
            sent = answer.request_info
            self._headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
            if url == self.url:  # a redirect may have led elsewhere
                self._target = sent.url.raw_path_qs
        self._exchange = Exchange(answer.cut)
        await self._exchange.answer()
        return self._exchange

    def _request(self) -> bytes:
        """What is asked next on a connection that is kept."""
        if self._validators:
            since = "".join(f"{name}: {value}\r\n" for name, value in self._since.headers.items())
            return f"GET {self._target} HTTP/1.1\r\n{self._headers}{since}\r\n".encode()
        sign = "&" if "?" in self._target else "?"
        return f"GET {self._target}{sign}after={self._since} HTTP/1.1\r\n{self._headers}\r\n".encode()

    async def _close(self) -> None:
        if self._exchange:
            self._exchange.close()
            self._exchange = None
