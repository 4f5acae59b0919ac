"""Envelopes: a message inside of what an application says and answers, put in and found again. Pure.

A message is a JSON object at fixed places (`message`). An application has it as a part of JSON of its own: verbatim, or as
a string. Both begin in a way that nothing else in there does.
"""

import json
from collections.abc import Callable

from pushbench.message import decode

TEXT = "{text}"
"""In what is said, stands for the message as a JSON string; `{message}` for the message verbatim."""
MESSAGE = "{message}"
VERBATIM, QUOTED = b'{"seq":', rb'"{\"seq\":'
"""How a message begins, and how one that is a JSON string does."""
_READ = json.JSONDecoder()


def wrapping(template: str) -> Callable[[bytes], bytes]:
    """What puts a message in there, once."""
    before, is_text, after = template.partition(TEXT)
    if not is_text:
        before, _, after = template.partition(MESSAGE)
    start, end = before.encode(), after.encode()
    if is_text:
        return lambda data: start + json.dumps(data.decode()).encode() + end
    return lambda data: start + data + end


def unwrapped(said: bytes, size_bytes: int = 0) -> bytes | None:
    """The message that is in there, of that size if it is known; None if there is none."""
    try:
        if (at := said.find(VERBATIM)) >= 0:
            found = said[at : at + (size_bytes or _READ.raw_decode(said[at:].decode())[1])]
        elif (at := said.find(QUOTED)) >= 0:
            found = _READ.raw_decode(said[at:].decode())[0].encode()
        else:
            return None
        decode(found)
    except ValueError:
        return None
    return found if len(found) == (size_bytes or len(found)) else None
