"""Five needs, and what the adviser says of each: the part of docs/advising.md that runs fill.

`python -m pushbench.advice_cases [RUN ...]` asks the adviser anew, of these runs or else of the curated ones, and writes
that part. A test holds the page to what the curated runs say. How to check a case by hand must be true of any run.
"""

import io
import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from pushbench import cli, marked
from pushbench.environment import CHECKOUT
from pushbench.results import ResultsError

PAGE = CHECKOUT / "docs" / "advising.md"
BEGIN = "<!-- made by `python -m pushbench.advice_cases`: begin -->"
END = "<!-- made by `python -m pushbench.advice_cases`: end -->"
WIDTH = "110"
"""Columns of prose."""
CUT = "What the figures rest on"
"""From here on a case's output is left out."""
PRICES = "--egress-per-gb 0.05 --core-hour 0.04 --gib-hour 0.005"
"""Nobody's; in any currency."""


@dataclass(frozen=True, slots=True)
class Case:
    """A need in words, as a command, and how to check by hand what is said of it."""

    title: str
    asks: str
    command: str
    check: str


CASES = (
    Case(
        "A stock ticker",
        "Ten updates a second to 5,000 readers, none older than a quarter of a second.",
        f"pushbench advise --rate 10 --subscribers 5000 --staleness 250 --rtt 40 {PRICES}",
        """A poller must ask more than four times a second and nearly always finds something: over 20,000 requests a
        second, each with two heads. What is pushed is 50,000 deliveries. Of each subscriber's traffic the updates
        themselves are 10 × (128 + 52) bytes a second, TCP/IP included. What the pushes differ in is a few bytes of
        framing, and CPU, which is this server's and its libraries'.""",
    ),
    Case(
        "A chat",
        "In a room each hears five messages a second and says one in two seconds; within half a second, 50 ms away.",
        "pushbench advise --rate 5 --subscribers 2000 --staleness 500 --rtt 50 --two-way 0.5",
        """What is said takes a frame on a WebSocket, and elsewhere a request and an answer with their heads, but it is
        said a tenth as often as it is heard. Whether that decides is for a run of `request` to tell.""",
    ),
    Case(
        "A dashboard",
        "A figure a second for 200 screens; ten seconds old is fine.",
        "pushbench advise --rate 1 --subscribers 200 --staleness 10000",
        """A poll every ten seconds fetches ten figures at once: 20 requests a second in place of 200 deliveries. Its
        heads are larger than any framing, but shared by ten, and so are the headers of TCP/IP.""",
    ),
    Case(
        "A news page",
        "A million readers, an update every five minutes; a minute old is fine.",
        f"pushbench advise --rate 0.0033 --subscribers 1000000 --staleness 60000 {PRICES}",
        """Next to nothing is said, so being there is what costs: a connection with its signs of life, or a poll every so
        often: for that cells are needed in which nothing is published. It reckons the origin alone; of all these
        only a poll can be answered by a cache.""",
    ),
    Case(
        "A game",
        "Thirty updates a second and as many moves, 200 players, 20 ms away, 50 ms at most.",
        "pushbench advise --rate 30 --subscribers 200 --staleness 50 --rtt 20 --two-way 30",
        """Half of a round trip up and half of one down are 20 ms of the 50, and a poller would have to ask within the
        rest. Who posts must have its answer before the next move, 33 ms later: with a round trip of 40 ms it no
        longer could. There are as many moves as updates, so what saying one takes matters: a run of `request` tells
        it.""",
    ),
)


def part(runs: Sequence[str] = ()) -> str:
    """The page's part: each case with its command, what it printed, and how to check that."""
    lines = []
    for case in CASES:
        lines += [f"### {case.title}", "", case.asks, "", "```console", f"$ {case.command}"]
        lines += [
            *printed([*shlex.split(case.command)[1:], *runs]),
            "```",
            "",
            textwrap.fill(" ".join(case.check.split()), 124),
            "",
        ]
    return "\n".join(lines).rstrip()


def printed(arguments: Sequence[str]) -> list[str]:
    """What a command prints, up to what its figures rest on."""
    out = io.StringIO()
    os.environ["COLUMNS"] = WIDTH
    with redirect_stdout(out), redirect_stderr(out):
        cli.invoke(list(arguments))
    return [line.rstrip() for line in out.getvalue().partition(CUT)[0].rstrip().splitlines()]


def with_part(text: str, made: str) -> str:
    """The page with this as its part."""
    try:
        return marked.with_part(text, made, (BEGIN, END), PAGE.name, "cases belong")
    except ResultsError as error:
        raise SystemExit(str(error)) from None


def main() -> None:
    """Write the page's part."""
    PAGE.write_text(with_part(PAGE.read_text(), part(sys.argv[1:])))


if __name__ == "__main__":
    main()
