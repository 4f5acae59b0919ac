"""How a scenario's mistake is told: one line that names file, line, key, value, what was expected, and a way out.

It knows the keys, and where in the file each one stands. It finds no mistakes itself: others hand them to it.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from pydantic import ValidationError

from pushbench.scenario_keys import TABLES, choices, expected, kind_of_value

KeyPath = tuple[str | int, ...]
"""Where a value is in the file's tree: `("phases", "measure_s")`; `("grid", 1, "rate_hz")` in the second `[[grid]]`."""

LONGEST_VALUE, LONGEST_OVERRIDE = 60, 100
"""How many characters of them are told."""

_TABLE_NAMES = ("load", "grid", "search", "phases", "repeat")

LISTED = 20
"""How many names an error lists at most."""


class ScenarioError(ValueError):
    """A scenario that cannot be run. Its text is one line, meant for a person, and complete."""

    def __init__(self, text: str) -> None:
        super().__init__(_harmless(text))


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the key as a person would write it, what is wrong with it, and where."""

    key: str
    """Dotted, with its table."""
    says: str
    """The value, what was expected, and a way out."""
    at: tuple[KeyPath, ...]
    """Every value that has a part in it, the one to look at first in front."""
    absent: bool = False
    """True if something is not there. What is there and wrong is told first, as it may be the reason."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the values of one scenario came from."""

    file: str
    lines: Mapping[KeyPath, int]
    overrides: Mapping[KeyPath, str]
    """The `key=value` of the override that set a path."""

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest thing around it that has one; from 1."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def error(self, problems: Iterable[Problem]) -> ScenarioError:
        """The first of the problems, those of overrides in front and then in the file's order, and how many more."""
        # The same wrong value may be met by many cells: it is one problem.
        ordered = sorted(dict.fromkeys(problems), key=self._position)
        first, more = ordered[0], len(ordered) - 1
        where = self._override(first) or f"{self.file}:{self.line(first.at[0])}"
        return ScenarioError(f"{where}: {first.key}: {first.says}{f' (and {more} more)' if more else ''}")

    def _override(self, problem: Problem) -> str:
        return next((named(self.overrides[path]) for path in problem.at if path in self.overrides), "")

    def _position(self, problem: Problem) -> tuple[bool, int]:
        return problem.absent, 0 if self._override(problem) else self.line(problem.at[0])


def shown(value: object) -> str:
    """A value as TOML would write it, cut at `LONGEST_VALUE` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, float) else repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or tables in tables in tables
        text = "(too large to be shown)"
    return cut(text, LONGEST_VALUE)


def named(override: str) -> str:
    """An override, as it was given."""
    return f"--set {cut(override, LONGEST_OVERRIDE)}"


def cut(text: str, longest: int) -> str:
    """The text, or its beginning; counted as it is told, without what does not print."""
    text = _harmless(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _harmless(text: str) -> str:
    """The text on one line, with its letters and no control characters: it is to be read on a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in " ".join(text.split())
    )


def dotted(*parts: str) -> str:
    """A key with its table, quoted where TOML would; the table of the keys above the first one is empty."""
    plain = (part.replace("_", "").replace("-", "").isalnum() for part in parts)
    return ".".join(cut(p, LONGEST_VALUE) if is_plain else shown(p) for p, is_plain in zip(parts, plain, strict=True) if p)


def nearest(name: str, names: Collection[str]) -> str:
    """The name that was probably meant, in words; empty if none is near."""
    match = get_close_matches(name.lower(), names, n=1)
    return f"did you mean {match[0]}?" if match else ""


def unknown_key(table: str, key: str) -> str:
    """What to say of a key that its table does not have: the key that was probably meant, and its table."""
    own = [*TABLES[_model_of(table)].model_fields, *(_TABLE_NAMES if not table else ())]
    for name, model in TABLES.items():
        if key in model.model_fields:
            return f"unknown key here, it belongs {_under(name)}"
    others = {other: name for name, model in TABLES.items() for other in model.model_fields}
    if hint := nearest(key, [*own, *others]):
        meant = hint.removeprefix("did you mean ").removesuffix("?")
        return f"unknown key, {hint}" + ("" if meant in own else f" (that belongs {_under(others[meant])})")
    return f"unknown key, {one_of(own)}"


def one_of(names: Sequence[str]) -> str:
    """`expected one of …`, with the names themselves as long as that can be read."""
    if len(names) > LISTED:
        return f"expected one of the {len(names)} in scenarios/README.md"
    return f"expected one of {', '.join(names)}"


def wrong_value(table: str, key: str, value: object, of_item: bool = False) -> str:
    """What to say of a value, or of one item of a list, that its key does not take."""
    field = TABLES[_model_of(table)].model_fields[key]
    kind, names = kind_of_value(field), choices(field)
    wanted = f"one of {', '.join(names)}" if of_item else expected(key, field)
    hint = ""
    if kind == "list of names" and not of_item:
        hint = f"; write [{shown(value)}]"
    elif names and not isinstance(value, str) and shown(value) in names:
        hint = f'; write "{shown(value)}", with the quotes'
    elif isinstance(value, str) and names:
        hint = f"; {guess}" if (guess := nearest(value, names)) else ""
    elif isinstance(value, str) and kind in ("integer", "number"):
        hint = "; numbers are written without quotes" if _is_number(value) else ""
    elif isinstance(value, float) and value.is_integer() and kind == "integer":
        hint = f"; write {int(value)}"
    elif isinstance(value, list) and table == "load":
        hint = "; a list belongs under [grid]"
    return f"{shown(value)} is not {wanted}{hint} ({field.description})"


def missing(table: str, key: str, at: KeyPath) -> Problem:
    """A key that must be there and is not."""
    also = ", or as a list under [grid]" if table == "load" else ""
    says = f"missing, expected {expected(key, TABLES[table].model_fields[key])}; add it {_under(table)}{also}"
    return Problem(dotted(table, key), says, (at,), absent=True)


def problems_of(table: str, invalid: ValidationError, at: Mapping[str, KeyPath] = MappingProxyType({})) -> list[Problem]:
    """All that pydantic found in one table; `at` tells where its keys are, if not in the table of that name."""
    problems = []
    for error in invalid.errors():
        key = str(error["loc"][0])
        path = at.get(key, (table, key) if table else (key,))
        # The keys of the load are written under [grid] as well, and then that is the table to name.
        written = str(path[0]) if table else ""
        if error["type"] == "missing":
            problems.append(missing(table, key, path))
        elif error["type"] == "extra_forbidden":
            problems.append(Problem(dotted(written, key), unknown_key(written, key), (path,)))
        else:
            says = wrong_value(written, key, error["input"], of_item=len(error["loc"]) > 1)
            problems.append(Problem(dotted(written, key), says, (path,)))
    return problems


def _model_of(table: str) -> str:
    return "load" if table == "grid" else table


def _under(table: str) -> str:
    return f"under [{table}]" if table else "above the first table"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
