"""The reference runs: one curated `overview`, from which the README's tables and picture are made, and others beside it.

`python -m pushbench.reference [RUN]` copies a run (default: the newest finished overview) to results/reference and writes
the README's part anew; a test holds the README to it. `--beside NAME` copies a run to results/reference/NAME instead, for
the lessons and the documentation; what of it is not to be believed stays in, marked, for some of it is there to be seen.
"""

import argparse
import shutil
from collections.abc import Iterable
from pathlib import Path

from pushbench import marked, report, results, summary
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
    return marked.with_part(readme, part, (BEGIN, END), README.name, "table belongs")


def curate(source: Path) -> Run:
    """Copy what is needed of a run to results/reference, and return it from there."""
    run = _fit(source)
    if unfit := sorted(UNFIT & set(run.trials["verdict"])):
        raise ResultsError(f"{source} has trials with the verdict {', '.join(unfit)}: see to the reason, and measure again")
    _copy(source, REFERENCE)
    report.save(draw(PICTURE, run.frames), REFERENCE / "charts" / PICTURE)
    return results.load(REFERENCE)


def beside(source: Path, name: str) -> Run:
    """Copy it to a directory of that name in results/reference, and return it from there."""
    _fit(source)
    _copy(source, REFERENCE / name)
    return results.load(REFERENCE / name)


def _fit(source: Path) -> Run:
    """The run, if it is a whole scenario as it stands, of code that can be had."""
    run = results.load(source)
    if not run.manifest["finished_at"]:
        raise ResultsError(f"{source} is not finished: go on with --resume first")
    if run.manifest["scenario"]["overrides"]:
        raise ResultsError(f"{source} was made with --set, and is not the scenario as it stands: measure without")
    if str(run.manifest["environment"]["commit"]).count("+"):
        raise ResultsError(f"{source} was measured with uncommitted changes: commit, then measure again")
    return run


def _copy(source: Path, to: Path) -> None:
    if source.resolve() == to.resolve():
        return
    to.mkdir(parents=True, exist_ok=True)
    for name in ("run.json", *(f"{table}.parquet" for table in TABLES)):
        shutil.copy(source / name, to)


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
    parser = argparse.ArgumentParser(prog="python -m pushbench.reference", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path, help="a run; default the newest finished overview")
    parser.add_argument("--beside", metavar="NAME", help="copy it to results/reference/NAME, and leave the README")
    given = parser.parse_args()
    try:
        source = given.run or _newest()
        if given.beside:
            run = beside(source, given.beside)
        else:
            run = curate(source)
            README.write_text(with_part(README.read_text(), readme_part(run)))
    except ResultsError as error:
        raise SystemExit(f"pushbench.reference: {error}") from None
    print(f"{run.path.relative_to(CHECKOUT)} is the run of {run.manifest['started_at']}")


if __name__ == "__main__":
    main()
