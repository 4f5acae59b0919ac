"""One endless HTTP response: what stream and SSE share. How a message looks in its body is known to each."""

from abc import abstractmethod

import httptools

from clients.answers import Answered
from clients.coding import Decode, decoder
from clients.ends import SubscriptionEnded
from clients.opening import Answer, until_closed
from clients.pushed import Pushed


class EndlessResponse(Pushed):
    """A reader of one response."""

    _decode: Decode | None = None
    """What undoes the coding of its body, if it has one."""

    def _opened(self, answer: Answer | Answered) -> None:
        super()._opened(answer)
        self._bare = isinstance(answer, Answered)
        self._until_closed = self._bare or until_closed(answer.status, answer.headers)
        self._between_chunks = True
        if decode := decoder(answer.headers.get("content-encoding", "")):
            self._decode = decode
            self.on_body = self._on_coded_body  # type: ignore[method-assign]  # so that nothing is in the way of others
        if not isinstance(answer, Answered):
            self._parser = httptools.HttpResponseParser(self)
            self._feed(answer.cut.head)

    def _on_coded_body(self, data: bytes) -> None:
        """A piece of a body in a coding."""
        assert self._decode
        try:
            data = self._decode(data)
        except Exception as error:  # of a library's own kind
            self._end(SubscriptionEnded(f"the body cannot be decoded: {error}"))
            return
        type(self).on_body(self, data)

    def _parse(self, data: bytes) -> bool:
        if self._bare:  # HTTP/2 has frames of its own, which are undone already
            self.on_body(data)
        else:
            self._feed(data)
        if self._decode:  # what it is depends on all before
            return False
        # A chunk's size may be cut off at the end without a word of the parser.
        return self._between() and (self._until_closed or (self._between_chunks and data.endswith(b"\r\n")))

    def _feed(self, data: bytes) -> None:
        """httptools undoes the transfer coding, and calls what follows here."""
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
    def _between(self) -> bool:
        """Whether the next byte of the body begins a message."""

    @abstractmethod
    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body, cut anywhere."""

    def on_chunk_header(self) -> None:
        """httptools: the size of a chunk has been read."""
        self._between_chunks = False

    def on_chunk_complete(self) -> None:
        """httptools: a chunk has ended."""
        self._between_chunks = True

    def on_message_complete(self) -> None:
        """httptools: the body has ended."""
        self._end(SubscriptionEnded("the server ended the response"))
