"""The cells of a scenario, and which cells and phases contradict each other.

It knows the grid and every rule that spans keys. What one key takes alone is in `scenario_keys`.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from pushbench.comeback import AWAY_S
from pushbench.message import MAX_SEQ
from pushbench.scenario_errors import KeyPath, Problem, dotted, missing, problems_of, shown, unknown_key
from pushbench.scenario_keys import DISTURBANCES, RELAY_FAULTS, RELAYED, Load, Phases
from pushbench.scenario_toml import Draft
from pushbench.transports import FLOORS, ROWS

MAX_CELLS = 10_000
"""More is a slip of the pen: at four seconds a trial, so many take half a day."""

MIN_PLATEAUS = 4
"""Two points always lie on a line, and three nearly always do: a slope with an interval wants more."""

PLAIN_ONLY = (
    "headers",
    "pacing",
    "publish_via",
    "server_loop",
    "server_stall_ms",
    "resume_percent",
    "relay_buffer_bytes",
    "server_down_ms",
    "slow_percent",
    "drop_unanswered_s",
    "burst",
    "churn_hz",
    "vanish_percent",
    "server_workers",
    "tls",
    "http",
)
"""What the floors have no part in: they take messages and serve them in one way, answer nobody, and know neither cursor nor
response."""

IN_THE_CLEAR = ("slow_percent", "vanish_percent", "relay_buffer_bytes")
"""What needs to read and write without TLS: readers on bare sockets, and a relay that looks at responses."""

ONE_AT_A_TIME = ("slow_percent", "vanish_percent", "relay_buffer_bytes", "relay_idle_s", "relay_reset_percent")
"""What is done to one subscriber's connection, of which with HTTP/2 there is none."""

NOT_OF_PACKETS = ("jitter_ms", "bandwidth_kbit_s", *RELAY_FAULTS)
"""What only a relay of bytes does."""

NOT_ACTING = (
    "publish_via",
    "pacing",
    "join_late_percent",
    "resume_percent",
    "churn_hz",
    "server_down_ms",
    "slow_percent",
    "vanish_percent",
    "relay_reset_percent",
    "relay_idle_s",
    "relay_buffer_bytes",
)
"""What is of a feed that is published to subscribers that come and go."""

NOT_IN_A_BROWSER = (
    "kind",
    "poll_connection",
    "poll_empty",
    "headers",
    "compression",
    "ping_s",
    "swarms",
    "line",
    "join_late_percent",
    "resume_percent",
    "churn_hz",
    "server_down_ms",
    "slow_percent",
    "vanish_percent",
    "relay_reset_percent",
    "relay_idle_s",
)
"""What is of the suite's own clients."""

COMING_AND_GOING = ("join_late_percent", "resume_percent", "churn_hz", "slow_percent", "server_down_ms", "server_stall_ms")
"""What changes how many readers a server has, beside peers that vanish."""

Origin = Mapping[str, KeyPath]
"""For every key of the load, where its value was written, or where it might have been."""


def cells_of(draft: Draft, problems: list[Problem]) -> list[tuple[Load, Origin]]:
    """Every cell once, in the file's order, with its origin; whatever is wrong is added to the problems."""
    load = draft.tables["load"]
    grids = [(place, _usable(place, grid, load, problems)) for place, grid in draft.grids] or [(("load",), {})]
    count = sum(prod(len(values) for values in grid.values()) for _, grid in grids)
    if count > MAX_CELLS:
        says = f"{count} cells, expected at most {MAX_CELLS}; shorten a list, or write several [[grid]] tables"
        problems.append(Problem("grid", says, (grids[0][0],)))
        return []
    cells: dict[Load, Origin] = {}
    overridden = any(path[0] in ("load", "grid") for path in draft.places.overrides)
    for place, grid in grids:
        absent_from = ("load",) if ("load",) in draft.places.lines and len(grids) == 1 else place
        origin = {key: (*absent_from, key) for key in Load.model_fields}
        origin |= {key: ("load", key) for key in load} | {key: (*place, key) for key in grid}
        for values in product(*grid.values()):
            try:
                cell = Load.model_validate(load | dict(zip(grid, values, strict=True)))
            except ValidationError as invalid:
                problems += problems_of("load", invalid, origin)
                continue
            # An override may make cells of several tables equal, and then one of them will do.
            if cell in cells and not overridden:
                varied = ", ".join(f"{key}={shown(value)}" for key, value in zip(grid, values, strict=True))
                says = f"{varied} is a cell that an earlier [[grid]] has already; take it out of one of them"
                problems.append(Problem("grid", says, (place,)))
            cells.setdefault(cell, origin)
    return list(cells.items())


def _usable(place: KeyPath, grid: Mapping[str, Any], load: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The part of a grid that cells can be made of, so that mistakes beside those of the grid itself are found too."""
    usable = {}
    for key, values in grid.items():
        says = ""
        if key not in Load.model_fields:
            says = unknown_key("grid", key)
        else:
            usable[key] = values if isinstance(values, list) else [values]
            if not isinstance(values, list):
                says = f"{shown(values)} is not a list; write [{shown(values)}], or put it under [load]"
            elif not values:
                says = "[] is empty, expected at least one value; add one, or take the key out"
            elif len(values) > MAX_CELLS:
                pass  # that there are too many is told of the whole grid, and to compare them all would take minutes
            elif again := [value for n, value in enumerate(values) if value in values[:n]]:
                says = f"{shown(again[0])} is there twice, expected every value once; take one out"
                usable[key] = [value for n, value in enumerate(values) if value not in values[:n]]
            elif key in load:
                says = f"{shown(values)} is also under [load], expected in one of the two; take it out of [load]"
        if says:
            problems.append(Problem(dotted("grid", key), says, ((*place, key),)))
    return usable


def phase_problems(phases: Phases) -> Iterator[Problem]:
    """What is contradictory in the phases, whatever the cell."""
    measure, plateaus, warmup = ("phases", "measure_s"), ("phases", "plateaus"), ("phases", "warmup_s")
    if phases.measure_s == 0 and phases.warmup_s > 0:
        says = f"{phases.warmup_s:g} s of warm-up, and measure_s = 0; set warmup_s = 0, or a measure_s above 0"
        yield Problem("phases.warmup_s", says, (warmup, measure))
    if phases.measure_s == 0 and phases.plateaus == 0:
        says = f"0 measures no traffic, and plateaus = 0 no memory; set it above 0, or plateaus to {MIN_PLATEAUS} or more"
        yield Problem("phases.measure_s", says, (measure, plateaus))
    if phases.plateau_messages and (phases.measure_s > 0 or not phases.plateaus):
        says = (
            f"{phases.plateau_messages} messages at the last plateau with plateaus = {phases.plateaus} and measure_s = "
            f"{phases.measure_s:g}, expected plateaus, and no measured window, of whose ledger they would be no part; set "
            f"plateaus to {MIN_PLATEAUS} or more and measure_s = 0, or plateau_messages = 0"
        )
        yield Problem("phases.plateau_messages", says, (("phases", "plateau_messages"), measure, plateaus))
    if 0 < phases.plateaus < MIN_PLATEAUS:
        says = f"{phases.plateaus} points make no slope with an interval, expected 0 or at least {MIN_PLATEAUS}"
        yield Problem("phases.plateaus", f"{says}; set 0 to measure no memory", (plateaus,))


def cell_problems(phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory between the phases and a cell."""
    measure = ("phases", "measure_s")
    rate_key = f"{origin['rate_hz'][0]}.rate_hz"
    if phases.plateaus > (there := cell.subscribers - cell.join_late):
        says = f"{phases.plateaus} steps for {there} subscribers, expected at most one step a subscriber"
        at = (("phases", "plateaus"), origin["subscribers"])
        yield Problem("phases.plateaus", f"{says}; take fewer steps, or more subscribers", at)
    if cell.swarms > cell.subscribers:
        says = (
            f"{cell.swarms} processes for {cell.subscribers} subscribers, expected at least one subscriber in each; lower "
            f"it, or take more subscribers"
        )
        yield Problem(f"{origin['swarms'][0]}.swarms", says, (origin["swarms"], origin["subscribers"]))
    yield from _relay_problems(phases, cell, origin)
    yield from _transport_problems(cell, origin)
    yield from _browser_problems(phases, cell, origin) if cell.client == "browser" else ()
    yield from _acting_problems(phases, cell, origin) if cell.acts else _not_acting_problems(cell, origin)
    yield from _quic_problems(cell, origin) if ROWS[cell.transport].quic else ()
    if cell.http == "2":
        yield from _http2_problems(cell, origin)
    for key in IN_THE_CLEAR if cell.tls else ():
        if getattr(cell, key):
            says = f"true together with {key}, which works in the clear alone; take one of the two out"
            yield Problem(f"{origin['tls'][0]}.tls", says, (origin["tls"], origin[key]))
    if phases.measure_s == 0:
        for key in DISTURBANCES:
            if value := getattr(cell, key):
                says = (
                    f"{shown(value)}, and measure_s = 0 has no window in which that could be; take it out, or set "
                    f"measure_s above 0"
                )
                yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], measure))
        return
    if cell.kind == "idle":
        if cell.rate_hz:
            says = f"{cell.rate_hz:g} publishes, and kind is idle, expected 0; take rate_hz out, or take kind = broadcast"
            yield Problem(rate_key, says, (origin["rate_hz"], origin["kind"]))
    elif "rate_hz" not in cell.model_fields_set:
        yield missing("load", "rate_hz", origin["rate_hz"])
    elif cell.rate_hz == 0:
        says = f"0 publishes nothing in the {phases.measure_s:g} s that are measured, expected a number above 0"
        yield Problem(rate_key, f"{says}; raise it, or set measure_s = 0 for memory only", (origin["rate_hz"], measure))
    elif cell.burst > 1 and cell.rate_hz * phases.measure_s < cell.burst:
        says = (
            f"{cell.burst} messages at once at {cell.rate_hz:g} Hz are a burst every {cell.burst / cell.rate_hz:g} s, "
            f"expected at least one in the {phases.measure_s:g} s that are measured; raise the rate, or take smaller bursts"
        )
        yield Problem(f"{origin['burst'][0]}.burst", says, (origin["burst"], measure))
    elif cell.rate_hz * phases.measure_s < 1:
        says = (
            f"{cell.rate_hz:g} Hz for {phases.measure_s:g} s publishes no message, expected rate_hz x measure_s of at "
            f"least 1; raise the rate, or measure for {1 / cell.rate_hz:g} s"
        )
        yield Problem(rate_key, says, (origin["rate_hz"], measure))
    elif cell.rate_hz * (phases.warmup_s + phases.measure_s) > MAX_SEQ:
        says = (
            f"{cell.rate_hz:g} Hz for {phases.warmup_s + phases.measure_s:g} s are more messages than can be numbered, "
            f"expected at most {MAX_SEQ}; lower the rate, or measure for less time"
        )
        yield Problem(rate_key, says, (origin["rate_hz"], measure))
    if ROWS[cell.transport].polls and phases.warmup_s * 1000 < cell.poll_interval_ms:
        says = (
            f"{phases.warmup_s:g} s is below the poll interval of {cell.poll_interval_ms} ms, so the window would begin "
            f"before every poller has fetched anything; set warmup_s to {cell.poll_interval_ms / 1000:g} or more"
        )
        yield Problem("phases.warmup_s", says, (("phases", "warmup_s"), origin["poll_interval_ms"]))
    if ROWS[cell.transport].polls and phases.drain_s * 1000 <= cell.poll_interval_ms:
        says = (
            f"{phases.drain_s:g} s is not above the poll interval of {cell.poll_interval_ms} ms, so the last messages "
            f"would be counted as lost; set drain_s above {cell.poll_interval_ms / 1000:g}"
        )
        yield Problem("phases.drain_s", says, (("phases", "drain_s"), origin["poll_interval_ms"]))
    if cell.server_stall_ms >= phases.measure_s * 1000:
        says = (
            f"{cell.server_stall_ms} ms do not fit into a window of {phases.measure_s:g} s, expected less than that; "
            f"shorten the stall, or set measure_s above {cell.server_stall_ms / 1000:g}"
        )
        yield Problem(f"{origin['server_stall_ms'][0]}.server_stall_ms", says, (origin["server_stall_ms"], measure))
    if cell.server_down_ms:
        yield from _outage_problems(phases, cell, origin)
    if cell.churn_hz and cell.churn_hz * AWAY_S >= cell.churning:
        says = (
            f"{cell.churn_hz:g} Hz, each away for {AWAY_S:g} s, and only {cell.churning} subscribers take their turns, "
            f"expected some that are there; lower it below {cell.churning / AWAY_S:g}, or take more subscribers"
        )
        yield Problem(f"{origin['churn_hz'][0]}.churn_hz", says, (origin["churn_hz"], origin["subscribers"]))
    for key in COMING_AND_GOING if cell.vanish_percent else ():
        if getattr(cell, key):
            says = (
                f"{cell.vanish_percent:g} together with {key}, which changes how many readers the server has, and by that "
                f"vanishing is noticed; take one of the two out"
            )
            yield Problem(f"{origin['vanish_percent'][0]}.vanish_percent", says, (origin["vanish_percent"], origin[key]))
    if cell.vanish_percent and not 0 < cell.vanishing < cell.subscribers:
        says = (
            f"{cell.vanishing} of {cell.subscribers} subscribers vanish, expected at least one that does and one that does "
            f"not; change the share"
        )
        yield Problem(
            f"{origin['vanish_percent'][0]}.vanish_percent", says, (origin["vanish_percent"], origin["subscribers"])
        )
    if cell.slow_bytes_per_s and not cell.slow:
        says = (
            f"{cell.slow_bytes_per_s}, but none of {cell.subscribers} subscribers is slow, expected a slow_percent that "
            f"makes one; raise that, or take this key out"
        )
        key = f"{origin['slow_bytes_per_s'][0]}.slow_bytes_per_s"
        yield Problem(key, says, (origin["slow_bytes_per_s"], origin["slow_percent"]))
    if cell.slow and cell.slow + cell.join_late + cell.resume >= cell.subscribers:
        says = (
            f"{cell.slow} of {cell.subscribers} subscribers read slowly and the others all join late or resume, expected "
            f"at least one that does none of these; lower one of the shares"
        )
        yield Problem(f"{origin['slow_percent'][0]}.slow_percent", says, (origin["slow_percent"], origin["subscribers"]))
    if cell.slow_percent and not cell.slow:
        says = (
            f"{cell.slow_percent:g} of {cell.subscribers} subscribers is not even one, expected a share that is; raise it "
            f"to {100 / cell.subscribers:g}"
        )
        yield Problem(f"{origin['slow_percent'][0]}.slow_percent", says, (origin["slow_percent"], origin["subscribers"]))
    if cell.join_late + cell.resume > cell.subscribers:
        says = (
            f"{cell.join_late_percent:g} join late and {cell.resume_percent:g} resume, expected at most 100 together: who "
            f"joins late is not there to leave; lower one of the two"
        )
        key = f"{origin['resume_percent'][0]}.resume_percent"
        yield Problem(key, says, (origin["resume_percent"], origin["join_late_percent"]))


def _acting_problems(phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory where subscribers say the messages themselves."""
    row = ROWS[cell.transport]
    kind, transport = f"{origin['kind'][0]}.kind", f"{origin['transport'][0]}.transport"
    at = (origin["transport"], origin["kind"])
    if cell.kind == "request" and row.pushes and not row.duplex:
        ways = ", ".join(shown(name) for name, one in ROWS.items() if one.duplex or not one.pushes)
        says = f"{shown(cell.transport)} answers nothing, expected one of {ways}: who reads by it acts by a POST; change it"
        yield Problem(transport, says, at)
    if cell.kind == "chat" and (row.quic or row.own_target or row.feeds_itself or not row.pushes):
        says = f"{shown(cell.transport)} is in no room, expected a transport over TCP, by which messages come; change it"
        yield Problem(transport, says, at)
    if cell.kind == "chat" and cell.subscribers % cell.room_size:
        size, here = cell.room_size, cell.subscribers
        near = " or ".join(str(count) for count in (here - here % size, here - here % size + size) if count)
        says = f"{size} in a room, and {here} subscribers, expected a multiple, so that all rooms are alike; take {near}"
        yield Problem(f"{origin['room_size'][0]}.room_size", says, (origin["room_size"], origin["subscribers"]))
    if cell.kind == "request" and cell.room_size != Load.model_fields["room_size"].default:
        says = f"{cell.room_size}, and kind is request, in which nobody is in a room; take it out"
        yield Problem(f"{origin['room_size'][0]}.room_size", says, (origin["room_size"], origin["kind"]))
    for key in NOT_ACTING:
        value, plain = getattr(cell, key), Load.model_fields[key].default
        if value != plain:
            says = (
                f"{shown(value)}, and kind is {cell.kind}, expected {shown(plain)}: there the subscribers say the messages "
                f"themselves, and all are there; take it out, or take kind = broadcast"
            )
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["kind"]))
    if cell.kind == "chat" and cell.server_workers > 1:
        says = f"{cell.server_workers}, and kind is chat, expected 1: a room is of one process; set server_workers = 1"
        at = (origin["server_workers"], origin["kind"])
        yield Problem(f"{origin['server_workers'][0]}.server_workers", says, at)
    if phases.plateau_messages:
        says = f"{cell.kind}, and plateau_messages publishes to all, expected broadcast or idle; set plateau_messages = 0"
        yield Problem(kind, says, (origin["kind"], ("phases", "plateau_messages")))


def _browser_problems(phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What a page in a browser does not do, or nobody can see of it."""
    client = f"{origin['client'][0]}.client"
    if not ROWS[cell.transport].in_browser:
        names = ", ".join(row.name for row in ROWS.values() if row.in_browser)
        says = f'"browser" for {cell.transport}, which no page subscribes by, expected one of {names}; change it'
        yield Problem(client, says, (origin["client"], origin["transport"]))
    for key in NOT_IN_A_BROWSER:
        value, plain = getattr(cell, key), Load.model_fields[key].default
        if value != plain:
            says = (
                f'{shown(value)} with client = "browser", expected {shown(plain)}: a page does as browsers do; take it out'
            )
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["client"]))
    if cell.http == "2" and not cell.tls:
        says = '"2" with client = "browser", which speaks it over TLS alone; set tls = true'
        yield Problem(f"{origin['http'][0]}.http", says, (origin["http"], origin["client"]))
    if phases.plateaus:
        says = f'{phases.plateaus} with client = "browser", whose memory is not its subscribers\'; set 0'
        yield Problem("phases.plateaus", says, (("phases", "plateaus"), origin["client"]))


def _not_acting_problems(cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is for those loads alone in which subscribers say something."""
    at = (origin["transport"], origin["kind"])
    if not ROWS[cell.transport].pushes:
        says = f"{shown(cell.transport)} pushes nothing, and kind is {cell.kind}, expected request; set kind = request"
        yield Problem(f"{origin['transport'][0]}.transport", says, at)
    for key in ("room_size", "post_connection"):
        value, plain = getattr(cell, key), Load.model_fields[key].default
        if value != plain:
            says = f"{shown(value)}, and kind is {cell.kind}, in which nobody posts or is in a room; take it out"
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["kind"]))


def _http2_problems(cell: Load, origin: Origin) -> Iterator[Problem]:
    """What HTTP/2 cannot have, or the clients do not speak on it."""
    for key in ONE_AT_A_TIME:
        if getattr(cell, key):
            says = f'"2" together with {key}, which is for a connection that nobody shares; take one of the two out'
            yield Problem(f"{origin['http'][0]}.http", says, (origin["http"], origin[key]))
    for key, value in (("poll_connection", "new"), ("post_connection", "new"), ("compression", "permessage-deflate")):
        if getattr(cell, key) == value:
            says = f'"2" together with {key} = {shown(value)}, which is of HTTP/1.1 alone; take one of the two out'
            yield Problem(f"{origin['http'][0]}.http", says, (origin["http"], origin[key]))


def _transport_problems(cell: Load, origin: Origin) -> Iterator[Problem]:
    """What a transport, or a floor, has no part in."""
    row = ROWS[cell.transport]
    for key in ("poll_connection", "poll_empty", "compression", "frames", "ping_s", "http", "post_connection"):
        value, plain = getattr(cell, key), Load.model_fields[key].default
        if value != plain and not (value in row.compressions if key == "compression" else row.heeds(key)):
            says = (
                f"{shown(value)} for {cell.transport}, expected {shown(plain)}: it has no part in that; put the transports "
                f"that have into a [[grid]] of their own"
            )
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["transport"]))
    beyond = (
        () if not row.feeds_itself else (*RELAYED, "line", "swarms")
    )  # nothing can stand between a swarm and itself, nor can it be two
    for key in (*PLAIN_ONLY, *beyond) if cell.transport in FLOORS else ():
        value, plain = getattr(cell, key), Load.model_fields[key].default
        if value != plain:
            says = (
                f"{shown(value)} for {cell.transport}, expected {shown(plain)}: a floor takes the plain feed alone; put "
                f"it into a [[grid]] of its own, without this key"
            )
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["transport"]))


def _quic_problems(cell: Load, origin: Origin) -> Iterator[Problem]:
    """What goes over QUIC is always over TLS, and by packets."""
    if not cell.tls:
        says = f"false for {cell.transport}, expected true: QUIC is always TLS, and so must be what it is compared with"
        yield Problem(f"{origin['tls'][0]}.tls", f"{says}; set tls = true", (origin["tls"], origin["transport"]))
    if cell.line == "relay":
        for key in RELAYED:
            if value := getattr(cell, key):
                says = (
                    f'{shown(value)} for {cell.transport} with line = "relay", which passes on bytes of TCP; set line = '
                    f'"packets", or take this key out'
                )
                yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["transport"]))
    if cell.payload_bytes > (most := ROWS[cell.transport].most_bytes):
        says = f"{cell.payload_bytes} for {cell.transport}, expected at most {most}: it must fit into a packet; lower it"
        yield Problem(f"{origin['payload_bytes'][0]}.payload_bytes", says, (origin["payload_bytes"], origin["transport"]))


def _relay_problems(phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory about the line between subscribers and server, and about what the relay does."""
    measure, drain = ("phases", "measure_s"), ("phases", "drain_s")
    if cell.jitter_ms > cell.rtt_ms / 2:
        says = (
            f"{cell.jitter_ms:g} ms is more than one way of a round trip of {cell.rtt_ms:g} ms, expected at most half of "
            f"rtt_ms; lower it, or set rtt_ms to {2 * cell.jitter_ms:g} or more"
        )
        yield Problem(f"{origin['jitter_ms'][0]}.jitter_ms", says, (origin["jitter_ms"], origin["rtt_ms"]))
    if cell.loss_percent and cell.line != "packets":
        says = f'{cell.loss_percent:g} with line = "relay", which loses no bytes; set line = "packets"'
        yield Problem(f"{origin['loss_percent'][0]}.loss_percent", says, (origin["loss_percent"], origin["line"]))
    for key in NOT_OF_PACKETS if cell.line == "packets" else ():
        if value := getattr(cell, key):
            says = f'{shown(value)} with line = "packets": it has a length and a loss; take it out, or set line = "relay"'
            yield Problem(f"{origin[key][0]}.{key}", says, (origin[key], origin["line"]))
    if phases.measure_s == 0:
        return
    if cell.relay_stall_ms >= phases.measure_s * 1000:
        says = (
            f"{cell.relay_stall_ms} ms do not fit into a window of {phases.measure_s:g} s, expected less than that; "
            f"shorten the stall, or set measure_s above {cell.relay_stall_ms / 1000:g}"
        )
        yield Problem(f"{origin['relay_stall_ms'][0]}.relay_stall_ms", says, (origin["relay_stall_ms"], measure))
    if cell.line_ms and phases.drain_s * 1000 <= (late_ms := cell.line_ms + cell.polled_ms):
        says = (
            f"{phases.drain_s:g} s is not above the {late_ms:g} ms that {cell.transport} may take with rtt_ms = "
            f"{cell.rtt_ms:g}, so the last messages would be counted as lost; set drain_s above {late_ms / 1000:g}"
        )
        yield Problem("phases.drain_s", says, (drain, origin["rtt_ms"]))
    feed_kbit_s = cell.rate_hz * cell.payload_bytes * 8 / 1000
    if cell.bandwidth_kbit_s and feed_kbit_s >= cell.bandwidth_kbit_s:
        says = (
            f"{cell.bandwidth_kbit_s} kbit/s do not carry {cell.rate_hz:g} messages/s of {cell.payload_bytes} bytes, "
            f"expected more than {feed_kbit_s:g}; raise it, or lower rate_hz"
        )
        at = (origin["bandwidth_kbit_s"], origin["rate_hz"])
        yield Problem(f"{origin['bandwidth_kbit_s'][0]}.bandwidth_kbit_s", says, at)


def _outage_problems(phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory with a server that is killed."""
    key, at = f"{origin['server_down_ms'][0]}.server_down_ms", origin["server_down_ms"]
    if cell.server_down_ms >= phases.measure_s * 1000:
        says = (
            f"{cell.server_down_ms} ms do not fit into a window of {phases.measure_s:g} s, expected less than that; "
            f"shorten the outage, or set measure_s above {cell.server_down_ms / 1000:g}"
        )
        yield Problem(key, says, (at, ("phases", "measure_s")))
    if cell.server_workers > 1:
        says = "a server that is killed with its log in a file, and server_workers has it in Redis; set server_workers = 1"
        yield Problem(key, f"{cell.server_down_ms}: {says}", (at, origin["server_workers"]))
    if cell.server_stall_ms:
        says = "a server that is killed, and server_stall_ms has it stopped at the same time; take one of the two out"
        yield Problem(key, f"{cell.server_down_ms}: {says}", (at, origin["server_stall_ms"]))
    if phases.plateaus:
        says = "two processes, whose memory makes no line, and plateaus measures that; set plateaus = 0"
        yield Problem(key, f"{cell.server_down_ms}: {says}", (at, ("phases", "plateaus")))
