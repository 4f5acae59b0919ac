"""Parts: dealt out like cards, all subscribers are there once, and each kind of them is divided evenly."""

import pytest

from pushbench.part import ALL, Part


@pytest.mark.parametrize("subscribers", [1, 2, 7, 100])
@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_every_subscriber_is_in_one_part_and_knows_its_place_there(subscribers: int, of: int) -> None:
    parts = [Part(number, of) for number in range(of)]
    found = sorted((who, part.number, here) for part in parts for here, who in enumerate(part.numbers(subscribers)))
    assert [who for who, _, _ in found] == list(range(subscribers))
    for who, number, here in found:
        assert [part.number for part in parts if part.has(who)] == [number]
        assert parts[number].here(who) == here


@pytest.mark.parametrize(
    ("subscribers", "kinds", "of"),
    [
        (5, {"slow": 1, "resume": 2, "others": 1, "join_late": 1}, 2),
        (100, {"slow": 10, "resume": 25, "others": 33, "join_late": 32}, 3),
        (3, {"slow": 1, "resume": 1, "others": 0, "join_late": 1}, 2),
        (64, {"vanish": 13, "others": 51}, 8),
        (1000, {"others": 1000}, 7),
    ],
)
def test_each_kind_is_divided_evenly_and_the_sums_are_the_whole(subscribers: int, kinds: dict[str, int], of: int) -> None:
    parts = [Part(number, of) for number in range(of)]
    assert sum(kinds.values()) == subscribers
    first = 0
    for count in (*kinds.values(), subscribers):
        first = 0 if count == subscribers else first
        each = [part.count(first + count) - part.count(first) for part in parts]
        assert sum(each) == count
        assert max(each) - min(each) <= 1
        first += count


def test_seeds_differ_and_the_first_is_as_it_was_given() -> None:
    seeds = [Part(number, 5).seed(17) for number in range(5)]
    assert seeds[0] == ALL.seed(17) == 17
    assert len(set(seeds)) == 5
