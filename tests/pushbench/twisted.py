"""`python -m tests.pushbench.twisted KIND [OPTIONS]`: the suite's server, on which people who talk are not served rightly.

`one_room`: there is one room, whatever it is called. `deaf`: of what is said in a room every third message is dropped.
`twice`: every third frame is echoed twice. `mute`: every third is not. `other`: a POST is answered with something else.
"""

import sys
from itertools import count

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.websockets import WebSocket

from servers import __main__ as servers_main, echo
from servers.hub import Hub
from servers.rooms import Rooms


def one_room() -> None:
    find = Rooms._room

    def same(self: Rooms, name: str) -> Router:
        return find(self, "one")

    Rooms._room = same  # type: ignore[method-assign]


def deaf() -> None:
    publish, nth = Hub.publish, count()

    def dropping(self: Hub, data: bytes) -> int:
        return publish(self, data) if next(nth) % 3 else self.last_id

    Hub.publish = dropping  # type: ignore[method-assign]


def twice() -> None:
    send, nth = WebSocket.send_text, count()

    async def again(self: WebSocket, data: str) -> None:
        await send(self, data)
        if next(nth) % 3 == 0:
            await send(self, data)

    WebSocket.send_text = again  # type: ignore[method-assign, assignment]


def mute() -> None:
    send, nth = WebSocket.send_text, count()

    async def dropping(self: WebSocket, data: str) -> None:
        if next(nth) % 3:
            await send(self, data)

    WebSocket.send_text = dropping  # type: ignore[method-assign, assignment]


def other() -> None:
    async def answer(request: Request) -> Response:
        return Response(b"nothing of that")

    echo.routes = lambda hub, options: [Route("/echo", answer, methods=["POST"])]


if __name__ == "__main__":
    {"one_room": one_room, "deaf": deaf, "twice": twice, "mute": mute, "other": other}[sys.argv.pop(1)]()
    servers_main.main()
