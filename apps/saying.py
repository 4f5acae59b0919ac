"""JSON as the applications read and say it: what is refused has a name for programs and a sentence for people."""

import json
from typing import Any, NoReturn


class NotTaken(Exception):
    """Something that was asked for, and is not done: a `name` for programs, and a sentence for people."""

    def __init__(self, name: str, says: str) -> None:
        super().__init__(says)
        self.name = name

    @property
    def error(self) -> dict[str, str]:
        """How it is said, wherever."""
        return {"name": self.name, "says": str(self)}


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


# Made once: `json.loads` and `json.dumps` with options make one for each call, which takes as long as a short message does.
_DECODER = json.JSONDecoder(parse_constant=_no_number)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def read(data: bytes | str) -> Any:
    """The value that is said in JSON (RFC 8259). Raises `NotTaken`."""
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode())
    except UnicodeDecodeError as error:
        raise NotTaken("json_invalid", f"byte {error.start} is not UTF-8: send JSON in UTF-8") from None
    except RecursionError:
        raise NotTaken("json_invalid", "it is nested too deeply to be read: send flat JSON") from None
    except ValueError as error:
        raise NotTaken("json_invalid", f"that is no JSON: {error}") from None


def said(value: object) -> str:
    """The value in JSON, on one line and without a space that is not needed."""
    return _ENCODER.encode(value)


def shown(value: object, most: int = 40) -> str:
    """A value as an error may repeat it: in JSON of ASCII alone, and not all of it if it is long."""
    text = json.dumps(value)
    return text if len(text) <= most else f"{text[:most]}…"


def kind_of(value: object) -> str:
    """What JSON calls the type of a value."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array", dict: "an object"}
    return "null" if value is None else kinds[type(value)]
