"""What a chart may ask of the table of trials: series, points with intervals, marks of verdicts, notes in words.

Knows the columns of `trials`. Must not know how anything is drawn, beyond the look that a transport has.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pushbench.charts.style import Look, brief, counted, look
from pushbench.labels import SETTINGS, drawn, plain, setting
from pushbench.scenario_keys import DISTURBANCES, Load
from pushbench.stats import Interval, median_interval
from pushbench.transports import ACTIONS, FLOORS, ROWS, TRANSPORTS, heeds

BELIEVABLE = frozenset({"ok", "server_bound"})

MOST_REASONS = 6
CLOSED = "closed"
"""The pacing that is always said."""
ALWAYS_SAID = (
    "post_connection",
    "subscribers",
    "rate_hz",
    "payload_bytes",
    "poll_interval_ms",
    "publish_via",
    "pacing",
    "server_loop",
)
"""Settings that every trial has. The others are something that a trial does not have unless it is asked for."""
APART = 1.1
"""Naive latency is drawn where it and the one from the due time differ by this factor."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one line of a chart is about: a transport, under settings that the chart does not show otherwise."""

    transport: str
    setting: str
    """The settings in words, empty if the transport has only one."""
    look: Look
    rows: pd.DataFrame = field(repr=False, compare=False)
    """Its trials."""

    @property
    def label(self) -> str:
        """The transport, and the setting if there are several."""
        name = drawn(self.transport)
        return f"{name}, {self.setting}" if self.setting else name

    @property
    def polls(self) -> bool:
        """True if its subscribers ask every poll interval."""
        return self.transport in TRANSPORTS and TRANSPORTS[self.transport].polls

    @property
    def floor(self) -> bool:
        """True if it is no transport, but what none can beat: drawn for reference, and in no ranking."""
        return self.transport in FLOORS


@dataclass(frozen=True, slots=True)
class Point:
    """The trials of one place on an axis, as one value."""

    x: float
    y: Interval
    believable: bool
    """False if any trial that gave a value has a verdict other than ok and server_bound: it is drawn hollow."""


def numbers(column: "pd.Series[float]") -> NDArray[np.float64]:
    """Give a column as float64, with NaN for whatever is missing."""
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def measured(trials: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give the trials with a finite number in that column."""
    found: pd.DataFrame = trials.loc[np.isfinite(numbers(trials[column]))]
    return found


def positive(trials: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give the trials with a finite number above 0 in that column: those that have a place on a logarithmic axis."""
    values = numbers(trials[column])
    found: pd.DataFrame = trials.loc[np.isfinite(values) & (values > 0)]
    return found


def transports_of(trials: pd.DataFrame) -> list[str]:
    """Give the transports of the trials in the order of the table of transports, then unknown ones, then floors."""
    present = list(dict.fromkeys(trials["transport"]))
    unknown = sorted(name for name in present if name not in ROWS)
    return [name for name in [*TRANSPORTS, *ACTIONS, *unknown, *FLOORS] if name in present]


def ranked(trials: pd.DataFrame) -> pd.DataFrame:
    """Give the trials without those of floors: those that are compared, counted and spoken of."""
    found: pd.DataFrame = trials.loc[~trials["transport"].isin(list(FLOORS))]
    return found


def floors_at(trials: pd.DataFrame, here: pd.DataFrame) -> pd.DataFrame:
    """Give the trials of floors under a load (subscribers and rate) that trials in `here` had too."""
    loads = pd.MultiIndex.from_frame(here[["subscribers", "rate_hz"]])
    met = pd.MultiIndex.from_frame(trials[["subscribers", "rate_hz"]]).isin(loads)
    found: pd.DataFrame = trials.loc[met & trials["transport"].isin(list(FLOORS)).to_numpy()]
    return found


def series_of(trials: pd.DataFrame, along: Collection[str] = ()) -> list[Series]:
    """Split the trials into series, in the order of the table of transports, floors last.

    A transport has a series for each combination of the settings that vary within it, without those in `along`, which
    the chart shows in another way (an axis, a panel). That a loop was closed is always said, and of what is only done on
    request no word where it was not.
    """
    found = []
    for name in transports_of(trials):
        rows = trials[trials["transport"] == name]
        keys = [key for key in SETTINGS if key not in along and _tells(key, name, rows)]
        if not keys:
            found.append(Series(name, "", look(name), rows))
            continue
        parts = [(dict(zip(keys, values, strict=True)), part) for values, part in rows.groupby(keys, sort=True)]
        parts.sort(key=lambda one: one[0].get("pacing") == CLOSED)
        for nth, (values, part) in enumerate(parts):
            words = ", ".join(setting(key, value) for key, value in values.items() if _is_said(key, value))
            found.append(Series(name, words, look(name, nth), part))
    return found


def _tells(key: str, transport: str, rows: pd.DataFrame) -> bool:
    """Whether a setting has to be in the label of a transport's series."""
    if not heeds(transport, key):
        return False
    return bool(rows[key].nunique() > 1 or (key == "pacing" and (rows[key] == CLOSED).any()))


def _is_said(key: str, value: object) -> bool:
    return key in ALWAYS_SAID or bool(value != Load.model_fields[key].default)


def apart(due: ArrayLike, naive: ArrayLike) -> NDArray[np.bool_]:
    """Tell where latency from the due time and naive latency differ by a tenth or more; False where one is missing."""
    above, below = (np.asarray(side, dtype=np.float64) for side in (due, naive))
    ratio = np.ones(np.broadcast(above, below).shape)
    np.divide(above, below, out=ratio, where=np.isfinite(above) & np.isfinite(below) & (below > 0))
    return np.asarray(np.maximum(ratio, 1 / np.maximum(ratio, 1e-12)) >= APART)


def points(rows: pd.DataFrame, by: Sequence[str], x: str, y: str) -> list[Point]:
    """Give a point for each group of trials with equal `by`, ascending in x: medians of x and y, with y's interval.

    Trials without a positive number in both columns take no part.
    """
    found = []
    for _, group in positive(positive(rows, x), y).groupby(list(by)):
        at = float(np.median(numbers(group[x])))
        found.append(Point(at, median_interval(numbers(group[y])), believable(group)))
    return sorted(found, key=lambda point: point.x)


def believable(rows: pd.DataFrame) -> bool:
    """True if every trial of the rows that gave numbers may be believed."""
    return bool(rows["verdict"].isin([*BELIEVABLE, "failed"]).all())


def largest(trials: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give all trials of the largest load (subscribers, then rate) at which that column was measured anywhere."""
    found = positive(trials, column)
    if found.empty:
        found = trials
    subscribers = found["subscribers"].max()
    rate_hz = found.loc[found["subscribers"] == subscribers, "rate_hz"].max()
    load: pd.DataFrame = trials.loc[(trials["subscribers"] == subscribers) & (trials["rate_hz"] == rate_hz)]
    return load


def on_the_shortest_line(trials: pd.DataFrame) -> pd.DataFrame:
    """Give the trials with the least round trip: what they cost hardly depends on it, and one bar says it."""
    found: pd.DataFrame = trials.loc[trials["rtt_ms"] == trials["rtt_ms"].min()]
    return found


def load_of(series: Series) -> dict[str, Any]:
    """Give the load of the first trial of a series, for a model; the trial's other columns are with it, if known."""
    return {str(key): value for key, value in series.rows.iloc[0].items() if not pd.isna(value)}


def load_said(subscribers: float, rate_hz: float) -> str:
    """Say a load: 1,000 subscribers × 10 messages/s."""
    return f"{counted(int(subscribers), 'subscriber')} × {rate_said(rate_hz)}"


def rate_said(rate_hz: float) -> str:
    """Say a rate: 10 messages/s."""
    return f"{plain(rate_hz)} {'message' if rate_hz == 1 else 'messages'}/s"


def slope(rows: pd.DataFrame, part: str) -> Interval:
    """Give the bytes per connection (part: "user" or "kernel") over the trials of the rows.

    Several trials: their median with its bootstrap interval. One: the confidence interval of its own fitted line.
    """
    column = f"server_{part}_bytes_per_connection"
    found = measured(rows, column)
    across = median_interval(numbers(found[column]))
    if across.n != 1:
        return across
    low, high = (float(numbers(found[f"{column}_{end}"])[0]) for end in ("low", "high"))
    return Interval(low, across.mid, high, 1)


def trials_said(counts: Iterable[int]) -> str:
    """Say how many trials a point or curve is made from, and what its bars are."""
    most, least = max(counts := list(counts), default=0), min(counts, default=0)
    if most <= 1:
        return "1 trial each: no interval"
    number = str(most) if most == least else f"{least} to {most}"
    return f"{number} trials each: median and 95 % interval" + (" (of so few: their range)" if most <= 5 else "")


def notes(trials: pd.DataFrame) -> list[str]:
    """Say which transports failed, may not be believed (hollow), or are at the server's limit; nothing if all is well.

    Then how they were disturbed on purpose. Floors are not spoken of.
    """
    trials = ranked(trials)
    verdicts = trials["verdict"].astype(str)
    bad = [verdict for verdict in dict.fromkeys(verdicts) if verdict not in BELIEVABLE and verdict != "failed"]
    told = [
        ("failed, without a number: ", ["failed"]),
        ("hollow or thin = not to be believed: ", sorted(bad)),
        ("at the limit of the server (server_bound): ", ["server_bound"]),
    ]
    lines = []
    for head, names in told:
        parts = []
        for verdict in names:
            for name, of in _named(trials):
                if count := int((of["verdict"].astype(str) == verdict).sum()):
                    word = f"{verdict} " if len(names) > 1 or verdict in bad else ""
                    parts.append(f"{name} {word}{count} of {counted(len(of), 'trial')}")
        if parts:
            lines.append(head + "; ".join(parts))
    disturbed = [(key, trials[key].unique()) for key in DISTURBANCES if key in trials]
    on_purpose = [setting(key, values[0]) for key, values in disturbed if len(values) == 1 and values[0]]
    return [*lines, f"on purpose: {', '.join(on_purpose)}"] if on_purpose else lines


def _named(trials: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the trials of each transport with its name; those in a closed loop by themselves."""
    for name in transports_of(trials):
        rows = trials[trials["transport"] == name]
        closed = rows["pacing"] == CLOSED
        for label, part in ((name, rows[~closed]), (f"{name}, {setting('pacing', CLOSED)}", rows[closed])):
            if len(part):
                yield label, part


def why_nothing(trials: pd.DataFrame, missing: str) -> list[str]:
    """Say why no trial has what the chart draws: what is missing, then the failures and their distinct reasons."""
    if trials.empty:
        return ["There is no trial yet."]
    failed = trials[trials["verdict"] == "failed"]
    if len(failed) == len(trials):
        lines = ["The trial failed." if len(trials) == 1 else f"All {len(trials):,} trials failed."]
    else:
        lines = [missing, *notes(trials)]
    reasons = dict.fromkeys(zip(failed["transport"], failed["reason"], strict=True))
    told = [f"{name}: {reason}" for name, reason in reasons if reason and not pd.isna(reason)]
    return lines + told[:MOST_REASONS]


def spanned(labelled: Sequence[tuple[str, float]], unit: str = "", times: str = "") -> str:
    """Say from where to where values reach, and whose they are: `4.3 ms (websocket) to 9.1 ms (sse)`.

    Number and unit are held together by a space that does not break.
    """
    low, high = min(labelled, key=lambda pair: pair[1]), max(labelled, key=lambda pair: pair[1])
    unit = f"\u00a0{unit}" if unit else ""
    if brief(low[1]) == brief(high[1]):
        return f"{times}{brief(low[1])}{unit}"
    return f"{times}{brief(low[1])}{unit} ({low[0]}) to {times}{brief(high[1])}{unit} ({high[0]})"
