"""What the lessons in `notebooks/` read: the cells of a run that answer a question, or else those of a reference run.

Cells that differ in one load key, and in the transport, are a family. A reader's own run has some of them; what it has not
is shown from the runs below `results/reference`, and said to be. It knows load keys and columns. What a lesson asks, and
what there is to learn, is not known here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from pushbench import labels, predictions, results
from pushbench.charts import draw
from pushbench.checks import Verdict
from pushbench.environment import CHECKOUT
from pushbench.results import Run
from pushbench.scenario_keys import Load
from pushbench.stats import median_interval
from pushbench.summary import MARK, Figure, digits
from pushbench.transports import TRANSPORTS, heeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

REFERENCE = CHECKOUT / "results" / "reference"
BEHIND = (REFERENCE / "lessons", REFERENCE, REFERENCE / "loss")
"""The runs that answer what a reader's own does not, in this order."""
TRANSPORT = "transport"
CALM: dict[str, Any] = {"kind": "broadcast", "pacing": "open", "server_stall_ms": 0}
"""What is taken of these keys unless a lesson asks for something else."""


Told = TypeVar("Told")


class NotMeasured(Exception):
    """Neither the reader's run nor a reference run has such cells."""


@dataclass(frozen=True)
class Family:
    """Cells that differ in their transport, in one load key `along`, and in nothing else."""

    run: Run
    along: str
    trials: pd.DataFrame

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables of the run, of these trials alone, as charts take them."""
        keys = self.trials[["cell", "trial"]]
        return {
            name: self.trials if name == "trials" else frame.merge(keys, on=["cell", "trial"])
            for name, frame in self.run.frames.items()
        }

    @property
    def values(self) -> list[Any]:
        """The values of `along`, ascending; the transports if that is what varies."""
        return (
            list(dict.fromkeys(self.trials[TRANSPORT])) if self.along == TRANSPORT else sorted(set(self.trials[self.along]))
        )

    @property
    def said(self) -> str:
        """Which cells they are, in words."""
        first = self.trials.iloc[0]
        shared = [
            key for key in ("subscribers", "rate_hz", "payload_bytes", "rtt_ms") if key != self.along and _told(key, first)
        ]
        names = ", ".join(dict.fromkeys(self.trials[TRANSPORT]))
        polls = self.trials[self.trials[TRANSPORT].map(lambda name: TRANSPORTS[name].polls)]["poll_interval_ms"]
        told = [labels.setting(key, first[key]) for key in shared]
        if polls.nunique() == 1:
            told.append(f"polled {labels.setting('poll_interval_ms', polls.iloc[0])}")
        load = ", ".join(told)
        varied = (
            "" if self.along == TRANSPORT else f" at {', '.join(labels.setting(self.along, one) for one in self.values)}"
        )
        doubted = sum(not Verdict(verdict).believable for verdict in self.trials["verdict"])
        doubt = f"; {doubted} of {len(self.trials)} trials are not to be believed ({MARK})" if doubted else ""
        return f"{names}{varied}; {load}{doubt}"

    def figures(self, **columns: str | Figure) -> pd.DataFrame:
        """A table of texts, a row a cell: the heading of each figure (`_` for a space) and its column, or itself."""
        wanted = {
            name.replace("_", " "): one if isinstance(one, Figure) else Figure(name, one) for name, one in columns.items()
        }
        rows = {
            self._index(cell): {heading: figure.said(cell) for heading, figure in wanted.items()} for cell in self.cells()
        }
        table = pd.DataFrame.from_dict(rows, orient="index")
        if self.along != TRANSPORT:
            table.index = pd.MultiIndex.from_tuples(table.index, names=[TRANSPORT, self._heading])
        return table

    def across(self, column: str, scale: float = 1.0) -> pd.DataFrame:
        """One figure: a row a transport, a column for each value of `along`, as text with its interval."""
        figure = Figure(column, column, scale)
        rows: dict[str, dict[str, str]] = {}
        for cell in self.cells():
            rows.setdefault(cell[TRANSPORT].iloc[0], {})[labels.setting(self.along, cell[self.along].iloc[0])] = (
                figure.said(cell)
            )
        columns = [labels.setting(self.along, value) for value in self.values]
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).fillna("")

    def medians(self, column: str) -> pd.DataFrame:
        """The medians across trials as numbers: a row a transport, a column for each value of `along`, or one alone."""
        names, by = list(dict.fromkeys(self.trials[TRANSPORT])), dict.fromkeys((TRANSPORT, self.along))
        found = self.trials.groupby(list(by))[column].median()
        table = found.unstack() if len(by) > 1 else found.rename("median").to_frame()
        return table.reindex(names)

    def beside(self, guesses: Mapping[str, float | None], column: str = "latency_mean_ms") -> pd.DataFrame:
        """What a reader guessed for each transport beside what was measured, and what the textbook's model says of it."""
        rows = {}
        for cell in self.cells():
            name = cell[TRANSPORT].iloc[0]
            if name not in guesses:
                continue
            value, guess = median_interval(cell[column].to_numpy(dtype=float)), guesses[name]
            model = predictions.latency({key: cell[key].iloc[0] for key in Load.model_fields})
            rows[name] = {
                "your guess": "none yet" if guess is None else digits(guess),
                "measured": Figure(column, column).said(cell),
                "model": digits(model.mean_ms) if model and column.endswith("_mean_ms") else "",
                "you were off by": ""
                if not guess or not value.mid
                else f"× {digits(max(guess / value.mid, value.mid / guess))}",
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def draw(self, chart: str) -> "Picture":
        """One of the report's charts, of these cells."""
        return draw(chart, self.frames)

    def cells(self) -> Iterator[pd.DataFrame]:
        """The trials of each cell, in the scenario's order."""
        for _, cell in self.trials.sort_values(["cell", "trial"]).groupby("cell", sort=False):
            yield cell

    def _index(self, cell: pd.DataFrame) -> Any:
        name = cell[TRANSPORT].iloc[0]
        return name if self.along == TRANSPORT else (name, labels.plain(cell[self.along].iloc[0]))

    @property
    def _heading(self) -> str:
        return labels.HEADINGS.get(self.along, self.along)


def guessed(guesses: Mapping[str, float | None], **figures: "pd.Series[float]") -> pd.DataFrame:
    """A reader's guesses beside figures, each a row a transport under its heading (`_` for a space)."""
    table = pd.DataFrame(
        {name.replace("_", " "): figure.map(digits, na_action="ignore").fillna("–") for name, figure in figures.items()}
    )
    said = [
        "none yet" if guesses.get(str(name)) is None else digits(float(guesses[str(name)] or 0)) for name in table.index
    ]
    table.insert(0, "your guess", said)
    return table


class Lesson:
    """A reader's run, and the reference runs behind it."""

    def __init__(self, path: str | Path, behind: Collection[Path] = BEHIND) -> None:
        """Read the run. Raises `ResultsError` if there is none."""
        self.run = results.load(path)
        self._behind = [one for one in behind if one.resolve() != Path(path).resolve()]

    def ask(self, along: str = TRANSPORT, measures: str = "verdict", **wanted: Any) -> Family:
        """The family of cells that answers: those of the reader's run if it has such, else of a reference run.

        `measures`: a column that must have been measured. `wanted`: what load keys have to be, each a value or a list of
        them. Says which cells they are. Raises NotMeasured.
        """
        for run in self._runs():
            found = family(run.trials[run.trials[measures].notna()], along, wanted)
            if found is not None:
                answer = Family(run, along, found)
                print(f"{_named(run.path)}{self._instead(run)}: {answer.said}.")
                return answer
        asked = ", ".join(f"{key} = {value}" for key, value in wanted.items())
        raise NotMeasured(f"no run has cells that differ in {along}" + (f" with {asked}" if asked else ""))

    def first(self, of: Callable[[pd.DataFrame], Told | None]) -> tuple[Run, Told]:
        """The first run of whose trials something can be told, and that; the reader's own if it can be told of it.

        Raises NotMeasured.
        """
        for run in self._runs():
            if told := of(run.trials):
                print(f"{_named(run.path)}{self._instead(run)}.")
                return run, told
        raise NotMeasured("no run has what it takes")

    def _instead(self, run: Run) -> str:
        return "" if run is self.run else f", because {_named(self.run.path)} has no such cells"

    def _runs(self) -> Iterator[Run]:
        yield self.run
        for path in self._behind:
            yield results.load(path)


def family(trials: pd.DataFrame, along: str, wanted: Mapping[str, Any]) -> pd.DataFrame | None:
    """The trials of the largest family along a key; None without two values of it, or without a trial that is as wanted.

    The largest is the one with the most values of `along`, then with the most transports; of several the first. A key that
    only some transports heed, as the poll interval, tells no families apart: of its values each has the default, or else
    the first.
    """
    asked = {key: value for key, value in CALM.items() if key != along} | dict(wanted)
    known = trials[trials[TRANSPORT].isin(list(TRANSPORTS)) & (trials["verdict"] != Verdict.FAILED)].sort_values(
        ["cell", "trial"]
    )
    for key, value in asked.items():
        known = known[known[key].isin(value if isinstance(value, list | tuple) else [value])]
    names = list(dict.fromkeys(known[TRANSPORT]))
    keys = [key for key in Load.model_fields if key not in (TRANSPORT, along) and known[key].nunique(dropna=False) > 1]
    common = [key for key in keys if all(heeds(name, key) for name in names)]
    groups = [part for _, part in known.groupby(common, sort=False, dropna=False)] if common else [known]
    best, size = None, (1, 0)
    for group in groups:
        parts = [
            _usual(part, [key for key in keys if key not in common]) for _, part in group.groupby(TRANSPORT, sort=False)
        ]
        if not parts:
            continue
        here = (max(part[along].nunique() for part in parts), len(parts))
        if here > size and (along == TRANSPORT or here[0] > 1):
            best, size = pd.concat(parts).sort_values(["cell", "trial"]), here
    if best is None or (along == TRANSPORT and size[1] < 2):
        return None
    return best


def _usual(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Of each key the default if there is such a cell, else the first value."""
    for key in keys:
        default = Load.model_fields[key].default
        usual = default if (rows[key] == default).any() else rows[key].iloc[0]
        rows = rows[rows[key] == usual]
    return rows


def _told(key: str, row: Any) -> bool:
    return key != "rtt_ms" or row[key] > 0


def _named(path: Path) -> str:
    """A run's directory as a reader would type it."""
    whole = path.resolve()
    return str(whole.relative_to(CHECKOUT)) if whole.is_relative_to(CHECKOUT) else str(path)
