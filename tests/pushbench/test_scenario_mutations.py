"""Mutated scenarios: whatever is done to a scenario's text, its values or an override, it is sound or refused in one line.

A sound one is not run: that it is read is all that is asked of it here.
"""

import codecs
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from pushbench import cli, run
from pushbench.scenario import SCENARIOS, ScenarioError, load, loads
from pushbench.scenario_keys import TABLES

pytestmark = pytest.mark.slow

SHIPPED = {path.name: path.read_text(encoding="utf-8") for path in sorted(SCENARIOS.glob("*.toml"))}
TEXTS = st.sampled_from([*SHIPPED.values()])
FILE = "mutated.toml"
LONGEST = 700
"""Characters of a refusal: it is to be read."""
COUNTED = settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A directory with nothing in it, in which no run may be begun."""

    def begun(*arguments: object) -> None:
        pytest.fail("a run was begun")

    with pytest.MonkeyPatch.context() as patch, chdir(tmp_path_factory.mktemp("mutations")):
        patch.setattr(run, "open_store", begun)
        yield


def told(*arguments: str) -> str:
    """What a command says that must refuse, and touch nothing."""
    before = sorted(Path().rglob("*"))
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.invoke(["run", *arguments])
    said = err.getvalue()
    assert code == 2, said
    assert out.getvalue() == ""
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    assert said[:-1].isprintable(), "whatever a file holds, it does nothing to the terminal"
    assert len(said) < LONGEST
    assert sorted(Path().rglob("*")) == before
    return said


def is_sound_or_refused_with_its_place(content: bytes) -> None:
    Path(FILE).write_bytes(content)
    try:
        load(Path(FILE))
    except ScenarioError:
        place = re.match(rf"pushbench: {re.escape(FILE)}:(\d+): ", said := told(FILE))
        assert place, said
        assert 1 <= int(place[1]) <= content.count(b"\n") + 1


# The text


STRANGE = [
    *("\0", "\x0b", "\r", "\t", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ud7ff"),
    *("é", "²", "\U0001f600"),
]
DEEP = f"{{{'a.' * 1500}b = 1}}"
JUNK = [
    *("[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "'''", "=", ".", ",", "#", "\\", "\\u0000", "\n", "\r\n", " "),
    *("[load]", "[[load]]", "[grid]", "[[grid]]", "[load.rate_hz]", "[phases]\n"),
    *("title = 1\n", "x = 1\n", 'grid = "sse"\n', "load.x.y = 1\n"),
    *("-0.0", "nan", "-inf", "1e999", "1_000", "9" * 4300, "9" * 4301, "0" * 500, "0x" + "f" * 5000),
    *("1979-05-27", "07:32:00Z", "true", "[[1], [2]]", "{a = {b = [1]}}", "[" * 300 + "]" * 300),
    *("a." * 1500 + "b = 1\n", "rate_hz." * 1500 + "b = 1\n", f"[{DEEP}, {DEEP}]", "[" * 5000 + "]" * 5000),
    *STRANGE,
]


def lines_changed(change: Callable[[list[str], int, int], None]) -> Callable[[str, int, int, str], str]:
    def changed(text: str, one: int, other: int, junk: str) -> str:
        lines = text.splitlines(keepends=True) or [""]
        change(lines, one % len(lines), other % len(lines))
        return "".join(lines)

    return changed


def _delete(lines: list[str], one: int, other: int) -> None:
    del lines[one]


def _duplicate(lines: list[str], one: int, other: int) -> None:
    lines.insert(other, lines[one])


def _swap(lines: list[str], one: int, other: int) -> None:
    lines[one], lines[other] = lines[other], lines[one]


def _join(lines: list[str], one: int, other: int) -> None:
    lines[one] = lines[one].rstrip("\n")


MUTATIONS: list[Callable[[str, int, int, str], str]] = [
    lines_changed(_delete),
    lines_changed(_duplicate),
    lines_changed(_swap),
    lines_changed(_join),
    lambda text, one, other, junk: text[: one % (len(text) + 1)],
    lambda text, one, other, junk: text[one % (len(text) + 1) :],
    lambda text, one, other, junk: text[: one % (len(text) + 1)] + junk + text[one % (len(text) + 1) :],
    lambda text, one, other, junk: text.replace("10", junk, 1),
    lambda text, one, other, junk: re.sub(r"= .*", lambda found: f"= {junk}", text, count=1 + one % 5),
    lambda text, one, other, junk: text.replace("\n", "\r\n"),
    lambda text, one, other, junk: text.replace("\n", "\r", 1),
    lambda text, one, other, junk: text.replace("_", junk, 1),
    lambda text, one, other, junk: text.swapcase(),
    lambda text, one, other, junk: f"{text}\n{junk}",
    lambda text, one, other, junk: f"{junk}\n{text}",
]
ENCODINGS: list[Callable[[str], bytes]] = [
    str.encode,
    lambda text: codecs.BOM_UTF8 + text.encode(),
    lambda text: codecs.BOM_UTF8 * 2 + text.encode(),
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-32-be"),
    lambda text: text.encode("latin-1", errors="replace") + b"\xe9",
    lambda text: text.encode("cp037", errors="replace"),
    lambda text: text.encode() + b"\xf0\x9f",
    lambda text: text.encode() * 3,
]


@st.composite
def mutated_texts(draw: st.DrawFn) -> bytes:
    text = draw(TEXTS)
    # What a hand slips on is inside the text, not in the comment above it.
    if draw(st.booleans()):
        text = text[text.index("title =") :]
    numbers = st.integers(0, 5000)
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4)):
        text = mutate(text, draw(numbers), draw(numbers), draw(st.sampled_from(JUNK) | st.text(max_size=5)))
    encode = draw(st.sampled_from(ENCODINGS)) if draw(st.integers(0, 5)) == 0 else str.encode
    return encode(text)


@given(mutated_texts())
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"\0")
@COUNTED
def test_a_text_that_was_changed_is_sound_or_refused_with_its_place(content: bytes) -> None:
    is_sound_or_refused_with_its_place(content)


# The values


class Raw(str):
    """A value as it is to be written."""


SCALARS = (
    st.none().map(lambda _: -0.0)
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, 2, 83, 1000, 10**6, 10**18, 10**400])
    | st.sampled_from([Raw(f"0x{'f' * 5000}"), Raw("1e999"), Raw(f"{'[' * 200}{']' * 200}"), Raw("1" * 4300)])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["sse", "websoket", "10", "", "x" * 5000, *STRANGE])
    | st.dates()
    | st.times()
    | st.datetimes()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "rate_hz", "", "ü b"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [key for table in TABLES.values() for key in table.model_fields]
    + ["grid", "load", "phases", "repeat", "titel", "subscriber", "", "a.b", "ü", "\x7f", "k" * 3000]
)


def toml(value: Any) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return f"{{{', '.join(f'{toml(key)} = {toml(one)}' for key, one in value.items())}}}"


def written(tree: dict[str, Any], as_tables: bool) -> str:
    """A whole text: with headers, as it is usual, or with its tables inline."""
    top = {key: value for key, value in tree.items() if not (as_tables and isinstance(value, dict))}
    below = {key: value for key, value in tree.items() if key not in top}
    lines = [f"{toml(key)} = {toml(value)}" for key, value in top.items()]
    for name, table in below.items():
        lines += [f"[{toml(name)}]", *(f"{toml(key)} = {toml(value)}" for key, value in table.items())]
    return "\n".join(lines)


@st.composite
def mutated_values(draw: st.DrawFn) -> bytes:
    tree: dict[str, Any] = tomllib.loads(draw(TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        tables = [tree, *(value for value in tree.values() if isinstance(value, dict))]
        grids = tree.get("grid")
        tables += [grid for grid in grids if isinstance(grid, dict)] if isinstance(grids, list) else []
        table = draw(st.sampled_from(tables))
        key = draw(st.sampled_from(sorted(table))) if table and draw(st.booleans()) else draw(KEYS)
        deed = draw(st.sampled_from(["take out", "replace", "wrap", "repeat", "move"]))
        if deed == "replace" or key not in table:
            table[key] = draw(VALUES)
        elif deed == "take out":
            del table[key]
        elif deed == "wrap":
            table[key] = draw(st.sampled_from([[table[key]], {"a": table[key]}, [[table[key]]], [{"": table[key]}]]))
        elif deed == "repeat" and isinstance(table[key], list) and len(table[key]) < 100:  # once is long enough
            table[key] = table[key] * draw(st.sampled_from([0, 2, 3000]))
        else:
            draw(st.sampled_from(tables))[draw(KEYS)] = table.pop(key)
    return written(tree, draw(st.booleans())).encode()


def test_the_texts_are_written_as_they_are_read() -> None:
    for text in SHIPPED.values():
        for as_tables in (True, False):
            assert loads(written(tomllib.loads(text), as_tables), "x.toml").cells == loads(text, "x.toml").cells


@given(mutated_values())
@COUNTED
def test_values_that_were_changed_are_sound_or_refused_with_their_place(content: bytes) -> None:
    tomllib.loads(content.decode())  # it is TOML, whatever it says
    is_sound_or_refused_with_its_place(content)


# Overrides


@st.composite
def overrides(draw: st.DrawFn) -> str:
    table = draw(st.sampled_from(["", "", "", "load.", "grid.", "phases.", "repeat.", "head.", ".", "grid.0."]))
    equals = draw(st.sampled_from(["=", "=", "=", " = ", "==", ":", ""]))
    value = draw(
        VALUES.map(toml)
        | st.text(max_size=12)
        | st.sampled_from([*JUNK, "[sse,]", "[,]", "[sse, [sse]]", "sse,websocket", "1;2", "\udcff", "x" * 5000])
    )
    return f"{table}{draw(KEYS)}{equals}{value}"


@given(st.sampled_from(sorted(SHIPPED)), overrides() | st.text(max_size=20))
@example("overview.toml", "rate_hz=\udcff")
@COUNTED
def test_an_override_that_is_none_is_refused_and_named(name: str, override: str) -> None:
    scenario = name.removesuffix(".toml")
    try:
        load(SCENARIOS / name, [override])
    except ScenarioError:
        assert told(scenario, f"--set={override}").startswith("pushbench: --set ")
