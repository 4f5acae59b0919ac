"""How a subscription ends when it is not its user's doing."""

import aiohttp


class SubscriptionEnded(Exception):
    """The peer ended the subscription; the text says why."""


class CursorGone(SubscriptionEnded):
    """The server cannot resume from this cursor: start again without one."""


class RequestRefused(SubscriptionEnded):
    """The server answered with a status that is not the transport's."""


ENDS = (SubscriptionEnded, aiohttp.ClientError, OSError, TimeoutError)
"""What connecting and receiving raise when it is the peer's or the line's doing, so that to connect again may help."""


def refusal(path: str, status: int, said: str) -> SubscriptionEnded:
    """What an answer means whose status is not wanted: `CursorGone` for 410, `RequestRefused` for any other."""
    return (CursorGone if status == 410 else RequestRefused)(f"{path} answered {status}: {said}")
