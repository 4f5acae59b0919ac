"""What grows along one key of the load while the others are held: the trials that a line may join, and by how much it grew.

Knows the columns of `trials`. Must not know how anything is drawn, beyond where the end of a line is to be named.
"""

from collections.abc import Sequence

import pandas as pd

from pushbench.charts.cells import Point, Series, points, positive, ranked, rate_said, series_of
from pushbench.charts.slide_rows import ASIDE
from pushbench.charts.style import End, brief, counted
from pushbench.labels import plain

Grown = list[tuple[Series, list[Point]]]
"""Each series that has points, with them, ascending in x."""

CONNECTIONS, WORKERS, SWARMS = "subscribers", "server_workers", "swarm_processes"
ASKED = "swarms"
"""The key that asks for swarm processes; without it there are as many as the connections need."""
NOUNS = {
    CONNECTIONS: ("open connection", "open connections"),
    WORKERS: ("server worker", "server workers"),
    SWARMS: ("swarm process", "swarm processes"),
}
RATE = "rate_hz"
ALONG = (CONNECTIONS, RATE, WORKERS, ASKED)
"""Keys of a load that make no series of their own: one is the axis, and the others are held or go with it."""
LINE_HEIGHT = 1.9
"""Of the names at the ends of lines: a panel becomes lower than it is when they are placed."""


def held(trials: pd.DataFrame, axis: str, *columns: str) -> pd.DataFrame:
    """Give the trials that a line along `axis` may join: those with a positive number in all columns, at one load.

    What differs at one and the same value of the axis is held at the value with the most of the axis, of several at the
    largest. What only changes with the axis goes with it. No trial: a column is missing or empty.
    """
    found = trials
    for column in (axis, *columns):
        if column not in found:
            return found.iloc[:0]
        found = positive(found, column)
    for other in (RATE, CONNECTIONS, WORKERS, SWARMS):
        if other == axis or other not in found:
            continue
        if (found.groupby(["transport", axis])[other].nunique() > 1).any():
            reach = found.groupby(other)[axis].nunique()
            found = found.loc[found[other] == reach[reach == reach.max()].index.max()]
    return found


def varies(trials: pd.DataFrame, axis: str) -> bool:
    """True if a transport, and no floor, has two values of the axis or more. None: swarm processes without being asked."""
    if axis not in trials or (axis == SWARMS and ASKED in trials and trials[ASKED].nunique() < 2):
        return False
    return bool((ranked(trials).groupby("transport")[axis].nunique() > 1).any())


def grown(trials: pd.DataFrame, axis: str, column: str) -> Grown:
    """Give each series of the (held) trials that has points of that column, the floors last."""
    found = [(series, points(series.rows, [axis], axis, column)) for series in series_of(trials, along=ALONG)]
    return [(series, at) for series, at in found if at]


def load_held(trials: pd.DataFrame, axis: str) -> str:
    """Say what was held, or went with the axis: `10 messages/s, 1 to 4 server workers`. One process is not said."""
    said = []
    rates = sorted(trials[RATE].unique())
    said.append(rate_said(rates[0]) if len(rates) == 1 else f"{plain(rates[0])} to {rate_said(rates[-1])}")
    for key, (one, many) in NOUNS.items():
        counts = sorted(trials[key].dropna().unique()) if key in trials and key != axis else []
        if len(counts) > 1:
            said.append(f"{plain(int(counts[0]))} to {plain(int(counts[-1]))} {many}")
        elif counts and (counts[0] > 1 or key == CONNECTIONS):
            said.append(f"{plain(int(counts[0]))} {many}" if counts[0] > 1 else f"1 {one}")
    return ", ".join(said)


def span(found: Grown, axis: str) -> str:
    """Say from where to where the axis goes: `From 1,000 to 100,000 open connections`."""
    least, most = min(at[0].x for _, at in found), max(at[-1].x for _, at in found)
    return f"From {plain(least)} to {plain(most)} {NOUNS[axis][1]}"


def factor(at: Sequence[Point]) -> float | None:
    """By what factor a line grows from its first to its last point; None if it has one, or either is not believable."""
    return at[-1].y.mid / at[0].y.mid if len(at) > 1 and at[0].believable and at[-1].believable else None


def factors(found: Grown) -> list[tuple[str, float]]:
    """Give the factors of the series that go all the way from the smallest to the largest x, without floors."""
    least = min((at[0].x for _, at in found), default=0)
    most = max((at[-1].x for _, at in found), default=0)
    whole = [(series, factor(at)) for series, at in found if (at[0].x, at[-1].x) == (least, most) and not series.floor]
    return [(series.label, by) for series, by in whole if by is not None]


def aside(found: Grown) -> str:
    """Say that some points have no part in a headline, if that is so."""
    return "" if all(point.believable for series, at in found for point in at if not series.floor) else ASIDE


def ends(found: Grown) -> list[End]:
    """Name the end of each line with what it grew by: `sse ×1.4`."""
    named = []
    for series, at in found:
        by = factor(at)
        said = series.label if by is None else f"{series.label}  ×{brief(by)}"
        named.append(End(at[-1].x, at[-1].y.mid, said, series.look.ink))
    return named


def not_shown(trials: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    """Say how many loads were measured that the held trials leave out."""
    keys = [key for key in (CONNECTIONS, RATE, WORKERS, SWARMS) if key in trials]
    left = len(trials.drop_duplicates(keys)) - len(shown.drop_duplicates(keys))
    return [f"{counted(left, 'other load')} not shown: all else is held where the line is longest"] if left > 0 else []
