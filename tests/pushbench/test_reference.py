"""The reference run: the README shows it as it is, and only a run in which nothing went wrong becomes it."""

from pathlib import Path

import pytest

from pushbench import reference, results, summary
from pushbench.results import ResultsError
from tests.pushbench import frames
from tests.pushbench.written import MANIFEST, write_run

AS_IT_STANDS = MANIFEST["scenario"] | {"overrides": []}


def test_the_readme_shows_the_reference_run_as_it_is() -> None:
    readme = reference.README.read_text()
    assert reference.with_part(readme, reference.readme_part(results.load(reference.REFERENCE))) == readme


def test_the_picture_of_the_readme_is_there() -> None:
    assert (reference.REFERENCE / "charts" / f"{reference.PICTURE}.png").exists()


def test_the_readmes_part_has_the_picture_both_tables_their_notes_and_the_machine(tmp_path: Path) -> None:
    machine = MANIFEST["environment"] | {"cores": 2, "python": "3.11.7", "uvicorn": "0.54", "aiohttp": "3.14"}
    run = results.load(write_run(tmp_path / "run", frames.run(("sse",), subscribers=(10, 100)), environment=machine))
    lines = reference.readme_part(run).splitlines()
    assert lines[0].startswith("![")
    for table in summary.tables(run.trials):
        at = lines.index(f"**{table.title}**")
        assert lines[at + 2] == f"| {' | '.join(table.headings)} |"
        assert lines[at + 3].startswith("| --- | --- | --: |")
        assert lines[at + 4] == f"| {' | '.join(table.rows[0])} |"
        assert set(table.notes) <= set(lines)
    assert "Abacus & Sons" in lines[-1]


def test_a_readme_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ResultsError, match=r"README\.md has no lines"):
        reference.with_part("# nothing", "part")


@pytest.mark.parametrize("verdict", ["failed", "lossy", "publisher_late"])
def test_a_run_in_which_something_went_wrong_does_not_become_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    made = frames.run(("sse",), subscribers=(100,), trials=2)
    made = frames.judge(made, verdict, "sse", [1])
    source = write_run(tmp_path / "run", made, scenario=AS_IT_STANDS)
    with pytest.raises(ResultsError, match=f"trials with the verdict {verdict}"):
        reference.curate(source)
    assert not (tmp_path / "reference").exists()


def test_a_good_run_becomes_it_with_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    run = reference.curate(
        write_run(tmp_path / "run", frames.run(("sse",), subscribers=(100,), trials=2), scenario=AS_IT_STANDS)
    )
    assert run.path == tmp_path / "reference"
    assert (run.path / "charts" / "overview.svg").exists()


def test_a_run_with_overrides_does_not_become_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    with pytest.raises(ResultsError, match="made with --set"):
        reference.curate(write_run(tmp_path / "run", frames.run(("sse",), subscribers=(100,), trials=2)))


def test_a_run_becomes_one_beside_it_with_its_doubts_and_leaves_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    doubted = frames.judge(frames.run(("sse",), subscribers=(100,), trials=2), "publisher_late", "sse", [1])
    other = reference.beside(write_run(tmp_path / "other", doubted, scenario=AS_IT_STANDS), "lessons")
    assert other.path == tmp_path / "reference" / "lessons"
    assert sorted(set(other.trials["verdict"])) == ["ok", "publisher_late"]
    reference.curate(write_run(tmp_path / "run", frames.run(("sse",), subscribers=(100,), trials=2), scenario=AS_IT_STANDS))
    assert results.load(other.path).trials.equals(other.trials)
