"""Rooms: below `/rooms/ROOM` is a hub of its own with every transport, `publish` included, and all hear what one says.

A room is there from when somebody first comes. What a WebSocket's reader says in it is published; who reads otherwise
posts to its `publish`. There are no more of them than may be: for a new one another is dropped that has nobody in it, one
in which nothing was said before one in which something was, and then the one asked for longest ago; if somebody is in each
the new one is refused. A room that comes after one was dropped begins behind all that were said in any: a cursor of an
earlier life is too old, and never taken for a place in the new one. They are this process's alone.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from starlette.routing import BaseRoute, Mount, Router
from starlette.types import Receive, Scope, Send

from servers.hub import Hub, Refused
from servers.options import Options

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class RoomInvalid(Refused):
    """No room can be called that."""

    name = "room_invalid"


class TooManyRooms(Refused):
    """There are as many as may be, with somebody in each."""

    name = "too_many_rooms"


class Rooms:
    """An ASGI application: the rooms, by their names."""

    def __init__(
        self, options: Options, routes: Callable[[Hub, Options], list[BaseRoute]], begin: Callable[[], int] = lambda: 0
    ) -> None:
        """`routes` are those of a room, for its hub; `begin` says behind which id a new room's begin."""
        self._options = replace(options, duplex=True)
        self._begin = begin
        self._routes = routes
        self._rooms: dict[str, tuple[Hub, Router]] = {}  # the one asked for longest ago comes first
        self._beyond = 0  # the newest id of those that were dropped

    @property
    def hubs(self) -> list[Hub]:
        """The hub of each."""
        return [hub for hub, _ in self._rooms.values()]

    def mounted(self) -> list[BaseRoute]:
        """Where they are."""
        return [Mount("/rooms/{room}", app=self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises `RoomInvalid` or `TooManyRooms`."""
        await self._room(scope["path_params"]["room"])(scope, receive, send)

    def close(self) -> None:
        """Close every hub."""
        for hub in self.hubs:
            hub.close()

    def _room(self, name: str) -> Router:
        found = self._rooms.pop(name, None) or self._new(name)
        self._rooms[name] = found
        return found[1]

    def _new(self, name: str) -> tuple[Hub, Router]:
        if not NAME.fullmatch(name):
            raise RoomInvalid(f"{name[:70]!r} is no room: 1 to 64 letters, digits, dots, hyphens or underscores are")
        if len(self._rooms) >= self._options.max_rooms:
            self._drop_one()
        options = self._options
        hub = Hub(
            log_messages=options.room_log_messages,
            log_bytes=max(options.room_log_bytes, options.max_message_bytes),
            max_message_bytes=options.max_message_bytes,
        )
        hub.forget(max(self._begin(), self._beyond))
        return hub, Router(self._routes(hub, options))

    def _drop_one(self) -> None:
        empty = [name for name, (hub, _) in self._rooms.items() if not hub.cursors]
        if not empty:
            raise TooManyRooms(f"there are {len(self._rooms)} rooms with somebody in each: come again in a while")
        dropped = next((name for name in empty if self._is_unused(name)), empty[0])
        hub, _ = self._rooms.pop(dropped)
        self._beyond = max(self._beyond, hub.last_id)

    def _is_unused(self, name: str) -> bool:
        """Whether nothing was ever said in it."""
        hub, _ = self._rooms[name]
        return hub.before_oldest == hub.last_id
