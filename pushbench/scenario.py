"""A scenario: a question, the cells that answer it, and the order in which they are tried.

It knows how a scenario file becomes cells and a schedule, and touches nothing but that file. How a cell is loaded,
measured or drawn is not known here. Its parts: `scenario_keys` (what a key takes), `scenario_toml` (text and overrides,
taken apart), `scenario_cells` (the grid, and what contradicts what), `scenario_search` (a search in the place of a key),
`scenario_errors` (how a mistake is told).
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pushbench.scenario_cells import Origin, cell_problems, cells_of, phase_problems
from pushbench.scenario_errors import KeyPath, Places, Problem, ScenarioError, dotted, nearest, problems_of, shown
from pushbench.scenario_keys import CHART_NAMES, Head, Load, Phases, Repeat, Search, Table
from pushbench.scenario_search import (
    asked_for,
    at,
    end_problems,
    range_of,
    search_phase_problems,
    search_problems,
    with_start,
)
from pushbench.scenario_toml import Draft, read
from pushbench.search import Range
from pushbench.shards import files_each

__all__ = [
    "CHART_NAMES",
    "Load",
    "Phases",
    "Repeat",
    "Scenario",
    "ScenarioError",
    "Search",
    "check_files",
    "files_needed",
    "find",
    "load",
    "loads",
]

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
"""Where a scenario is looked up by its bare name: the folder of the checkout."""

_FILES_BESIDE = 64
"""What a process keeps open beside one socket a subscriber: pipes, event loop, libraries, and room to spare."""

UNEVEN = 1.05
"""How many times its part one of several server processes may get: the kernel deals connections by their hash."""

_T = TypeVar("_T", bound=Table)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that holds together: made by `load` and `loads`, which refuse any other."""

    name: str
    """The file's name, without folder and `.toml`."""
    source: str
    """The file's text, verbatim."""
    overrides: tuple[str, ...]
    """Each `key=value` that was laid over the text, in order."""
    title: str
    description: str
    charts: tuple[str, ...]
    phases: Phases
    repeat: Repeat
    search: Search | None
    """What is searched for in each cell; None if the cells are tried as they are."""
    cells: tuple[Load, ...]
    """Every cell once, in the file's order: the last key of a grid varies fastest. What is searched is at its start."""
    grid_keys: tuple[str, ...]
    """The load keys in which the trials differ, in the order of the columns: those of the cells, and the one searched."""
    places: Places = field(repr=False, compare=False)
    """Where in the file each value is."""
    origins: tuple[Mapping[str, KeyPath], ...] = field(repr=False, compare=False)
    """For each cell, the path of every load key."""

    @property
    def schedule(self) -> tuple[tuple[int, int], ...]:
        """Every trial, or every search, as (cell from 0, trial from 1), in the order of execution.

        Round by round: each round tries every cell once, in an order drawn from the seed. So a machine that slowly gets
        hotter or busier harms all cells alike, and the trials of one round may be paired. More rounds leave the earlier
        ones as they were.
        """
        # Of a seeded Random, only random() is promised to draw the same in every version of Python; shuffle() is not.
        draws = random.Random(self.repeat.seed)
        return tuple(
            (cell, trial)
            for trial in range(1, self.repeat.trials + 1)
            for cell in sorted(range(len(self.cells)), key=lambda _: draws.random())
        )

    def only(self, cells: Sequence[int]) -> "Scenario":
        """The same with these cells alone."""
        return replace(
            self,
            cells=tuple(self.cells[number] for number in cells),
            origins=tuple(self.origins[number] for number in cells),
        )

    @property
    def heaviest(self) -> tuple[Load, ...]:
        """Every cell as heavy as it may become: where something is searched, at the limit."""
        if not self.search:
            return self.cells
        return tuple(at(cell, self.search.key, self.search.limit) for cell in self.cells)

    @property
    def within(self) -> Range:
        """Where the search goes on; only for a scenario that has one."""
        assert self.search
        return range_of(self.search, self.phases, max(cell.burst for cell in self.cells))

    def at(self, cell: int, value: float) -> Load:
        """A cell's load at a value of what is searched; only for a scenario that has a search."""
        assert self.search
        return at(self.cells[cell], self.search.key, value)

    def label(self, cell: Load) -> str:
        """A cell in words: its transport, and whatever else varies, as `websocket, subscribers=1000`."""
        others = (f"{key}={shown(getattr(cell, key))}" for key in self.grid_keys if key != "transport")
        return ", ".join((cell.transport, *others))

    def planned_s(self, cell: Load) -> float:
        """About how many seconds the phases of one trial take; starting, connecting and stopping are not counted."""
        phases = self.phases
        straggling_s = (cell.polled_ms + cell.line_ms) / 1000 if phases.measure_s > 0 else 0.0
        return max(1, phases.plateaus) * phases.settle_s + phases.warmup_s + phases.measure_s + straggling_s

    def refusal(self, cell: Load, key: str, says: str) -> ScenarioError:
        """The error to raise because of one cell's value of a load key; it points at where that was written."""
        path = self.origins[self.heaviest.index(cell)][key]
        if self.search and key == self.search.key:
            path, key = ("search", "limit"), "limit"
        return self.places.error([Problem(dotted(str(path[0]), key), says, (path,))])


def files_needed(cell: Load) -> int:
    """How many files one process of this cell has open at once, at most.

    The server has one for each subscriber, unless it is several processes, the relay two, and so has a swarm whose
    connections end on purpose: it counts their last bytes. But a swarm is divided among as many processes as it needs,
    unless the cell says among how many.
    """
    return math.ceil(cell.subscribers * _files_each(cell)) + _FILES_BESIDE


def _files_each(cell: Load) -> float:
    """Of the process that needs most, by subscriber of all. A swarm that may be divided is no limit."""
    server = UNEVEN / cell.server_workers if cell.server_workers > 1 else 1
    return max(2 if cell.relayed else server, files_each(cell) / cell.swarms if cell.swarms else 0)


def check_files(scenario: Scenario, limit: int) -> None:
    """Raise ScenarioError if a process that may open `limit` files cannot hold the scenario's largest cell."""
    cell = max(scenario.heaviest, key=files_needed)
    need = files_needed(cell)
    if need > limit:
        most = max(1, int((limit - _FILES_BESIDE) / _files_each(cell)))
        says = (
            f"{cell.subscribers} ({scenario.label(cell)}) needs {need} open files, and a process may open {limit}; "
            f"raise that with `ulimit -n {need}`, or take at most {most} subscribers"
        )
        if cell.server_workers == 1 and not cell.relayed:
            says += ", or several processes of the server (server_workers)"
        raise scenario.refusal(cell, "subscribers", says)


def find(name_or_path: str) -> Path:
    """The file of a scenario given by its bare name, such as `overview`, or by a path.

    Raises ScenarioError, which names the nearest scenario and all there are, if there is none.
    """
    known = {path.stem: path for path in sorted(SCENARIOS.glob("*.toml"))}
    path = Path(name_or_path)
    if name_or_path in known:
        path = known[name_or_path]
    elif not (name_or_path and path.exists()):
        hint = nearest(path.stem, known)
        raise ScenarioError(
            f"{name_or_path or shown('')}: no such scenario{', ' + hint if hint else ''} "
            f"(known by name: {', '.join(known) or 'none'}; else give the path of a TOML file)"
        )
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def load(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file; see `loads`. Also raises ScenarioError if the file cannot be read, or is not UTF-8."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file, expected a scenario's TOML file; look at its name") from None
    except IsADirectoryError:
        raise ScenarioError(f"{path}: a directory, expected a TOML file; name a file in it") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}); look at its permissions") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8, which TOML must be"
        raise ScenarioError(f"{path}:{line}: {wrong}; save the file as UTF-8") from None
    return loads(text, str(path), overrides)


def loads(text: str, name: str, overrides: Sequence[str] = ()) -> Scenario:
    """Make a scenario of a TOML text.

    `name` is the file's name, for errors and results. `overrides` are `key=value`: the key alone or with its table
    (`phases.measure_s`), the value as TOML or as a bare word. Raises ScenarioError for the first mistake, and
    counts the others.
    """
    draft = read(text.removeprefix("\ufeff"), name, overrides)
    problems: list[Problem] = []
    head = _table(Head, "", draft, problems)
    phases = _table(Phases, "phases", draft, problems)
    repeat = _table(Repeat, "repeat", draft, problems)
    wrong: list[Problem] = []
    search = _table(Search, "search", draft, wrong) if asked_for(draft, wrong) else None
    if search and not (wrong := list(search_problems(draft, search))):
        draft = with_start(draft, search)
    problems += wrong
    cells = [] if wrong else cells_of(draft, problems)  # without what is searched, every cell would lack a key
    if phases:
        problems += phase_problems(phases)
        problems += search_phase_problems(phases) if search else ()
        problems += [problem for cell, origin in cells for problem in _contradictions(search, phases, cell, origin)]
    if problems or not (head and phases and repeat):
        raise draft.places.error(problems)
    loaded = tuple(cell for cell, _ in cells)
    return Scenario(
        name=Path(name).stem,
        source=text,
        overrides=tuple(overrides),
        title=head.title,
        description=head.description,
        charts=head.charts,
        phases=phases,
        repeat=repeat,
        search=search,
        cells=loaded,
        grid_keys=tuple(
            key
            for key in Load.model_fields
            if (search and key == search.key) or len({getattr(cell, key) for cell in loaded}) > 1
        ),
        places=draft.places,
        origins=tuple(origin for _, origin in cells),
    )


def _contradictions(search: Search | None, phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory between the phases and a cell; of one that is searched, at both ends."""
    return end_problems(search, phases, cell, origin) if search else cell_problems(phases, cell, origin)


def _table(model: type[_T], name: str, draft: Draft, problems: list[Problem]) -> _T | None:
    """One table held to its model; None, and its problems added to the others, if it does not fit."""
    try:
        return model.model_validate(draft.tables[name])
    except ValidationError as invalid:
        problems += problems_of(name, invalid)
        return None
