"""Buffering: what a proxy that buffers responses holds back, and when it lets go. Pure: bytes in, bytes out.

A response that is complete, as those to polls are, passes. One that goes on, as a stream does, is held until so many bytes
of it are there, or it ends. Heads pass, and so does what is no HTTP any more, as after the handshake of a WebSocket.
"""

HEAD_ENDS = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
NO_BODY = (204, 304)
SWITCHED = 101


class Buffering:
    """The responses of one connection."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._head = b""  # as much as is there of one that is not complete
        self._held = b""
        self._left_bytes: int | None = 0  # of a body with a length; None if nobody knows
        self._plain = False  # it is no HTTP, or no more

    def through(self, data: bytes) -> bytes:
        """What may pass now that this has come as well."""
        passing = []
        while data:
            if self._plain:
                passing.append(data)
                break
            if self._left_bytes is None:
                passing.append(self._of_endless(data))
                break
            if self._left_bytes:
                passing.append(data[: self._left_bytes])
                data = data[self._left_bytes :]
                self._left_bytes -= len(passing[-1])
                continue
            head, ends, data = (self._head + data).partition(HEAD_ENDS)
            if not ends:
                self._head = head
                break
            self._head = b""
            passing.append(head + ends)
            self._judge(head)
        return b"".join(passing)

    def rest(self) -> bytes:
        """What was still held, when the connection ends."""
        rest, self._head, self._held = self._head + self._held, b"", b""
        return rest

    def _judge(self, head: bytes) -> None:
        """See by its head what a response is like."""
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        if not version.startswith(b"HTTP/") or (status := int(rest[:3])) == SWITCHED:
            self._plain = True
        elif status in NO_BODY or status < 200:
            self._left_bytes = 0
        else:
            length = fields.get(b"content-length")
            self._left_bytes = None if length is None else int(length)

    def _of_endless(self, data: bytes) -> bytes:
        self._held += data
        ended = self._held == LAST_CHUNK or self._held.endswith(b"\r\n" + LAST_CHUNK)
        if ended:
            self._left_bytes = 0
        elif len(self._held) < self._size_bytes:
            return b""
        passing, self._held = self._held, b""
        return passing
