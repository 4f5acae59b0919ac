"""Where what came of the lies is kept: one file of JSON, which a notebook reads.

It knows the file. What the numbers say is in `record`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pushbench.files import write_whole
from pushbench.lies.record import SCHEMA, Shown, as_values, from_values
from pushbench.lies.table import LIES, Lie
from pushbench.results import ResultsError

NAME = "lies.json"


@dataclass(frozen=True, slots=True)
class Gallery:
    """What came of all that were run, and on what."""

    started_at: str
    environment: Mapping[str, Any]
    shown: tuple[Shown, ...]

    @property
    def values(self) -> dict[str, Any]:
        """It as plain values."""
        lies = [_named(LIES[one.name]) | as_values(one) for one in self.shown]
        return {"schema": SCHEMA, "started_at": self.started_at, "environment": dict(self.environment), "lies": lies}


def _named(lie: Lie) -> dict[str, str]:
    return {"title": lie.title, "quantity": lie.quantity, "unit": lie.unit}


def text_of(gallery: Gallery) -> str:
    """The file's text."""
    return json.dumps(gallery.values, indent=1, ensure_ascii=False) + "\n"


def save(gallery: Gallery, path: Path) -> None:
    """Write it in one step. Raises `ResultsError` if that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text_of(gallery).encode())
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror}; choose another place") from None


PLACE = ("cores", "cpu", "python", "uvicorn")
"""What of an environment is told with the figures."""


def merged(galleries: Sequence[Gallery]) -> Gallery:
    """One of several, as begun with the first: a lie that is in more than one is as the last has it, if that has numbers.

    Raises `ResultsError` if they are of different machines.
    """
    first = galleries[0]
    found = {one.name: one for one in first.shown}
    for other in galleries[1:]:
        for key in PLACE:
            if other.environment.get(key) != first.environment.get(key):
                raise ResultsError(
                    f"{key} is {other.environment.get(key)} in the results of {other.started_at}, and "
                    f"{first.environment.get(key)} in those of {first.started_at}: measure all of them in one place"
                )
        found |= {one.name: one for one in other.shown if one.pairs}
    return replace(first, shown=tuple(found[name] for name in LIES if name in found))


def load(path: Path) -> Gallery:
    """Read it again, from the file or the directory that it is in. Raises `ResultsError` if it is something else."""
    file = path / NAME if path.is_dir() else path
    try:
        values = json.loads(file.read_text())
        if values["schema"] != SCHEMA:
            raise ResultsError(f"{file} has schema {values['schema']}, not {SCHEMA}: run `pushbench lies` again")
        shown = tuple(from_values(one) for one in values["lies"] if one["name"] in LIES)
        return Gallery(values["started_at"], values["environment"], shown)
    except FileNotFoundError:
        raise ResultsError(f"{file} is not there: make it with `pushbench lies --out {file.parent}`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{file} is no file of `pushbench lies`: {type(error).__name__}: {error}") from None
