"""A scenario's text and its overrides, taken apart into tables, with the place that each value came from.

It knows TOML and the names of the tables. What the values must be is not known here.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushbench.scenario_errors import (
    KeyPath,
    Places,
    Problem,
    ScenarioError,
    cut,
    dotted,
    named,
    nearest,
    one_of,
    shown,
    unknown_key,
)
from pushbench.scenario_keys import TABLES, Load

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"(?P<array>\[\[|\[)[ \t]*(?P<key>{_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"(?P<key>{_DOTTED})[ \t]*=")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}'''  # strings over several lines
    r"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*"""  # strings and comments
    r"""|\n|[\[{]|[\]}]|[ \t\r]+|[^\s"'\#\[\]{}]+""",
    re.DOTALL,
)
_POSITION = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_BARE_WORD = re.compile(r"[^\W\d].*")

MAX_DEPTH = 10
"""Lists and tables in each other; a scenario has four: tables of `[[grid]]` in a list, with lists of values."""
LONGEST_MESSAGE = 100
"""How much is told of what the TOML reader says: it repeats whole keys."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario's tables, not yet held to anything but being tables."""

    tables: Mapping[str, dict[str, Any]]
    """By the names of TABLES, each there even if the file has it not."""
    grids: tuple[tuple[KeyPath, dict[str, Any]], ...]
    """Every `[[grid]]`, or the one `[grid]`, with its place; empty if there is none."""
    places: Places


def read(text: str, file: str, overrides: Sequence[str]) -> Draft:
    """Take a scenario's text apart and lay the overrides over it.

    Raises ScenarioError if the text is not TOML, a table is none, or an override is no `key=value` of a known key.
    """
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_toml(text, file, error) from None
    set_by: dict[KeyPath, str] = {}
    places = Places(file, lines_of(text), set_by)
    problems = list(_shape_problems(tree))
    if problems:
        raise places.error(problems)
    tables = {name: tree.pop(name, {}) for name in TABLES if name}
    grid = tree.pop("grid", None)
    grids = [(("grid", n), g) for n, g in enumerate(grid)] if isinstance(grid, list) else [(("grid",), grid)]
    draft = Draft({"": tree, **tables}, () if grid is None else tuple(grids), places)
    for override in overrides:
        draft = _overridden(draft, override, set_by)
    return draft


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table and key of a valid TOML text; what is inside an inline table has none."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}

    def resolved(names: Sequence[str]) -> KeyPath:
        """The path of a header: a name that is an array of tables stands for its last table so far."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            path = (*path, counts[path] - 1) if path in counts else path
        return path

    table: KeyPath = ()
    for offset, line in _statements(text):
        if header := _HEADER.match(text, offset):
            names = _names(header["key"])
            if header["array"] == "[[":
                array = (*resolved(names[:-1]), names[-1])
                counts[array] = counts.get(array, 0) + 1
                lines.setdefault(array, line)
            table = resolved(names)
            lines.setdefault(table, line)
        elif assignment := _ASSIGNMENT.match(text, offset):
            names = _names(assignment["key"])
            for length in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:length]), line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """The offset and the line of everything that starts outside all brackets: headers and assignments."""
    line, depth, fresh = 1, 0, True
    for token in _TOKEN.finditer(text):
        found = token[0]
        if found == "\n":
            fresh = fresh or depth == 0
        elif found[0] not in " \t\r#":
            if fresh:
                yield token.start(), line
            fresh = False
            depth += (found in "[{") - (found in "]}")
        line += found.count("\n")


def _names(key: str) -> list[str]:
    """A dotted key's parts, without quotes and escapes."""
    return [next(iter(tomllib.loads(f"{part} = 0"))) for part in re.findall(_KEY, key)]


def _not_toml(text: str, file: str, error: Exception) -> ScenarioError:
    message = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a value is too large or nested too deeply"
    position = _POSITION.search(message)
    line = (position and position["line"]) or str(text[:-1].count("\n") + 1)  # TOML ends a line with nothing else
    column = f"column {position['column']}: " if position and position["column"] else ""
    # tomllib begins with "Cannot" whatever it was given twice.
    twice = message.startswith("Cannot")
    hint = "give each table and key once" if twice else "text is written in quotes, a list in [ ], a comment after #"
    return ScenarioError(f"{file}:{line}: {column}not TOML: {cut(_POSITION.sub('', message), LONGEST_MESSAGE)}; {hint}")


def _shape_problems(tree: Mapping[str, Any]) -> Iterator[Problem]:
    """Whatever of the known tables is no table, or is nested too deeply to be looked at."""
    for name, value in tree.items():
        if _too_deep(value):
            within = value if isinstance(value, dict) else {}
            path = (name, *([key for key, one in within.items() if _too_deep(one)][:1]))
            says = f"lists or tables nested more than {MAX_DEPTH} deep, and no key takes that; write a plain value"
            yield Problem(dotted(*path), says, (path,))
            return
    for name in ("load", "search", "phases", "repeat"):
        if not isinstance(tree.get(name, {}), dict):
            says = f"{shown(tree[name])} is not a table; write it as [{name}], with a line for each of its keys"
            yield Problem(name, says, ((name,),))
    grid = tree.get("grid", {"": ()})
    tables = grid if isinstance(grid, list) else [grid]
    if not all(isinstance(table, dict) for table in tables):
        says = f"{shown(grid)} is not a table; write [grid], with a line `key = [values]` for each key that varies"
        yield Problem("grid", says, (("grid",),))
    elif not all([*tables, tables]):
        number = tables.index({}) if {} in tables else 0
        says = "empty, expected at least one `key = [values]`; add one, or leave the table out for a single cell"
        yield Problem("grid", says, (("grid", number) if isinstance(grid, list) else ("grid",),))


def _overridden(draft: Draft, override: str, set_by: dict[KeyPath, str]) -> Draft:
    """The draft with one `key=value` laid over it; notes in `set_by` what it has set.

    A list for a key of the load goes into the grid, and a single value takes the place of the grid's list. Where there
    are several `[[grid]]` tables, all of them get it, so that it holds for every cell; or, where the values are among
    theirs, each keeps those that it has.
    """
    name, equals, text = (part.strip() for part in override.partition("="))
    if not (name and equals):
        raise ScenarioError(f"{named(override)}: expected key=value, such as rate_hz=50")
    table, _, key = name.rpartition(".")
    if not table:
        table = next((other for other, model in TABLES.items() if key in model.model_fields), "")
    if table not in (*TABLES, "grid"):
        hint = nearest(table, (*TABLES, "grid")) or f"expected one of {', '.join((*filter(None, TABLES), 'grid'))}"
        raise ScenarioError(f"{named(override)}: {dotted(table)}: unknown table, {hint}")
    if key not in TABLES["load" if table == "grid" else table].model_fields:
        says = unknown_key(table, key) if table else _unknown_anywhere(key)
        raise ScenarioError(f"{named(override)}: {dotted(table, key)}: {says}")
    value = _value(override, text)
    if key not in Load.model_fields:
        set_by[(table, key) if table else (key,)] = override
        return Draft({**draft.tables, table: {**draft.tables[table], key: value}}, draft.grids, draft.places)
    load = {other: v for other, v in draft.tables["load"].items() if other != key}
    grids = draft.grids
    if isinstance(value, list) or any(key in grid for _, grid in grids):
        values = value if isinstance(value, list) else [value]
        grids = _narrowed(grids, key, values) or tuple(
            (place, {**grid, key: values}) for place, grid in grids or ((("grid",), {}),)
        )
        set_by.update({(*place, key): override for place, _ in grids})
    else:
        load[key] = value
        set_by["load", key] = override
    return Draft({**draft.tables, "load": load}, grids, draft.places)


def _narrowed(
    grids: tuple[tuple[KeyPath, dict[str, Any]], ...], key: str, values: list[Any]
) -> tuple[tuple[KeyPath, dict[str, Any]], ...]:
    """Of several grids that all list a key, those with any of these values, and of theirs only these.

    Empty if they do not all list it, or if one of the values is in none of them.
    """
    listed: list[Any] = [grid.get(key) for _, grid in grids]
    if not all(isinstance(had, list) for had in listed) or not all(any(value in had for had in listed) for value in values):
        return ()
    kept = ((place, {**grid, key: [value for value in values if value in grid[key]]}) for place, grid in grids)
    return tuple((place, grid) for place, grid in kept if grid[key])


def _unknown_anywhere(key: str) -> str:
    every = [name for model in TABLES.values() for name in model.model_fields]
    return f"unknown key, {nearest(key, every) or one_of(every)}"


def _value(override: str, text: str) -> Any:
    """An override's value: TOML, or a bare word; in a list as well, since a shell eats quotes."""
    if parsed := _parsed(text):
        return parsed[0]
    items = [text]
    if text[:1] == "[" and text[-1:] == "]":
        items = [item.strip() for item in text[1:-1].split(",") if item.strip()]
        if all(parsed := [_parsed(item) for item in items]):
            return [value for [value] in parsed]
    wrong = next(item for item in items if not _parsed(item))
    raise ScenarioError(f"{named(override)}: {shown(wrong)} is not a TOML value, expected 10, 0.5, sse, or [1, 2]")


def _parsed(text: str) -> list[Any]:
    """The one value that a text is in TOML, or as a bare word; nothing if it is neither."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        tree = {}
    if list(tree) == ["value"] and not _too_deep(tree):
        return [tree["value"]]
    return [text] if _BARE_WORD.fullmatch(text) else []


def _too_deep(value: object) -> bool:
    """Whether lists and tables are nested deeper than any key takes, and than Python compares them."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, list | dict)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
