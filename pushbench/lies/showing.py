"""One showing of the gallery: run, kept after each round, and drawn.

It knows in which order that is done, and where it lands. What is said of it is in `text`.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pushbench import environment, interruption
from pushbench.interruption import Interrupted
from pushbench.lies.gallery import told
from pushbench.lies.record import Shown
from pushbench.lies.store import NAME, Gallery, save
from pushbench.lies.table import Lie
from pushbench.results import ResultsError
from pushbench.run import give_up

PICTURE = Path("charts") / "lies"


def show(chosen: Sequence[Lie], times: int, results: Path, out: Path | None) -> tuple[Gallery, Path]:
    """Run these so many times each; returns what came of it, and the directory that it is in, with its chart.

    Raises `ResultsError` if there is one already, or nothing can be written; and `Interrupted`, with finished rounds kept.
    """
    began = datetime.now(UTC)
    directory = out or results / f"lies-{began:%Y%m%d-%H%M%S}"
    file = directory / NAME
    if file.exists():
        raise ResultsError(f"{file} is there already: name another directory with --out")
    gallery = Gallery(began.isoformat(timespec="seconds"), environment.describe(), ())
    save(gallery, file)  # now, and not after minutes, it is seen whether it can be
    environment.raise_file_limit()

    def keep(shown: list[Shown]) -> None:
        nonlocal gallery
        gallery = replace(gallery, shown=tuple(shown))
        save(gallery, file)

    try:
        interruption.run(told(chosen, times, _tell, keep), hurry=give_up)
    except Interrupted:
        _tell(f"{file} has the rounds that were finished" if gallery.shown else "no round was finished")
        raise
    draw(gallery, directory / PICTURE)
    return gallery, directory


def draw(gallery: Gallery, path: Path) -> None:
    """Save the chart as PNG and SVG of that name."""
    from pushbench.charts.lies import frame, lies
    from pushbench.report import save as save_figure

    save_figure(lies(frame(gallery.values["lies"])), path)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
