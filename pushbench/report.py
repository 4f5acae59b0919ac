"""The report of a run: its charts as PNG and SVG, and one self-contained page with everything on it.

It reads a run and writes into its directory. What a chart shows and how a figure is computed is not known here.
"""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from pushbench import ratios, summary
from pushbench.charts import CHARTS, applicable, draw
from pushbench.checks import Verdict
from pushbench.results import Run

PNG_DPI = 150

# The same run must give the same files: no dates, no random ids. Text is drawn as outlines, so that no font is needed.
_SVG: Any = {"svg.hashsalt": "pushbench", "svg.fonttype": "path"}


def write(run: Run) -> Path:
    """Draw the run's charts into `charts/`, write `report.html`, and return the page's path."""
    pictures = [(name, save(draw(name, run.frames), run.path / "charts" / name)) for name in charts_of(run)]
    page = run.path / "report.html"
    page.write_text(_page(run, pictures))
    return page


def charts_of(run: Run) -> list[str]:
    """The charts that the scenario asks for, or all, as far as this run has something to show on them."""
    possible = applicable(run.frames)
    asked = run.manifest.get("charts") or list(CHARTS)
    return [name for name in asked if name in possible]


def save(figure: Figure, path: Path) -> str:
    """Write a figure as PNG and SVG beside each other, and return the SVG as text."""
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path.with_suffix(".png"), dpi=PNG_DPI, metadata={"Software": None})
    with matplotlib.rc_context(_SVG):
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    path.with_suffix(".svg").write_text(text.getvalue())
    return text.getvalue()


def _page(run: Run, pictures: list[tuple[str, str]]) -> str:
    environment = Environment(
        loader=PackageLoader("pushbench"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    manifest = run.manifest
    return environment.get_template("report.html.j2").render(
        title=manifest["title"],
        description=manifest["description"],
        manifest=manifest,
        table=summary.table(run.trials),
        ratios=ratios.table(run.trials),
        charts=[(CHARTS[name], _inline(svg, name)) for name, svg in pictures],
        verdicts=_verdicts(run.trials),
        trials=len(run.trials),
    )


def _inline(svg: str, name: str) -> str:
    """The SVG for use inside a page: without its XML head, and with ids that are its own."""
    body = svg[svg.index("<svg") :]
    return re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{name}-", body)


def _verdicts(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Every trial that has something to say for itself, in the order of execution."""
    keys = summary.varied(trials)
    return [
        {
            "label": ", ".join(str(row[key]) if key == "transport" else f"{key}={summary.plain(row[key])}" for key in keys),
            "trial": row["trial"],
            "verdict": row["verdict"],
            "believable": Verdict(row["verdict"]).believable,
            "reason": row["reason"],
        }
        for _, row in trials.sort_values("order").iterrows()
        if row["reason"]
    ]
