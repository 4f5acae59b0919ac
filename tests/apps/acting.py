"""The ways to act on the task list, as one: an action in, its result or its error out."""

import json
from typing import Any, Protocol

import aiohttp

from tests.serving import Server

JSON = {"Content-Type": "application/json"}


class Way(Protocol):
    """One way to act."""

    async def act(self, **action: Any) -> Any:
        """The result, or {"error": …}."""

    async def say(self, text: bytes) -> Any:
        """Likewise for what need not be an action."""


class Rest:
    """By methods and paths."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server, self.http = server, http
        self.status = 0

    async def act(self, **action: Any) -> Any:
        name, number = action.pop("action"), action.pop("id", None)
        item = f"/tasks/items/{number}"
        match name:
            case "list":
                return await self._ask("GET", "/tasks/items")
            case "add":
                return await self._ask("POST", "/tasks/items", json.dumps(action).encode())
            case "rename" | "done":
                return await self._ask("PATCH", item, json.dumps(action).encode())
            case "delete":
                return await self._ask("DELETE", item)
        raise AssertionError(name)

    async def say(self, text: bytes) -> Any:
        return await self._ask("POST", "/tasks/items", text)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        async with self.http.request(method, self.server.url(path), data=body, headers=JSON if body else {}) as answer:
            assert answer.content_type == "application/json"
            self.status = answer.status
            return await answer.json()


class Act:
    """By posting the action as it is."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server, self.http = server, http

    async def act(self, **action: Any) -> Any:
        return await self.say(json.dumps(action).encode())

    async def say(self, text: bytes) -> Any:
        async with self.http.post(self.server.url("/tasks/act"), data=text, headers=JSON) as answer:
            return _unwrapped(await answer.json())


class Socket:
    """By the WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def act(self, **action: Any) -> Any:
        return await self.say(json.dumps(action).encode())

    async def say(self, text: bytes) -> Any:
        await self.socket.send_bytes(text)
        return _unwrapped(json.loads(await self.socket.receive_str()))


def _unwrapped(answer: dict[str, Any]) -> Any:
    return answer.get("result", answer)
