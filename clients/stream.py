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
        size = len(data)
        if not self._rest and size > 1 and data[0] != 0 and data.find(b"\n") == size - 1 and self._receiving:
            if self.cursor is not None:  # nearly always it is one whole line
                self.cursor += 1
            return self._hand_over([data[:-1]])
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not line:  # a heartbeat
                continue
            if not self._receiving:
                return
            if line[0] == 0:
                return self._end(CursorGone(line[1:].decode()))
            if self.cursor is not None:
                self.cursor += 1
            self._hand_over([line])
