"""Where the ticker is: `/socket`, `/publish` (POST or WebSocket, what comes is the next update of `bench`), `/channels`."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from apps.options import AppsOptions
from apps.ticker.feed import Feed
from apps.ticker.session import Session
from servers import publish


def routes(feed: Feed, options: AppsOptions) -> list[BaseRoute]:
    """Its routes."""

    async def socket(websocket: WebSocket) -> None:
        most, every = options.ticker_channels, options.ticker_gap_every
        await Session(websocket, feed, most_channels=most, gap_every=every).run()

    async def channels(request: Request) -> JSONResponse:
        return JSONResponse({"channels": feed.channels, "at_most": options.ticker_channels})

    return [WebSocketRoute("/socket", socket), Route("/channels", channels), *publish.routes(feed, options)]
