"""HTTP streaming (Comet): one endless response, a message a line."""

from clients.endless import EndlessResponse
from clients.ends import CursorGone


class Stream(EndlessResponse):
    """A reader of one endless response. Its cursor is where the response began plus the lines since."""

    _rest = b""
    """A line that is not complete."""

    async def _connect(self) -> None:
        params = None if self.cursor is None else {"after": str(self.cursor)}
        self._opened(await self._opener.get(self.url, 200, params=params))

    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line[:1] == b"\0":
                return self._end(CursorGone(line[1:].decode()))
            if line:  # else it is a heartbeat
                self._deliver(line)

    def _between(self) -> bool:
        return not self._rest
