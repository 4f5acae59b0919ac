"""In what two runs differ before anything is measured: machine, installation, placement, scenario.

It reads two manifests. What the differences do to the figures is not known here.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NOWHERE = "–"
"""Stands for a key that one of the two does not have."""

WORDS = {"title", "description", "charts"}
"""Keys of a scenario that change what is said of the figures, and not the figures."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key that two runs do not share, and what each has of it, in words."""

    key: str
    base: str
    candidate: str

    def __str__(self) -> str:
        return f"{self.key}: {self.base} -> {self.candidate}"


def differences(base: Mapping[str, Any], candidate: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Compare two runs' manifests (the content of run.json), in the order of the first one's keys."""
    before, after = (dict(_facts(manifest)) for manifest in (base, candidate))
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = (_said(facts[key]) if key in facts else NOWHERE for facts in (before, after))
        if one != other:
            found.append(Difference(key, one, other))
    return tuple(found)


def _facts(manifest: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield from manifest["environment"].items()
    for role, cores in manifest["placement"].items():
        yield f"{role} on core", cores
    for key, value in manifest.get("cluster", {}).items():
        yield f"cluster, {key}", value
    scenario = manifest["scenario"]
    yield "scenario", scenario["name"]
    for key, value in _flat(tomllib.loads(scenario["source"].removeprefix("\ufeff"))):
        if key not in WORDS:
            yield f"scenario, {key}", value
    if scenario["overrides"]:
        yield "--set", scenario["overrides"]


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """The keys of a scenario with their tables, as `phases.measure_s`: a comment or a line's place makes no difference."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, Mapping):  # one of several [[grid]] tables
        return "{" + ", ".join(f"{key} = {_said(one)}" for key, one in value.items()) + "}"
    return "unknown" if value is None else str(value)
