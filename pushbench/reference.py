"""The reference run: one curated `overview`, from which the README's tables and picture are made.

`python -m pushbench.reference [RUN]` copies a run (default: the newest finished overview) to results/reference and writes
the README's part anew; a test holds the README to it.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from pushbench import report, results, summary
from pushbench.charts import draw
from pushbench.checks import Verdict
from pushbench.environment import CHECKOUT
from pushbench.results import TABLES, ResultsError, Run

REFERENCE = CHECKOUT / "results" / "reference"
README = CHECKOUT / "README.md"
BEGIN, END = "<!-- made by `make reference`: begin -->", "<!-- made by `make reference`: end -->"
PICTURE = "overview"
SHOWN = 3
"""How many tables the README has; all are in the report."""
UNFIT = {verdict for verdict in Verdict if not verdict.believable}
"""Verdicts of trials that a reference must not have."""


def readme_part(run: Run) -> str:
    """The README's part that a run fills: picture, tables, and what it was measured on."""
    lines = [f"![{run.manifest['title']}](results/reference/charts/{PICTURE}.png)"]
    tables = summary.tables(run.trials)
    for table in tables[:SHOWN]:
        figures = len(table.headings) - table.keys
        lines += ["", f"**{table.title}**", "", _row(table.headings), _row(["---"] * table.keys + ["--:"] * figures)]
        lines += [*map(_row, table.rows), "", *table.notes]
    lines += tables[-1].notes if len(tables) > SHOWN else ()  # which hold for all
    lines.append(measured_on(run))
    return "\n".join(lines)


def measured_on(run: Run) -> str:
    """When and on what a run was measured, in a sentence."""
    environment = run.manifest["environment"]
    return (
        f"Measured {run.manifest['started_at'][:10]} on {environment['cores']} cores of an {environment['cpu']}, "
        f"Linux {environment['kernel'].partition('-')[0]}, Python {environment['python']}, "
        f"uvicorn {environment['uvicorn']}, aiohttp {environment['aiohttp']}; "
        "server and clients on one machine, over loopback."
    )


def with_part(readme: str, part: str) -> str:
    """The README with its part replaced."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ResultsError(f"README.md has no lines {BEGIN} and {END}: put them where the table belongs")
    return f"{head}{BEGIN}\n{part}\n{END}{tail}"


def curate(source: Path) -> Run:
    """Copy what is needed of a run to results/reference, and return it from there."""
    run = results.load(source)
    if not run.manifest["finished_at"]:
        raise ResultsError(f"{source} is not finished: go on with --resume first")
    if run.manifest["scenario"]["overrides"]:
        raise ResultsError(f"{source} was made with --set, and is not the scenario as it stands: measure without")
    if unfit := sorted(UNFIT & set(run.trials["verdict"])):
        raise ResultsError(f"{source} has trials with the verdict {', '.join(unfit)}: see to the reason, and measure again")
    if str(run.manifest["environment"]["commit"]).count("+"):
        raise ResultsError(f"{source} was measured with uncommitted changes: commit, then measure again")
    if source.resolve() != REFERENCE:
        shutil.rmtree(REFERENCE, ignore_errors=True)
        REFERENCE.mkdir(parents=True)
        for name in ("run.json", *(f"{table}.parquet" for table in TABLES)):
            shutil.copy(source / name, REFERENCE)
    report.save(draw(PICTURE, run.frames), REFERENCE / "charts" / PICTURE)
    return results.load(REFERENCE)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _newest() -> Path:
    for path in reversed(results.runs(CHECKOUT / "results")):
        manifest = results.read_manifest(path)
        if manifest["scenario"]["name"] == "overview" and manifest["finished_at"] and path != REFERENCE:
            return path
    raise ResultsError("no finished run of overview is in results: make one with `make bench`")


def main() -> None:
    """Curate, and write the README's part."""
    try:
        run = curate(Path(sys.argv[1]) if len(sys.argv) > 1 else _newest())
        README.write_text(with_part(README.read_text(), readme_part(run)))
    except ResultsError as error:
        raise SystemExit(f"pushbench.reference: {error}") from None
    print(f"{REFERENCE.relative_to(CHECKOUT)} is the run of {run.manifest['started_at']}; the README shows it")


if __name__ == "__main__":
    main()
