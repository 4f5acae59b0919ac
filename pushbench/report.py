"""The report of a run: its charts as PNG and SVG, and one self-contained page with everything on it.

It reads a run and writes into its directory. What a chart shows and how a figure is computed is not known here.
"""

import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from pushbench import agreement, capacity, conformance_text, crossover_text, environment, labels, ratios, summary
from pushbench.charts import CHARTS, OF_SEARCHES, applicable, draw
from pushbench.checks import Verdict
from pushbench.files import write_whole
from pushbench.results import ResultsError, Run, reason

PNG_DPI = 150

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
    asked = run.manifest.get("charts") or (OF_SEARCHES if capacity.searched(run.trials) else list(CHARTS))
    return [name for name in asked if name in possible]


def save(figure: Figure, path: Path) -> str:
    """Write a figure as PNG and SVG beside each other, and return the SVG as text. Raises `ResultsError` if it cannot."""
    png = BytesIO()
    figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    with matplotlib.rc_context(_SVG):
        svg = StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    _write(path.with_suffix(".png"), png.getvalue())
    _write(path.with_suffix(".svg"), svg.getvalue().encode())
    return svg.getvalue()


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
    _write(page, _page(run, pictures).encode())
    return page


def _page(run: Run, pictures: list[tuple[str, str]] | None) -> str:
    templates = Environment(
        loader=PackageLoader("pushbench"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    manifest = run.manifest
    found = capacity.table(run.trials)
    tables = (found, *summary.tables(capacity.by_load(run.trials))) if found else summary.tables(run.trials)
    return templates.get_template("report.html.j2").render(
        title=manifest["title"],
        description=manifest["description"],
        manifest=manifest,
        tables=tables,
        ratios=None if found else ratios.table(run.trials),
        agreement=() if found else agreement.told(run.trials),
        conformance=conformance_text.of(manifest),
        failures=conformance_text.failures(conformance_text.kept(manifest)),
        crossover=None if found else crossover_text.table(run.trials),
        consequences=() if found else crossover_text.sentences(run.trials),
        charts=None if pictures is None else [(CHARTS[name], _inline(svg, name)) for name, svg in pictures],
        directory=run.path,
        verdicts=_verdicts(run.trials),
        trials=len(run.trials),
        places=_places(manifest),
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


def _inline(svg: str, name: str) -> str:
    """The SVG for use inside a page: without its XML head, and with ids that are its own."""
    body = svg[svg.index("<svg") :]
    return re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{name}-", body)


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
