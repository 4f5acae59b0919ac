"""What messages are filled with: of the exact size, the same in every run, and as compressible as it says."""

import json
import zlib

import pytest

from pushbench.padding import ALPHABET, KINDS, LEAST, VARIETY, WINDOW_BYTES, pads


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [LEAST, 3, 44, 45, 943, 10_000])
def test_a_pad_is_json_of_the_exact_size(kind: str, size: int) -> None:
    for pad in pads(kind, size):
        assert len(pad) == size
        json.loads(pad)


def saved(kind: str) -> float:
    """The part that is saved of a thousand bytes, taken by themselves."""
    made = pads(kind, 1000)
    return 1 - sum(len(zlib.compress(pad)) for pad in made) / sum(map(len, made))


def test_kinds_differ_in_how_much_of_them_can_be_saved() -> None:
    assert saved("filler") > 0.95
    assert 0.5 < saved("json") < 0.9
    assert saved("random") < 0.2


def test_what_is_drawn_is_various_and_the_same_in_every_run() -> None:
    assert len(set(pads("json", 10_000))) == len(set(pads("random", 10_000))) == VARIETY
    assert sum(map(len, pads("random", 47))) >= WINDOW_BYTES
    assert len(pads("filler", 500)) == 1
    again = pads.__wrapped__("random", 500)
    assert again == pads("random", 500)


def test_letters_at_random_stand_for_themselves_in_json() -> None:
    assert json.loads(json.dumps(ALPHABET)) == ALPHABET
    assert json.dumps(ALPHABET) == f'"{ALPHABET}"'
