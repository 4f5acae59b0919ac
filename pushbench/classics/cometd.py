"""CometD's load test on long polling, as its reference book prints it: deliveries a second, and how late. Pure.

Both runs were read in its repository, in the page that the source names: 91,853 messages/s at commit aa2ed5b0caa6, and the
other run at commit 2e8e5ccf4b24. Each prints minimum, mean, median, p99 and maximum in µs.
"""

import math

from pushbench.classics.claims import (
    Certainty,
    Classic,
    Curve,
    Dots,
    Plot,
    Published,
    Reproduction,
    Row,
    Source,
    claim,
    met,
)
from pushbench.classics.evidence import Cell, Evidence, Values, doubted, doubtful, exactly, times, value
from pushbench.stats import Interval

DELIVERED_PER_S, ANSWERS_PER_S = 91_853.0, 36_083.0
MEDIAN_MS, P99_MS, LONGEST_MS = 22.3, 51.9, 88.9
OTHER_PER_S, OTHER_MEDIAN_MS, OTHER_P99_MS, OTHER_LONGEST_MS = 78_211.0, 19.9, 149.9, 293.1
"""The run that the page has at the other commit."""
AN_ANSWER = DELIVERED_PER_S / ANSWERS_PER_S
TAILS = (P99_MS / MEDIAN_MS, OTHER_P99_MS / OTHER_MEDIAN_MS)
ROOM = 1.5
"""So much beyond what their two runs have a ratio may be."""
NEAR = 2.0
BATCHES = 1.2
KEPT_UP = 0.95


def tail(trial: Values) -> float:
    """The 99 % quantile over the median."""
    return value(trial, "latency_p99_ms") / value(trial, "latency_p50_ms")


def an_answer(trial: Values) -> float:
    """Messages that an answer carries."""
    return 1 / value(trial, "requests_per_delivery")


def judge(evidence: Evidence) -> Reproduction:
    """Throughput and tail as far as the server keeps up, and how many messages share an answer."""
    cells = {rate: evidence.at(rate_hz=rate) for rate in evidence.among("rate_hz")}
    kept = {rate: cell for rate, cell in cells.items() if _keeps_up(cell)}
    fullest = kept[max(kept)] if kept else Cell(())
    made, spread = fullest.figure("deliveries_per_s"), fullest.of(tail)
    median = fullest.figure("latency_p50_ms")
    shared = {rate: each for rate, cell in cells.items() if (each := cell.of(an_answer))}
    lost = _lost(cells)
    unsure, any_unsure = fullest.doubted, doubted(cells.values())
    read, computed = Certainty.READ, Certainty.COMPUTED
    rows = [
        Row(what, unit, published, measured, None, unsure, drawn_as="longpoll")
        for what, unit, published, measured in (
            ("delivered", "messages/s", Published(OTHER_PER_S, read, DELIVERED_PER_S), made),
            ("share of the most that they deliver", "share", None, times(made, 1 / DELIVERED_PER_S)),
            ("median", "ms", Published(OTHER_MEDIAN_MS, read, MEDIAN_MS), median),
            ("p99", "ms", Published(P99_MS, read, OTHER_P99_MS), fullest.figure("latency_p99_ms")),
            ("longest", "ms", Published(LONGEST_MS, read, OTHER_LONGEST_MS), fullest.figure("latency_max_ms")),
            ("p99 ÷ median", "×", Published(TAILS[0], computed, TAILS[1]), spread),
            ("messages in an answer", "messages", Published(AN_ANSWER, computed), fullest.of(an_answer)),
        )
    ]  # fmt: skip
    rows += [
        Row(f"messages in an answer at {rate:g} messages/s each", "messages", None, each, None, cells[rate].doubted,
            drawn_as="longpoll")
        for rate, each in shared.items()
    ]  # fmt: skip
    rows.append(Row("lost in all trials", "messages", Published(0, read), lost, None, any_unsure))
    first, last = (min(shared), max(shared)) if len(shared) > 1 else (None, None)
    claims = (
        claim(
            "under load messages are batched: more of them share an answer",
            f"at the highest rate an answer has at least {BATCHES} times as many as at the lowest",
            shared[last].mid >= BATCHES * shared[first].mid if first is not None and last is not None else None,
            f"{shared[first].mid:.1f} at {first:g} messages/s each, {shared[last].mid:.1f} at {last:g}"
            if first is not None and last is not None else "",
            "everybody had asked anew before the next message was due", computed, doubted=any_unsure,
        ),
        claim(
            "every message arrives", "nothing is lost at any rate", met(lost, high=0),
            f"{lost.mid:,.0f} lost" if lost else "",
            "what had not arrived when the trial was over counts as lost: the server had fallen too far behind", read,
            doubted=any_unsure,
        ),
        claim(
            f"p99 is {TAILS[0]:.1f} times the median, and {TAILS[1]:.1f} in another version of the page",
            f"at the highest rate kept up within that range, and {ROOM - 1:.0%} beyond",
            met(spread, TAILS[0] / ROOM, TAILS[1] * ROOM), f"{spread.mid:.1f} times" if spread else "",
            "all get one feed here, so that one answer is as late as the other; theirs have rooms of their own"
            if spread and spread.mid < TAILS[0] else "something held some of the answers up", computed, shape=False,
            doubted=unsure,
        ),
        claim(
            f"half of them within {MEDIAN_MS} ms", f"within a factor of {NEAR:g} of that, at the highest rate kept up",
            met(median, high=NEAR * MEDIAN_MS), f"{median.mid:,.0f} ms" if median else "",
            "one core answers a thousand clients one after the other, and each answer waits for a round of them", read,
            shape=False, doubted=unsure,
        ),
        claim(
            f"{DELIVERED_PER_S:,.0f} messages/s are delivered", f"{KEPT_UP:.0%} of that, at the highest rate kept up",
            met(made, KEPT_UP * DELIVERED_PER_S),
            f"{made.mid:,.0f}/s, {made.mid / DELIVERED_PER_S:.0%} of theirs" if made else "",
            "the highest of the rates tried that is kept up is lower; ours is Python on one core, theirs a JVM with up "
            "to 256 "
            "threads on a machine that is not told", read, shape=False, doubted=unsure,
        ),
    )  # fmt: skip
    late = tuple(
        Curve(label, "longpoll", tuple((rate, each) for rate, cell in cells.items() if (each := cell.figure(column))),
              doubted_at=doubtful(cells))
        for label, column in (("median", "latency_p50_ms"), ("p99", "latency_p99_ms"))
    )  # fmt: skip
    batching = Curve("longpoll", "longpoll", tuple(shared.items()), doubted_at=doubtful(cells))
    along = "messages/s to each of 1,000"
    return Reproduction(
        tuple(rows),
        claims,
        (
            Dots("At the highest rate that is kept up", "ms (log)", tuple(rows[2:5])),
            Plot("Latency", along, "ms", late, (), True, True),
            Plot("Batching", along, "messages in an answer", (batching,), (), True),
        ),
    )


def _keeps_up(cell: Cell) -> bool:
    """Whether what was due in the window was delivered in it."""
    kept = cell.of(lambda trial: value(trial, "deliveries_per_s") / value(trial, "offered_per_s"))
    return kept is not None and kept.mid >= KEPT_UP


def _lost(cells: dict[float, Cell]) -> Interval | None:
    counts = [lost for cell in cells.values() for trial in cell.trials if not math.isnan(lost := value(trial, "lost"))]
    return exactly(sum(counts)) if counts else None


CLASSIC = Classic(
    "cometd",
    Source(
        "Webtide", "The CometD Reference Book, chapter Benchmarking", 2015,
        "github.com/cometd/cometd, cometd-documentation/src/main/asciidoc/benchmarking.adoc",
    ),
    "1,000 clients on long polling, each in ten rooms of a hundred: 91,853 messages a second by 36,083 answers, median "
    "22.3 ms, p99 51.9 ms, longest 88.9 ms, and every message arrives",
    "Not scaled but simplified: 1,000 clients get up to 92 messages a second each, as theirs do, of one feed in place of "
    "ten rooms. 83 bytes a message, the least that this suite's have, in place of 50. A publisher publishes, and not the "
    "clients.",
    (
        "That the servers compare: of theirs neither the machine nor its share is told, and another version of the page "
        "(commit 2e8e5ccf4b24) prints a run of 78,211 messages a second, median 19.9 ms and p99 149.9 ms.",
        "A rate between two of those tried: the highest that is kept up is one of the list.",
    ),
    "Does long polling bear load?",
    judge,
)  # fmt: skip
