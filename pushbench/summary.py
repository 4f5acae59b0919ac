"""The tables of a run, latency and cost: one row a cell, each figure the median across its trials with its interval.

They turn `trials` into words and numbers for a terminal, a README or a page; how these are laid out is not known here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from pushbench.checks import Verdict
from pushbench.clocks import below
from pushbench.columns import BY_TWO_CLOCKS, LOAD
from pushbench.harm import bystanders
from pushbench.labels import HEADINGS, entry, setting
from pushbench.scenario_keys import DISTURBANCES, LINE, RELAYED
from pushbench.stats import NO_LINE_R2, STRAIGHT_R2, Interval, median_interval
from pushbench.transports import FLOORS, TRANSPORTS

ROUGH = "~"
"""Stands before a slope to which the points do not keep."""
RANGE_ONLY = 5
"""Of so few values, or fewer, the bootstrap interval of the median is their range."""
MARK = "○"
"""Stands before the figures of a cell that are not to be believed; the charts draw the same circle."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of the table."""

    heading: str
    column: str
    scale: float = 1.0
    """What the column's values are multiplied by."""
    r2_column: str | None = None
    """For a slope: where its R² is."""

    def said(self, cell: pd.DataFrame) -> str:
        """The figure of one cell's trials, marked if it is not to be trusted."""
        value = median_interval(cell[self.column] * self.scale)
        if value.n == 0:
            return said(value)
        text = said(value)
        if self.column.startswith(BY_TWO_CLOCKS):
            text = below(cell["clock_uncertainty_ms"].max() * self.scale, value.mid, text)
        marks = [MARK] if not all_believable(cell) else []
        if self.r2_column and (r2 := cell[self.r2_column].min()) < STRAIGHT_R2:
            marks.append(ROUGH)
            if r2 < NO_LINE_R2:
                return " ".join(marks)
        return " ".join([*marks, text])


NAIVE = "naive"
"""Stands before the heading of a latency that counts from the sending, right beside that from the due time."""

LATENCY = tuple(
    Figure(f"{before}{name}, ms", f"{kind}_{name}_ms")
    for name in ("mean", "p50", "p99", "max")
    for before, kind in (("", "latency"), (f"{NAIVE} ", "naive"))
)
"""The figures of the one table. One that no trial has is left out."""

COST = (
    Figure("deliveries/s", "deliveries_per_s"),
    Figure("server CPU, µs/delivery", "server_cpu_us_per_delivery"),
    Figure("client CPU, µs/delivery", "client_cpu_us_per_delivery"),
)
"""The figures of the other, likewise."""

IDLE_MEMORY = tuple(
    Figure(
        f"{heading}, KiB/conn.",
        f"server_{part}_bytes_per_connection",
        1 / 1024,
        f"server_{part}_bytes_per_connection_r2",
    )
    for heading, part in (("memory", "user"), ("kernel", "kernel"))
)
"""And these, if memory was read in one state only."""

WIRE = (
    Figure("down, bytes", "wire_down_bytes_per_delivery"),
    Figure("up, bytes", "wire_up_bytes_per_delivery"),
    Figure("payload", "wire_down_payload_bytes_per_delivery"),
    Figure("framing", "wire_down_framing_bytes_per_delivery"),
    Figure("HTTP down", "wire_down_http_bytes_per_delivery"),
    Figure("HTTP up", "wire_up_http_bytes_per_delivery"),
    Figure("TLS down", "wire_down_tls_bytes_per_delivery"),
    Figure("TLS up", "wire_up_tls_bytes_per_delivery"),
    Figure("TCP/IP down", "wire_down_tcpip_bytes_per_delivery"),
    Figure("TCP/IP up", "wire_up_tcpip_bytes_per_delivery"),
    Figure("requests", "requests_per_delivery"),
)
"""What a delivery takes on the wire."""

WAITING = (
    Figure("server CPU, µs", "server_cpu_us_per_connection_s"),
    Figure("client CPU, µs", "client_cpu_us_per_connection_s"),
    Figure("down, bytes", "wire_down_bytes_per_connection_s"),
    Figure("up, bytes", "wire_up_bytes_per_connection_s"),
    Figure("server CPU, µs/empty poll", "server_cpu_us_per_empty_poll"),
)
"""What a connection takes in a second in which nothing is published."""

CONNECTING = (
    Figure("connects/s", "connect_per_s"),
    Figure("p99, ms", "connect_p99_ms"),
    Figure("server CPU, µs", "server_cpu_us_per_connect"),
    Figure("down, bytes", "connect_down_bytes"),
    Figure("up, bytes", "connect_up_bytes"),
    Figure("first message p50, ms", "first_message_p50_ms"),
    Figure("first message p99, ms", "first_message_p99_ms"),
    Figure("reconnects", "reconnects"),
    Figure("reconnect p50, ms", "reconnect_p50_ms"),
    Figure("reconnect p99, ms", "reconnect_p99_ms"),
)
"""What it takes to connect, and to come back."""

TLS = tuple(
    Figure(f"{kind}, {unit}", column)
    for kind in ("full", "resumed")
    for unit, column in (
        ("ms", f"tls_{kind}_ms"),
        ("bytes", f"tls_{kind}_bytes"),
        ("server CPU µs", f"server_cpu_us_per_{kind}_handshake"),
    )
)
"""What it takes to begin TLS."""

OUTAGE = (
    Figure("away, ms", "server_away_ms"),
    Figure("90 % caught up, ms", "recovered_90_percent_ms"),
    Figure("all caught up, ms", "recovered_all_ms"),
    Figure("most connects/s", "connect_peak_per_s"),
)
"""How long it takes until everybody has all again, once a server is back."""

SLOW = (
    Figure("read", "slow_delivered"),
    Figure("not read", "slow_lost"),
    Figure("ended", "slow_ended"),
    Figure("server at most, MiB", "server_peak_user_bytes", 1 / 2**20),
    Figure("queues at most, MiB", "host_peak_queue_bytes", 1 / 2**20),
)
"""What becomes of slow readers, and of the memory meanwhile."""

PINGS = (Figure("p50, ms", "ping_p50_ms"), Figure("p99, ms", "ping_p99_ms"), Figure("unanswered", "pings_unanswered"))
"""From a ping to its pong."""

VANISHED = (Figure("half noticed, ms", "noticed_p50_ms"), Figure("all noticed, ms", "noticed_all_ms"))
"""How long the server keeps a peer that is gone."""

MEMORY = tuple(
    Figure(
        f"{heading}{when}, KiB",
        f"server_{part}{infix}_bytes_per_connection",
        1 / 1024,
        f"server_{part}_bytes_per_connection_r2",
    )
    for heading, part in (("process", "user"), ("kernel", "kernel"))
    for when, infix in ((" idle", ""), (" after traffic", "_traffic"), (" left behind", "_left"))
)
"""What a connection takes of the server's memory, in three states."""

MANY = (
    *(
        Figure(f"{heading}, KiB", f"{part}_bytes_per_connection", 1 / 1024, f"{part}_bytes_per_connection_r2")
        for heading, part in (("server", "server_user"), ("swarms", "client_user"), ("with the kernel", "both_ends"))
    ),
    Figure("first, ms", "fanout_first_ms"),
    Figure("last, ms", "fanout_last_ms"),
)
"""What a connection takes of both sides, and how long a message is on its way to the first and to the last."""

SAID_OF = {"lost": "lost", "ended by": "slow_ended_by", "verdict": "verdict"}
"""The columns that are told in words, by their headings."""

ANSWERS = {"Delivered": "Answered", "deliveries": "answers", "delivery": "answer"}
"""What a delivery is called where each is the answer to a request."""

DUE = (
    "Latency counts from when a message was due, so a stall is charged to every message that it delayed. "
    f"{NAIVE}: from when it was sent, as a tool without a schedule counts."
)
"""What is said below the table of latencies."""


UNNOTICED = "–: not within the window."
"""What is said below the table of those that vanished."""

RECOVERY = (
    "away: from the kill until it accepted connections again. Caught up: until 90 % of the subscribers, or all, had every "
    "message that was due when it was back. Most connects/s: in the fullest 100 ms; when all come back within that, ten "
    "times their number."
)
"""What is said below the table of outages."""

RELAY = (
    "Round trip, jitter and bandwidth are a relay's: it delays bytes and keeps their order. Networks do more: it loses and "
    "reorders nothing, and knows neither congestion nor packets."
)
"""What is said below it where a relay was there."""
PACKETS = (
    "The line is of the kernel's own packets: each takes half the round trip, or is lost by chance; what is done about "
    "that is TCP's and QUIC's own. Networks do more: it reorders nothing, and has no bandwidth that could be full."
)
"""And where it was one of packets."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts, and what is to be said below it. A figure's interval follows it in brackets."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    title: str = ""
    keys: int = 1
    """How many columns, from the left, say which cell a row is."""
    figures: int = 0
    """How many of the columns that follow are figures."""
    columns: tuple[str, ...] = ()
    """What each heading means: a column of `trials`, or another entry of `pushbench.glossary`."""


def tables(trials: pd.DataFrame) -> tuple[Table, ...]:
    """The tables of a run's `trials`, to be shown in this order: what there is no figure of is left out.

    Cells are in the scenario's order, floors last. What is said below the last table holds for all.
    """
    states = _any(trials, (figure for figure in MEMORY if "_traffic_" in figure.column))
    silent = trials[trials["kind"] == "idle"]
    several = trials[(trials["swarm_processes"] > 1) | (trials["server_workers"] > 1)]
    shown = [
        _table("Latency", trials, LATENCY, {}, (DUE, *_relayed(trials))),
        _table("Delivered, and what it cost", trials, COST if states else COST + IDLE_MEMORY, {"lost": _ledger}),
        _table("On the wire, per delivery", trials, WIRE, {}, _added_up(trials)),
        _table("While nothing is published, per connection and second", silent, WAITING, {}, _seldom(silent)),
        *([_table("Memory of the server, per connection", trials, MEMORY, {})] if states else []),
        _table("Over several processes: a connection's memory, and who is told first and last", several, MANY, {}),
        _table("Connecting", trials, [figure for figure in CONNECTING if (trials[figure.column] > 0).any()], {}),
        _table("Pings of the subscribers", trials[trials["ping_s"] > 0], PINGS, {}),
        _table("Beginning TLS", trials[trials["tls_full_ms"] > 0], TLS, {}, _agreed(trials)),
        _table("After the server was killed and is back", trials[trials["server_down_ms"] > 0], OUTAGE, {}, (RECOVERY,)),
        _table("Who reads slowly", trials[trials["slow_percent"] > 0], SLOW, {"ended by": _ended_by}),
        _table("Peers that vanished", trials[trials["vanish_percent"] > 0], VANISHED, {}, (UNNOTICED,)),
    ]
    shown = [answered(table, trials) for table in shown if table.figures or table is shown[1]]
    rough = any(ROUGH in text for table in shown for row in table.rows for text in row)
    notes = (*_how(trials), *marks_explained(trials, rough=rough), *_special(trials))
    return (*shown[:-1], replace(shown[-1], notes=(*shown[-1].notes, *notes)))


def _added_up(trials: pd.DataFrame) -> tuple[str, ...]:
    """How far the parts of what goes over the wire are off the total, at worst: two ways to count that know nothing of each
    other."""
    off = trials["wire_split_error_percent"].dropna().abs()
    if off.empty:
        return ()
    return (f"Parts are weighed on one exchange, totals counted by the kernel: they agree within {off.max():.1f} %.",)


def _agreed(trials: pd.DataFrame) -> tuple[str, ...]:
    """What server and clients agreed on."""
    pairs = trials[["tls_version", "tls_cipher"]].dropna().drop_duplicates().itertuples(index=False)
    said = (f"{version}, {cipher}; certificates verified." for version, cipher in pairs)
    return (*said, "Handshakes are measured one after the other and straight with the server, whatever line is between.")


def _seldom(silent: pd.DataFrame) -> tuple[str, ...]:
    """What comes less than once in the windows of silent cells, so that these show it by chance or not at all."""
    notes = []
    seldom = (("heartbeat_s", ("once", "upgrade"), "heartbeats"), ("longpoll_timeout_s", ("again",), "answers"))
    for key, asks, what in seldom:
        on = [name for name, row in TRANSPORTS.items() if row.asks in asks and not row.polls]
        rows = silent[silent["transport"].isin(on) & (silent[key] > silent["measure_s"])]
        if len(rows):
            every, window = rows[key].max(), rows["measure_s"].min()
            notes.append(f"{what} every {every:g} s in a window of {window:g} s: {key} should be no longer than measure_s.")
    return tuple(notes)


def _any(trials: pd.DataFrame, figures: Iterable[Figure]) -> bool:
    """Whether any trial has any of them."""
    return bool(trials[[figure.column for figure in figures]].notna().any(axis=None))


def _table(
    title: str,
    trials: pd.DataFrame,
    figures: Iterable[Figure],
    others: Mapping[str, Callable[[pd.DataFrame], str]],
    notes: tuple[str, ...] = (),
) -> Table:
    others = {**others, "verdict": _verdicts}
    keys = varied(trials)
    shown = [figure for figure in figures if trials[figure.column].notna().any()]
    headings = (*(HEADINGS.get(key, key) for key in keys), *(figure.heading for figure in shown), *others)
    in_order = trials.sort_values(["cell", "trial"])
    floor = in_order["transport"].isin(list(FLOORS))
    floors_last = pd.concat([in_order[~floor], in_order[floor]])
    rows = tuple(
        (
            *(entry(cell["transport"].iloc[0], key, cell[key].iloc[0]) for key in keys),
            *(figure.said(cell) for figure in shown),
            *(say(cell) for say in others.values()),
        )
        for _, cell in floors_last.groupby("cell", sort=False)
    )
    meant = (*keys, *(figure.column for figure in shown), *(SAID_OF[name] for name in others))
    return Table(headings, rows, notes, title, len(keys), len(shown), meant)


def answered(table: Table, trials: pd.DataFrame) -> Table:
    """The same table, and where all that was delivered are answers to requests, it calls them so."""
    if not (trials["kind"] == "request").all():
        return table
    return replace(table, title=_of_answers(table.title), headings=tuple(map(_of_answers, table.headings)))


def _of_answers(text: str) -> str:
    for delivered, answer in ANSWERS.items():
        text = text.replace(delivered, answer)
    return text


def varied(trials: pd.DataFrame) -> list[str]:
    """The load keys that tell the cells apart; always the transport, and that a loop was closed."""
    return [
        key
        for key in LOAD
        if key in trials  # else the run is older than the key
        and (key == "transport" or trials[key].nunique() > 1 or (key == "pacing" and (trials[key] == "closed").any()))
    ]


def said(value: Interval) -> str:
    """A figure with three significant digits and, if there is one, its interval: `4.10 (3.95-4.31)`."""
    if value.n == 0:
        return "–"
    if not value.is_interval:
        return digits(value.mid)
    return f"{digits(value.mid)} ({digits(value.low)}–{digits(value.high)})"


def digits(value: float) -> str:
    """Three significant digits, with separators: `12,300`, `4.10`, `0.0123`."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(float(f"{value:.2e}"))))
    return f"{round(value, 2 - magnitude):,.{max(0, 2 - magnitude)}f}"


def _ledger(cell: pd.DataFrame) -> str:
    known = cell["lost"].dropna()
    if known.empty:
        return "–"
    wrong = {name: int(cell[name].sum()) for name in ("lost", "duplicated", "reordered")}
    said = [f"{wrong['lost']:,}"] + [f"{wrong[name]:,} {name}" for name in ("duplicated", "reordered") if wrong[name]]
    return ", ".join(said)


def _verdicts(cell: pd.DataFrame) -> str:
    counts = cell["verdict"].astype(str).value_counts().to_dict()
    return ", ".join(f"{count} {name}" if len(counts) > 1 else str(name) for name, count in counts.items())


def _how(trials: pd.DataFrame) -> list[str]:
    """What the figures are made from."""
    counts = sorted(set(trials.groupby("cell").size()))
    if counts[-1] <= 1:
        return ["One trial of each cell: there is nothing to say how far another would differ."]
    many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    few = " (of so few, their range)" if counts[-1] <= RANGE_ONLY else ""
    return [f"Median of {many} trials, each with a fresh server process; in brackets the 95 % bootstrap interval{few}."]


def marks_explained(trials: pd.DataFrame, *, rough: bool) -> list[str]:
    """What the marks of a table of these trials mean; `rough` if a slope in it is marked."""
    notes = []
    if not all_believable(trials):
        notes.append(f"{MARK} not to be believed as a figure of the server; the verdicts' reasons say why.")
    if rough:
        notes.append(
            f"{ROUGH} a rough slope, R² below {STRAIGHT_R2} (below {NO_LINE_R2} it is not given): "
            f"so few connections drown in what else the kernel does."
        )
    return notes


def _ended_by(cell: pd.DataFrame) -> str:
    """Why slow readers were ended, of the first trial in which any were."""
    told = [text for text in cell["slow_ended_by"].dropna() if text]
    return str(told[0]) if told else "–"


def _special(trials: pd.DataFrame) -> list[str]:
    """What is to be known of cells that are not what the others are."""
    notes = []
    if floors := [row for name, row in FLOORS.items() if name in set(trials["transport"])]:
        said = ", ".join(f"{row.name} ({row.drawn_as})" for row in floors)
        notes.append(f"Floors, which no transport can beat: {said}.")
    if (trials["pacing"] == "closed").any():
        notes.append(
            "closed: the publisher waited for the server's answer to each message, and put off what was due meanwhile; "
            "that is not in its naive figures."
        )
    disturbed = [(key, trials[key].unique()) for key in DISTURBANCES if key in trials]
    on_purpose = [setting(key, values[0]) for key, values in disturbed if len(values) == 1 and values[0]]
    if on_purpose:
        notes.append(f"On purpose: {', '.join(on_purpose)}; the tails are of that.")
    return notes + bystanders([{str(key): value for key, value in row.items()} for row in trials.to_dict("records")])


def _relayed(trials: pd.DataFrame) -> list[str]:
    """What is to be known of latencies on a line that a relay has lengthened."""
    by_packets = "line" in trials and (trials["line"] == "packets").any()
    if not by_packets and not any((trials[key] > 0).any() for key in RELAYED if key in trials):
        return []
    line = [setting(key, values[0]) for key in LINE if len(values := trials[key].unique()) == 1 and values[0]]
    return [*([f"The line: {', '.join(line)}."] if line else []), PACKETS if by_packets else RELAY]


def all_believable(trials: pd.DataFrame) -> bool:
    """Whether no trial's numbers are in doubt."""
    return all(Verdict(verdict).believable for verdict in trials["verdict"].astype(str))
