"""The command line: run, list, report, check, compare, advise, repro, conform, lies, wire, serve, doctor.

It reads arguments, calls what does the work, and turns what comes of it into words and an exit code: 0 done, 1 finished
but some trial failed or is not to be believed, 2 wrong input or a full disk (one line on stderr), 70 an error of its own,
130 on Ctrl-C, 143 on SIGTERM.
"""

import errno
import json
import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pushbench import interruption, netem, results
from pushbench.checks import Verdict
from pushbench.interruption import Interrupted
from pushbench.order import to_come
from pushbench.results import ResultsError, Run, Store
from pushbench.scenario import SCENARIOS, Scenario, ScenarioError, find, load
from pushbench.site import Here, Site, SiteError

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console

    from pushbench.classics.claims import Classic
    from pushbench.comparison import Comparison
    from pushbench.summary import Table

LOG_WIDTH = 160
"""How wide a table is where there is no terminal."""
BROKEN = 70
"""Exit code after an error that is pushbench's own: EX_SOFTWARE of sysexits.h."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a file cannot grow."""
LONGEST_LINE = 1000
NARROWEST, WIDEST = 40, 110
"""Between these, prose is as wide as the terminal."""
RESULTS = Path("results")
"""Where runs land, below the directory that the command is given in."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="How should a server push to its clients? Measures polling, longpoll, stream, sse and websocket on one feed.",
)


def main() -> int:
    """The console script's work; returns its exit code."""
    return invoke(sys.argv[1:])


def invoke(arguments: list[str]) -> int:
    """Run a command and return its exit code; wrong input becomes one line on stderr."""
    try:
        code: int = app(arguments, prog_name="pushbench", standalone_mode=False) or 0
        sys.stdout.flush()
        return code
    except (ScenarioError, ResultsError, SiteError) as error:
        _tell(str(error))
    except OSError as error:
        if error.errno not in NO_ROOM:
            traceback.print_exc()
            return BROKEN
        _tell(f"{error.filename or 'what it prints'} cannot be written: {error.strerror}; make room")
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  or Python tries again when it ends, and complains itself
    except typer.TyperException as error:
        if error.exit_code == 2 and not arguments:
            print(error.format_message())
            return 0
        _tell(f"{' '.join(error.format_message().split()).rstrip('.')}; see pushbench --help")
    except Interrupted as interrupted:
        _tell("interrupted")
        return interrupted.exit_code
    except Exception:  # a mistake of pushbench's own, and no verdict's 1
        traceback.print_exc()
        return BROKEN
    return 2


def _tell(line: str) -> None:
    """Say something on stderr, if that is still there."""
    with suppress(OSError):
        print(f"pushbench: {line}", file=sys.stderr)


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="name of a scenario (see `pushbench list`), or a TOML file")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="override a key: key=value; may be repeated")] = None,
    out: Annotated[Path | None, typer.Option(help="directory for the run; default results/NAME-TIME")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a run that was cut off")] = False,
    netem_: Annotated[
        bool, typer.Option("--netem", help="have the kernel shape the line: refused, with what there is instead")
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="the server to measure: a name, a contract's file, or a URL; may be repeated"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="have the swarms on the workers of this Dask scheduler"),
    ] = None,
) -> int:
    """Execute a scenario: measure, then draw.

    Example: pushbench run overview --set trials=5 --set 'subscribers=[10,100]'
    """
    from pushbench.cluster import connected

    if netem_:
        raise ResultsError(netem.refusal())
    read = load(find(scenario), [*(set_ or []), *_named(target or [])])
    if cluster is None:
        return _execute(read, out, resume, Here())
    with connected(cluster, read) as site:
        return _execute(read, out, resume, site)


def _named(targets: list[str]) -> list[str]:
    """The override by which these are the targets; none if none is named."""
    quoted = [json.dumps(target) for target in targets]
    return [f"target={quoted[0]}" if len(quoted) == 1 else f"target=[{', '.join(quoted)}]"] if quoted else []


def _execute(
    read: Scenario, out: Path | None, resume: bool, site: Site, tell: "Callable[[Path], int] | None" = None
) -> int:
    """Execute a scenario with its swarms there, and report on it, or `tell` what came of it."""
    from pushbench.candidates import possible
    from pushbench.diagnosis import Severity
    from pushbench.doctor import examine, told
    from pushbench.run import execute, give_up, left, open_store

    tried, skipped = possible(read)
    for line in skipped:
        print(line, flush=True)
    store = open_store(read, RESULTS, out, resume, site)
    try:
        kept = f", of which {len(store.done)} are there" if store.done else ""
        print(f"{read.title}\n{_amount(tried)}{kept}, into {store.directory}", flush=True)
        for finding in examine([tried]):
            if finding.severity == Severity.WARN:
                print(told(finding, _width()), flush=True)
        with interruption.deferred():  # to import half of it would be too much, and all of it takes long when time is short
            from pushbench import agreement, capacity, conclusions, crossover_text, ratios, report, summary  # noqa: F401
        interruption.run(execute(read, store, site=site), hurry=give_up)
        return (tell or _report)(store.directory)
    except SiteError as lost:
        kept = f"{len(store.done)} finished trials are kept in {store.directory}"
        raise SiteError(f"{lost}; {kept}, and the same command with --resume goes on from there") from None
    except Interrupted as interrupted:
        _report_cut_off(store, left(read, store), "about " if read.search else "")
        return interrupted.exit_code


def _amount(read: Scenario) -> str:
    """How much there is to do, before anything is known of what a search will find."""
    if not read.search:
        return f"{len(read.schedule)} trials"
    return f"{len(read.schedule)} searches, about {len(to_come(read, []))} trials"


@app.command("list")
def list_() -> int:
    """List the scenarios, the targets and the runs.

    Example: pushbench list
    """
    from pushbench import contract

    print("scenarios (pushbench run NAME):")
    there = sorted(SCENARIOS.glob("*.toml"))
    widest = max(len(path.stem) for path in there)
    for path in there:
        print(f"  {path.stem:{widest}} {load(path).title}")
    print("targets (pushbench run NAME --target TARGET):")
    for name in contract.names():
        known = contract.known(name)
        print(f"  {name:{widest}} {known.contract.title}{_lacking(known.missing())}")
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


def _lacking(why: str) -> str:
    return f"   ({why.partition(' is ')[2]})" if why else ""


@app.command()
def report(
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN] [RUN]", help="a run, default the newest; or two, to set them beside each other"),
    ] = None,
) -> int:
    """Draw a run's charts and write its page anew, and print its table; of two runs, write one page about both.

    Example: pushbench report results/reference results/mine
    """
    named = directories or [_newest()]
    if len(named) == 1:
        return _report(named[0])
    if len(named) > 2:
        raise typer.BadParameter(f"{len(named)} runs, and a page has one, or two beside each other: name two of them")
    from pushbench import compare_text, report_against

    base, candidate, made = _compared(*named)
    page = report_against.write(base, candidate, made)
    for sentence in compare_text.sentences(made):
        print(sentence)
    print(page)
    return 0


@app.command()
def check(
    directory: Annotated[Path | None, typer.Argument(help="a run; default the newest")] = None,
    only_loss: Annotated[
        bool, typer.Option("--only-loss", help="exit 1 only if a trial failed or was lossy: for a machine that is busy")
    ] = False,
) -> int:
    """Print the verdict of every trial that is not plainly ok, its reason, its figures and what to change.

    Exit 1 if one is not to be believed.

    Example: pushbench check results/reference
    """
    from pushbench import capacity, labels, summary

    path = directory or _newest()
    trials = results.load(path).trials.sort_values("order")
    if trials.empty:
        print(f"{path} has no finished trial yet: go on with --resume")
        return 1
    keys = summary.varied(trials)
    for row in trials.to_dict("records"):
        if row["reason"]:
            print(f"{labels.cell(row, keys)}, trial {row['trial']}: {row['verdict']}")
            for name, column in (("reason", "reason"), ("figures", "evidence"), ("change", "hint")):
                if row[column]:
                    print(f"  {name:8}{row[column]}")
    believable = sum(Verdict(verdict).believable for verdict in trials["verdict"])
    print(f"{believable} of {len(trials)} trials may be believed")
    if only_loss:
        return int(trials["verdict"].isin([Verdict.FAILED, Verdict.LOSSY]).any())
    if capacity.searched(trials):
        print(_bounds(trials))
        return int(capacity.doubtful(trials) > 0)
    return 0 if believable == len(trials) else 1


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
    from pushbench.comparison import failures

    *_, made = _compared(base, candidate)
    _put(json_, json.dumps(compare_text.plain_values(made), indent=2, ensure_ascii=False))
    if json_ != "-":
        for line in compare_text.lines(made, made.cells if all_ else [cell for cell in made.cells if cell.differs]):
            print(line)
    if fail_on_worse is None:
        return 0
    worse = failures(made, fail_on_worse)
    print(compare_text.verdict(worse, fail_on_worse), file=sys.stderr if json_ == "-" else sys.stdout)
    return int(bool(worse))


def _compared(base: Path, candidate: Path) -> tuple[Run, Run, "Comparison"]:
    """Two runs and their comparison. Raises `ResultsError` if there is nothing to compare."""
    from pushbench.capacity import searched
    from pushbench.compare import compare

    before, after = results.load(base), results.load(candidate)
    for run in (before, after):
        if run.trials.empty:
            raise ResultsError(f"{run.path} has no finished trial yet: go on with --resume")
        if searched(run.trials):
            raise ResultsError(
                f"{run.path} searched for a capacity, and its steps are no cells to be compared: "
                f"set the tables of `pushbench report` beside each other"
            )
    made = compare(before, after)
    if not made.cells:
        raise ResultsError(f"{base} and {candidate} have no load in common: run one scenario, with the same --set, twice")
    return before, after, made


@app.command()
def advise(
    rate: Annotated[float, typer.Option(metavar="HZ", help="updates a second that each subscriber is to get")],
    subscribers: Annotated[int, typer.Option(metavar="N", help="how many there are at once")],
    staleness: Annotated[float, typer.Option(metavar="MS", help="so old an update may be, of 99 in a hundred")],
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="measured runs; default the curated ones")
    ] = None,
    rtt: Annotated[float, typer.Option(metavar="MS", help="round trip between server and subscribers")] = 0.0,
    two_way: Annotated[float, typer.Option(metavar="HZ", help="how often a second each client says something")] = 0.0,
    payload: Annotated[float, typer.Option(metavar="BYTES", help="size of an update")] = 128.0,
    egress_per_gb: Annotated[float | None, typer.Option(metavar="PRICE", help="of 10^9 bytes to the subscribers")] = None,
    core_hour: Annotated[float | None, typer.Option(metavar="PRICE", help="of a core for an hour")] = None,
    gib_hour: Annotated[float | None, typer.Option(metavar="PRICE", help="of a GiB of memory for an hour")] = None,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write it all as JSON; - prints that")
    ] = None,
) -> int:
    """Say which transports meet a need, what they take there and cost at your prices, and why, from measured runs.

    Example: pushbench advise --rate 10 --subscribers 5000 --staleness 250
    """
    from pushbench import advice_text, advising
    from pushbench.advice_values import Need, Prices

    need = Need(rate, subscribers, staleness, rtt, two_way, payload)
    made = advising.advise(need, Prices(egress_per_gb, core_hour, gib_hour), runs)
    _put(json_, json.dumps(advice_text.document(made), indent=2, ensure_ascii=False))
    if json_ != "-":
        from rich.console import Console

        console = Console()
        if not console.is_terminal:
            console.width = LOG_WIDTH
        for line in advice_text.before(made):
            print(_wrapped(line))
        print()
        _print(console, advice_text.table(made))
        for line in advice_text.after(made):
            print(_wrapped(line))
    return 0 if made.choice and made.choice.sure else 1


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, _width(), subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _put(json_: str | None, text: str) -> None:
    """Where `--json` wants it: into a file, or printed if that is `-`; nowhere without the option."""
    if json_ == "-":
        print(text)
    elif json_:
        _write(Path(json_), text + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror}; choose another file") from None


@app.command()
def repro(
    name: Annotated[str | None, typer.Argument(help="a classic; without one they are listed")] = None,
    run_: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="tell it from this run, which is there, without load")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="all of them, one after the other; those that are finished are told again")
    ] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="override a key of the scenario; may be repeated")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="directory for the run; with --all for all, a directory each; default results/classics"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a run that was cut off; --all always does")] = False,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write it as JSON; - prints that alone, and takes --run")
    ] = None,
) -> int:
    """Run a published experiment again, and set published, measured and model side by side.

    Exit 1 if a trial is not to be believed; whether a claim reproduces makes no difference to it.

    Example: pushbench repro quantum-leap --set trials=5
    """
    from pushbench.classics import listing, reading

    if name is None and not all_:
        if run_:
            raise typer.BadParameter(
                f"--run {run_} takes the name of a classic before it: pushbench repro NAME --run {run_}"
            )
        for line in listing.lines(_width()):
            print(line)
        return 0
    if name and all_:
        raise typer.BadParameter(f"{name} and --all: name one, or take all")
    if run_ and (all_ or set_ or out or resume):
        raise typer.BadParameter(f"--run {run_} is of a run that is there: leave --all, --set, --out and --resume away")
    if json_ == "-" and not run_:
        raise typer.BadParameter("--json - prints nothing else: name a run that is there (--run), or a file in place of -")
    if run_:
        return _tell_classic(reading.named(str(name)), run_, json_)
    if name:
        classic = reading.named(name)
        read = load(find(str(reading.path(classic))), set_ or [])
        return _execute(read, out, resume, Here(), partial(_tell_classic, classic, json_=json_, drawn=True))
    from pushbench.classics import sequence

    code = 0
    for step in sequence.steps(out or RESULTS / "classics", set_ or []):
        print(f"\n{step.classic.name}", flush=True)
        tell = partial(_tell_classic, step.classic, json_=None, drawn=True)
        made = tell(step.directory) if step.finished else _execute(step.scenario, step.directory, step.begun, Here(), tell)
        if made > 1:  # it was told to end, and so are the others
            return made
        code = max(code, made)
    found = sequence.reproduced(out or RESULTS / "classics")
    for line in listing.verdicts(found):
        print(line)
    _put(json_, json.dumps([one.values for one in found], indent=2, ensure_ascii=False))
    return code


def _tell_classic(classic: "Classic", directory: Path, json_: str | None, drawn: bool = False) -> int:
    """Say what a run of a classic reproduces, and draw it; with `drawn` the run's own charts and page too."""
    from rich.console import Console

    from pushbench import report
    from pushbench.charts.classics import picture
    from pushbench.classics import reading, text

    read = results.load(directory)
    made = classic.judge(reading.evidence(read, classic))
    if not read.manifest["finished_at"]:
        _tell(f"{directory} is not finished: told is what it has so far")
    _put(json_, json.dumps(text.plain_values(classic, made), indent=2, ensure_ascii=False))
    if json_ == "-":
        return int(text.doubted(read.trials))
    for line in text.head(classic, _width()):
        print(line)
    print()
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    _print(console, text.table(made))
    for line in text.lines(classic, made, _width()):
        print(line)
    drawing = directory / "charts" / "classic"
    report.save(picture(classic, made), drawing)
    print(drawing.with_suffix(".png"))
    if drawn:
        print(report.write(read))
    return 1 if _print_doubts(read) else 0


@app.command()
def conform(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="servers: a name (see `pushbench list`), a contract's file, or a URL; default all that are installed"
        ),
    ] = None,
    transport: Annotated[
        list[str] | None, typer.Option("--transport", help="look at this one alone; may be repeated")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="over TLS, with certificates made for this")] = False,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write the results as JSON; - prints that alone")
    ] = None,
) -> int:
    """Look whether servers do what their contracts claim; exit 1 if one does not.

    Example: pushbench conform nchan
    """
    import asyncio

    from pushbench import certificates, conformance, conformance_text, contract, environment
    from pushbench.run import Secured
    from pushbench.scenario_keys import Load
    from pushbench.target import TargetFailed

    told = [contract.known(name) for name in targets or contract.names()]
    found: dict[str, list[conformance.Result]] = {}
    with open(os.devnull, "w") if json_ == "-" else nullcontext(sys.stdout) as out:  # noqa: PTH123
        for known in told:
            if why := known.missing() or ("" if known.ways else f"{known.name} is a floor, and speaks no HTTP"):
                if targets:
                    raise ResultsError(why)
                print(f"skipped: {why}", file=out)
                continue
            claimed = known.contract.transports
            if unclaimed := [name for name in transport or () if name not in claimed]:
                raise ResultsError(f"{known.name} does not claim {unclaimed[0]}; it does {', '.join(claimed)}")
            print(f"{known.name}: {known.contract.title}", file=out, flush=True)
            tell = partial(_say, conformance_text.line, out)
            asked = Load(transport=next(iter(claimed)), subscribers=1, tls=tls or known.contract.url.startswith("https:"))
            if asked.tls and (why := certificates.missing() or known.refusal_of_tls()):
                raise ResultsError(why)
            secured = Secured("127.0.0.1")
            cores = environment.placed().server
            looking = conformance.examined(known, cores, only=transport or (), secured=secured, tls=asked.tls, tell=tell)
            try:
                found[known.name] = asyncio.run(looking)
            except TargetFailed as failed:
                raise ResultsError(str(failed)) from None
            finally:
                secured.close()
    failures = conformance_text.failures(found)
    _put(json_, json.dumps({name: conformance.plain_values(results) for name, results in found.items()}, indent=2))
    if json_ != "-":
        from rich.console import Console

        print()
        _print(Console(), conformance_text.table(found))
        for failure in failures:
            print(failure)
        for name, results in found.items():
            print(conformance_text.verdict(name, results))
    return int(bool(failures))


def _say(words: Callable[[Any], str], out: TextIO, what: object) -> None:
    print(words(what), file=out, flush=True)


@app.command()
def wire(
    transport: Annotated[str | None, typer.Argument(help="a transport to capture, or a file that --json wrote")] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="the server: a name, a contract's file, or a URL; default starlette")
    ] = None,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write it all as JSON; - prints that alone")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="write it as one page")] = None,
    example: Annotated[bool, typer.Option("--example", help="show the examples of RFC 6455, and capture nothing")] = False,
) -> int:
    """Capture one exchange, and say of every byte what it is and who waited for whom.

    Example: pushbench wire websocket --html websocket.html
    """
    from rich.console import Console

    from pushbench.anatomy import asked, record, text
    from pushbench.anatomy.page import page

    exchange = asked.exchange(transport, target, example=example)
    _put(json_, record.text(exchange))
    if html:
        _write(html, page(exchange))
    if json_ != "-":
        console = Console()
        if not console.is_terminal:
            console.width = WIDEST
        text.show(console, exchange)
    return 0


@app.command()
def lies(
    names: Annotated[list[str] | None, typer.Argument(help="which of them; default all")] = None,
    times: Annotated[int, typer.Option(help="repetitions of each, 1 to 100")] = 3,
    out: Annotated[Path | None, typer.Option(help="directory for what comes of it; default results/lies-TIME")] = None,
    json_: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="write it all as JSON too; - prints that alone")
    ] = None,
) -> int:
    """Run benchmarks that mislead, beside such that do not, on the same server; exit 1 if one is not twofold off each time.

    Example: pushbench lies closed_loop rss_over_n --times 5
    """
    from pushbench.lies import gallery, showing, text
    from pushbench.lies.store import text_of

    if not 1 <= times <= 100:
        raise typer.BadParameter(f"--times {times} is not from 1 to 100: a repetition of all takes two minutes")
    made, directory = showing.show(gallery.chosen(names or []), times, RESULTS, out)
    _put(json_, text_of(made).rstrip("\n"))
    if json_ != "-":
        for line in text.lines(made.shown, _width()):
            print(line)
        print(directory)
    return int(not all(shown.holds for shown in made.shown))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(
    context: typer.Context,
    demo: Annotated[
        bool, typer.Option("--demo", help="show the transports side by side in a browser; takes --port and --open")
    ] = False,
) -> int:
    """Run the server alone, to try it by hand; takes the options of `python -m servers`.

    Example: pushbench serve --port 8000, then curl -N http://127.0.0.1:8000/stream
    """
    if demo:
        from pushbench.demo import serving

        try:
            serving.serve(context.args)
        except serving.DemoError as error:
            raise ResultsError(str(error)) from None
        return 0
    os.execv(sys.executable, [sys.executable, "-m", "servers", *context.args])


@app.command()
def doctor(
    scenario: Annotated[
        str | None, typer.Argument(help="what is to be run, as for `run`; default the largest that comes with the suite")
    ] = None,
) -> int:
    """Look whether this machine can measure, and say what would make it better; exit 1 if something should be.

    Example: pushbench doctor overview
    """
    from pushbench.diagnosis import Severity
    from pushbench.doctor import examine, told

    paths = [find(scenario)] if scenario else sorted(SCENARIOS.glob("*.toml"))
    findings = examine([load(path) for path in paths])
    for finding in findings:
        print(told(finding, _width()))
    ills = sum(finding.severity == Severity.WARN for finding in findings)
    print(f"{ills} of {len(findings)} should be better" if ills else "fit to measure on")
    return 1 if ills else 0


def _newest() -> Path:
    found = results.runs(RESULTS)
    if not found:
        raise ResultsError(f"no run is in {RESULTS}: name one, or make one with `pushbench run overview`")
    return found[-1]


def _report(directory: Path) -> int:
    """Draw, write the page, print the table; pandas and matplotlib are imported only for this."""
    from pushbench import report

    read = results.load(directory)
    if read.trials.empty:
        raise ResultsError(f"{directory} has no finished trial yet: go on with --resume")
    page = report.write(read)
    _print_tables(read)
    for path in (page, *sorted((directory / "charts").glob("*.png"))):
        print(path)
    return 1 if _print_doubts(read) else 0


def _report_cut_off(store: Store, left: int, about: str) -> None:
    """What there is of a run that was told to end: table and page, without the charts, which would take seconds."""
    kept, go_on = len(store.done), "the same command with --resume goes on from there"
    if not kept:
        _tell(f"interrupted before a trial was finished; {go_on}")
        return
    from pushbench import report

    read = results.load(store.directory)
    page = report.write_undrawn(read)
    with suppress(OSError):  # a terminal that has been closed shows nothing any more
        _print_tables(read)
        print(page)
        _print_doubts(read)
        sys.stdout.flush()
    drawn = f"pushbench report {store.directory} draws the charts"
    _tell(
        f"interrupted; {kept} of {about}{kept + left} trials are finished and kept: {go_on}; {drawn}"
        if left
        else f"interrupted; all {kept} trials are finished and kept: {drawn}"
    )


def _print_tables(read: Run) -> None:
    """Print all that is to be said of a run in figures."""
    from rich.console import Console

    from pushbench import agreement, capacity, conclusions, crossover_text, ratios, summary

    found = capacity.table(read.trials)  # of a search, the steps have been told as they were made, and are on the page
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    others = (*summary.tables(read.trials), ratios.table(read.trials), crossover_text.table(read.trials))
    for made in (found,) if found else others:
        if made:
            _print(console, made)
    if not found and (sentences := agreement.told(read.trials)):
        console.print("Beside the models", style="bold underline")
        for sentence in sentences:
            console.print(sentence, highlight=False, markup=False)
        console.print()
    if sentences := conclusions.told(read.trials, read.manifest["charts"]):
        console.print("In short", style="bold underline")
        for sentence in sentences:
            console.print(sentence, highlight=False, markup=False)
        console.print()


def _print_doubts(read: Run) -> int:
    """Say how many trials are not to be believed, if any are; returns their number.

    A search goes beyond what can be believed on purpose: there it is how many answers are the load side's.
    """
    from pushbench import capacity

    if capacity.searched(read.trials):
        if doubted := capacity.doubtful(read.trials):
            print(f"{_bounds(read.trials)}; pushbench check {read.path} says why")
        return doubted
    doubted = sum(not Verdict(verdict).believable for verdict in read.trials["verdict"])
    if doubted:
        print(f"{doubted} of {len(read.trials)} trials are not to be believed; pushbench check {read.path} says why")
    return doubted


def _bounds(trials: "DataFrame") -> str:
    """Of how many cells a search could only give a lower bound."""
    from pushbench import capacity

    cells = trials["cell"].nunique()
    return f"lower bounds, because the load side gave in: {capacity.doubtful(trials)} of {cells} capacities"


def _width() -> int:
    """How wide prose is wrapped: as the terminal is, within what reads well."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def _print(console: "Console", made: "Table") -> None:
    """Print a table of texts and its notes."""
    from pushbench import terminal

    if made.title:
        console.print(made.title, style="bold underline")
    width = console.width
    for part in terminal.parts(made, width):
        # A terminal may wrap a line, but no number is cut.
        needed = console.measure(part, options=console.options.update(width=LONGEST_LINE)).maximum
        console.width = max(width, needed)
        console.print(part)
        console.print()
    console.width = width
    for note in made.notes:
        console.print(note, style="dim")
    console.print()
