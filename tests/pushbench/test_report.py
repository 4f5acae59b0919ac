"""The report: one page that stands alone, with the table, the charts, the verdicts' reasons and the environment."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from pushbench import agreement, conclusions, crossover_text, ratios, report, results, summary
from pushbench.charts import CHARTS, applicable, draw
from pushbench.checks import Verdict
from pushbench.glossary import VERDICTS
from pushbench.results import ResultsError, Run
from tests.pushbench import frames, network, searches
from tests.pushbench.full import room_for
from tests.pushbench.written import MANIFEST, write_run

INLINE = ("a", "code", "small", "strong", "span")
"""What stands in a line, and parts no words."""


class Page(HTMLParser):
    """What is on a page: its texts, its addresses and its ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.texts += [] if tag in INLINE else [" "]
        found = dict(attrs)
        self.scripts += [found] if tag == "script" else []
        self.ids += [found["id"] or ""] if "id" in found else []
        self.addresses += [found[name] or "" for name in ("src", "href", "xlink:href") if name in found]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Pictures of few pixels, which nobody looks at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "PNG_DPI", 20)
        yield


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
    assert page.scripts == [{}]
    assert "link" not in page.tags
    assert "@import" not in page.text
    assert [address for address in page.addresses if not address.startswith("#")] == []


def test_charts_on_one_page_do_not_share_ids_and_refer_to_none_that_is_missing(run: Run, page: Page) -> None:
    assert page.tags.count("svg") == 2
    html = (run.path / "report.html").read_text()
    referred = {address[1:] for address in page.addresses} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert any(found.startswith(f"{MANIFEST['charts'][0]}-") for found in referred)
    assert referred <= set(page.ids)
    assert sorted(page.ids) == sorted(set(page.ids))


def test_the_page_has_the_question_the_table_the_captions_and_the_environment(run: Run, page: Page) -> None:
    assert MANIFEST["title"] in page.text  # as text: what looks like a tag in it is none
    assert MANIFEST["description"] in page.text
    latency, cost, *_, last = summary.tables(run.trials)
    for part in (
        latency.title,
        cost.title,
        *latency.headings,
        *latency.rows[0],
        *cost.rows[0],
        *latency.notes,
        *last.notes,
    ):
        assert part in page.text
    for name in MANIFEST["charts"]:
        assert CHARTS[name].how_to_read in page.text
    assert "Abacus & Sons" in page.text
    assert "commit unknown" in page.text
    assert "pushbench run made_up" in page.text
    assert "--set trials=3" in page.text


def test_the_environment_is_grouped_and_no_part_of_it_is_left_out(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10,), trials=1)
    environment = {"cpu": "Abacus", "loopback_mtu": 65536, "frequency_boost": True, "later": None, "cores": 0}
    at_start = {"load_average": [0.5, None], "busy_percent": {"0": 3.0, "1": None}}
    text = written(tmp_path, made, charts=["overview"], environment=environment, at_start=at_start).text
    for part in (
        "Processor cpu Abacus cores 0 frequency boost on Network loopback mtu 65536 Other later unknown",
        "At the start load average 0.5, unknown busy percent core 0: 3.0, core 1: unknown The run",
    ):
        assert part in text


def test_a_verdict_that_has_a_reason_is_told_with_it_its_figures_and_what_to_change(page: Page) -> None:
    assert "sse 2 lossy made lossy for a test lost 7 undo it" in page.text


def test_naive_figures_are_told_from_the_others_at_a_glance(run: Run) -> None:
    html = (run.path / "report.html").read_text()
    assert re.findall(r'<th [^>]*class="naive"><a [^>]*>([^<]+)</a>', html) == [
        f"naive {name}, ms" for name in ("mean", "p50", "p99", "max")
    ]


def test_the_contents_lead_to_every_section_in_its_order(run: Run) -> None:
    html = (run.path / "report.html").read_text()
    [contents] = re.findall(r"<nav.*?</nav>", html, re.DOTALL)
    sections = re.findall(r'<section id="([^"]+)">\s*<h2>([^<]+)</h2>', html)
    assert re.findall(r'<a href="#([^"]+)">([^<]+)</a>', contents) == sections
    assert [section for section, _ in sections][:3] == ["short", "figures", "ratios"]


def test_every_heading_of_a_table_of_figures_leads_to_its_definition_and_can_be_sorted_by(run: Run) -> None:
    html = (run.path / "report.html").read_text()
    tables = re.findall(r'<table class="[^"]*sortable">\s*<thead>(.*?)</thead>', html, re.DOTALL)
    assert len(tables) >= 5
    for heading in re.findall(r"<th.*?</th>", "".join(tables)):
        [column] = re.findall(r'href="#column-([^"]+)"', heading)
        assert f'<dt id="column-{column}">' in html
        assert '<button type="button" class="sort" hidden' in heading  # without JavaScript there is no button


def test_every_definition_leads_back_and_verdicts_lead_to_what_they_mean(run: Run, page: Page) -> None:
    html = (run.path / "report.html").read_text()
    back = re.findall(r'<dt id="column-[^"]+">.*?<a href="#([^"]+)"', html)
    assert back
    assert set(back) <= set(page.ids)
    assert '<a href="#verdict-lossy">lossy</a>' in html
    assert {f"verdict-{verdict}" for verdict in Verdict} <= set(page.ids)


def test_the_conclusions_stand_before_all_figures(run: Run, page: Page) -> None:
    sentences = conclusions.told(run.trials, MANIFEST["charts"])
    assert sentences
    places = [page.text.index(" ".join(sentence.split())) for sentence in sentences]
    assert places == sorted(places)
    assert places[-1] < page.text.index("Latency")


def test_every_trial_is_in_a_folded_table_with_its_round_and_verdict(run: Run) -> None:
    html = (run.path / "report.html").read_text()
    [folded] = re.findall(r"<details>(.*?)</details>", html, re.DOTALL)
    assert folded.count("<tr>") == 1 + len(run.trials)


def test_what_a_chart_has_no_colour_for_in_the_dark_is_nothing(run: Run) -> None:
    html = (run.path / "report.html").read_text()
    [dark] = re.findall(r"prefers-color-scheme: dark\) \{ :root \{ (--[^}]*)\}", html)
    used = set(re.findall(r"var\((--[0-9a-f]{6}),", html))
    assert used
    assert all(f"{name}: #" in dark for name in used)
    assert not re.findall(r"(?:fill|stroke)(?:: |=\")#", "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL)))


def test_the_page_says_how_many_times_as_the_terminal_does(run: Run, page: Page) -> None:
    table = ratios.table(run.trials)
    assert table
    assert "How many times?" in page.text
    for part in (*table.headings, *table.rows[0], *table.notes):
        assert part in page.text


def written(tmp_path: Path, made: dict[str, pd.DataFrame], **manifest: object) -> Page:
    """The page of these, without charts, which take long to draw."""
    return Page(report.write_undrawn(results.load(write_run(tmp_path / "run", made, **manifest))).read_text())


def test_when_all_is_well_the_page_says_so_and_of_one_transport_alone_it_has_no_ratios(tmp_path: Path) -> None:
    text = written(tmp_path, frames.run(("sse",), subscribers=(10,), trials=1)).text
    assert f"All 1 trials have the verdict ok: {VERDICTS[Verdict.OK]}." in text
    assert "How many times" not in text


def test_cells_are_told_apart_by_whatever_varies_also_by_words(tmp_path: Path) -> None:
    made = frames.run(("sse",), subscribers=(10, 2000), trials=1)
    made["trials"]["publish_via"] = ["websocket", "post"]
    made = frames.judge(made, "lossy", "sse")
    text = written(tmp_path, made, charts=["overview"]).text
    assert "sse, 10 subscribers, published by websocket 1 lossy" in text
    assert "sse, 2,000 subscribers, published by post 1 lossy" in text


def test_a_run_in_which_everything_failed_has_a_page_with_the_reasons(tmp_path: Path) -> None:
    made = frames.fail(frames.run(("sse",), subscribers=(10,), trials=1), "sse")
    page = Page(report.write(results.load(write_run(tmp_path / "run", made))).read_text())
    assert "made failed for a test" in page.text
    assert "No trial has numbers to draw." in page.text
    assert "also asks for the chart overview: this run has nothing to draw on it" in page.text


def test_a_page_written_in_haste_says_that_the_run_is_not_finished_has_all_but_the_charts_and_says_how_to_draw_them(
    tmp_path: Path, page: Page
) -> None:
    made = frames.judge(frames.run(("sse",), subscribers=(10,), trials=1), "lossy", "sse")
    run = results.load(write_run(tmp_path / "run", made, finished_at=None))
    undrawn = Page(report.write_undrawn(run).read_text())
    assert f"pushbench report {run.path} draws its charts" in undrawn.text
    figures = [cell for table in summary.tables(run.trials) for cell in table.rows[0]]
    for part in (*figures, "sse 1 lossy made lossy for a test", "not finished", "Abacus & Sons"):
        assert part in undrawn.text
    assert "svg" not in undrawn.tags
    assert not (run.path / "charts").exists()
    assert "draws its charts" not in page.text


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its report, whose chart is empty."""
    made = frames.run(("sse",), subscribers=(10,), trials=1)
    loaded = results.load(write_run(tmp_path_factory.mktemp("kept") / "run", made, charts=["overview"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "draw", lambda *_: Figure((1, 1)))
        report.write(loaded)
    return loaded


@pytest.mark.parametrize("room", [0, 1, 2])
def test_what_cannot_be_written_is_told_in_one_line_and_what_was_there_stays(
    kept: Run, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "draw", lambda *_: Figure((1, 1)))
    before = {path: path.read_bytes() for path in kept.path.rglob("*") if path.is_file()}
    with room_for(room), pytest.raises(ResultsError) as error:
        report.write(kept)
    told = str(error.value)
    assert re.fullmatch(r"[^\n]*cannot be written: No space left on device; [^\n]*pushbench report", told)
    assert ("charts/overview.png", "charts/overview.svg", "report.html")[room] in told
    assert {path: path.read_bytes() for path in kept.path.rglob("*") if path.is_file()} == before


def test_charts_are_those_asked_for_that_the_run_can_show_or_else_all_of_these(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    possible = applicable(run.frames)
    monkeypatch.setattr(report, "applicable", lambda _: possible)

    def of(*asked: str) -> list[str]:
        return report.charts_of(Run(run.path, MANIFEST | {"charts": list(asked)}, **run.frames))

    assert of("overview", "memory") == ["overview"]  # it has read no memory
    assert "memory" not in of()
    assert of() == [name for name in CHARTS if name in possible]
    assert len(of()) > 2


def test_the_same_run_gives_the_same_files(run: Run, tmp_path: Path) -> None:
    name, before = "latency_percentiles", run.path / "charts"
    report.save(draw(name, run.frames), tmp_path / name)
    for kind in ("png", "svg"):
        assert (tmp_path / f"{name}.{kind}").read_bytes() == (before / f"{name}.{kind}").read_bytes()
    pictures = [(name, (before / f"{name}.svg").read_text()) for name in MANIFEST["charts"]]
    assert report._page(run, pictures) == (run.path / "report.html").read_text()


def test_a_search_has_its_capacities_first_and_then_a_row_for_each_value_that_was_tried(tmp_path: Path) -> None:
    made = searches.run({"sse": 900.0}, load_side=["sse"], trials=1)
    loaded = results.load(write_run(tmp_path / "run", made, charts=[]))
    assert report.charts_of(loaded) == ["capacity", "search_path", "cliff", "throughput"]
    text = Page(report.write_undrawn(loaded).read_text()).text
    figures = text.partition("The figures Capacity")[2]
    assert 0 < figures.index("≥ 900") < figures.index("Latency")
    assert "How many times?" not in text
    for value in (100, 200, 400, 800, 1600):
        assert f" sse {value:,} " in text


def test_the_page_says_whether_the_run_agrees_with_the_models(run: Run, page: Page, tmp_path: Path) -> None:
    assert "Do they agree with the textbook?" in page.text
    assert all(" ".join(sentence.split()) in page.text for sentence in agreement.told(run.trials))
    floors = results.load(write_run(tmp_path / "run", frames.run(("tcp",), subscribers=(10,), trials=1)))
    assert "textbook" not in report.write_undrawn(floors).read_text()


@pytest.mark.slow
def test_the_page_says_when_each_is_the_cheaper_one_if_that_was_measured(run: Run, page: Page) -> None:
    assert "When is it the cheaper one?" not in page.text
    trials = network.trials(("polling", "websocket"), rates=(1.0,), idle=True)
    text = Page(report._page(replace(run, trials=trials), None)).text
    assert "When is it the cheaper one?" in text
    assert all(sentence in text for sentence in crossover_text.sentences(trials))
