"""`GET /status`: what the server holds, as JSON, so that a leak can be counted from outside.

With a backplane, `last_id` is the newest that it has taken, the counts are the sums of all workers, and `workers` has what
each one holds. Without, it has also how many rooms there are, and how many cursors in them.
"""

import asyncio
import os

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from servers.hub import Hub
from servers.options import Options
from servers.rooms import Rooms
from servers.siblings import Counts, address, ask


def counts(hub: Hub) -> Counts:
    """What this process holds."""
    return {"last_id": hub.last_id, "cursors": hub.cursors, "tasks": len(asyncio.all_tasks())}


def counts_of_worker(hub: Hub) -> Counts:
    """The same of one of several, and how it is with what they share."""
    return {"pid": os.getpid(), "backplane": "joined" if hub.joined else "lost"} | counts(hub)


def routes(hub: Hub, options: Options, rooms: Rooms) -> list[BaseRoute]:
    """The one route of this module."""

    async def status(request: Request) -> JSONResponse:
        if not options.redis:
            return JSONResponse(
                counts(hub) | {"rooms": len(rooms.hubs), "in_rooms": sum(one.cursors for one in rooms.hubs)}
            )
        newest = await hub.newest()
        if options.workers == 1:
            workers = [counts_of_worker(hub)]
        else:
            # One after the other: each question at the same time would be a task of its own, and be counted or not.
            answers = [await ask(address(options, number)) for number in range(options.workers)]
            workers = [answer for answer in answers if answer]
        sums = {name: sum(worker[name] for worker in workers) for name in ("cursors", "tasks")}
        return JSONResponse({"last_id": newest, **sums, "workers": workers})

    return [Route("/status", status)]
