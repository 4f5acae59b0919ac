"""One endless HTTP response: what stream and SSE share. How a message looks in its body is known to each."""

from abc import abstractmethod

import httptools

from clients.ends import SubscriptionEnded
from clients.opening import Answer, until_closed
from clients.pushed import Pushed


class EndlessResponse(Pushed):
    """A reader of one response."""

    def _opened(self, answer: Answer) -> None:
        super()._opened(answer)
        self._until_closed = until_closed(answer.status, answer.headers)
        self._parser = httptools.HttpResponseParser(self)
        self.data_received(answer.cut.head)

    def data_received(self, data: bytes) -> None:
        """What came on the connection; httptools undoes the transfer coding, and calls what follows here."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._end(error.__context__ if isinstance(error.__context__, Exception) else error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(SubscriptionEnded(f"the server broke the protocol: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection broke, or was closed, which may be how the response ends."""
        if self._until_closed and error is None:
            self.on_message_complete()
        super().connection_lost(error)

    @abstractmethod
    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body, cut anywhere."""

    def on_message_complete(self) -> None:
        """httptools: the body has ended."""
        self._end(SubscriptionEnded("the server ended the response"))
