"""What the words of a page mean: its columns, as `pushbench.columns` defines them, computed headings, and verdicts. Pure.

Where a word stands on a page is not known here.
"""

from pushbench.checks import Verdict
from pushbench.columns import COLUMNS

TIMES = "times_"
"""Before the name of a column: how many times the baseline's that is."""

COMPUTED: dict[str, str] = {
    "capacity": "the highest value of the searched key that kept the objective; a search in which none did counts as 0",
    "edge": "from the highest value that held to the lowest that failed",
    "gave_in": "the side that missed the objective first: if it was the load side, the capacity is a lower bound",
    "broke": "the clauses of the objective that failed at the lowest value that failed, with their figures",
    "staleness_s": "how old what a subscriber knows may be; who polls asks as often as that",
    "cheaper": "at which rates of updates that transport takes less of this than the other, reckoned from measured costs",
    "cell": "one combination of load keys, in words",
    "metric": "the column of both runs that is compared",
    "mean_of_a": "geometric mean over A's trials that may be believed",
    "mean_of_b": "geometric mean over B's trials that may be believed",
    "change": "B ÷ A − 1 of these means; in brackets Student's interval on logarithms; of a cell all hold together",
    "call": "better or worse if the whole interval is beyond 1 %, beyond what the load itself changed by, and beyond what "
    "the clocks can tell; else not distinguishable, which is not the same as equal",
}
"""Headings that are no column of `trials`."""

VERDICTS: dict[Verdict, str] = {
    Verdict.OK: "the numbers may be read as the server's: every subscriber got every message once and in order, the "
    "publisher kept its schedule, and neither side was at its limit",
    Verdict.SERVER_BOUND: "the server used all of its core: the numbers are to be believed, as its limit",
    Verdict.CLIENT_BOUND: "the load side, or the machine, was at its limit: the server may be better than the numbers",
    Verdict.PUBLISHER_LATE: "the feed was not offered as scheduled: the numbers are of another load",
    Verdict.LOSSY: "a subscriber missed a message, had one twice or out of order, or was ended early",
    Verdict.NONCONFORMING: "the server does not do on this transport what its contract claims: it did other work",
    Verdict.FAILED: "a process did not start, connect, answer or survive: there are no numbers",
}
"""What a verdict means."""


def kept(name: str) -> bool:
    """Whether it is a column of `trials` as it was kept."""
    return name in COLUMNS and name not in COMPUTED


def meaning(name: str) -> str:
    """What a column, or a computed heading, stands for. KeyError: it is in neither table."""
    if name in COMPUTED:
        return COMPUTED[name]
    if name.startswith(TIMES):
        return (
            f"how many times the baseline's at the same load, paired by round; of {name.removeprefix(TIMES)}, which is: "
            + (COLUMNS[name.removeprefix(TIMES)].says)
        )
    return COLUMNS[name].says
