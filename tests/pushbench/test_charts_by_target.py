"""The chart of several servers: a row for each, and in it a mark for each transport, in the same place."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench import charts
from pushbench.charts.by_target import PANELS
from tests.pushbench import frames

SERVERS = {"starlette": 1.0, "nchan": 0.5, "node": 2.0}
"""How late each is, times the first."""


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Three servers × five transports × three trials."""
    one = frames.run(subscribers=(100,), measure_s=1, warmup_s=0.5)["trials"]
    found = []
    for number, (name, factor) in enumerate(SERVERS.items()):
        found.append(
            one.assign(
                target=name,
                cell=one["cell"] + 10 * number,
                latency_p99_ms=one["latency_p99_ms"] * factor,
                wire_down_bytes_per_delivery=200.0,
                wire_up_bytes_per_delivery=50.0 * factor,
            )
        )
    return pd.concat(found, ignore_index=True)


def marks(figure: Figure, kind: str, panel: int = 0) -> dict[str, Line2D]:
    lines = figure.axes[panel].get_lines()
    return {str(line.get_gid()).partition(":")[2]: line for line in lines if str(line.get_gid()).startswith(f"{kind}:")}


def test_each_server_has_a_row_in_the_order_of_the_scenario_from_above(trials: pd.DataFrame) -> None:
    figure = charts.draw("by_target", {"trials": trials})
    assert [axes.get_title(loc="left") for axes in figure.axes] == [title for _, title in PANELS.values()]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[::-1] == list(SERVERS)


def test_a_mark_is_the_median_of_a_transport_on_a_server_and_has_the_same_place_in_each_row(trials: pd.DataFrame) -> None:
    figure = charts.draw("by_target", {"trials": trials})
    found = marks(figure, "points")
    assert list(found) == list(frames.FIVE)
    for name, line in found.items():
        values, rows = (np.asarray(side) for side in line.get_data())
        rows = rows - np.round(rows)
        assert rows == pytest.approx(rows[0])
        medians = trials[trials["transport"] == name].groupby("target")["latency_p99_ms"].median()
        assert values == pytest.approx([medians[server] for server in reversed(SERVERS)])
    both = np.asarray(marks(figure, "points", 2)["sse"].get_xdata())
    assert both == pytest.approx([300, 225, 250])


def test_what_is_not_to_be_believed_is_hollow(trials: pd.DataFrame) -> None:
    doubted = (trials["target"] == "node") & (trials["transport"] == "sse")
    verdicts = trials["verdict"].astype(str).mask(doubted, "nonconforming")
    figure = charts.draw("by_target", {"trials": trials.assign(verdict=verdicts)})
    assert list(marks(figure, "hollow")) == ["sse"]
    assert len(np.asarray(marks(figure, "points")["sse"].get_xdata())) == 2


def test_what_was_measured_nowhere_has_no_panel_and_one_server_alone_no_chart(trials: pd.DataFrame) -> None:
    figure = charts.draw("by_target", {"trials": trials.assign(server_cpu_us_per_delivery=np.nan)})
    assert len(figure.axes) == 2
    assert "by_target" not in charts.applicable({"trials": trials[trials["target"] == "node"]})
    assert "by_target" in charts.applicable({"trials": trials})
