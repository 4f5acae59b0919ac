"""The page about two runs: what differs, what changed with its interval, and the charts of both."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pushbench import compare_text, report_against, results
from pushbench.charts import changes
from pushbench.cli import invoke
from pushbench.compare import compare
from pushbench.results import Run
from tests.pushbench import frames
from tests.pushbench.test_report import Page
from tests.pushbench.written import MANIFEST, write_run

CHARTS = ["latency_percentiles"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Two runs; in the second SSE takes three times as long, a trial of WebSocket is lossy, and the kernel is another."""
    above = tmp_path_factory.mktemp("results")
    base = frames.run(("sse", "websocket"), subscribers=(10,), trials=3, seed=1)
    other = frames.run(("sse", "websocket"), subscribers=(10,), trials=3, seed=2)
    other = frames.judge(other, "lossy", "websocket", [2])
    other["trials"].loc[other["trials"]["transport"] == "sse", "latency_p50_ms"] *= 3
    there = MANIFEST["environment"] | {"kernel": "6.2"}
    write_run(above / "before", base, charts=CHARTS)
    write_run(above / "after", other, charts=CHARTS, environment=there)
    return results.load(above / "before"), results.load(above / "after")


@pytest.fixture(scope="module")
def html(runs: tuple[Run, Run]) -> str:
    path = report_against.write(*runs, compare(*runs))
    assert path == runs[1].path / "report-against-before-20260101-000000.html"
    return path.read_text()


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_link_has_its_target_and_no_id_is_there_twice(html: str, page: Page) -> None:
    referred = set(page.addresses) | {f"#{found}" for found in re.findall(r"url\(#([^)]+)\)", html)}
    assert {address for address in referred if not address.startswith("#")} == set()
    assert {address[1:] for address in referred} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_tells_the_circumstances_and_every_change_with_both_figures_and_its_interval(
    runs: tuple[Run, Run], page: Page
) -> None:
    made = compare(*runs)
    assert "kernel 6.1 6.2" in page.text
    assert all(" ".join(sentence.split()) in page.text for sentence in compare_text.sentences(made))
    for cell in made.cells:
        for change in cell.changes:
            low, high = (compare_text.percent(one) for one in (change.ratio.low, change.ratio.high))
            assert f"{compare_text.percent(change.ratio.mid)} ({low} to {high})" in page.text
    assert page.text.count("3 ok 2 ok, 1 lossy worse") == 1


def test_a_change_sorts_by_its_per_cent(html: str) -> None:
    row = next(row for row in re.findall(r"<tr>.*?</tr>", html) if ">p50, ms<" in row and ">sse<" in row)
    [shown] = re.findall(r'data-value="([^"]+)">\+([\d.]+) %', row)
    assert float(shown[0]) == pytest.approx(float(shown[1]), abs=0.06)
    assert '<td class="text worse">worse' in row


def test_both_runs_have_their_charts_beside_each_other(page: Page) -> None:
    assert page.tags.count("svg") == 1 + 2 * len(CHARTS)


def test_the_sentences_name_the_worst_change_and_what_may_not_be_the_servers_doing(runs: tuple[Run, Run]) -> None:
    count, worst, *rest = compare_text.sentences(compare(*runs))
    assert re.match(r"Of \d+ figures in 2 cells \d+ became better, [1-9]\d* worse", count)
    assert re.match(r"Worst: sse: p50 \+\d", worst)
    assert rest[-1].startswith("Not all of it need be the server's doing: the circumstances differ (kernel)")
    assert any(sentence.startswith("Verdicts got worse: websocket") for sentence in rest)


def test_the_chart_has_a_bar_for_each_change_and_says_what_is_called(runs: tuple[Run, Run]) -> None:
    frame = report_against.frame(compare(*runs))
    drawn = changes.changes(frame)
    panels = [axes for axes in drawn.axes if axes.get_title(loc="left") in set(frame["heading"])]
    assert len(panels) == frame["heading"].nunique()
    [p50] = [axes for axes in panels if axes.get_title(loc="left") == "p50, ms"]
    colours = {line.get_color() for line in p50.get_lines()}
    assert changes.LOOKS["worse"][0] in colours
    assert "nothing to draw" in " ".join(text.get_text() for text in changes.changes(frame[:0]).texts)


def test_two_bases_whose_directories_have_one_name_have_a_page_each(
    runs: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_against, "_page", lambda *_: "drawn")
    base, candidate = runs[0], replace(runs[1], path=tmp_path)
    later = replace(base, path=tmp_path / "before", manifest=base.manifest | {"started_at": "2026-01-02T00:00:00+00:00"})
    named = replace(later, path=tmp_path / "overview-20260102-000000")
    assert [report_against.write(one, candidate, compare(*runs)).name for one in (base, later, named)] == [
        "report-against-before-20260101-000000.html",
        "report-against-before-20260102-000000.html",
        "report-against-overview-20260102-000000.html",
    ]


def test_the_command_line_writes_the_page_and_says_where(
    runs: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report_against, "_page", lambda *_: "drawn")
    assert invoke(["report", *(str(run.path) for run in runs)]) == 0
    *sentences, path = capsys.readouterr().out.splitlines()
    assert sentences == compare_text.sentences(compare(*runs))
    assert Path(path).read_text() == "drawn"


def test_what_cannot_be_set_beside_each_other_is_one_line(
    runs: tuple[Run, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_run(tmp_path / "other", frames.run(("stream",), subscribers=(7,), trials=1))
    first = str(runs[0].path)
    for arguments, says in (
        ([first, str(other)], "have no load in common"),
        ([first, str(tmp_path / "none")], "holds no run"),
        ([first, first, first], "3 runs, and a page has one, or two"),
    ):
        assert invoke(["report", *arguments]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert says in line
