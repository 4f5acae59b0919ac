"""Where what came of the lies is kept: one file of JSON, which a notebook reads.

It knows the file. What the numbers say is in `record`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
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
