"""`python -m pushbench.classics.page [DIR]`: docs/classics.md with what the runs below DIR say; default results/classics.

For each classic that has a finished run there its part of the page, between two marks, is written anew, and its picture
beside the page. What stands outside of the marks is written by hand.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pushbench import marked, report, results
from pushbench.charts.classics import picture
from pushbench.classics import CLASSICS, reading, text
from pushbench.classics.claims import Classic
from pushbench.environment import CHECKOUT
from pushbench.reference import measured_on
from pushbench.results import ResultsError, Run

PAGE = CHECKOUT / "docs" / "classics.md"
PICTURES = PAGE.with_suffix("")
"""The folder of the pictures."""
WITHOUT = "No run of it is on this page yet."


def marks(name: str) -> tuple[str, str]:
    """What stands before and behind the part of a classic."""
    return f"<!-- {name}, by python -m pushbench.classics.page: begin -->", f"<!-- {name}: end -->"


def part(classic: Classic, run: Run | None) -> str:
    """The part of a classic: what it is, and what a run of it says; None if there is none."""
    told = [f"- **Source:** {classic.source.said}.", f"- **Claimed:** {classic.claimed}.", f"- **Here:** {classic.scaled}"]
    told += [f"- **Not claimed:** {what}" for what in classic.not_claimed]
    return "\n".join([*told, "", *(_figures(classic, run) if run else [WITHOUT])])


def _figures(classic: Classic, run: Run) -> Iterator[str]:
    made = classic.judge(reading.evidence(run, classic))
    table = text.table(made)
    yield f"**{text.verdict(made)}**"
    yield ""
    yield f"![{classic.picture}]({PICTURES.name}/{classic.name}.png)"
    yield ""
    yield _row(table.headings)
    yield _row(["---", "---", "--:", "--:", "--:"])
    yield from map(_row, table.rows)
    yield ""
    yield from (f"- {text.judgement(claim)}" for claim in made.claims)
    yield ""
    yield " ".join(table.notes)
    yield measured_on(run)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_part(page: str, name: str, new: str) -> str:
    """The page with the part of that classic replaced. Raises `ResultsError` if it has no marks for it."""
    return marked.with_part(page, new, marks(name), PAGE.name, "figures belong")


def finished(directory: Path) -> Run | None:
    """The run in a directory.

    Raises `ResultsError` if there is one that is not finished, or was made with --set of more than the number of trials.
    """
    if not (directory / "run.json").exists():
        return None
    run = results.load(directory)
    if not run.manifest["finished_at"]:
        raise ResultsError(f"{directory} is not finished: go on with pushbench repro --all first")
    if any(not one.startswith("trials=") for one in run.manifest["scenario"]["overrides"]):
        raise ResultsError(f"{directory} was made with --set, and is not the scenario as it stands: measure without")
    return run


def main(arguments: list[str]) -> int:
    """Write the page; the exit code."""
    parent = Path(arguments[0]) if arguments else CHECKOUT / "results" / "classics"
    try:
        runs = {name: run for name in CLASSICS if (run := finished(parent / name))}
        if not runs:
            raise ResultsError(f"no classic has a run in {parent}: make them with pushbench repro --all")
        page = PAGE.read_text()
        for name, run in runs.items():
            page = with_part(page, name, part(CLASSICS[name], run))
            made = CLASSICS[name].judge(reading.evidence(run, CLASSICS[name]))
            report.save(picture(CLASSICS[name], made), PICTURES / name)
            (PICTURES / name).with_suffix(".svg").unlink()  # the page shows the other
        PAGE.write_text(page)
    except ResultsError as error:
        print(f"pushbench.classics.page: {error}", file=sys.stderr)
        return 2
    print(f"{PAGE.relative_to(CHECKOUT)} has {len(runs)} of {len(CLASSICS)} from {parent}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
