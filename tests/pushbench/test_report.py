"""The report: one page that stands alone, with the table, the charts, the verdicts' reasons and the environment."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from pushbench import ratios, report, results, summary
from pushbench.charts import CHARTS, applicable
from pushbench.results import Run
from tests.pushbench import frames
from tests.pushbench.written import MANIFEST, write_run


class Page(HTMLParser):
    """What is on a page: its texts, its addresses and its ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.addresses += [found[name] or "" for name in ("src", "href", "xlink:href") if name in found]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a trial that is not to be believed, and its report."""
    made = frames.judge(frames.run(("sse", "websocket"), subscribers=(10,), trials=2), "lossy", "sse", [2])
    loaded = results.load(write_run(tmp_path_factory.mktemp("results") / "run", made))
    assert report.write(loaded) == loaded.path / "report.html"
    return loaded


@pytest.fixture(scope="module")
def page(run: Run) -> Page:
    return Page((run.path / "report.html").read_text())


def test_every_chart_that_was_asked_for_is_there_as_png_and_svg(run: Run) -> None:
    files = {path.name for path in (run.path / "charts").iterdir()}
    assert files == {f"{name}.{kind}" for name in MANIFEST["charts"] for kind in ("png", "svg")}
    for path in (run.path / "charts").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_page_needs_nothing_but_itself(page: Page) -> None:
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert [address for address in page.addresses if not address.startswith("#")] == []


def test_charts_on_one_page_do_not_share_ids_and_refer_to_none_that_is_missing(run: Run, page: Page) -> None:
    assert page.tags.count("svg") == 2
    assert all(found.startswith(tuple(f"{name}-" for name in MANIFEST["charts"])) for found in page.ids)
    html = (run.path / "report.html").read_text()
    referred = {address[1:] for address in page.addresses} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert referred
    assert referred <= set(page.ids)


def test_the_page_has_the_question_the_table_the_captions_and_the_environment(run: Run, page: Page) -> None:
    assert MANIFEST["title"] in page.text  # as text: what looks like a tag in it is none
    assert MANIFEST["description"] in page.text
    table = summary.table(run.trials)
    for part in (*table.headings, *table.rows[0], *table.notes):
        assert part in page.text
    for name in MANIFEST["charts"]:
        assert CHARTS[name].how_to_read in page.text
    assert "Abacus & Sons" in page.text
    assert "commit unknown" in page.text
    assert "pushbench run made_up" in page.text
    assert "--set trials=3" in page.text


def test_the_page_says_how_many_times_as_the_terminal_does(run: Run, page: Page) -> None:
    table = ratios.table(run.trials)
    assert table
    assert "How many times?" in page.text
    for part in (*table.headings, *table.rows[0], *table.notes):
        assert part in page.text


def test_a_verdict_that_has_a_reason_is_told_with_it(page: Page) -> None:
    assert "sse 2 lossy made lossy for a test" in page.text


def written(tmp_path: Path, made: dict[str, pd.DataFrame], **manifest: object) -> Page:
    report.write(results.load(write_run(tmp_path / "run", made, **manifest)))
    return Page((tmp_path / "run" / "report.html").read_text())


def test_when_all_is_well_the_page_says_so(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10,), trials=1)
    assert "All 1 trials have the verdict ok" in written(tmp_path, made, charts=["overview"]).text


def test_of_one_transport_alone_the_page_has_no_ratios(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10,), trials=1)
    assert "How many times" not in written(tmp_path, made, charts=["overview"]).text


def test_cells_are_told_apart_by_whatever_varies_also_by_words(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10, 2000), trials=1)
    made["trials"]["publish_via"] = ["websocket", "post"]
    made = frames.judge(made, "lossy", "sse")
    text = written(tmp_path, made, charts=["overview"]).text
    assert "sse, subscribers=10, publish_via=websocket 1 lossy" in text
    assert "sse, subscribers=2,000, publish_via=post 1 lossy" in text


def test_a_run_in_which_everything_failed_has_a_page_with_the_reasons(tmp_path: Path) -> None:
    made = frames.fail(frames.run(("sse",), subscribers=(10,), trials=1), "sse")
    page = written(tmp_path, made)
    assert "made failed for a test" in page.text
    assert "No trial has numbers to draw." in page.text


def test_a_run_that_is_not_finished_says_so(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10,), trials=1)
    assert "not finished" in written(tmp_path, made, charts=["overview"], finished_at=None).text


def test_charts_are_those_asked_for_that_the_run_can_show_or_else_all_of_these(run: Run) -> None:
    def of(*asked: str) -> list[str]:
        return report.charts_of(Run(run.path, MANIFEST | {"charts": list(asked)}, **run.frames))

    assert of("overview", "memory") == ["overview"]  # it has read no memory
    assert "memory" not in of()
    assert of() == [name for name in CHARTS if name in applicable(run.frames)]
    assert len(of()) > 2


def test_the_same_run_gives_the_same_files(run: Run) -> None:
    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in [run.path / "report.html", *(run.path / "charts").iterdir()]}

    before = content()
    report.write(run)
    assert content() == before
