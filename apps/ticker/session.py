"""One connection of the ticker: what it says and is told.

Theory of operation
1. Updates do not go through here. The connection's cursor on the ticker's one hub is pumped with the frames of its
   channels, which it shares with all others that want the same; and they are written together (`servers/instep.py`).
2. Meanwhile there is one `receive` under way. When an op has come, the cursor is ended, which says up to where was
   written. Then the op is done, and a new cursor goes on from there, with other frames if the channels are others.
3. A snapshot has to stand between the updates before it and those behind it. So what is left of the log is sent by itself
   first, with the frames of before; the snapshot is taken at the position at which nothing is left.
4. Who does not read is not written to, and nothing it says is read either: there is no queue. If its position leaves the
   log, it goes on with the newest, and is told of the gap: its next snapshots are its way back.
"""

import asyncio
from contextlib import suppress

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from apps.saying import NotTaken, said
from apps.ticker.channels import Every, Pick, frames_of, leaving_out, pick_of, shared_frames_of
from apps.ticker.feed import Feed
from apps.ticker.ops import Op, op_of
from servers.access import agreed
from servers.closing import data_of
from servers.hub import Cursor, CursorGone
from servers.pump import Encode, pump_of

CLOSE_GOING_AWAY = 1001  # RFC 6455 section 7.4.1


class Session:
    """It lives as long as `run` takes."""

    def __init__(self, websocket: WebSocket, feed: Feed, *, most_channels: int, gap_every: int) -> None:
        """`gap_every`: leave out every so many updates; 0: none."""
        self._websocket = websocket
        self._feed = feed
        self._hub = feed.hub
        self._most = most_channels
        self._every = Every(gap_every) if gap_every else None
        self._position = feed.hub.last_id
        self._follow(frozenset())

    async def run(self) -> None:
        """Until the client leaves, or the server stops."""
        await self._websocket.accept(agreed(self._websocket.scope))
        receiving = asyncio.ensure_future(self._websocket.receive())
        try:
            with suppress(WebSocketDisconnect):
                while True:
                    await self._send_updates_until(receiving)
                    if self._hub.closed:
                        await self._websocket.close(CLOSE_GOING_AWAY, "the server is stopping")
                        return
                    frame = await receiving
                    if frame["type"] == "websocket.disconnect":
                        return
                    await self._answer(data_of(frame))
                    receiving = asyncio.ensure_future(self._websocket.receive())
        finally:
            receiving.cancel()

    async def _send_updates_until(self, receiving: "asyncio.Future[Message]") -> None:
        while not receiving.done() and not self._hub.closed:
            with self._hub.cursor(self._position) as cursor:

                def end(_: object, cursor: Cursor = cursor) -> None:
                    cursor.end()

                receiving.add_done_callback(end)
                try:
                    if pump := pump_of(self._websocket.scope):
                        await pump(cursor, self._frames)
                        self._position = cursor.position
                        if not receiving.done():  # the client is leaving, and that is all that will come
                            return
                    else:
                        async for messages in cursor:
                            await self._send(*(message.text for message in self._pick(messages)))
                            self._position = cursor.position
                except CursorGone:
                    await self._jump()
                finally:
                    receiving.remove_done_callback(end)

    async def _jump(self) -> None:
        """Go on with the newest: what was missed is no longer kept."""
        self._position = self._hub.last_id
        if self._channels:
            says = "updates were missed, and are no longer kept: resync each channel"
            await self._say({"type": "gap", "channels": sorted(self._channels), "says": says})

    async def _catch_up(self) -> None:
        """Send what is left of the log. Nothing is left when it returns, and it stays so until the next `await`."""
        while self._position != self._hub.last_id:
            try:
                messages = self._hub.after(self._position)
            except CursorGone:
                await self._jump()
                continue
            await self._send(*(message.text for message in self._pick(messages)))
            self._position = messages[-1].id

    async def _answer(self, data: bytes) -> None:
        try:
            op = op_of(data, self._feed.channels)
            match op.name:
                case "ping":
                    await self._say({"type": "pong"} | ({} if op.id is None else {"id": op.id}))
                case "subscribe":
                    await self._subscribe(op)
                case "unsubscribe":
                    await self._unsubscribe(op)
                case "resync":
                    self._require(op)
                    await self._tell_snapshots(op.channels)
        except NotTaken as refused:
            await self._say({"type": "error", **refused.error})

    async def _subscribe(self, op: Op) -> None:
        new = [channel for channel in op.channels if channel not in self._channels]
        if len(self._channels) + len(new) > self._most:
            raise NotTaken(
                "too_many_channels",
                f"that would be {len(self._channels) + len(new)} channels, a connection may follow {self._most}: "
                f"unsubscribe from some, or open another",
            )
        await self._say({"type": "subscribed", "channels": op.channels})
        await self._tell_snapshots(new)

    async def _tell_snapshots(self, channels: "list[str] | tuple[str, ...]") -> None:
        """Say where these channels stand, and follow them from there."""
        await self._catch_up()
        snapshots = [self._feed.snapshot(channel) for channel in channels]
        self._follow(self._channels.union(channels))
        await self._send(*snapshots)

    async def _unsubscribe(self, op: Op) -> None:
        self._require(op)
        await self._catch_up()
        self._follow(self._channels.difference(op.channels))
        await self._say({"type": "unsubscribed", "channels": op.channels})

    def _require(self, op: Op) -> None:
        for channel in op.channels:
            if channel not in self._channels:
                raise NotTaken("not_subscribed", f"{channel} is not followed here: subscribe to it first")

    def _follow(self, channels: frozenset[str]) -> None:
        self._channels = channels
        self._pick: Pick = pick_of(channels)
        self._frames: Encode = shared_frames_of(channels)
        if self._every:  # of which each connection has its own count, and so its own frames
            self._pick = leaving_out(self._pick, self._every)
            self._frames = frames_of(self._pick)

    async def _say(self, message: dict[str, object]) -> None:
        await self._send(said(message))

    async def _send(self, *texts: str) -> None:
        for text in texts:
            await self._websocket.send_text(text)
