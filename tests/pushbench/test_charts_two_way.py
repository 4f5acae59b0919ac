"""The chart of who acts: lines along the round trip or the number of actors, bars of bytes and CPU."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pushbench import charts
from pushbench.charts.two_way import TITLE
from tests.pushbench import frames

Frames = dict[str, pd.DataFrame]


def acted(**varied: tuple[float, ...]) -> Frames:
    """WebSocket, and POST on kept and on new connections, at each value of that key."""
    ((key, values),) = varied.items()
    tables = []
    for number, (value, (transport, connection)) in enumerate(
        (value, way) for value in values for way in (("websocket", "kept"), ("post", "kept"), ("post", "new"))
    ):
        table = frames.run(("websocket",), subscribers=(10,), measure_s=1, warmup_s=0.5, trials=2)["trials"]
        table = table.assign(transport=transport, post_connection=connection, kind="request", cell=number)
        table = table.assign(wire_down_bytes_per_delivery=184.0, wire_up_bytes_per_delivery=241.0)
        tables.append(table.assign(**{key: value}))
    return {"trials": pd.concat(tables, ignore_index=True)}


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def lines(figure: Figure, panel: int) -> list[str]:
    return [gid.partition(":")[2] for one in figure.axes[panel].get_lines() if (gid := str(one.get_gid()))[:5] == "line:"]


def bars(figure: Figure, panel: int) -> int:
    return sum(isinstance(one, Rectangle) and ":" in str(one.get_gid()) for one in figure.axes[panel].patches)


WAYS = ["websocket", "post, kept connection", "post, new connection"]


def test_along_the_round_trip_latency_is_lines_and_what_does_not_depend_on_it_is_bars() -> None:
    figure = charts.draw("two_way", acted(rtt_ms=(0.0, 50.0, 100.0)))
    assert lines(figure, 0) == WAYS
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "linear"
    assert [bars(figure, panel) for panel in (1, 2)] == [6, 6]
    assert "Request: 10 who act, 10 actions/s together" in words(figure)


def test_along_the_number_of_actors_cpu_is_lines_too() -> None:
    figure = charts.draw("two_way", acted(subscribers=(1, 10, 100)))
    assert lines(figure, 0) == lines(figure, 2) == WAYS
    assert figure.axes[0].get_xscale() == "log"
    assert "who act" in figure.axes[0].get_xlabel()


def test_what_is_not_to_be_believed_is_hollow_and_said_so() -> None:
    run = frames.judge(acted(rtt_ms=(0.0, 50.0)), "client_bound", "post")
    figure = charts.draw("two_way", run)
    assert "hollow: not to be believed" in words(figure)
    assert "client_bound" in words(figure)


def test_of_those_who_only_listen_or_of_one_load_there_is_nothing_to_draw() -> None:
    assert "two_way" in charts.applicable(acted(rtt_ms=(0.0, 50.0)))
    one = acted(rtt_ms=(50.0,))
    assert "two_way" not in charts.applicable(one)
    said = words(charts.draw("two_way", one))
    assert TITLE in said
    assert "Nobody acted at two round trips" in said
    assert "two_way" not in charts.applicable({"trials": frames.run(("sse",), trials=1)["trials"]})
