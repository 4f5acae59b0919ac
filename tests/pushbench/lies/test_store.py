"""The file that a notebook reads."""

from dataclasses import replace
from pathlib import Path

import pytest

from pushbench.lies.record import Pair, Shown
from pushbench.lies.store import NAME, Gallery, load, merged, save
from pushbench.results import ResultsError

GALLERY = Gallery("2026-01-02T03:04:05+00:00", {"cores": 2}, (Shown("averages", False, (Pair(1, 9, "a", "b"),)),))


def test_a_gallery_is_read_from_its_file_and_from_its_directory(tmp_path: Path) -> None:
    save(GALLERY, tmp_path / "new" / NAME)
    assert load(tmp_path / "new") == load(tmp_path / "new" / NAME) == GALLERY
    assert GALLERY.values["lies"][0]["title"] == "Averages"


def test_a_lie_that_was_measured_again_takes_the_place_of_the_old_one() -> None:
    pair = Pair(8, 1, "c", "d")
    again = Gallery(
        "2026-01-03", {"cores": 2}, (Shown("one_process", True, (pair,)), Shown("averages", False, (pair, pair)))
    )
    made = merged([GALLERY, again])
    assert [(one.name, len(one.pairs)) for one in made.shown] == [("one_process", 1), ("averages", 2)]
    assert made.started_at == GALLERY.started_at
    failed = Gallery("2026-01-03", {"cores": 2}, (Shown("averages", False, (), ("it ended",)),))
    assert merged([GALLERY, failed]) == GALLERY


def test_results_of_different_machines_are_not_mixed() -> None:
    with pytest.raises(ResultsError, match="cores is 4 in the results of 2026-01-03, and 2 in those of 2026-01-02"):
        merged([GALLERY, Gallery("2026-01-03", {"cores": 4}, ())])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no file of `pushbench lies`: JSONDecodeError"),
        ("[]", "is no file of `pushbench lies`: TypeError"),
        ("{}", "is no file of `pushbench lies`: KeyError: 'schema'"),
        ('{"schema": 99}', "has schema 99, not 1: run `pushbench lies` again"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(ResultsError) as refused:
        load(tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="is not there: make it with `pushbench lies --out "):
        load(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot be written: .*; choose another place"):
        save(replace(GALLERY, shown=()), tmp_path / "file" / NAME)
