"""The report of a run: its charts as PNG and SVG, and one self-contained page with everything on it.

It reads a run and writes into its directory. What a chart shows and how a figure is computed is not known here.
"""

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from pushbench import (
    agreement,
    capacity,
    conclusions,
    conformance_text,
    crossover_text,
    environment,
    every_trial,
    labels,
    method_text,
    page_table,
    pages,
    ratios,
    summary,
)
from pushbench.charts import CHARTS, OF_SEARCHES, applicable, draw
from pushbench.checks import Verdict
from pushbench.files import write_whole
from pushbench.pages import Section
from pushbench.results import ResultsError, Run, reason

PNG_DPI = 150

SECTIONS = (
    Section("short", "In short"),
    Section("figures", "The figures"),
    Section("ratios", "How many times?"),
    Section("charts", "The charts"),
    Section("cheaper", "When is it the cheaper one?"),
    Section("verdicts", "May they be believed?"),
    Section("method", "How it was measured"),
    Section("place", "Where it was measured"),
    Section("models", "Do they agree with the textbook?"),
    Section("conformance", "Does each server do what it claims?"),
    Section("trials", "Every trial"),
    Section("scenario", "The scenario"),
)
"""In the order in which somebody wants to know it who has not made the run; one that has nothing to say is left out."""

# The same run must give the same files: no dates, no random ids. Text is drawn as outlines, so that no font is needed.
_SVG: Any = {"svg.hashsalt": "pushbench", "svg.fonttype": "path"}


def write(run: Run) -> Path:
    """Draw the run's charts into `charts/`, write `report.html`, and return the page's path.

    Raises `ResultsError` if they cannot be written.
    """
    return _write_page(run, [(name, save(draw(name, run.frames), run.path / "charts" / name)) for name in charts_of(run)])


def write_undrawn(run: Run) -> Path:
    """Write `report.html` without charts, for which there was no time; the page says so. Otherwise as `write`."""
    return _write_page(run, None)


def charts_of(run: Run) -> list[str]:
    """The charts that the scenario asks for, or all, as far as this run has something to show on them."""
    possible = applicable(run.frames)
    asked = run.manifest["charts"] or (OF_SEARCHES if capacity.searched(run.trials) else list(CHARTS))
    return [name for name in asked if name in possible]


def save(figure: Figure, path: Path) -> str:
    """Write a figure as PNG and SVG beside each other, and return the SVG as text. Raises `ResultsError` if it cannot."""
    png = BytesIO()
    figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    svg = as_svg(figure)
    _write(path.with_suffix(".png"), png.getvalue())
    _write(path.with_suffix(".svg"), svg.encode())
    return svg


def as_svg(figure: Figure) -> str:
    """A figure as the text of an SVG."""
    with matplotlib.rc_context(_SVG):
        svg = StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all. Raises `ResultsError` if it cannot be written."""
    _write(path, html.encode())


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise ResultsError(
            f"{path} cannot be written: {reason(error)}; the trials are kept: make room, then pushbench report"
        ) from None


def _write_page(run: Run, pictures: list[tuple[str, str]] | None) -> Path:
    page = run.path / "report.html"
    write_page(page, _page(run, pictures))
    return page


def _page(run: Run, pictures: list[tuple[str, str]] | None) -> str:
    manifest, trials = run.manifest, run.trials
    found = capacity.table(trials)
    of_cells = (found, *summary.tables(capacity.by_load(trials))) if found else summary.tables(trials)
    tables = [page_table.of(table, f"figures-{number}") for number, table in enumerate(of_cells)]
    every = page_table.of(every_trial.table(trials), "trials")
    ratio = None if found else ratios.table(trials)
    crossover = None if found else crossover_text.table(trials)
    ratio_table = page_table.of(ratio, "ratios") if ratio else None
    crossover_table = page_table.of(crossover, "cheaper") if crossover else None
    charts = None if pictures is None else [(CHARTS[name].how_to_read, pages.inline(svg, name)) for name, svg in pictures]
    drawn = [name for name, _ in pictures or ()]
    short = conclusions.told(trials, manifest["charts"])
    models = () if found else agreement.told(trials)
    conformance = conformance_text.of(manifest)
    may_be_empty = {
        "short": short,
        "ratios": ratio_table,
        "cheaper": crossover_table,
        "models": models,
        "conformance": conformance,
    }
    return pages.render(
        "report",
        manifest["title"],
        [section for section in SECTIONS if may_be_empty.get(section.id, True)],
        [table for table in (*tables, ratio_table, crossover_table, every) if table],
        [svg for _, svg in charts or ()],
        manifest=manifest,
        short=short,
        tables=tables,
        ratios=ratio_table,
        charts=charts,
        undrawn=[name for name in manifest["charts"] if name not in drawn],
        crossover=crossover_table,
        consequences=() if found else crossover_text.sentences(trials),
        verdicts=_verdicts(trials),
        method=method_text.told(manifest, trials),
        places=_places(manifest),
        agreement=models,
        conformance=conformance,
        failures=conformance_text.failures(conformance_text.kept(manifest)),
        every=every,
        directory=run.path,
        trials=len(trials),
    )


def _places(manifest: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Where and when it was measured: headings, and below each what is known, by name."""
    left = dict(manifest["environment"])
    found = [
        (heading, {name: left.pop(name) for name in names if name in left}) for heading, names in environment.GROUPS.items()
    ]
    found += [("Other", left), ("At the start", manifest.get("at_start", {}))]
    return [(heading, {name: _shown(value) for name, value in rows.items()}) for heading, rows in found if rows]


def _shown(value: Any) -> str:
    """A value of run.json, as a reader takes it."""
    if isinstance(value, dict):
        return ", ".join(f"core {core}: {_shown(one)}" for core, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "unknown" if value is None else {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _verdicts(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Every trial that has something to say for itself, in the order of execution."""
    keys = summary.varied(trials)
    return [
        {
            "label": labels.cell(row, keys),
            "trial": row["trial"],
            "verdict": row["verdict"],
            "believable": Verdict(row["verdict"]).believable,
            **{name: row[name] for name in ("reason", "evidence", "hint")},
        }
        for row in trials.sort_values("order").to_dict("records")
        if row["reason"]
    ]
