"""Actions by HTTP: methods on `/items` and `/items/ID`, whose answer is the result; and `POST /act`, with the action as
it is.

| request | action | answered with |
| --- | --- | --- |
| `GET /items` | list | 200 |
| `POST /items` | add | 201 |
| `PATCH /items/ID` | done, if the body has that key, or else rename | 200 |
| `DELETE /items/ID` | delete | 200 |

What is refused is `{"error": {"name": …, "says": …}}` with the status of its name.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from apps.saying import NotTaken, read, said
from apps.tasks.actions import object_of, unknown_key
from apps.tasks.asked import answer_to, most_bytes, too_long
from apps.tasks.tasklist import TaskList
from servers.bodies import body_of
from servers.hub import MessageTooLarge
from servers.options import Options

STATUS: Mapping[str, int] = {
    "task_unknown": 404,
    "method_unknown": 405,
    "list_full": 409,
    "body_too_large": 413,
    "task_too_large": 413,
    "media_type_unknown": 415,
}
"""The statuses of refusals, where it is not 400."""


def routes(tasks: TaskList, options: Options) -> list[BaseRoute]:
    """The routes of this way to act."""
    most = most_bytes(options.max_message_bytes)

    async def sent(request: Request) -> bytes:
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise NotTaken("media_type_unknown", f"the body is said to be {kind[:40]!r}: send application/json")
        try:
            return await body_of(request, most)
        except MessageTooLarge:
            raise too_long(most) from None

    async def keys(request: Request) -> dict[str, object]:
        return object_of(read(await sent(request)))

    def act(name: str, body: Mapping[str, object] = {}, **more: object) -> dict[str, Any]:
        for key in ("action", *more):
            if key in body:
                raise unknown_key(name, key)
        return tasks.act({"action": name, **more, **body})

    class Items(Refusing):
        """All tasks."""

        async def get(self, request: Request) -> Response:
            """The list."""
            return _json(act("list"))

        async def post(self, request: Request) -> Response:
            """One more."""
            return _json(act("add", await keys(request)), 201)

    class Item(Refusing):
        """One task."""

        async def patch(self, request: Request) -> Response:
            """Change it."""
            body = await keys(request)
            return _json(act("done" if "done" in body else "rename", body, id=_id(request)))

        async def delete(self, request: Request) -> Response:
            """Delete it."""
            return _json(act("delete", id=_id(request)))

    class Act(Refusing):
        """Any action."""

        async def post(self, request: Request) -> Response:
            """Do what the body says."""
            answer, refused = answer_to(await sent(request), tasks, most)
            return _json(answer, _status(refused) if refused else 200)

    return [Route("/items", Items), Route("/items/{id}", Item), Route("/act", Act)]


class Refusing(HTTPEndpoint):
    """An endpoint whose refusals are JSON."""

    async def dispatch(self) -> None:
        """Answer the request."""
        try:
            await super().dispatch()
        except NotTaken as refused:
            allow = {"allow": ", ".join(self._allowed_methods)} if refused.name == "method_unknown" else {}
            response = _json({"error": refused.error}, _status(refused), allow)
            await response(self.scope, self.receive, self.send)

    async def method_not_allowed(self, request: Request) -> Response:
        """There is no such method here."""
        allowed = ", ".join(self._allowed_methods)
        raise NotTaken("method_unknown", f"{request.method} is no method of {request.url.path}: it takes {allowed}")


def _id(request: Request) -> int | str:
    """The id as an action has it, if it is one; what is none is refused with the others."""
    text: str = request.path_params["id"]
    return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else text


def _status(refused: NotTaken) -> int:
    return STATUS.get(refused.name, 400)


def _json(value: object, status: int = 200, headers: Mapping[str, str] = {}) -> Response:
    return Response(said(value), status, media_type="application/json", headers={"cache-control": "no-store", **headers})
