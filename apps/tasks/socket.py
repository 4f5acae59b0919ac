"""Actions by WebSocket: each frame on `/socket` is one, and is answered with one, in the order in which they came."""

from contextlib import suppress

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from apps.saying import said
from apps.tasks.asked import answer_to, most_bytes
from apps.tasks.tasklist import TaskList
from servers.access import agreed
from servers.closing import data_of
from servers.options import Options


def routes(tasks: TaskList, options: Options) -> list[BaseRoute]:
    """The routes of this way to act."""
    most = most_bytes(options.max_message_bytes)

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept(agreed(websocket.scope))
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                answer, _ = answer_to(data_of(frame), tasks, most)
                await websocket.send_text(said(answer))

    return [WebSocketRoute("/socket", socket)]
