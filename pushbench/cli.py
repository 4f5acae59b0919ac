"""The command line: `pushbench run | list | report | check | compare | serve | doctor`.

It reads arguments, calls what does the work, and turns what comes of it into words and an exit code: 0 done, 1 finished
but some trial failed or is not to be believed, 2 wrong input (one line on stderr), 70 an error of its own, 130 on Ctrl-C.
"""

import asyncio
import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pushbench import results
from pushbench.checks import Verdict
from pushbench.results import ResultsError
from pushbench.scenario import SCENARIOS, ScenarioError, find, load

if TYPE_CHECKING:
    from rich.console import Console

    from pushbench.summary import Table

INTERRUPTED = 130
"""The exit code that typer makes of Ctrl-C."""
LOG_WIDTH = 160
"""How wide a table is where there is no terminal."""
BROKEN = 70
"""Exit code after an error that is pushbench's own: EX_SOFTWARE of sysexits.h."""
LONGEST_LINE = 1000
ROOMY_WIDTH = 130
"""A narrower terminal is shown the figures without their intervals; the report has them."""
RESULTS = Path("results")
"""Where runs land, below the directory that the command is given in."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="How should a server push to its clients? Measures polling, longpoll, stream, sse and websocket on one feed.",
)


def main() -> None:
    """The console script."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run a command and return its exit code; wrong input becomes one line on stderr."""
    try:
        code: int = app(arguments, prog_name="pushbench", standalone_mode=False) or 0
        if code == INTERRUPTED:
            print(
                "pushbench: interrupted; every finished trial is kept: the same command with --resume goes on from there",
                file=sys.stderr,
            )
        return code
    except (ScenarioError, ResultsError) as error:
        print(f"pushbench: {error}", file=sys.stderr)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):  # a mistake of pushbench's own, and no verdict's 1
        traceback.print_exc()
        return BROKEN
    except typer.TyperException as error:
        if error.exit_code == 2 and not arguments:
            print(error.format_message())
            return 0
        print(f"pushbench: {' '.join(error.format_message().split()).rstrip('.')}; see pushbench --help", file=sys.stderr)
    return 2


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="name of a scenario (see `pushbench list`), or a TOML file")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="override a key: key=value; may be repeated")] = None,
    out: Annotated[Path | None, typer.Option(help="directory for the run; default results/NAME-TIME")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a run that was cut off")] = False,
) -> int:
    """Execute a scenario: measure, then draw.

    Example: pushbench run overview --set trials=5 --set 'subscribers=[10,100]'
    """
    from pushbench.doctor import examine
    from pushbench.run import execute, open_store

    read = load(find(scenario), set_ or [])
    store = open_store(read, RESULTS, out, resume)
    print(f"{read.title}\n{len(read.schedule)} trials, into {store.directory}", flush=True)
    for finding in examine():
        if not finding.well:
            print(f"warn {finding.says}", flush=True)
    with asyncio.Runner() as runner:
        # Ctrl-C cancels the run, which then ends its processes; a second one does not wait for that.
        runner.run(execute(read, store))
    return _report(store.directory)


@app.command("list")
def list_() -> int:
    """List the scenarios and the runs.

    Example: pushbench list
    """
    print("scenarios (pushbench run NAME):")
    for path in sorted(SCENARIOS.glob("*.toml")):
        print(f"  {path.stem:14} {load(path).title}")
    print(f"runs in {RESULTS} (pushbench report DIRECTORY):")
    found = results.runs(RESULTS)
    for path in found:
        try:
            manifest = results.read_manifest(path)
        except ResultsError as error:  # one that cannot be read does not hide the others
            print(f"  {path.name:36} {error}")
            continue
        state = "" if manifest["finished_at"] else "   (not finished)"
        print(f"  {path.name:36} {manifest['title']}{state}")
    if not found:
        print("  none yet")
    return 0


@app.command()
def report(directory: Annotated[Path | None, typer.Argument(help="a run; default the newest")] = None) -> int:
    """Draw a run's charts and write its page anew, and print its table.

    Example: pushbench report results/reference
    """
    return _report(directory or _newest())


@app.command()
def check(directory: Annotated[Path | None, typer.Argument(help="a run; default the newest")] = None) -> int:
    """Print the verdict of every trial that is not plainly ok; exit 1 if one is not to be believed.

    Example: pushbench check results/reference
    """
    path = directory or _newest()
    trials = results.load(path).trials.sort_values("order")
    for row in trials.to_dict("records"):
        if row["reason"]:
            print(f"cell {row['cell']} ({row['transport']}) trial {row['trial']}: {row['verdict']}: {row['reason']}")
    return _verdict_code(list(trials["verdict"]))


def _percentage(text: str) -> float:
    """`10%` as 0.1. Nothing else is taken: of 0.1 one could not know whether it is a tenth or a thousandth."""
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)%", text)):
        raise typer.BadParameter(f"{text} is no percentage: write it with its sign, as 10%")
    return float(found[1]) / 100


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="a run: what it was like")],
    candidate: Annotated[Path, typer.Argument(help="another run: what it is like now")],
    fail_on_worse: Annotated[
        float | None,
        typer.Option(parser=_percentage, metavar="N%", help="exit 1 if a figure is called worse, by at least that much"),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="show also the cells in which nothing differs")] = False,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write it all as JSON; - prints that")
    ] = None,
) -> int:
    """Say what became better or worse from one run to another, cell by cell, and what cannot be told apart.

    Example: pushbench compare results/reference results/mine --fail-on-worse 10%
    """
    from pushbench import compare_text
    from pushbench.compare import compare
    from pushbench.comparison import failures

    runs = [results.load(directory) for directory in (base, candidate)]
    for run in runs:
        if run.trials.empty:
            raise ResultsError(f"{run.path} has no finished trial yet: go on with --resume")
    made = compare(*runs)
    if not made.cells:
        raise ResultsError(f"{base} and {candidate} have no load in common: run one scenario, with the same --set, twice")
    if json_:
        text = json.dumps(compare_text.plain_values(made), indent=2, ensure_ascii=False)
        if json_ == "-":
            print(text)
        else:
            _write(Path(json_), text + "\n")
    if json_ != "-":
        for line in compare_text.lines(made, made.cells if all_ else [cell for cell in made.cells if cell.differs]):
            print(line)
    if fail_on_worse is None:
        return 0
    worse = failures(made, fail_on_worse)
    print(compare_text.verdict(worse, fail_on_worse), file=sys.stderr if json_ == "-" else sys.stdout)
    return int(bool(worse))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror}; choose another file") from None


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> int:
    """Run the server alone, to try it by hand; takes the options of `python -m servers`.

    Example: pushbench serve --port 8000, then curl -N http://127.0.0.1:8000/stream
    """
    os.execv(sys.executable, [sys.executable, "-m", "servers", *context.args])


@app.command()
def doctor() -> int:
    """Look whether this machine can measure, and say what would make it better.

    Example: pushbench doctor
    """
    from pushbench.doctor import examine

    ill = False
    for finding in examine():
        print(f"{'ok  ' if finding.well else 'warn'} {finding.says}")
        ill |= not finding.well
    return int(ill)


def _newest() -> Path:
    found = results.runs(RESULTS)
    if not found:
        raise ResultsError(f"no run is in {RESULTS}: name one, or make one with `pushbench run overview`")
    return found[-1]


def _report(directory: Path) -> int:
    """Draw, write the page, print the table; pandas and matplotlib are imported only for this."""
    from rich.console import Console

    from pushbench import ratios, report, summary

    read = results.load(directory)
    if read.trials.empty:
        raise ResultsError(f"{directory} has no finished trial yet: go on with --resume")
    page = report.write(read)
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    _print(console, summary.table(read.trials))
    if times := ratios.table(read.trials):
        console.print()
        _print(console, times)
    for path in (page, *sorted((directory / "charts").glob("*.png"))):
        print(path)
    doubted = sum(not Verdict(verdict).believable for verdict in read.trials["verdict"])
    if doubted:
        print(f"{doubted} of {len(read.trials)} trials are not to be believed; pushbench check {directory} says why")
    return 1 if doubted else 0


def _print(console: "Console", made: "Table") -> None:
    """Print a table of texts and its notes."""
    from rich.table import Table as Shown

    roomy = console.width >= ROOMY_WIDTH
    shown = Shown(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(made.headings):
        shown.add_column(
            heading.replace(" ", "\n"), justify="left" if number == 0 else "right", vertical="bottom", no_wrap=True
        )
    for row in made.rows:
        # An interval below its figure, and a verdict below the other, keep the columns narrow.
        cells = [cell if roomy else cell.partition(" (")[0] for cell in row]
        shown.add_row(*(cell.replace(" (", "\n(").replace(", ", "\n") for cell in cells))
    # A terminal may wrap a line, but no number is cut.
    console.width = max(console.width, console.measure(shown, options=console.options.update(width=LONGEST_LINE)).maximum)
    console.print(shown)
    for note in made.notes:
        console.print(note, style="dim")


def _verdict_code(verdicts: list[str]) -> int:
    return 0 if all(Verdict(verdict).believable for verdict in verdicts) else 1
