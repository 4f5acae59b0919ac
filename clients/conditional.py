"""The conditional request that both kinds of polling make: what is new since the validator of the last answer?

Source: RFC 9110 section 13.1.2, If-None-Match.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp

from clients.ends import RequestRefused, refusal
from clients.exchange import Exchange
from clients.opening import position
from clients.subscription import HandOver, Subscription

VALIDATOR = "If-None-Match"


class ConditionalRequests(Subscription):
    """A subscriber that asks again and again, on one connection for as long as the server keeps it.

    aiohttp makes the first request on a connection. The others have the same headers, and are made without it.
    """

    _exchange: Exchange | None = None
    _target = ""
    """Of the first request: path and query."""
    _headers = ""
    """Of the first request, but for the validator."""

    def __init__(self, url: str, *, keep_connection: bool = True, validators: bool = True, **options: Any) -> None:
        """Without `validators` it asks by a query, which is answered 200 whatever there is."""
        super().__init__(url, keep_connection=keep_connection, **options)
        self._keep_connection = keep_connection
        self._validators = validators

    async def _connect(self) -> None:
        exchange = await self._begin(204)
        if self.cursor is None:
            self.cursor = self._reached(exchange)

    async def _ask(self, hand_over: HandOver) -> None:
        """Make one request, and hand over the messages of its answer, if it has any."""
        answer = await self._answer()
        if answer.status not in (200, 304):
            said = answer.body[:500].decode(errors="replace").strip()
            raise refusal(self._target.partition("?")[0], answer.status, said)
        if answer.status == 200 and (messages := answer.body.split(b"\n")[:-1]):
            self.cursor = self._reached(answer)
            hand_over(messages)

    def _reached(self, answer: Exchange) -> int:
        """The position from which to ask next. Raises `RequestRefused` if the answer names none."""
        reached = position(answer.headers)
        if reached is None:
            raise RequestRefused(
                f"{self._target} answered {answer.status} without an ETag, and there is nothing to ask from"
            )
        return reached

    async def _answer(self) -> Exchange:
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
            return await self._begin(200, 304, headers={VALIDATOR: f'"{self.cursor}"'})
        return await self._begin(200, params={"after": str(self.cursor)})

    async def _begin(self, *statuses: int, **how: Mapping[str, str]) -> Exchange:
        """Ask on a new connection."""
        await self._close()
        answer = await self._opener.get(self.url, *statuses, **how)
        if not self._headers:
            sent = answer.request_info
            self._target = sent.url.raw_path_qs
            self._headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
        self._exchange = Exchange(answer.cut)
        await self._exchange.answer()
        return self._exchange

    def _request(self) -> bytes:
        """What is asked next on a connection that is kept."""
        if self._validators:
            return f'GET {self._target} HTTP/1.1\r\n{self._headers}{VALIDATOR}: "{self.cursor}"\r\n\r\n'.encode()
        sign = "&" if "?" in self._target else "?"
        return f"GET {self._target}{sign}after={self.cursor} HTTP/1.1\r\n{self._headers}\r\n".encode()

    async def _close(self) -> None:
        if self._exchange:
            self._exchange.close()
            self._exchange = None
