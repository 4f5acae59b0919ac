"""Envelopes: a message inside of what an application says, put in and found again."""

import json

import pytest
from hypothesis import given, strategies as st

from pushbench import envelope, message, padding
from pushbench.message import MIN_BYTES


def one(kind: str = "filler", size: int = 128) -> bytes:
    return message.encode(7, 10**15, 10**15 + 5, size, padding.pads(kind, size - message.FRAME_BYTES))


@pytest.mark.parametrize("kind", padding.KINDS)
@pytest.mark.parametrize(
    "template", ['{"action": "add", "note": {text}}', '{"type":"update","data":{message}}', "{message}"]
)
def test_what_is_put_in_is_found_again_and_the_whole_is_json(kind: str, template: str) -> None:
    said = envelope.wrapping(template)(one(kind))
    assert json.loads(said)
    assert envelope.unwrapped(said, 128) == one(kind)


def test_it_is_found_in_the_answer_of_a_server_that_has_read_it_and_says_it_anew() -> None:
    said = json.loads(envelope.wrapping('{"note": {text}}')(one("json")))
    answer = json.dumps({"ref": None, "result": {"version": 3, "task": {"id": 1, **said}}}).encode()
    assert envelope.unwrapped(answer, 128) == one("json")


@given(st.binary(max_size=300))
def test_where_there_is_none_none_is_found(said: bytes) -> None:
    assert envelope.unwrapped(said, 128) is None


@pytest.mark.parametrize("cut", [1, MIN_BYTES - 1, 127])
def test_a_part_of_one_is_none(cut: int) -> None:
    assert envelope.unwrapped(b'{"data":' + one()[:cut], 128) is None
    assert envelope.unwrapped(b'{"data":' + json.dumps(one().decode()).encode()[: cut + 1], 128) is None
