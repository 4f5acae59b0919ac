"""Charts by their structure: what is drawn, labelled, hollow or said in words; never a pixel."""

import functools
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from pushbench import charts
from pushbench.charts import cells, memory, percentiles, slide_cost, slide_latency, style, timeline
from pushbench.labels import plain
from pushbench.stats import Interval
from pushbench.transports import TRANSPORTS
from tests.pushbench import frames

Frames = dict[str, pd.DataFrame]
SIX = [*frames.FIVE[:4], "sse_plain", "websocket"]
ONE = "a single transport, cell and trial"
SEARCHED = ("capacity", "search_path", "cliff")
"""What needs a search: see test_capacity.py."""
NETWORKED = ("latency_by_rtt", "bytes", "cpu", "crossover")
"""What needs a network between, or bytes: see test_charts_of_models.py."""
LOSSY = ("latency_by_loss",)
"""What needs packets that are lost: see test_charts_by_loss.py."""
FANNED = ("fairness",)
"""What needs to be told of the first and of the last subscriber: see test_charts_of_growth.py."""
TWO_WAY = ("two_way",)
"""What needs somebody who acts: see test_charts_two_way.py."""
COMPARED = ("by_target",)
"""What needs several servers: see test_charts_by_target.py."""
FULL = [
    name
    for name in charts.CHARTS
    if name not in ("poll_interval", *SEARCHED, *NETWORKED, *LOSSY, *FANNED, *TWO_WAY, *COMPARED)
]
GROWN = ["scaling", "cost_by_connections"]


@pytest.fixture(scope="module")
def grid() -> Frames:
    """Five transports × 100 and 1,000 subscribers × 3 trials, with memory."""
    return frames.run(plateaus=4, measure_s=1, warmup_s=0.5)


@pytest.fixture(scope="module")
def figures(grid: Frames, polls: Frames) -> dict[str, Figure]:
    """Every chart of them, drawn once: for tests that only look."""
    return {name: charts.draw(name, polls if name == "poll_interval" else grid) for name in (*FULL, "poll_interval")}


@pytest.fixture(scope="module")
def polls() -> Frames:
    """Three transports × three poll intervals."""
    chosen = ("polling", "longpoll", "websocket")
    return frames.run(chosen, subscribers=(100,), poll_intervals=(100, 500, 1000), measure_s=3, trials=2)


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def marked(figure: Figure, kind: str) -> list[str]:
    """The labels of the artists of that kind: line, points, hollow, level, bar."""
    found = (str(artist.get_gid() or "") for artist in figure.findobj(lambda _: True))
    return [gid.removeprefix(f"{kind}:") for gid in found if gid.startswith(f"{kind}:")]


def lines(figure: Figure | Axes, kind: str) -> dict[str, Line2D]:
    found = [line for line in figure.findobj(Line2D) if isinstance(line, Line2D)]
    return {gid.removeprefix(f"{kind}:"): line for line in found if (gid := str(line.get_gid())).startswith(f"{kind}:")}


def places(line: Line2D) -> tuple[list[float], list[float]]:
    x, y = (np.asarray(side, dtype=float).tolist() for side in line.get_data())
    return x, y


def arrange(figure: Figure) -> None:
    """Lay the figure out as saving it would, so that its texts have their places."""
    figure.savefig(io.BytesIO(), format="png", dpi="figure")


def without_deliveries(run: Frames, transport: str) -> Frames:
    """The run, in which that transport was served, but nothing arrived."""
    changed = frames.judge(run, "lossy", transport)
    trials = changed["trials"]
    hit = trials["transport"] == transport
    trials.loc[hit, [name for name in map(str, trials) if name.startswith(("latency_", "naive_"))]] = np.nan
    trials.loc[hit, ["deliveries_per_s", "delivered"]] = 0
    trials.loc[hit, ["server_cpu_us_per_delivery"]] = np.nan
    silent = set(trials.loc[hit, "cell"])
    changed["latency"] = changed["latency"][~changed["latency"]["cell"].isin(silent)]
    slices = changed["timeline"]["cell"].isin(silent)
    changed["timeline"].loc[slices, "deliveries"] = 0
    changed["timeline"].loc[slices, [f"latency_{name}_ms" for name in ("p50", "p99", "max")]] = np.nan
    return changed


def shapes() -> Iterator[tuple[str, Frames]]:
    small: dict[str, Any] = {"subscribers": (100,), "measure_s": 1, "warmup_s": 0.5, "trials": 2, "plateaus": 4}
    two = ("sse", "websocket")
    yield ONE, frames.run(("websocket",), **(small | {"trials": 1}))
    yield "nothing measured", frames.run(two, **(small | {"measure_s": 0, "plateaus": 0}))
    yield "memory alone", frames.run(two, **(small | {"measure_s": 0}))
    yield "a ramp too short for a slope", frames.run(two, **(small | {"plateaus": 2}))
    yield "all failed", frames.fail(frames.fail(frames.run(two, **small), "sse"), "websocket")
    yield "one failed", frames.fail(frames.run(two, **small), "sse")
    yield "nothing to be believed", frames.judge(frames.run(("sse",), **small), "client_bound", "sse")
    yield "zero deliveries", without_deliveries(frames.run(two, **small), "sse")
    yield "no delivery at all", without_deliveries(frames.run(("sse",), **small), "sse")
    yield "a handful of deliveries", frames.run(two, **(small | {"subscribers": (1,), "rates": (1.0,)}))
    yield "variants", frames.run(SIX, **small)
    yield (
        "many settings",
        frames.run(("polling", "sse"), **(small | {"payloads": (128, 1024), "poll_intervals": (50, 500)})),
    )
    yield "many loads", frames.run(two, **(small | {"subscribers": (1, 10, 50, 100), "rates": (1.0, 2.0, 5.0, 10.0)}))
    yield "overload", frames.run(two, **(small | {"rates": (10.0, 5000.0)}))
    yield "floors", frames.run(("tcp", "sse", "websocket", "null"), **(small | {"subscribers": (10, 100)}))
    yield "floors alone", frames.run(frames.FLOORS, **small)
    yield "open and closed", frames.run(two, **(small | {"pacings": ("open", "closed"), "server_stall_ms": 300}))
    yield "closed alone", frames.run(two, **(small | {"pacings": ("closed",), "server_stall_ms": 300}))
    yield "no trial yet", {name: frame.iloc[:0] for name, frame in frames.run(two, **small).items()}


SHAPES = dict(shapes())
QUICK = ("one failed", "variants", "floors", "no trial yet")
"""Those of `make test`; the others are of `make test-slow`."""


def test_the_charts_are_those_that_reports_and_scenarios_name() -> None:
    assert list(charts.CHARTS) == [
        "overview", "latency_percentiles", "latency_by_subscribers", "throughput", "memory", "latency_over_time",
        "poll_interval", "capacity", "search_path", "cliff", "latency_by_rtt", "latency_by_loss", "bytes", "cpu",
        "crossover", "scaling", "cost_by_connections", "fairness", "by_target", "two_way",
    ]  # fmt: skip


@pytest.mark.parametrize("name", charts.CHARTS)
def test_every_chart_says_its_question_what_it_needs_and_how_to_read_it(name: str) -> None:
    chart = charts.CHARTS[name]
    assert chart.title.endswith("?")
    assert chart.how_to_read.endswith(".")
    assert set(chart.frames) <= {"trials", "latency", "timeline", "memory"}


def test_an_unknown_chart_is_refused_with_the_names_that_there_are(grid: Frames) -> None:
    with pytest.raises(KeyError, match="no chart 'pie'; there are overview, latency_percentiles"):
        charts.draw("pie", grid)


def test_a_missing_frame_is_named(grid: Frames) -> None:
    with pytest.raises(KeyError, match="chart 'memory' needs the frame 'memory', and was given trials"):
        charts.draw("memory", {"trials": grid["trials"]})


# Every shape of data.


@functools.cache
def applicable(shape: str) -> list[str]:
    return charts.applicable(SHAPES[shape])


@pytest.mark.parametrize("name", charts.CHARTS)
@pytest.mark.parametrize("shape", [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in SHAPES])
def test_no_shape_of_data_breaks_a_chart_and_an_inapplicable_one_says_why(name: str, shape: str) -> None:
    figure = charts.draw(name, SHAPES[shape])
    if name in applicable(shape):
        assert "nothing to draw" not in words(figure)
        assert marked(figure, "line") or marked(figure, "points") or marked(figure, "hollow") or marked(figure, "bar")
    assert charts.CHARTS[name].title in words(figure)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (ONE, ["overview", "latency_percentiles", "throughput", "memory", "latency_over_time"]),
        ("nothing measured", []),
        ("memory alone", ["overview", "memory"]),
        ("all failed", []),
        ("no trial yet", []),
        ("no delivery at all", ["overview", "memory"]),
        ("a handful of deliveries", ["overview", "throughput", "memory", "latency_over_time"]),
        ("many settings", [*(name for name in FULL if name not in ("latency_by_subscribers", *GROWN)), "poll_interval"]),
        ("many loads", FULL),
        ("floors", FULL),
        ("floors alone", ["latency_percentiles", "throughput", "memory", "latency_over_time"]),
    ],
)  # fmt: skip
def test_a_chart_is_applicable_if_it_has_something_to_show(shape: str, expected: list[str]) -> None:
    assert applicable(shape) == expected


def test_a_chart_whose_frame_is_not_given_is_not_applicable(grid: Frames) -> None:
    assert charts.applicable({"trials": grid["trials"]}) == ["latency_by_subscribers", "throughput", *GROWN]


@pytest.mark.parametrize("name", charts.CHARTS)
def test_a_run_in_which_all_failed_gives_a_figure_with_the_reason(name: str) -> None:
    said = words(charts.draw(name, SHAPES["all failed"]))
    assert "nothing to draw" in said
    assert "All 4 trials failed." in said
    assert "sse: made failed for a test" in said


@pytest.mark.quick_once
@pytest.mark.parametrize("name", FULL)
def test_drawing_leaves_the_frames_as_they_were(name: str, grid: Frames) -> None:
    before = {key: frame.copy() for key, frame in grid.items()}
    charts.draw(name, grid)
    for key, frame in before.items():
        pd.testing.assert_frame_equal(grid[key], frame)


def test_the_same_frames_give_the_same_svg(grid: Frames) -> None:
    def svg() -> bytes:
        file = io.BytesIO()
        with rc_context({"svg.hashsalt": "pushbench"}):
            charts.draw("latency_by_subscribers", grid).savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()

    assert svg() == svg()


# Labels, colours, marks: alike in all charts.


def test_every_axis_says_what_it_shows_and_in_which_unit(figures: dict[str, Figure]) -> None:
    unit = re.compile(r"\((ms|s|%|MiB|KiB|µs|deliveries/s|% of one core)\)|^subscribers|^open connections$")
    for name, figure in figures.items():
        told = {label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label}
        assert len(told) >= 2, name
        assert [label for label in told if not unit.search(label)] == [], name


@pytest.mark.parametrize("name", FULL)
def test_no_text_is_mathematics_or_outside_the_figure(name: str, figures: dict[str, Figure]) -> None:
    figure = figures[name]
    arrange(figure)
    width, height = figure.bbox.size
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        assert "$" not in text.get_text()
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
            assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()


@pytest.mark.parametrize(
    "name", ["latency_percentiles", "latency_by_subscribers", "throughput", "memory", "latency_over_time"]
)
def test_every_transport_has_its_line(name: str, figures: dict[str, Figure]) -> None:
    assert set(marked(figures[name], "line")) == set(frames.FIVE)


@pytest.mark.parametrize("name", ["latency_percentiles", "latency_by_subscribers", "throughput"])
def test_the_key_names_the_transports_in_the_order_of_the_table(name: str) -> None:
    figure = charts.draw(name, SHAPES["variants"])
    keys = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert keys >= set(SIX)
    series = cells.series_of(SHAPES["variants"]["trials"].iloc[::-1])
    assert [one.label for one in series] == SIX


def test_a_legend_reads_row_by_row() -> None:
    keys = [Line2D([], [], label=str(number)) for number in range(5)]
    figure = style.dress(style.sheet(2.4, 4), "title", "subtitle", keys)
    legend = figure.legends[0]
    arrange(figure)
    spots = {text.get_text(): text.get_window_extent() for text in legend.get_texts()}
    reading = sorted(spots, key=lambda name: (-round(spots[name].y0), spots[name].x0))
    assert reading == ["0", "1", "2", "3", "4"]


def test_a_transport_has_the_same_colour_and_marker_in_every_chart(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        for kind in ("line", "points", "level"):
            for label, line in lines(figure, kind).items():
                assert to_hex(line.get_color()).upper() == style.look(label).colour, (name, label)
                if kind == "points":
                    assert line.get_marker() == style.look(label).marker, (name, label)


def test_transports_differ_in_colour_and_marker() -> None:
    looks = [style.look(name) for name in frames.FIVE]
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == 5


@pytest.mark.parametrize("variant", [row.name for row in TRANSPORTS.values() if row.variant_of])
def test_a_variant_has_its_familys_colour_with_another_marker_and_other_dashes(variant: str) -> None:
    own, family = style.look(variant), style.look(TRANSPORTS[variant].family)
    assert own.colour == family.colour
    assert own.marker != family.marker
    assert own.dashes != family.dashes


def test_a_transport_that_the_table_does_not_know_is_grey() -> None:
    assert style.look("carrier_pigeon").colour == style.GREY


def test_settings_that_share_a_chart_differ_in_their_dashes_alone() -> None:
    first, second = style.look("polling", 0), style.look("polling", 1)
    assert (first.colour, first.marker) == (second.colour, second.marker)
    assert first.dashes != second.dashes


@pytest.mark.parametrize("name", ["overview", "latency_percentiles", "latency_by_subscribers", "throughput", "memory"])
def test_what_is_not_to_be_believed_is_hollow_and_its_verdict_is_named(
    name: str, grid: Frames, figures: dict[str, Figure]
) -> None:
    assert marked(figures[name], "hollow") == []
    figure = charts.draw(name, frames.judge(grid, "publisher_late", "sse", [2]))
    assert set(marked(figure, "hollow")) == {"sse"}
    assert all(line.get_markerfacecolor() == "white" for line in lines(figure, "hollow").values())
    assert "not to be believed: sse publisher_late 2 of 6 trials" in words(figure)


def test_the_limit_of_a_server_is_believed_and_said(grid: Frames) -> None:
    figure = charts.draw("latency_by_subscribers", frames.judge(grid, "server_bound", "sse"))
    assert marked(figure, "hollow") == []
    assert "at the limit of the server (server_bound): sse 6 of 6 trials" in words(figure)


@pytest.mark.quick_once
@pytest.mark.parametrize("name", FULL)
def test_failed_trials_are_counted_by_name(name: str, grid: Frames) -> None:
    said = words(charts.draw(name, frames.fail(frames.fail(grid, "sse", [1]), "stream")))
    count = "2 of 6 trials" if name != "latency_over_time" else "1 of 3 trials"
    assert f"sse {count}" in said.split("failed, without a number: ")[1].split("\n")[0]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([1], "1 trial each: no interval"),
        ([3, 3], "3 trials each: median and 95 % interval (of so few: their range)"),
        ([2, 3], "2 to 3 trials each: median and 95 % interval (of so few: their range)"),
        ([9], "9 trials each: median and 95 % interval"),
    ],
)
def test_the_number_of_trials_is_said(counts: list[int], said: str) -> None:
    assert cells.trials_said(counts) == said


@pytest.mark.parametrize("name", ["overview", "latency_by_subscribers", "throughput", "memory"])
def test_the_number_of_trials_is_on_the_chart(name: str, figures: dict[str, Figure]) -> None:
    assert "3 trials each: median and 95 % interval" in words(figures[name])


# Naive latency.


LATENCIES = ["overview", "latency_percentiles", "latency_by_subscribers", "latency_over_time", "poll_interval"]
SAME = "Naive latency (from sending) is the same within 10 %."


def said(figure: Figure) -> str:
    """All words, in one line and with plain spaces, whatever they were wrapped to."""
    return " ".join(words(figure).replace("\u00a0", " ").split())


def sent_late(run: Frames, transport: str, factor: float) -> Frames:
    """The run, in which the naive latencies of that transport are smaller by that factor."""
    changed = {name: frame.copy() for name, frame in run.items()}
    cells = changed["trials"].loc[changed["trials"]["transport"] == transport, "cell"]
    for name in ("trials", "timeline"):
        frame = changed[name]
        naive = [column for column in map(str, frame) if column.startswith("naive_")]
        frame.loc[frame["cell"].isin(cells), naive] /= factor
    latency = changed["latency"]
    latency.loc[latency["cell"].isin(cells) & (latency["clock"] == "sent"), "value_ms"] /= factor
    return changed


@pytest.mark.parametrize("name", LATENCIES)
def test_where_naive_latency_is_the_same_the_chart_says_so_and_draws_none(name: str, figures: dict[str, Figure]) -> None:
    assert SAME in said(figures[name])
    assert marked(figures[name], "naive") == []


@pytest.mark.parametrize("name", LATENCIES)
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_where_naive_latency_differs_it_is_dotted_in_the_transports_colour_and_in_the_key(
    name: str, transport: str, grid: Frames, polls: Frames
) -> None:
    figure = charts.draw(name, sent_late(polls if name == "poll_interval" else grid, transport, 3))
    assert set(marked(figure, "naive")) == {transport}
    assert SAME not in said(figure)
    drawn = lines(figure, "naive")[transport]
    assert drawn.get_color() == style.look(transport).ink
    assert [text.get_text() for legend in figure.legends for text in legend.get_texts()].count("naive (from sending)") == 1


@pytest.mark.parametrize("name", LATENCIES)
def test_the_axis_has_room_for_naive_latency(name: str, grid: Frames, polls: Frames) -> None:
    figure = charts.draw(name, sent_late(polls if name == "poll_interval" else grid, "websocket", 30))
    for axes in figure.axes:
        for line in lines(axes, "naive").values():
            x, y = places(line)
            shown, (low, high) = (x, axes.get_xlim()) if axes.get_xlabel().startswith("latency") else (y, axes.get_ylim())
            assert all(low <= value <= high for value in shown if np.isfinite(value))


@pytest.mark.parametrize(
    ("due", "naive", "differs"),
    [
        (1.0, 1.0, False),
        (1.09, 1.0, False),
        (1.11, 1.0, True),
        (500.0, 4.0, True),
        (1.0, 1.11, True),
        (np.nan, 1.0, False),
        (1.0, np.nan, False),
        (1.0, 0.0, False),
    ],
)
def test_a_tenth_makes_them_differ(due: float, naive: float, differs: bool) -> None:
    assert cells.apart([due], [naive]).tolist() == [differs]


def test_over_time_naive_latency_is_drawn_only_in_the_slices_in_which_it_differs() -> None:
    run = {name: frame.copy() for name, frame in frames.run(("sse",), subscribers=(100,), trials=1, measure_s=1).items()}
    late = run["timeline"]["at_s"].between(0.45, 0.65)
    run["timeline"].loc[late, "naive_p99_ms"] /= 2
    x, y = places(lines(charts.draw("latency_over_time", run), "naive")["sse"])
    assert [at for at, value in zip(x, y, strict=True) if np.isfinite(value)] == pytest.approx([0.5, 0.6])


# Floors.


@pytest.mark.parametrize("name", ["latency_percentiles", "latency_by_subscribers", "throughput"])
def test_a_floor_is_a_thin_grey_line_without_filled_markers_and_in_the_key_behind_the_transports(name: str) -> None:
    figure = charts.draw(name, SHAPES["floors"])
    drawn = lines(figure, "line")
    for floor in ("floor: bare TCP", "floor: instrument alone"):
        red, green, blue = (int(to_hex(drawn[floor].get_color())[at : at + 2], 16) for at in (1, 3, 5))
        assert red == green == blue
        assert drawn[floor].get_linewidth() < drawn["sse"].get_linewidth()
        assert lines(figure, "points")[floor].get_marker() not in Line2D.filled_markers
    keys = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert set(keys) >= {"sse", "websocket", "floor: bare TCP", "floor: instrument alone"}
    series = [one.label for one in cells.series_of(SHAPES["floors"]["trials"], along=("subscribers",))]
    assert series == ["sse", "websocket", "floor: bare TCP", "floor: instrument alone"]


def test_a_floor_that_is_not_to_be_believed_is_hollow_too() -> None:
    figure = charts.draw("latency_by_subscribers", frames.judge(SHAPES["floors"], "client_bound", "tcp"))
    assert set(marked(figure, "hollow")) == {"floor: bare TCP"}
    assert lines(figure, "hollow")["floor: bare TCP"].get_marker() in Line2D.filled_markers


def test_floors_are_level_lines_of_polling_and_the_p50_in_every_panel_over_time() -> None:
    run = frames.run(
        ("polling", "sse", *frames.FLOORS), subscribers=(100,), poll_intervals=(100, 500), measure_s=1, trials=2
    )
    left, right = charts.draw("poll_interval", run).axes
    assert set(lines(left, "level")) == {"sse", "floor: bare TCP", "floor: instrument alone"}
    assert set(lines(right, "level")) == {"sse", "floor: bare TCP"}
    over_time = charts.draw("latency_over_time", SHAPES["floors"])
    assert [axes.get_title(loc="left") for axes in over_time.axes] == ["sse", "websocket"]
    for axes in over_time.axes:
        assert set(lines(axes, "floor")) == {"floor: bare TCP", "floor: instrument alone"}


def test_the_overview_shows_floors_beside_latency_and_in_no_row_headline_or_note() -> None:
    run = frames.judge(SHAPES["floors"], "client_bound", "tcp")
    figure = charts.draw("overview", run)
    without = {name: frame.copy() for name, frame in run.items()}
    without["trials"] = without["trials"][~without["trials"]["transport"].isin(frames.FLOORS)]
    plain_figure = charts.draw("overview", without)

    def headlines(of: Figure) -> list[str]:
        return [" ".join(axes.get_title(loc="left").split()) for axes in of.axes]

    assert headlines(figure) == headlines(plain_figure)
    for axes in figure.axes:
        assert not [tick for tick in axes.get_yticklabels() if "floor" in tick.get_text()]
    assert set(lines(figure.axes[0], "floor")) == {"floor: bare TCP", "floor: instrument alone"}
    assert "tcp" not in words(figure)
    assert "floor" not in words(plain_figure)


def test_only_floors_that_met_the_same_load_are_beside_it() -> None:
    trials = SHAPES["floors"]["trials"]
    here = trials[(trials["transport"] == "sse") & (trials["subscribers"] == 100)]
    found = cells.floors_at(trials, here)
    assert set(found["transport"]) == set(frames.FLOORS)
    assert set(found["subscribers"]) == {100}
    assert cells.floors_at(trials, here.assign(rate_hz=11.0)).empty


def test_the_memory_of_a_bare_connection_is_a_grey_line_and_what_has_no_server_is_not_there() -> None:
    figure = charts.draw("memory", SHAPES["floors"])
    assert set(marked(figure, "line")) == {"sse", "websocket", "floor: bare TCP"}


# Closed loops.


def test_open_and_closed_loops_have_panels_of_their_own_and_the_closed_is_hollow_with_its_naive_curve() -> None:
    opened, closed = charts.draw("latency_percentiles", SHAPES["open and closed"]).axes
    assert opened.get_title(loc="left") == "100 subscribers × 10 messages/s, open loop"
    assert closed.get_title(loc="left") == "100 subscribers × 10 messages/s, closed loop"
    assert set(lines(opened, "points")) == set(lines(closed, "hollow")) == {"sse", "websocket"}
    assert set(lines(opened, "hollow")) == set(lines(opened, "naive")) == set()
    assert set(lines(closed, "naive")) == {"sse", "websocket"}


def test_open_and_closed_loops_are_side_by_side_over_time() -> None:
    titles = [axes.get_title(loc="left") for axes in charts.draw("latency_over_time", SHAPES["open and closed"]).axes]
    assert titles == [
        "sse, open loop", "sse, closed loop (not to be believed)",
        "websocket, open loop", "websocket, closed loop (not to be believed)",
    ]  # fmt: skip


@pytest.mark.parametrize("shape", ["open and closed", "closed alone"])
@pytest.mark.parametrize("name", ["overview", "latency_percentiles", "throughput", "latency_over_time"])
def test_a_closed_loop_is_called_one_on_every_chart(name: str, shape: str) -> None:
    figure = charts.draw(name, SHAPES[shape])
    labels = [axes.get_title(loc="left") for axes in figure.axes]
    labels += [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    labels += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert any("closed loop" in label for label in labels)
    assert "sse, closed loop publisher_late 2 of 2 trials" in said(figure)


def test_what_was_done_on_purpose_is_said() -> None:
    assert "on purpose: server stopped for 300 ms" in words(charts.draw("latency_over_time", SHAPES["closed alone"]))


# Series and points.


def test_settings_that_vary_make_series_of_their_own_unless_the_chart_shows_them() -> None:
    trials = SHAPES["many settings"]["trials"]
    assert [one.label for one in cells.series_of(trials)] == [
        "polling, 128 bytes, every 50 ms", "polling, 128 bytes, every 500 ms",
        "polling, 1,024 bytes, every 50 ms", "polling, 1,024 bytes, every 500 ms",
        "sse, 128 bytes", "sse, 1,024 bytes",
    ]  # fmt: skip
    assert [one.label for one in cells.series_of(trials, along=("payload_bytes", "poll_interval_ms"))] == ["polling", "sse"]


def test_a_point_is_the_median_across_trials_with_its_interval() -> None:
    rows = pd.DataFrame(
        {"subscribers": [5, 5, 5, 9], "value": [1.0, 4.0, 2.0, np.nan], "verdict": ["ok", "lossy", "ok", "ok"]}
    )
    assert cells.points(rows, ["subscribers"], "subscribers", "value") == [
        cells.Point(5.0, Interval(1.0, 2.0, 4.0, 3), False)
    ]


def test_the_largest_load_is_the_largest_that_was_measured(grid: Frames) -> None:
    trials = grid["trials"].copy()
    trials.loc[trials["subscribers"] == 1000, "latency_p50_ms"] = np.nan
    assert set(cells.largest(trials, "latency_p50_ms")["subscribers"]) == {100}


# Each chart's own.


def histogram(values: list[float], counts: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"value_ms": values, "count": counts})


def test_a_percentile_is_the_first_bucket_at_which_that_share_is_counted() -> None:
    curve = percentiles.curve(histogram([1.0, 2.0, 30.0], [500, 400, 100]))
    assert curve is not None
    assert (curve.at(0.5), curve.at(0.9), curve.at(0.99)) == (1.0, 2.0, 30.0)


def test_histograms_of_trials_are_merged_by_addition() -> None:
    one, other = histogram([1.0, 2.0], [60, 40]), histogram([1.0, 9.0], [20, 80])
    merged = percentiles.curve(pd.concat([one, other]))
    assert merged is not None
    assert (merged.deliveries, merged.at(0.0), merged.at(0.5), merged.at(0.9)) == (200, 1.0, 2.0, 9.0)


def test_a_curve_ends_where_fewer_than_ten_deliveries_were_slower() -> None:
    curve = percentiles.curve(histogram([float(value) for value in range(1, 1001)], [1] * 1000))
    assert curve is not None
    assert curve.nines[-1] == pytest.approx(2)
    assert curve.value_ms[-1] == 990
    assert np.isnan(curve.at(0.999))


def test_too_few_deliveries_give_no_curve_and_are_named() -> None:
    assert percentiles.curve(histogram([1.0], [19])) is None
    run = SHAPES["one failed"] | {}
    run["latency"] = run["latency"].assign(count=1).groupby(["cell", "trial", "clock"]).head(3)
    assert "nothing to draw" in words(charts.draw("latency_percentiles", run))


def test_many_loads_are_cut_to_six_panels_of_the_largest_and_the_rest_counted() -> None:
    figure = charts.draw("latency_percentiles", SHAPES["many loads"])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        f"{subscribers} subscribers × {rate} messages/s" for rate in (5, 10) for subscribers in (10, 50, 100)
    ]  # fmt: skip
    assert "10 smaller loads not shown" in words(figure)


def test_latency_against_subscribers_has_the_median_above_the_99th_percentile(grid: Frames) -> None:
    upper, lower = charts.draw("latency_by_subscribers", grid).axes
    assert upper.get_ylabel() == "median (p50) latency (ms)"
    trials = grid["trials"]
    for axes, column in ((upper, "latency_p50_ms"), (lower, "latency_p99_ms")):
        mine = trials[trials["transport"] == "sse"].groupby("subscribers")[column].median()
        counts, values = places(lines(axes, "line")["sse"])
        assert counts == [100, 1000]
        assert values == pytest.approx(mine.tolist())


def test_on_the_diagonal_of_throughput_delivered_equals_offered(grid: Frames) -> None:
    left = charts.draw("throughput", grid).axes[0]
    diagonal = next(line for line in left.lines if line.get_gid() == "diagonal")
    assert places(diagonal)[0] == places(diagonal)[1]
    offered, delivered = places(lines(left, "line")["websocket"])
    assert offered == delivered == pytest.approx([1000, 10_000])


def test_what_delivered_nothing_is_named_since_a_logarithmic_axis_cannot_show_it() -> None:
    assert "delivered nothing, so not on the axis (trials): sse 2" in words(
        charts.draw("throughput", SHAPES["zero deliveries"])
    )


def test_the_memory_line_has_the_slope_of_the_table_and_says_it_with_interval_and_r2(grid: Frames) -> None:
    figure = charts.draw("memory", grid)
    trials = grid["trials"]
    mine = trials[(trials["transport"] == "sse") & (trials["subscribers"] == 1000)]["server_user_bytes_per_connection"]
    (x0, x1), (y0, y1) = places(lines(figure.axes[0], "line")["sse"])
    assert (y1 - y0) / (x1 - x0) * memory.MIB == pytest.approx(mine.median())
    keys = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert [key.split(":")[0] for key in keys] == list(frames.FIVE)
    assert re.fullmatch(r"sse: \d+\.\d+ ± \d+\.\d+, R² ≥ 0\.9991", keys[3])
    assert set(marked(figure, "baseline")) == set(marked(figure, "residual")) == set(frames.FIVE)


def test_one_trial_has_the_interval_of_its_own_fit() -> None:
    series = cells.series_of(SHAPES[ONE]["trials"])[0]
    found = cells.slope(series.rows, "user")
    assert found.n == 1
    assert found.low < found.mid < found.high
    user, kernel, total = slide_cost.connection_cost(series)
    assert total.mid == pytest.approx(user.mid + kernel.mid)
    assert "± is the 95 % interval of the fitted slope" in words(charts.draw("memory", SHAPES[ONE]))


def test_a_pause_breaks_the_line_over_time_and_a_slow_feed_does_not() -> None:
    def slices(at_s: list[float]) -> pd.DataFrame:
        return pd.DataFrame({"at_s": at_s} | dict.fromkeys((*timeline.COLUMNS, timeline.NAIVE), 1.0))

    assert (
        np.isnan(timeline.with_breaks(slices([0.0, 0.1, 0.2, 2.0, 2.1]))[0]).tolist() == [False] * 3 + [True] + [False] * 2
    )
    assert not np.isnan(timeline.with_breaks(slices([0.0, 1.0, 2.0, 3.0]))).any()
    assert not np.isnan(timeline.with_breaks(slices([0.5]))).any()


def test_over_time_the_warm_up_is_shaded_and_every_trial_has_its_line(grid: Frames) -> None:
    figure = charts.draw("latency_over_time", grid)
    for axes, transport in zip(figure.axes, frames.FIVE, strict=True):
        assert axes.get_title(loc="left") == transport
        assert [patch.get_gid() for patch in axes.patches] == ["warmup"]
        assert len([line for line in axes.lines if line.get_gid() == f"line:{transport}"]) == 3
    assert "warm-up" not in words(
        charts.draw("latency_over_time", frames.run(("sse",), subscribers=(9,), warmup_s=0, measure_s=1))
    )


def test_over_time_the_outage_is_shaded_in_every_panel_that_had_one() -> None:
    killed = frames.run(("sse", "websocket"), subscribers=(9,), measure_s=10)
    down = killed["trials"]["transport"] == "sse"
    killed["trials"].loc[down, ["server_down_ms", "server_away_ms"]] = [1000, 1250.0]
    figure = charts.draw("latency_over_time", killed)
    sse, websocket = ([patch for patch in axes.patches if patch.get_gid() == "outage"] for axes in figure.axes)
    [outage] = sse
    box = outage.get_path().get_extents(outage.get_patch_transform())
    assert (box.x0, box.x1) == (4.5, 5.75)
    assert websocket == []
    assert "no server" in words(figure)


def test_polling_has_half_the_interval_beside_it_and_the_others_are_level(polls: Frames) -> None:
    left, right = charts.draw("poll_interval", polls).axes
    model = next(line for line in left.lines if line.get_gid() == "T/2")
    assert places(model) == ([100, 500, 1000], [50, 250, 500])
    intervals, means = places(lines(left, "line")["polling"])
    assert intervals == [100, 500, 1000]
    assert means == pytest.approx([50, 250, 500], rel=0.1)
    for axes in (left, right):
        assert set(lines(axes, "level")) == {"longpoll", "websocket"}
        assert set(lines(axes, "line")) == {"polling"}


def test_pollers_that_are_not_at_the_largest_load_leave_nothing_to_draw(polls: Frames) -> None:
    trials = polls["trials"].assign(subscribers=lambda all: np.where(all["transport"] == "websocket", 5000, 100))
    figure = charts.draw("poll_interval", {**polls, "trials": trials})
    assert "No transport that polls was measured at the largest load" in words(figure)


def test_polling_has_beside_its_cpu_what_it_would_take_if_every_poll_took_the_same(polls: Frames) -> None:
    trials = polls["trials"].assign(server_cpu_us_per_delivery=250.0, requests_per_delivery=1.0)
    figure = charts.draw("poll_interval", {**polls, "trials": trials})
    _, right = figure.axes
    [model] = [line for line in right.lines if line.get_gid() == "requests"]
    assert places(model)[1] == pytest.approx([250, 50, 25])
    assert "a core would answer 4,000 a second, and these subscribers could ask every 25 ms" in words(figure)
    doubted = trials.assign(verdict=np.where(trials["poll_interval_ms"] == 100, "server_bound", trials["verdict"]))
    assert "a core would answer 4,000" in words(charts.draw("poll_interval", {**polls, "trials": trials}))
    assert "asked most often" in words(charts.draw("poll_interval", {**polls, "trials": doubted}))
    for column in ("server_cpu_us_per_delivery", "requests_per_delivery"):
        unknown = {**polls, "trials": trials.assign(**{column: np.nan})}
        assert "a core would answer" not in words(charts.draw("poll_interval", unknown))


# The overview.


def test_the_overview_is_a_slide_of_four_panels_each_with_a_headline(grid: Frames) -> None:
    figure = charts.draw("overview", grid)
    assert figure.get_size_inches().tolist() == [13.33, 7.5]
    assert len(figure.axes) == 4
    assert all(axes.get_title(loc="left") for axes in figure.axes)


def test_the_overview_fills_its_panels_with_what_there_is() -> None:
    labels = [axes.get_xlabel() for axes in charts.draw("overview", SHAPES["one failed"]).axes]
    assert [label.split("(")[0].strip() for label in labels] == [
        "latency", "percentile of deliveries", "server CPU per delivery at this load", "server memory per open connection",
    ]  # fmt: skip
    assert len(charts.draw("overview", SHAPES["memory alone"]).axes) == 1


def test_a_row_without_a_number_says_why() -> None:
    assert "failed" in [text.get_text() for text in charts.draw("overview", SHAPES["one failed"]).axes[0].texts]
    assert "nothing delivered" in [
        text.get_text() for text in charts.draw("overview", SHAPES["zero deliveries"]).axes[0].texts
    ]


def series(name: str) -> cells.Series:
    return cells.Series(name, "", style.look(name), pd.DataFrame())


@pytest.mark.parametrize(
    ("medians", "said"),
    [
        ({}, "No latency at this load is to be believed"),
        ({"sse": 4.04}, "sse: half of all messages within 4.0 ms"),
        ({"polling": 503.2, "sse": 9.1, "websocket": 4.3}, "Median latency: polling 503 ms, the others 4.3 to 9.1 ms"),
        ({"polling": 503.2, "websocket": 4.3}, "Median latency: polling 503 ms, websocket 4.3 ms"),
        ({"polling": 8.0, "websocket": 4.3}, "Half of all messages arrive within 4.3 ms (websocket) to 8.0 ms (polling)"),
        ({"sse": 4.01, "websocket": 4.02}, "Half of all messages arrive within 4.0 ms"),
    ],
)  # fmt: skip
def test_the_headline_on_latency_is_true_for_any_data(medians: dict[str, float], said: str) -> None:
    headline = slide_latency.first_headline([(series(name), value) for name, value in medians.items()])
    assert headline.replace("\u00a0", " ") == said


def test_the_headline_on_growth_compares_only_believable_ends() -> None:
    def at(x: float, y: float, believable: bool = True) -> cells.Point:
        return cells.Point(x, Interval(y, y, y, 3), believable)

    found = [
        (series("polling"), [at(10, 500), at(1000, 510)]),
        (series("sse"), [at(10, 1), at(1000, 9, believable=False)]),
        (series("stream"), [at(10, 1)]),
        (series("websocket"), [at(10, 1), at(100, 2), at(1000, 4)]),
    ]
    assert slide_latency.growth_headline(found) == (
        "From 10 to 1,000 subscribers, the median changes ×1.0 (polling) to ×4.0 (websocket) (hollow ones aside)"
    )
    assert slide_latency.growth_headline(found[1:3]) == "Latency from 10 to 1,000 subscribers"


def test_a_headline_leaves_out_what_is_not_to_be_believed_and_says_so(grid: Frames) -> None:
    title = charts.draw("overview", frames.judge(grid, "lossy", "websocket")).axes[2].get_title(loc="left")
    assert "websocket" not in title
    assert "(hollow ones aside)" in title.replace("\n", " ")


def test_a_headline_that_believes_nothing_sets_nothing_aside() -> None:
    titles = [axes.get_title(loc="left") for axes in charts.draw("overview", SHAPES["nothing to be believed"]).axes]
    assert all("is to be believed" in title and "aside" not in title for title in titles)


def test_a_naive_curve_is_drawn_until_it_meets_the_other() -> None:
    due, naive = np.array([1.0, 5.0, 5.0, 5.0, 5.0]), np.array([1.0, 1.0, 1.0, 5.0, 5.0])
    drawn = percentiles.until_they_meet(due, naive)
    assert np.isfinite(drawn).tolist() == [True, True, True, True, False]


def test_a_poll_that_the_window_cut_off_is_not_called_a_loss() -> None:
    run = frames.run(("polling", "sse"), subscribers=(100,), measure_s=1, trials=1)
    trials = run["trials"]

    def headline() -> str:
        return charts.draw("overview", run).axes[3].get_title(loc="left").replace("\n", " ").replace("\u00a0", " ")

    trials.loc[trials["transport"] == "polling", "deliveries_per_s"] *= 0.985
    assert headline() == "Of 1,000 deliveries/s offered, none was lost"
    trials.loc[trials["transport"] == "polling", "lost"] = 15
    assert headline() == "Of 1,000 deliveries/s offered, 98 % (polling) to 100 % (sse) were delivered"


# Style.


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, "0.5"), (1000, "1,000"), (0.001, "0.001"), (20.0, "20"), (-2, "-2"), (0, "0")]
)
def test_ticks_are_written_in_full(value: float, said: str) -> None:
    assert plain(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (4.04, "4.0"),
        (0.0432, "0.043"),
        (27.4, "27"),
        (503.2, "503"),
        (12_345, "12,300"),
        (99.7, "100"),
        (0, "0"),
        (np.nan, "–"),
    ],
)
def test_measured_numbers_are_written_with_the_digits_that_they_deserve(value: float, said: str) -> None:
    assert style.brief(value) == said


@pytest.mark.parametrize("values", [[4.0], [4.0, 4.4], [1, 1000], [0.01, 1e6], [np.nan], [0.0, 5.0], []])
def test_a_logarithmic_axis_has_two_to_eight_ticks_whatever_its_values(values: list[float]) -> None:
    axes = style.sheet(4, 3).subplots()
    style.log_axis(axes, "y", values)
    low, high = axes.get_ylim()
    assert 2 <= len([tick for tick in axes.get_yticks() if low <= tick <= high]) <= 8
    assert all(low < value < high for value in values if value > 0)


def test_ticks_at_measured_values_are_thinned_where_they_would_touch() -> None:
    assert style.thinned([1, 10, 95, 100, 1000], 1, 1000) == [1, 10, 100, 1000]


def test_labels_beside_lines_are_moved_apart_but_no_further_than_needed() -> None:
    assert style.spread([0.1, 0.5, 0.52, 0.9], 0.1).tolist() == pytest.approx([0.1, 0.46, 0.56, 0.9])
    assert style.spread([0.98, 0.99, 1.0], 0.1).tolist() == pytest.approx([0.8, 0.9, 1.0])
    assert style.spread([], 0.1).tolist() == []
