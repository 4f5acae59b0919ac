"""Whatever is asked, in whatever order: by REST and by WebSocket the results, the errors and the list are the same."""

import asyncio
import json
from collections.abc import MutableMapping
from contextlib import closing
from typing import Any

from hypothesis import given, settings, strategies as st
from starlette.routing import Router

from apps.options import AppsOptions
from apps.saying import said
from apps.tasks import rest, socket
from apps.tasks.store import Store
from apps.tasks.tasklist import TaskList
from servers.hub import Hub

OPTIONS = AppsOptions(max_message_bytes=1024)
titles = st.text(max_size=20) | st.sampled_from(["x" * 200, "x" * 201, 1, None])
ids = st.integers(-1, 6) | st.sampled_from(["a", 10**18])
actions = st.lists(
    st.fixed_dictionaries({"action": st.just("list")})
    | st.fixed_dictionaries(
        {"action": st.just("add"), "title": titles}, optional={"note": st.text(max_size=300), "x": st.none()}
    )
    | st.fixed_dictionaries({"action": st.just("rename"), "id": ids, "title": titles}, optional={"note": titles})
    | st.fixed_dictionaries({"action": st.just("done"), "id": ids, "done": st.booleans() | st.none()})
    | st.fixed_dictionaries({"action": st.just("delete"), "id": ids}),
    max_size=20,
)


async def by_rest(router: Router, action: dict[str, Any]) -> Any:
    """The answer to the request that says the same."""
    keys = dict(action)
    name, number = keys.pop("action"), str(keys.pop("id", ""))
    method = {"list": "GET", "add": "POST", "rename": "PATCH", "done": "PATCH", "delete": "DELETE"}[name]
    path = "/items" if name in ("list", "add") else f"/items/{number}"
    body = b"" if name in ("list", "delete") else said_in_ascii(keys)
    events: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: MutableMapping[str, Any]) -> None:
        events.append(event)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "query_string": b"", "headers": headers}
    await router(scope, receive, send)
    return json.loads(b"".join(event.get("body", b"") for event in events))


async def by_socket(router: Router, asked: list[dict[str, Any]]) -> list[Any]:
    """The answers on one WebSocket."""
    said: list[Any] = []
    coming: list[MutableMapping[str, Any]] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": said_in_ascii(action).decode()} for action in asked),
        {"type": "websocket.disconnect", "code": 1000},
    ]

    async def receive() -> MutableMapping[str, Any]:
        return coming.pop(0)

    async def send(event: MutableMapping[str, Any]) -> None:
        if "text" in event:
            said.append(json.loads(event["text"]))

    await router(
        {"type": "websocket", "path": "/socket", "root_path": "", "headers": [], "subprotocols": []}, receive, send
    )
    return [answer.get("result", answer) for answer in said]


def said_in_ascii(value: object) -> bytes:
    return json.dumps(value).encode()


@settings(max_examples=60)
@given(actions)
def test_any_actions_have_the_same_results_and_errors_and_leave_the_same_list(asked: list[dict[str, Any]]) -> None:
    async def both() -> None:
        with closing(Store("", begin=0, keep=100)) as one, closing(Store("", begin=0, keep=100)) as other:
            hubs = [Hub(max_message_bytes=1024) for _ in range(2)]
            lists = [TaskList(store, hub, limit=4) for store, hub in zip((one, other), hubs, strict=True)]
            first, second = Router(rest.routes(lists[0], OPTIONS)), Router(socket.routes(lists[1], OPTIONS))
            whole = [*asked, {"action": "list"}]
            assert [await by_rest(first, action) for action in whole] == await by_socket(second, whole)
            changes = [[message.data for message in hub.after(0)] for hub in hubs]
            assert changes[0] == changes[1]
            assert all(said(json.loads(change)).encode() == change for change in changes[0])

    asyncio.run(both())
