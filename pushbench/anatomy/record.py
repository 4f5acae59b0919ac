"""An exchange as a file: JSON with what was captured and all that was made of it. Reading takes what was captured alone."""

import json
from pathlib import Path
from typing import Any

from pushbench.anatomy.costs import LABELS
from pushbench.anatomy.exchange import Exchange, Unreadable, from_plain_values, plain_values
from pushbench.anatomy.explanations import explained
from pushbench.anatomy.shape import View, view
from pushbench.environment import CHECKOUT
from pushbench.results import ResultsError

REFERENCE = CHECKOUT / "results" / "reference" / "wire"
"""Where one exchange of each transport over TCP is kept."""


def values(exchange: Exchange) -> dict[str, Any]:
    """All of it, ready for JSON."""
    made = view(exchange)
    names = {span.name for one in made.directions.values() for span in one.spans}
    return {
        **plain_values(exchange),
        "sums": {LABELS[kind]: size for kind, size in made.sums.items()},
        "timeline": [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in made.rows],
        "lives": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in made.lives],
        "costs": [dict(zip(COST_KEYS, [name, *row], strict=True)) for name, row in made.cost],
        "spans": spans(made),
        "explanations": {name: explained(name)._asdict() for name in sorted(names)},
    }


COST_KEYS = ("what", "update_down", "update_up", "exchange_down", "exchange_up")


def spans(made: View) -> list[dict[str, Any]]:
    """Every span of every direction, by connection, direction and offset."""
    return [
        {
            "connection": connection,
            "up": up,
            "offset": span.offset,
            "length": span.length,
            "kind": span.kind.value,
            "name": span.name,
            "value": span.value,
            **({"plain": span.plain.hex()} if span.plain is not None else {}),
        }
        for (connection, up), one in sorted(made.directions.items())
        for span in one.spans
    ]


def text(exchange: Exchange) -> str:
    """It as the text of a file: an item of a list is a line."""
    lines = []
    for name, value in values(exchange).items():
        if isinstance(value, list | tuple) and value:
            items = ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in value)
            lines.append(f" {json.dumps(name)}: [\n{items}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def load(path: Path | str) -> Exchange:
    """The exchange in a file, or that of a transport that is kept as a reference. Raises ResultsError."""
    place = Path(path)
    if not place.suffix:
        place = REFERENCE / f"{path}.json"
        if not place.exists():
            kept = ", ".join(sorted(one.stem for one in REFERENCE.glob("*.json")))
            raise ResultsError(f"no exchange of {path} is kept: there are {kept}; or name a file that wire --json wrote")
    try:
        return from_plain_values(json.loads(place.read_bytes()))
    except OSError as error:
        raise ResultsError(f"{place} cannot be read: {error.strerror}; name a file that wire --json wrote") from None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{place} is no JSON ({error}); name a file that wire --json wrote") from None
    except Unreadable as error:
        raise ResultsError(f"{place}: {error}") from None
