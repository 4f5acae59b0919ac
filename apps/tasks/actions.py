"""The actions on the task list: which there are, what each takes, and what is refused. Pure: no store, no transport.

An action is a JSON object, `{"action": "add", "title": "…"}`. Every way to act reads it here, so all refuse the same in the
same words.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apps.saying import NotTaken, kind_of, shown

TITLE_CHARACTERS = 200
LARGEST_ID = 2**63 - 1
"""SQLite's integers go that far."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What an action takes beside its name."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


ACTIONS: Mapping[str, Keys] = {
    "list": Keys(),
    "add": Keys(("title",), ("note",)),
    "rename": Keys(("id", "title"), ("note",)),
    "done": Keys(("id",), ("done",)),
    "delete": Keys(("id",)),
}


@dataclass(frozen=True, slots=True)
class Action:
    """An action that may be done, if there is the task."""

    name: str
    id: int = 0
    title: str = ""
    note: str | None = None
    """None: as it was."""
    done: bool = True


def action_of(asked: object) -> Action:
    """The action that is asked for. Raises `NotTaken`."""
    keys = object_of(asked)
    if "action" not in keys:
        raise NotTaken("key_missing", f"the key action is missing: it is one of {', '.join(ACTIONS)}")
    name = keys["action"]
    if not isinstance(name, str) or name not in ACTIONS:
        raise NotTaken("action_unknown", f"{shown(name)} is no action: it is one of {', '.join(ACTIONS)}")
    takes = (*ACTIONS[name].needed, *ACTIONS[name].optional)
    for key in keys:
        if key != "action" and key not in takes:
            raise unknown_key(name, key)
    for key in ACTIONS[name].needed:
        if key not in keys:
            raise NotTaken("key_missing", f"the action {name} needs the key {key}")
    # In that order, so that of two mistakes the same one is told, however they were written.
    return Action(name, **{key: CHECKS[key](keys[key]) for key in takes if key in keys})  # type: ignore[arg-type]


def object_of(asked: object) -> dict[str, object]:
    """What is asked, which has to be an object. Raises `NotTaken`."""
    if not isinstance(asked, dict):
        raise NotTaken("type_wrong", f"that is {kind_of(asked)}: send an object")
    return asked


def unknown_key(name: str, key: str) -> NotTaken:
    """The refusal of a key that this action does not take."""
    takes = ACTIONS[name].needed + ACTIONS[name].optional
    return NotTaken("key_unknown", f"the action {name} takes no {shown(key)}: it takes {', '.join(takes) or 'none'}")


def _id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotTaken("type_wrong", f"id is {_told(value)}: it has to be a whole number")
    if not 1 <= value <= LARGEST_ID:
        raise unknown_task(value)
    return value


def unknown_task(number: int) -> NotTaken:
    """The refusal of an id that no task has."""
    return NotTaken("task_unknown", f"there is no task {shown(number)}: the action list says which there are")


def _done(value: object) -> bool:
    if not isinstance(value, bool):
        raise NotTaken("type_wrong", f"done is {_told(value)}: it has to be true or false")
    return value


def _title(value: object) -> str:
    title = _text("title", value, allowed="")
    if not 1 <= len(title) <= TITLE_CHARACTERS:
        raise NotTaken("title_invalid", f"title has {len(title)} characters: it has 1 to {TITLE_CHARACTERS}")
    if not title.strip():
        raise NotTaken("title_invalid", "title is nothing but spaces: say what is to be done")
    return title


def _note(value: object) -> str:
    return _text("note", value, allowed="\n\t")


def _text(key: str, value: object, allowed: str) -> str:
    """A string without control characters but those `allowed`, nor surrogates, which UTF-8 has no bytes for."""
    if not isinstance(value, str):
        raise NotTaken("type_wrong", f"{key} is {_told(value)}: it has to be a string")
    if not value.isprintable():  # quickly said of nearly every string
        for place, character in enumerate(value):
            if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
                raise NotTaken(
                    f"{key}_invalid", f"{key} has a control character at {place}, U+{ord(character):04X}: leave it out"
                )
    return value


def _told(value: object) -> str:
    return "null" if value is None else f"{kind_of(value)}, {shown(value)}"


CHECKS: Mapping[str, Callable[[object], object]] = {"id": _id, "title": _title, "note": _note, "done": _done}
"""What makes of a key's value what the action has; raises `NotTaken`."""
