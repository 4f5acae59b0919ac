"""One page that sets two runs beside each other: circumstances, what became better or worse, and the charts of both.

It writes into the second run's directory. How runs are compared is not known here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from pushbench import compare_text, page_table, pages
from pushbench.charts import CHARTS, changes as changes_chart, draw
from pushbench.compare import METRICS
from pushbench.comparison import TOGETHER, Call, Change, Comparison
from pushbench.page_table import Entry, Heading, PageTable
from pushbench.pages import Section
from pushbench.report import as_svg, charts_of, write_page
from pushbench.results import Run
from pushbench.summary import digits

BESIDE = 2
"""So many charts of both runs are set beside each other: a page with all of them would be twice as heavy as a run's."""

SECTIONS = (
    Section("short", "In short"),
    Section("circumstances", "What differs in the circumstances"),
    Section("changes", "What became better, and what worse?"),
    Section("charts", "The charts"),
)

COLUMNS = {
    "cell": "cell",
    "figure": "metric",
    "A": "mean_of_a",
    "B": "mean_of_b",
    "change, %": "change",
    "called": "call",
}
"""The headings of the table of changes, and the glossary's entries of them."""

_OF = {metric.heading: metric.column for metric in METRICS} | {"verdict": "verdict"}


def write(base: Run, candidate: Run, made: Comparison) -> Path:
    """Write `report-against-BASE-BEGUN.html` beside the candidate's tables, and return its path.

    `made` is what `compare` says of the two. Raises `ResultsError` if it cannot be written.
    """
    page = candidate.path / f"report-against-{_named(base)}.html"
    write_page(page, _page(base, candidate, made))
    return page


def _named(run: Run) -> str:
    """The run's directory and, where that does not say it, when it was begun: two directories may have one name."""
    name, begun = run.path.resolve().name, f"{datetime.fromisoformat(run.manifest['started_at']):%Y%m%d-%H%M%S}"
    return name if begun in name else f"{name}-{begun}"


def _page(base: Run, candidate: Run, made: Comparison) -> str:
    together = _table("together", [_row(TOGETHER, change) for change in made.together]) if made.together else None
    rows = [_row(cell.label, change) for cell in made.cells for change in cell.changes]
    changes = _table("changes", [*_verdicts(made), *rows])
    first = pages.inline(as_svg(changes_chart.changes(frame(made))), "changes")
    beside = [
        (
            CHARTS[name].how_to_read,
            [(side, pages.inline(as_svg(draw(name, run.frames)), f"{side}-{name}")) for side, run in sides],
        )
        for sides in [(("A", base), ("B", candidate))]
        for name in [name for name in charts_of(candidate) if name in charts_of(base)][:BESIDE]
    ]
    return pages.render(
        "against",
        f"{candidate.path.resolve().name} against {base.path.resolve().name}",
        SECTIONS,
        [table for table in (together, changes) if table],
        [first, *(svg for _, pair in beside for _, svg in pair)],
        made=made,
        titles=[run.manifest["title"] for run in (base, candidate)],
        short=compare_text.sentences(made),
        witnesses=list(compare_text.witnesses(made.witnesses)) if made.witnesses else [],
        together=together,
        changes=changes,
        chart=(changes_chart.HOW_TO_READ, first),
        beside=beside,
    )


def _table(id_: str, rows: Iterable[tuple[Entry, ...]]) -> PageTable:
    headings = tuple(
        Heading(text, column, "key" if place < 2 else "text" if text == "called" else "", f"{id_}-{place}")
        for place, (text, column) in enumerate(COLUMNS.items())
    )
    return PageTable("", headings, tuple(rows), ())


def _row(label: str, change: Change) -> tuple[Entry, ...]:
    ratio = change.ratio
    percent = 100 * (ratio.mid - 1)
    between = f"({compare_text.percent(ratio.low)} to {compare_text.percent(ratio.high)})" if ratio.is_interval else ""
    return (
        Entry(label),
        Entry(change.heading, link=_OF[change.heading]),
        *(page_table.entry("–" if value != value else digits(value)) for value in (change.base, change.candidate)),
        Entry(compare_text.percent(ratio.mid), between, percent),
        _call(change.call, change.why),
    )


def _verdicts(made: Comparison) -> Iterator[tuple[Entry, ...]]:
    """A row for each cell whose verdicts differ."""
    for cell in made.cells:
        if cell.verdict != Call.UNCLEAR or cell.base_verdicts != cell.candidate_verdicts:
            verdicts = Entry(cell.base_verdicts), Entry(cell.candidate_verdicts)
            yield Entry(cell.label), Entry("verdict", link="verdict"), *verdicts, Entry(""), _call(cell.verdict, "")


def _call(call: Call, why: str) -> Entry:
    return Entry(str(call), f"({why})" if why else "", kind="" if call == Call.UNCLEAR else str(call))


def frame(made: Comparison) -> pd.DataFrame:
    """The changes as the chart takes them."""
    rows = [
        (cell.label, change.heading, *_percents(change), str(change.call)) for cell in made.cells for change in cell.changes
    ]
    return pd.DataFrame(rows, columns=["cell", "heading", "low", "mid", "high", "call"])


def _percents(change: Change) -> tuple[float, float, float]:
    ratio, none = change.ratio, float("nan")
    low, high = (ratio.low, ratio.high) if ratio.is_interval else (none, none)
    return 100 * (low - 1), 100 * (ratio.mid - 1), 100 * (high - 1)
