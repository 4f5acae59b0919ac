"""An action as text and its answer, for whoever hands either on: `{"ref": 7, "action": …}` is answered with `{"ref": 7,
"result": {…}}` or `{"ref": 7, "error": {"name": …, "says": …}}`. The `ref` is the asker's own, and may be left out.
"""

from typing import Any

from apps.saying import NotTaken, kind_of, read
from apps.tasks.actions import object_of
from apps.tasks.tasklist import TaskList

REF_CHARACTERS = 64


def most_bytes(max_message_bytes: int) -> int:
    """The longest action that is taken. It is less than the longest frame, so that one that is longer can be told so."""
    return max_message_bytes * 15 // 16


def too_long(most: int) -> NotTaken:
    """The refusal of what is longer."""
    return NotTaken("body_too_large", f"the action has more than {most} bytes, and no more are taken: shorten the note")


def answer_to(data: bytes, tasks: TaskList, most: int) -> tuple[dict[str, Any], NotTaken | None]:
    """The answer to an action, and the refusal if it is one."""
    answer: dict[str, Any] = {}
    try:
        if len(data) > most:
            raise too_long(most)
        asked = object_of(read(data))
        if "ref" in asked:
            answer["ref"] = _ref(asked["ref"])
            asked = {key: value for key, value in asked.items() if key != "ref"}
        return answer | {"result": tasks.act(asked)}, None
    except NotTaken as refused:
        return answer | {"error": refused.error}, refused


def _ref(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NotTaken("type_wrong", f"ref is {kind_of(value)}: it has to be a whole number or a string")
    if len(str(value)) > REF_CHARACTERS or (isinstance(value, str) and not value.isprintable()):
        raise NotTaken("ref_invalid", f"ref has at most {REF_CHARACTERS} characters, all of them printable")
    return value
