"""The charts of large audiences: what a line may join, what is drawn, hollow or said in words; never a pixel."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from pushbench import charts
from pushbench.charts import fairness, growth, style
from tests.pushbench import crowds, frames

NAMES = ("scaling", "cost_by_connections", "fairness")
COUNTS = (1000, 10_000, 100_000)
MEASURED = {
    "scaling": ["deliveries_per_s"],
    "cost_by_connections": ["server_cpu_us_per_delivery", "client_cpu_us_per_delivery"],
    "fairness": ["fanout_first_ms", "fanout_last_ms"],
}


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Five transports with 1,000 to 100,000 connections."""
    return crowds.trials(subscribers=COUNTS, repeats=2)


@pytest.fixture(scope="module")
def crew() -> pd.DataFrame:
    """Two transports, two numbers of connections, one to four server workers and swarm processes, each with each."""
    counts = (1, 2, 4)
    return crowds.trials(
        ("sse", "websocket"), subscribers=(5000, 20_000), rates=(10.0,), workers=counts, swarms=counts, repeats=2
    )


@pytest.fixture(scope="module")
def figures(trials: pd.DataFrame) -> dict[str, Figure]:
    """Every such chart, drawn once."""
    return {name: draw(name, trials) for name in NAMES}


def draw(name: str, table: pd.DataFrame) -> Figure:
    return charts.draw(name, {"trials": table})


def words(of: Figure) -> str:
    found = (text.get_text() for text in of.findobj(Text) if isinstance(text, Text))
    return " ".join(" ".join(found).replace("\u00a0", " ").split())


def lines(of: Figure | Axes, kind: str) -> dict[str, list[Line2D]]:
    found: dict[str, list[Line2D]] = {}
    for line in of.findobj(Line2D):
        assert isinstance(line, Line2D)
        head, _, label = str(line.get_gid()).partition(":")
        if head == kind:
            found.setdefault(label, []).append(line)
    return found


def places(line: Line2D) -> tuple[list[float], list[float]]:
    x, y = (np.asarray(side, dtype=float).tolist() for side in line.get_data())
    return x, y


def titles(figure: Figure) -> list[str]:
    return [" ".join(axes.get_title(loc="left").replace("\u00a0", " ").split()) for axes in figure.axes]


def doubted(table: pd.DataFrame, transport: str, subscribers: int, verdict: str = "client_bound") -> pd.DataFrame:
    found = table.copy()
    found.loc[(found["transport"] == transport) & (found["subscribers"] == subscribers), "verdict"] = verdict
    return found


# All three.


@pytest.mark.parametrize("name", NAMES)
def test_a_run_with_the_columns_is_drawn_and_one_in_which_they_are_empty_or_missing_is_not(
    name: str, trials: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    assert name in charts.applicable({"trials": trials})
    assert "nothing to draw" not in words(figures[name])
    empty = trials.assign(**dict.fromkeys(MEASURED[name], np.nan))
    for old in (empty, trials.drop(columns=MEASURED[name])):
        assert not charts.CHARTS[name].shows(old)
        assert "nothing to draw" in words(draw(name, old))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_from_before_there_were_workers_and_swarms_is_drawn_too(name: str, trials: pd.DataFrame) -> None:
    old = trials.drop(columns=["server_workers", "swarms", "swarm_processes"])
    assert "nothing to draw" not in words(draw(name, old))


@pytest.mark.parametrize("name", NAMES)
def test_no_trial_and_failures_are_said_in_words(name: str, trials: pd.DataFrame) -> None:
    assert "There is no trial yet." in words(draw(name, trials.iloc[:0]))
    failed = trials.assign(verdict="failed", reason="no memory left", **dict.fromkeys(MEASURED[name], np.nan))
    assert "All 30 trials failed. polling: no memory left" in words(draw(name, failed))
    assert name not in charts.applicable({"trials": crowds.trials(("tcp",), subscribers=COUNTS, repeats=1)})


@pytest.mark.parametrize("name", NAMES)
def test_every_transport_has_its_line_in_its_colour(name: str, figures: dict[str, Figure]) -> None:
    drawn = lines(figures[name], "line")
    assert set(drawn) == set(frames.FIVE)
    for label, of in drawn.items():
        for line in of:
            assert to_hex(line.get_color()).upper() == style.look(label).colour
            assert places(line)[0] == list(COUNTS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_to_be_believed_is_hollow_and_in_no_headline(
    name: str, trials: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    assert lines(figures[name], "hollow") == {}
    figure = draw(name, doubted(trials, "longpoll", COUNTS[-1]))
    assert set(lines(figure, "hollow")) == {"longpoll"}
    assert "hollow: not to be believed" in words(figure)
    assert not [title for title in titles(figure) if "longpoll" in title and "100,000" in title]


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_inside_the_figure_and_no_name_of_a_line_lies_on_another(
    name: str, figures: dict[str, Figure]
) -> None:
    figure = figures[name]
    figure.savefig(io.BytesIO(), format="png", dpi="figure")
    width, height = figure.bbox.size
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text() and text.get_visible()]
    for text in found:
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
        assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()
    for axes in figure.axes:
        boxes = [text.get_window_extent().shrunk(0.9, 0.8) for text in axes.texts]
        assert not any(one.overlaps(other) for nth, one in enumerate(boxes) for other in boxes[nth + 1 :])


@pytest.mark.parametrize("name", NAMES)
def test_drawing_leaves_the_trials_as_they_were(name: str, crew: pd.DataFrame) -> None:
    before = crew.copy()
    draw(name, crew)
    pd.testing.assert_frame_equal(crew, before)


# What a line may join.


def test_what_varies_beside_the_axis_is_held_at_the_largest_of_the_longest_lines() -> None:
    table = crowds.trials(("sse",), subscribers=(10, 20), rates=(1.0, 5.0), repeats=1)
    assert set(growth.held(table, "subscribers", "deliveries_per_s")["rate_hz"]) == {5.0}
    longer = table[(table["rate_hz"] == 1) | (table["subscribers"] == 10)]
    assert set(growth.held(longer, "subscribers", "deliveries_per_s")["rate_hz"]) == {1.0}


def test_what_only_changes_with_the_axis_goes_with_it_and_is_said() -> None:
    table = crowds.trials(("sse",), subscribers=(10, 20), repeats=1).assign(
        server_workers=lambda of: of["subscribers"] // 10
    )
    rows = growth.held(table, "subscribers", "deliveries_per_s")
    assert set(rows["server_workers"]) == {1, 2}
    assert growth.load_held(rows, "subscribers") == "1 message/s, 1 to 2 server workers, 4 swarm processes"


def test_swarm_processes_that_nobody_asked_for_are_no_axis(trials: pd.DataFrame) -> None:
    table = trials.assign(swarms=0, swarm_processes=lambda of: np.where(of["subscribers"] > 1000, 2, 1))
    assert not growth.varies(table, "swarm_processes")
    assert growth.varies(table.assign(swarms=table["swarm_processes"]), "swarm_processes")


# Scaling.


def test_there_is_a_panel_for_each_of_processes_workers_and_connections_that_varies(
    trials: pd.DataFrame, crew: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    assert [axes.get_xlabel() for axes in figures["scaling"].axes] == ["open connections"]
    figure = draw("scaling", crew)
    assert [axes.get_xlabel() for axes in figure.axes] == ["swarm processes", "server workers", "open connections"]
    assert "at 10 messages/s, 20,000 open connections, 4 server workers" in titles(figure)[0]
    assert "at 10 messages/s, 4 server workers, 4 swarm processes" in titles(figure)[2]
    one = crew[(crew["subscribers"] == 5000) & (crew["swarms"] == 1)]
    assert [axes.get_xlabel() for axes in draw("scaling", one).axes] == ["server workers"]


def test_a_point_of_scaling_is_the_median_of_what_was_delivered_with_all_else_held(crew: pd.DataFrame) -> None:
    axes = draw("scaling", crew).axes[1]
    held = crew[(crew["transport"] == "sse") & (crew["subscribers"] == 20_000) & (crew["swarms"] == 4)]
    x, y = places(lines(axes, "line")["sse"][0])
    assert x == [1, 2, 4]
    assert y == pytest.approx(held.groupby("server_workers")["deliveries_per_s"].median().tolist())


def test_what_was_offered_is_drawn_once_however_many_transports_there_are(figures: dict[str, Figure]) -> None:
    [band] = lines(figures["scaling"], "offered")[""]
    assert places(band) == (list(COUNTS), list(COUNTS))


def test_how_much_of_what_was_offered_arrives_is_said_at_the_end_of_each_line(trials: pd.DataFrame) -> None:
    half = trials.assign(
        deliveries_per_s=trials["offered_per_s"].where(trials["transport"] != "sse", trials["offered_per_s"] / 2)
    )
    figure = draw("scaling", half)
    assert "At 100,000 open connections, 50 % (sse) to 100 %" in titles(figure)[0]
    assert {"sse 50 %", "websocket 100 %"} <= {" ".join(text.get_text().split()) for text in figure.axes[0].texts}


def test_by_how_much_deliveries_grow_with_workers_is_said(crew: pd.DataFrame) -> None:
    said = draw("scaling", crew.assign(deliveries_per_s=crew["server_workers"] * 100.0))
    assert "From 1 to 4 server workers, deliveries grow ×4.0" in titles(said)[1]


# Cost by connections.


def test_cost_is_that_of_the_server_beside_that_of_the_load_side_on_equal_axes(
    trials: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    server, client = figures["cost_by_connections"].axes
    assert server.get_ylim() == client.get_ylim()
    mine = trials[trials["transport"] == "stream"].groupby("subscribers")
    for axes, column in ((server, "server_cpu_us_per_delivery"), (client, "client_cpu_us_per_delivery")):
        assert places(lines(axes, "line")["stream"][0])[1] == pytest.approx(mine[column].median().tolist())


def test_the_factor_from_the_fewest_to_the_most_connections_is_said_for_each_and_from_least_to_worst(
    trials: pd.DataFrame,
) -> None:
    dearer = {"polling": 1.0, "longpoll": 3.0, "stream": 1.0, "sse": 2.0, "websocket": 1.0}
    decades = np.log10(trials["subscribers"]) - 3
    cost = 10 * trials["transport"].map(dearer) ** (decades / 2)
    server, _ = draw("cost_by_connections", trials.assign(server_cpu_us_per_delivery=cost)).axes
    headline = " ".join(server.get_title(loc="left").split())
    assert (
        headline
        == "Server: from 1,000 to 100,000 open connections, a delivery's cost changes ×1.0 (polling) to ×3.0 (longpoll)"
    )
    assert {"sse  ×2.0", "websocket  ×1.0"} <= {text.get_text() for text in server.texts}


def test_a_line_that_ends_in_a_hollow_point_has_no_factor(trials: pd.DataFrame) -> None:
    server, _ = draw("cost_by_connections", doubted(trials, "sse", COUNTS[-1])).axes
    assert "sse" in {text.get_text() for text in server.texts}
    assert "(hollow ones aside)" in server.get_title(loc="left").replace("\n", " ")


def test_a_floor_is_in_no_headline_and_one_without_a_server_has_the_load_side_alone() -> None:
    table = crowds.trials(("null", "tcp", "sse"), subscribers=COUNTS, repeats=1)
    server, client = draw("cost_by_connections", table).axes
    assert set(lines(server, "line")) == {"sse", "floor: bare TCP"}
    assert set(lines(client, "line")) == {"sse", "floor: bare TCP", "floor: instrument alone"}
    assert "floor" not in server.get_title(loc="left") + client.get_title(loc="left")


def test_where_connections_do_not_vary_nothing_is_drawn_and_that_is_said() -> None:
    one = crowds.trials(subscribers=(1000,), repeats=1)
    assert "The number of connections did not vary." in words(draw("cost_by_connections", one))
    assert "Deliveries were not measured at two numbers of connections" in words(draw("scaling", one))
    assert not set(charts.applicable({"trials": one})) & {"scaling", "cost_by_connections"}


def test_loads_that_are_left_out_are_counted(crew: pd.DataFrame) -> None:
    assert "16 other loads not shown" in words(draw("cost_by_connections", crew))
    assert "16 other loads not shown" in words(draw("fairness", crew))


# Fairness.


def test_a_band_goes_from_the_first_to_the_last_in_a_panel_for_each_transport(
    trials: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    for axes, transport in zip(figures["fairness"].axes, frames.FIVE, strict=True):
        mine = trials[trials["transport"] == transport].groupby("subscribers")
        first, last = (mine[f"fanout_{which}_ms"].median().tolist() for which in ("first", "last"))
        assert places(lines(axes, "first")[transport][0])[1] == pytest.approx(first)
        assert places(lines(axes, "line")[transport][0])[1] == pytest.approx(last)
        joins = [places(line)[1] for line in lines(axes, "join")[transport]]
        assert joins == [pytest.approx(pair) for pair in zip(first, last, strict=True)]
        assert [band.get_gid() for band in axes.collections] == [f"band:{transport}"]


def test_the_ratio_of_last_to_first_is_written_at_each_count_and_above(trials: pd.DataFrame) -> None:
    table = trials.assign(fanout_first_ms=2.0, fanout_last_ms=trials["subscribers"] / 100)
    axes = draw("fairness", table).axes[-1]
    assert axes.get_title(loc="left") == "websocket: ×5.0 at 1,000, ×500 at 100,000"
    assert {text.get_text() for text in axes.texts} == {"×5.0", "×50", "×500"}


def test_with_one_number_of_connections_there_is_a_row_for_each_transport() -> None:
    figure = draw("fairness", crowds.trials(subscribers=(2000,)))
    [axes] = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(frames.FIVE)
    assert set(lines(axes, "join")) == set(frames.FIVE)
    assert "2,000 open connections, 1 message/s, 4 swarm processes. 3 trials each" in words(figure)


def test_who_polls_is_explained_and_one_subscriber_alone_is_not_first_and_last() -> None:
    assert "a poll interval apart" in words(draw("fairness", crowds.trials(subscribers=(10, 20), repeats=1)))
    assert "a poll interval" not in words(draw("fairness", crowds.trials(("sse",), subscribers=(10, 20), repeats=1)))
    assert not fairness.shows_fairness(crowds.trials(subscribers=(1,), repeats=1))
