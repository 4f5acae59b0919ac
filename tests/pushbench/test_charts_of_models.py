"""The charts that set measurements beside models: what is drawn, marked and said, also where something is missing."""

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from pushbench import charts, predictions
from pushbench.charts import style
from tests.pushbench import frames, network

Frames = dict[str, pd.DataFrame]
NETWORKED = ("latency_by_rtt", "bytes", "cpu", "crossover")
RTTS = (0.0, 20.0, 50.0, 150.0, 300.0)


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Five transports at five round trips, with bytes, user and system time, and idle cells."""
    return network.trials(rtts=RTTS, idle=True, plateaus=4)


@pytest.fixture(scope="module")
def figures(trials: pd.DataFrame) -> dict[str, Figure]:
    """Every such chart, drawn once."""
    return {name: charts.draw(name, {"trials": trials}) for name in NETWORKED}


def words(figure: Figure) -> str:
    found = (text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
    return " ".join(" ".join(found).replace("\u00a0", " ").split())


def lines(of: Figure | Axes, kind: str) -> dict[str, Line2D]:
    found = [line for line in of.findobj(Line2D) if isinstance(line, Line2D)]
    return {gid.removeprefix(f"{kind}:"): line for line in found if (gid := str(line.get_gid())).startswith(f"{kind}:")}


def bars(axes: Axes) -> dict[str, float]:
    return {str(bar.get_gid()).removeprefix("bar:"): float(bar.get_width()) for bar in axes.patches if bar.get_gid()}  # type: ignore[attr-defined]


def without(table: pd.DataFrame, columns: Iterator[str] | list[str]) -> pd.DataFrame:
    return table.drop(columns=list(columns))


def ticks_beyond(axes: Axes) -> Iterator[Text]:
    """The labels of ticks that lie beyond the limits: they exist, and are not drawn."""
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for at, text in zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False):
            if not low <= at <= high:
                yield text


@pytest.mark.parametrize("name", NETWORKED)
def test_a_run_without_the_columns_is_no_run_for_the_chart_and_it_says_why(name: str) -> None:
    plain = frames.run(("sse",), subscribers=(10,), measure_s=1, trials=1)
    assert name not in charts.applicable(plain)
    assert "nothing to draw" in words(charts.draw(name, plain))


@pytest.mark.parametrize("name", NETWORKED)
def test_a_run_with_them_is(name: str, trials: pd.DataFrame, figures: dict[str, Figure]) -> None:
    assert name in charts.applicable({"trials": trials})
    assert "nothing to draw" not in words(figures[name])


@pytest.mark.parametrize("name", NETWORKED)
def test_no_trial_and_floors_alone_are_said_in_words(name: str, trials: pd.DataFrame) -> None:
    assert "There is no trial yet." in words(charts.draw(name, {"trials": trials.iloc[:0]}))
    floors = network.trials(("tcp",), rtts=(0.0, 50.0), repeats=1)
    assert "nothing to draw" in words(charts.draw(name, {"trials": floors}))


@pytest.mark.parametrize("name", NETWORKED)
def test_one_trial_of_one_transport_is_enough(name: str) -> None:
    who = ("sse", "websocket") if name == "crossover" else ("websocket",)
    one = network.trials(who, rtts=(0.0, 50.0) if name == "latency_by_rtt" else (0.0,), repeats=1, idle=True)
    said = words(charts.draw(name, {"trials": one}))
    assert "1 trial each: no interval" in said or (name == "crossover" and "nothing to draw" not in said)


@pytest.mark.parametrize("name", NETWORKED)
def test_drawing_leaves_the_trials_as_they_were(name: str, trials: pd.DataFrame) -> None:
    before = trials.copy()
    charts.draw(name, {"trials": trials})
    pd.testing.assert_frame_equal(trials, before)


@pytest.mark.parametrize("name", NETWORKED)
def test_every_text_is_inside_the_figure_and_none_lies_on_another(name: str, figures: dict[str, Figure]) -> None:
    figure = figures[name]
    figure.savefig(io.BytesIO(), format="png", dpi="figure")
    width, height = figure.bbox.size
    unseen = {tick for axes in figure.axes for tick in ticks_beyond(axes)}
    boxes = []
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text().strip() and text.get_visible() and text not in unseen:
            box = text.get_window_extent()
            assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
            assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()
            boxes.append((text.get_text(), box.shrunk(0.9, 0.7)))
    for place, (said, box) in enumerate(boxes):
        on = [other for other, there in boxes[place + 1 :] if box.overlaps(there) and other != said]
        assert on == [], said


@pytest.mark.parametrize("name", NETWORKED[:3])
def test_failed_trials_are_counted_by_name(name: str, trials: pd.DataFrame) -> None:
    failed = trials.copy()
    hit = (failed["transport"] == "sse") & (failed["trial"] == 1)
    failed.loc[hit, "verdict"] = "failed"
    failed.loc[hit, list({*frames.MEASURED, *network.WIRE, *network.CPU, *network.IDLE})] = np.nan
    assert "failed, without a number: sse 10 of 30 trials" in words(charts.draw(name, {"trials": failed}))


# Latency by round trip.


def test_every_transport_has_its_line_and_its_model_in_its_colour(figures: dict[str, Figure]) -> None:
    for axes in figures["latency_by_rtt"].axes:
        assert set(lines(axes, "line")) == set(lines(axes, "model")) == set(frames.FIVE)
        for name, line in lines(axes, "model").items():
            assert line.get_color() == style.look(name).colour


def test_a_round_trip_of_nothing_has_its_place_on_the_axis(figures: dict[str, Figure]) -> None:
    for axes in figures["latency_by_rtt"].axes:
        assert np.asarray(lines(axes, "line")["websocket"].get_xdata()).tolist() == list(RTTS)
        assert axes.get_xlim()[0] < 0


def test_the_model_that_is_drawn_is_that_of_the_predictions(trials: pd.DataFrame, figures: dict[str, Figure]) -> None:
    load = trials[trials["transport"] == "longpoll"].iloc[0].to_dict() | {"rtt_ms": 300.0}
    model = predictions.latency({str(key): value for key, value in load.items()})
    assert model
    for axes, q in zip(figures["latency_by_rtt"].axes, (0.5, 0.99), strict=True):
        assert np.asarray(lines(axes, "model")["longpoll"].get_ydata())[-1] == pytest.approx(model.quantile_ms(q))


def knees(figure: Figure) -> list[float]:
    found = [line for line in figure.findobj(Line2D) if isinstance(line, Line2D) and line.get_gid() == "knee"]
    return [float(np.asarray(line.get_xdata())[0]) for line in found]


def test_the_knee_is_marked_where_the_round_trip_is_the_time_between_two_messages(figures: dict[str, Figure]) -> None:
    assert knees(figures["latency_by_rtt"]) == [100, 100]


def test_no_knee_is_marked_out_of_the_picture_or_where_nothing_has_one(trials: pd.DataFrame) -> None:
    near = trials[trials["rtt_ms"] <= 50]
    assert knees(charts.draw("latency_by_rtt", {"trials": near})) == []
    pushed = trials[trials["transport"].isin(["sse", "websocket"])]
    assert knees(charts.draw("latency_by_rtt", {"trials": pushed})) == []


def test_a_disturbed_load_is_drawn_without_a_model(trials: pd.DataFrame) -> None:
    figure = charts.draw("latency_by_rtt", {"trials": trials.assign(server_stall_ms=100)})
    assert set(lines(figure, "line")) == set(frames.FIVE)
    assert lines(figure, "model") == {}


def test_what_is_not_to_be_believed_is_hollow(trials: pd.DataFrame) -> None:
    doubted = trials.copy()
    doubted.loc[doubted["transport"] == "sse", "verdict"] = "client_bound"
    assert set(lines(charts.draw("latency_by_rtt", {"trials": doubted}), "hollow")) == {"sse"}


@pytest.mark.slow
def test_naive_latency_is_told_as_on_every_chart_of_latency(trials: pd.DataFrame, figures: dict[str, Figure]) -> None:
    assert "Naive latency (from sending) is the same within 10 %." in words(figures["latency_by_rtt"])
    late = network.changed(trials, "sse", ["naive_p50_ms"], 0.5)
    assert set(lines(charts.draw("latency_by_rtt", {"trials": late}), "naive")) == {"sse"}


# Bytes.


def test_a_bar_has_the_parts_that_were_counted_and_ends_at_their_total(trials: pd.DataFrame) -> None:
    near = trials[(trials["rtt_ms"] == 0) & (trials["kind"] == "broadcast")]
    down, up = charts.draw("bytes", {"trials": near}).axes
    assert bars(down)["websocket:payload"] == 128
    assert bars(down)["websocket:framing"] == 4
    assert "websocket:payload" not in bars(up)
    median = near[near["transport"] == "websocket"]["wire_down_bytes_per_delivery"].median()
    assert sum(width for label, width in bars(down).items() if label.startswith("websocket:")) == pytest.approx(
        median, abs=1
    )


def test_the_totals_are_printed_and_the_models_marked(trials: pd.DataFrame) -> None:
    near = trials[(trials["rtt_ms"] == 0) & (trials["kind"] == "broadcast")]
    figure = charts.draw("bytes", {"trials": near})
    assert set(lines(figure, "model")) == set(frames.FIVE)
    assert "both ways 236" in words(figure) or "both ways 237" in words(figure)
    down, up = figure.axes
    assert down.get_xlim() == up.get_xlim()


def test_without_a_model_no_mark_is_drawn_or_explained(trials: pd.DataFrame) -> None:
    figure = charts.draw("bytes", {"trials": trials[trials["rtt_ms"] == 0].assign(headers="browser")})
    assert lines(figure, "model") == {}
    assert "model" not in words(figure)


# CPU.


def test_a_bar_of_cpu_is_user_and_system_on_top_of_each_other(trials: pd.DataFrame, figures: dict[str, Figure]) -> None:
    first = figures["cpu"].axes[0]
    assert {label.rpartition(":")[2] for label in bars(first)} == {"user", "system"}
    assert len(bars(first)) == 2 * len(frames.FIVE)


def test_where_cpu_could_not_be_told_apart_a_bar_is_their_sum(trials: pd.DataFrame) -> None:
    parts = ["server_user_us_per_delivery", "server_system_us_per_delivery"]
    figure = charts.draw("cpu", {"trials": network.changed(trials, "sse", parts, np.nan)})
    found = bars(figure.axes[0])
    assert [label for label in found if label.startswith("sse")] == ["sse:whole"]
    assert "too little to tell them apart" in words(figure)
    assert len(found) == 2 * len(frames.FIVE) - 1
    nowhere = trials[trials["kind"] == "broadcast"].assign(**dict.fromkeys(parts, np.nan))
    assert "not told apart into user and system" in words(charts.draw("cpu", {"trials": nowhere}))


def test_what_waiting_costs_is_drawn_without_deliveries_too(trials: pd.DataFrame) -> None:
    figure = charts.draw("cpu", {"trials": trials[trials["kind"] == "idle"]})
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["For an idle connection, each second", "For a poll that finds nothing"]
    assert "user" not in words(figure)


def test_what_idle_costs_has_panels_of_its_own_where_it_was_measured(
    trials: pd.DataFrame, figures: dict[str, Figure]
) -> None:
    assert [axes.get_title(loc="left") for axes in figures["cpu"].axes] == [
        "For a delivery",
        "For an idle connection, each second",
        "For a poll that finds nothing",
    ]
    assert set(bars(figures["cpu"].axes[2])) == {"polling"}
    busy = charts.draw("cpu", {"trials": without(trials, network.IDLE)})
    assert len(busy.axes) == 1


# Crossover.


def test_a_poller_has_a_line_for_each_staleness_and_the_others_one(figures: dict[str, Figure]) -> None:
    first, second, _ = figures["crossover"].axes
    pollers = {f"polling, every {seconds} s" for seconds in (1, 10, 30)}
    for axes in (first, second):
        assert set(lines(axes, "line")) == {*pollers, "longpoll", "stream", "sse", "websocket"}


def test_a_dot_lies_where_two_lines_cross(figures: dict[str, Figure]) -> None:
    for axes in figures["crossover"].axes[:2]:
        drawn = lines(axes, "line")
        for label, dot in lines(axes, "tie").items():
            x, y = (float(np.asarray(side)[0]) for side in dot.get_data())
            for name in (label, "websocket"):
                xs, ys = (np.asarray(side, dtype=float) for side in drawn[name].get_data())
                assert np.interp(np.log(x), np.log(xs), np.log(ys)) == pytest.approx(np.log(y), abs=0.02)
    assert lines(figures["crossover"], "tie")


def test_memory_has_a_panel_where_it_was_measured(trials: pd.DataFrame, figures: dict[str, Figure]) -> None:
    assert set(bars(figures["crossover"].axes[2])) == set(frames.FIVE)
    slopes = [f"server_{part}_bytes_per_connection" for part in ("user", "kernel")]
    flat = trials.copy()
    flat[slopes] = np.nan
    assert len(charts.draw("crossover", {"trials": flat}).axes) == 2


def test_the_place_that_was_measured_is_marked_and_what_was_assumed_is_said(figures: dict[str, Figure]) -> None:
    found = [
        line for line in figures["crossover"].findobj(Line2D) if isinstance(line, Line2D) and line.get_gid() == "measured"
    ]
    assert [float(np.asarray(line.get_xdata())[0]) for line in found] == [10, 10]
    assert "assumed: each message in an answer of polling takes no CPU" in words(figures["crossover"])
