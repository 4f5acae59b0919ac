"""Capturing one exchange: the server as trials start it, a tap, and the suite's own client behind it.

A few messages are published with a quiet time between, and a longer one behind the last, so that what is typical comes:
empty answers, heartbeats, pings. Then the client leaves. It knows no transport by its name, and not what the bytes are.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from clients.ends import ENDS
from pushbench import message
from pushbench.anatomy.exchange import Counted, Exchange, Mark, Piece, Published, Received
from pushbench.anatomy.published import seq_of
from pushbench.contract import Known
from pushbench.publisher import WAYS, PublishingFailed
from pushbench.scenario_keys import Load
from pushbench.tap import Tape, tapped, tapped_datagrams
from pushbench.target import Running, Target, TargetFailed, running
from pushbench.transports import ROWS, Transport, load_class
from pushbench.wire import Line, Meter, Traffic

MESSAGES = 3
PAYLOAD_BYTES = 128
SETTLE_S = 0.1
"""From connected to the first message; half a poll interval, so that no poll is near."""
APART_S = 0.4
"""From one message to the next: two polls."""
QUIET_S = 1.4
"""Behind the last message: longer than what a server is quiet for."""
POLL_INTERVAL_S = 0.2
HEARTBEAT_S, LONGPOLL_TIMEOUT_S = 1.0, 1.0
ANSWER_S = 5.0
"""So long the server may take to take a message."""
CLOSING_S = 0.5
"""So long it is waited until the kernel has counted the last packet."""
TOKEN_NOTE = "The token of each request is shown as x; of QUIC no key is kept, which would open it."


class CaptureFailed(Exception):
    """There is no exchange; the text says why, and the way out."""


async def captured(
    known: Known, transport: str, cores: Sequence[int], secured: Callable[[Target, Load], Target | None]
) -> Exchange:
    """Capture one, in some three seconds. Raises `CaptureFailed`."""
    row = ROWS[transport]
    load = _load(known, row)
    target = secured(known.target(load), load)
    assert target
    try:
        async with running(target, cores) as server:
            return await _exchange(known, row, target, server)
    except (TargetFailed, PublishingFailed, *ENDS) as error:
        raise CaptureFailed(f"{known.name} {transport}: {error}") from None


def _load(known: Known, row: Transport) -> Load:
    """What the server is told. Raises `CaptureFailed` if it cannot serve that."""
    load = Load(transport=row.name, subscribers=1)
    asked = {"heartbeat_s": HEARTBEAT_S, "longpoll_timeout_s": LONGPOLL_TIMEOUT_S}
    told = {key: value for key, value in asked.items() if key in known.taken}
    https = known.contract.url.startswith("https:")
    load = load.model_copy(update={**told, "tls": row.quic or https})
    if https and not row.quic:
        raise CaptureFailed(f"{known.name} is reached over TLS, and its bytes would be ciphertext: name one without")
    if why := known.refusal(load):
        raise CaptureFailed(why)
    return load


async def _exchange(known: Known, row: Transport, target: Target, server: Running) -> Exchange:
    tape = Tape()
    received: list[Received] = []
    published: list[Published] = []
    marks: list[Mark] = []

    def taken(messages: list[bytes]) -> None:
        found = tuple(seq for one in messages if (seq := seq_of(one)) is not None)
        if found:
            received.append(Received(time.monotonic_ns(), found))

    with closing(Meter(copies=True)) as meter, tempfile.TemporaryDirectory(prefix="pushbench-") as directory:
        await meter.begin()
        secrets = Path(directory) / "secrets"
        async with _between(row, server, tape) as port:
            line = Line(meter)
            client = _client(row, target, port, line.socket, str(secrets))
            async with client:
                reading = asyncio.ensure_future(client.receive(taken))
                try:
                    mark = partial(_mark, line.traffic, marks)
                    await asyncio.to_thread(_publish, known, target, server, mark, published)
                    await asyncio.wait({reading}, timeout=QUIET_S)
                    if reading.done():
                        raise CaptureFailed(
                            f"{known.name} {row.name}: the client’s connection ended: {reading.exception()}"
                        )
                finally:
                    reading.cancel()
                    with suppress(asyncio.CancelledError, *ENDS):
                        await reading
            counted = await _total(meter)
        kept = secrets.read_text() if secrets.exists() else ""
    return Exchange(
        row.name,
        known.name,
        known.contract.title,
        datetime.now(UTC).isoformat(timespec="seconds"),
        without(target.reach.token, tape),
        tuple(published),
        tuple(received),
        tuple(marks),
        counted,
        bare=bool(row.own_target),
        quic=row.quic,
        numbered=not row.ordered,
        secrets="" if target.reach.token else kept,
        note=TOKEN_NOTE if target.reach.token else "",
    )


def without(token: str, tape: Tape) -> tuple[Piece, ...]:
    """What passed, with the token made unreadable, which is never told or kept; as long as it was."""
    hidden = b"x" * len(token.encode())
    return tuple(
        Piece(at_ns, connection, up, data.replace(token.encode(), hidden) if token else data)
        for at_ns, connection, up, data in tape.pieces
    )


def _between(row: Transport, server: Running, tape: Tape) -> AbstractAsyncContextManager[int]:
    return (tapped_datagrams if row.quic else tapped)(server.host, server.port, tape)


def _client(row: Transport, target: Target, port: int, make: Any, secrets: str) -> Any:
    served = target.serves.get(row.name)
    url = f"{target.reach.scheme}://127.0.0.1:{port}{target.path(served.path if served and served.path else row.path)}"
    options: dict[str, Any] = {"socket_factory": make}
    if not row.own_target:
        options["headers"] = target.reach.headers
    if context := target.reach.context():
        context.keylog_filename = secrets
        options["tls"] = context
    if row.polls:
        options["interval_s"] = POLL_INTERVAL_S
    if served and served.start:
        options["start_url"] = urljoin(url, target.path(served.start))
    return load_class(row.client)(url, **options)


def _publish(known: Known, target: Target, server: Running, mark: Callable[[], None], published: list[Published]) -> None:
    """Publish the messages, each when it is due; in a thread of its own, for it waits by sleeping."""
    way = known.ways[-1] if known.ways else next(iter(target.publish))
    with WAYS[way]((server.host, server.port), target.path(target.publish[way]), target.reach) as outlet:
        begin_ns = time.monotonic_ns() + round(SETTLE_S * 1e9)
        for seq in range(MESSAGES):
            due_ns = begin_ns + round(seq * APART_S * 1e9)
            time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
            mark()
            sent_ns = time.monotonic_ns()
            outlet.send(message.encode(seq, due_ns, sent_ns, PAYLOAD_BYTES))
            outlet.settle(ANSWER_S)
            published.append(Published(seq, due_ns, sent_ns, time.monotonic_ns()))


def _mark(traffic: Callable[[], Traffic], marks: list[Mark]) -> None:
    marks.append(Mark(time.monotonic_ns(), _counted(traffic())))


async def _total(meter: Meter) -> Counted:
    """All that went over the sockets, once both sides have closed, or after a while."""
    deadline = time.monotonic() + CLOSING_S
    while meter.closing and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
        meter.sweep()
    return _counted(await meter.end())


def _counted(traffic: Traffic) -> Counted:
    return Counted(*(getattr(traffic, name) for name in Counted.__dataclass_fields__))
