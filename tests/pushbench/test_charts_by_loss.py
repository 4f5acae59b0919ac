"""The chart of a lossy line: a panel for each share of loss, and in words what never came and what it cost."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from pushbench import charts
from pushbench.charts.loss import MOST_PANELS, TITLE
from tests.pushbench import frames

Frames = dict[str, pd.DataFrame]


def lossy(*shares: float) -> Frames:
    """WebSocket and datagrams at these shares of loss; of the datagrams such a share never comes."""
    made: dict[str, list[pd.DataFrame]] = {"trials": [], "latency": []}
    for number, share in enumerate(shares):
        run = frames.run(("sse", "websocket"), subscribers=(100,), measure_s=1, warmup_s=0.5, trials=2)
        trials = run["trials"].assign(loss_percent=share, line="packets", rtt_ms=40.0)
        trials["transport"] = trials["transport"].replace("sse", "webtransport_datagrams")
        gone = trials["transport"] == "webtransport_datagrams"
        trials.loc[gone, "lost"] = (trials.loc[gone, "expected"] * share / 100).round()
        for name, table in (("trials", trials), ("latency", run["latency"].copy())):
            table["cell"] += 10 * number
            made[name].append(table)
    return {name: pd.concat(tables, ignore_index=True) for name, tables in made.items()}


def words(figure: Figure) -> str:
    found = (text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
    return " ".join(" ".join(found).replace("\u00a0", " ").split())


def curves(figure: Figure, panel: int) -> list[str]:
    lines = [line for line in figure.axes[panel].get_lines() if isinstance(line, Line2D)]
    return [gid.partition(":")[2] for line in lines if (gid := str(line.get_gid())).startswith("line:")]


@pytest.fixture(scope="module")
def figure() -> Figure:
    return charts.draw("latency_by_loss", lossy(0.0, 1.0, 5.0))


def test_each_share_has_a_panel_with_a_curve_for_each_transport(figure: Figure) -> None:
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"{n} % of packets lost" for n in (0, 1, 5)]
    assert all(curves(figure, panel) == ["websocket", "webtransport_datagrams"] for panel in range(3))


def test_all_panels_have_the_same_axes(figure: Figure) -> None:
    assert len({axes.get_ylim() for axes in figure.axes}) == len({axes.get_xlim() for axes in figure.axes}) == 1


def test_what_never_came_is_told_because_it_has_no_latency(figure: Figure) -> None:
    said = words(figure)
    assert (
        "never came, and have no latency: webtransport_datagrams: 0 % at 0 % loss, 1.0 % at 1 % loss, 5.0 % at 5 % loss"
        in said
    )
    assert "websocket: " not in said


def test_what_a_delivery_costs_the_server_is_told(figure: Figure) -> None:
    assert "server CPU a delivery at 0 % loss, µs: websocket " in words(figure)
    assert "40 ms round trip" in words(figure)


def test_of_more_shares_than_fit_the_least_are_shown() -> None:
    figure = charts.draw("latency_by_loss", lossy(*map(float, range(MOST_PANELS + 1))))
    assert len(figure.axes) == MOST_PANELS
    assert "1 larger share not shown" in words(figure)


def test_one_share_alone_is_no_run_for_it() -> None:
    run = lossy(5.0)
    assert "latency_by_loss" not in charts.applicable(run)
    assert "latency_by_loss" in charts.applicable(lossy(0.0, 5.0))
    said = words(charts.draw("latency_by_loss", run))
    assert "nothing to draw" in said
    assert TITLE in said


def test_what_is_not_to_be_believed_is_thin_and_said() -> None:
    run = lossy(0.0, 5.0)
    doubted = frames.judge(run, "client_bound", "websocket", trials=(1, 2))
    figure = charts.draw("latency_by_loss", doubted)
    widths = {str(line.get_gid()): line.get_linewidth() for line in figure.axes[0].get_lines()}
    assert widths["line:websocket"] < widths["line:webtransport_datagrams"]
    assert "hollow: not to be believed" in words(figure)
    assert np.isfinite(widths["line:websocket"])
