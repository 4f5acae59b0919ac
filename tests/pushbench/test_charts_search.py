"""The charts of a search: the capacity and its bounds, the path, the cliff. They show what the trials say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from pushbench.charts import CHARTS, applicable, draw
from tests.pushbench import frames, searches

NAMES = ("capacity", "search_path", "cliff")


def lines(figure: Figure, start: str) -> dict[str, list[tuple[float, float]]]:
    """The points of every line whose gid starts so, by the rest of the gid."""
    return {
        str(line.get_gid()).removeprefix(start): [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]
        for line in figure.findobj(Line2D)
        if isinstance(line, Line2D) and str(line.get_gid()).startswith(start)
    }


def bars(figure: Figure, start: str) -> dict[str, float]:
    return {
        str(bar.get_gid()).removeprefix(start): bar.get_width()
        for bar in figure.findobj(Rectangle)
        if isinstance(bar, Rectangle) and str(bar.get_gid()).startswith(start)
    }


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_they_are_drawn_for_searches_alone_and_others_for_searches_too() -> None:
    searched = searches.run(trials=1)
    assert set(NAMES) <= set(applicable(searched))
    assert {"latency_by_subscribers", "throughput"} <= set(applicable(searched))
    plain = frames.run(trials=1)
    assert not set(NAMES) & set(applicable(plain))
    older = plain | {"trials": plain["trials"].drop(columns=frames.SEARCH)}
    for name in NAMES:
        assert not CHARTS[name].shows(older["trials"])
        assert any("Nothing was searched" in text.get_text() for text in draw(name, older).axes[0].texts)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "made",
    [
        searches.run(load_side=["stream"], lossy=["sse"]),
        searches.run({"sse": 0.5}, trials=1),
        searches.run({"null": 900.0, "sse": 900.0}, trials=1),
        searches.run(steps=2),
    ],
    ids=["spoilt", "never", "floor", "cut off"],
)
def test_they_can_be_drawn_whatever_the_searches_found(name: str, made: dict[str, object]) -> None:
    figure = draw(name, made)  # type: ignore[arg-type]
    figure.draw_without_rendering()
    assert figure.axes


@pytest.mark.parametrize("name", ["latency_by_subscribers", "throughput"])
def test_charts_of_loads_take_the_steps_as_loads(name: str) -> None:
    figure = draw(name, searches.run({"sse": 900.0, "websocket": 1700.0}, trials=1))
    figure.draw_without_rendering()
    assert len(lines(figure, "line:")["sse"]) == len(lines(figure, "line:")["websocket"]) - 1 == 9


def test_a_capacity_is_a_full_bar_and_a_lower_bound_a_hollow_one_that_says_so() -> None:
    figure = draw("capacity", searches.run({"stream": 1300.0, "sse": 900.0, "websocket": 9000.0}, load_side=["stream"]))
    assert bars(figure, "bar:") == {"sse": 950}
    assert bars(figure, "bound:") == {"stream": 1300, "websocket": 3000}
    assert lines(figure, "interval:")["sse"] == [(900, 2 - 1), (1000, 2 - 1)]
    said = texts(figure)
    assert "at least 1,300" in said
    assert "at least 3,000" in said
    assert "at least 950" not in said
    assert "gave in: load side" in said


def test_cells_stand_in_the_order_of_all_charts_and_each_has_its_place() -> None:
    made = searches.run({"websocket": 900.0, "polling": 300.0}, trials=1)
    table = made["trials"]
    again = table[table["transport"] == "websocket"].assign(cell=2, poll_interval_ms=500)  # to it the same, but a cell
    figure = draw("capacity", made | {"trials": pd.concat([table, again], ignore_index=True)})
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["polling", "websocket", "websocket"]


def test_the_path_of_a_search_has_every_step_with_what_came_of_it() -> None:
    figure = draw("search_path", searches.run({"sse": 900.0, "websocket": 900.0}, load_side=["websocket"], trials=1))
    path = [100, 200, 400, 800, 1600, 1600, 1200, 1200, 1000, 1000, 900, 950, 950]
    for transport, side in (("sse", "server"), ("websocket", "load")):
        assert [y for _, y in lines(figure, "path:")[f"{transport} 1"]] == path
        assert [y for _, y in lines(figure, "held:")[f"{transport} 1"]] == [100, 200, 400, 800, 900]
        assert len(lines(figure, f"{side}:")[f"{transport} 1"]) == 8


def test_the_cliff_reaches_beyond_the_objective_which_is_a_line() -> None:
    figure = draw("cliff", searches.run({"sse": 900.0}, trials=1))
    left, right = figure.axes
    [objective] = lines(figure, "objective").values()
    assert {y for _, y in objective} == {100}
    latency, cpu = (dict(np.asarray(line.get_xydata())) for axes in (left, right) for line in axes.lines
                    if line.get_gid() == "line:sse")  # fmt: skip
    assert min(latency.values()) < 100 < max(latency.values())
    assert list(latency) == list(cpu) == [100, 200, 400, 800, 900, 950, 1000, 1200, 1600]
    assert (left.get_xlabel(), left.get_ylabel()) == ("subscribers", "p99 latency (ms)")
    assert right.get_ylabel() == "server CPU (% of one core)"
