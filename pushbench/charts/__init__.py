"""Charts of a run: a literal table of names, each a function from the frames of a run to a figure.

Knows which frames each chart reads, and when it has something to show. Must not read or write files: a figure is handed
back, and the caller saves it. pyplot is not used, so that nothing is shared between two charts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from pushbench.charts import (
    by_target,
    capacity,
    cliff,
    cost_by_connections,
    cpu,
    crossover,
    fairness,
    latency,
    loss,
    memory,
    network,
    overview,
    percentiles,
    polling,
    scaling,
    search_path,
    throughput,
    timeline,
    two_way,
    wire,
)


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: how it is drawn, from which frames, and how to read it."""

    function: Callable[..., Figure]
    """Takes the frames named in `frames`, in that order. Never raises for want of data: the figure says it in words."""
    shows: Callable[..., bool]
    """Takes the same; False if the figure would only say that there is nothing to draw."""
    frames: tuple[str, ...]
    """Of "trials", "latency", "timeline" and "memory"."""
    title: str
    """The question that it answers."""
    how_to_read: str
    """A sentence for its caption."""


CHARTS: dict[str, Chart] = {
    "overview": Chart(
        overview.overview,
        overview.shows_overview,
        ("trials", "latency"),
        overview.TITLE,
        "Each panel's headline says what its numbers show; left and short is better; colours and order are those "
        "of all other charts. Dotted is naive latency, thin and grey a floor, where there are such.",
    ),
    "latency_percentiles": Chart(
        percentiles.latency_percentiles,
        percentiles.shows_percentiles,
        ("trials", "latency"),
        percentiles.TITLE,
        "Find the share of deliveries on the x axis (each step right is ten times rarer) and read off how long the slowest "
        "of them took; low and flat is better. A thin grey line is a floor, which no transport can beat.",
    ),
    "latency_by_subscribers": Chart(
        latency.latency_by_subscribers,
        latency.shows_by_subscribers,
        ("trials",),
        latency.TITLE,
        "A level line does not mind a larger audience; both axes are logarithmic, so a rising line gains the same factor "
        "with every equal step. Where there are grey floors, only what lies above them is a transport's own.",
    ),
    "throughput": Chart(
        throughput.throughput,
        throughput.shows_throughput,
        ("trials",),
        throughput.TITLE,
        "On the dotted diagonal everything offered is delivered; where a line leaves it the transport has given in, and "
        "the right panel tells whether the server's core was full.",
    ),
    "memory": Chart(
        memory.memory,
        memory.shows_memory,
        ("trials", "memory"),
        memory.TITLE,
        "The steepness of a line is the price of one more connection; a cross far above its dash is memory that the server "
        "kept after all had left.",
    ),
    "latency_over_time": Chart(
        timeline.latency_over_time,
        timeline.shows_over_time,
        ("trials", "timeline"),
        timeline.TITLE,
        "A level band is a server at ease, a rising one falls behind, a spike is a stall that a percentile over the whole "
        "window would hide; the grey part is warm-up and not counted. Dots below the band are what a tool without a "
        "schedule would have printed.",
    ),
    "poll_interval": Chart(
        polling.poll_interval,
        polling.shows_poll_interval,
        ("trials",),
        polling.TITLE,
        "Going left, polling more often lowers the latency towards the push transports' level lines (left panel) and "
        "raises what the server pays for each delivery (right panel).",
    ),
    "capacity": Chart(
        capacity.capacity,
        capacity.shows_capacity,
        ("trials",),
        capacity.TITLE,
        "A longer bar bears more. A hollow bar with an arrow is a lower bound: the load side gave in, or the search had "
        "reached its limit, before the server did.",
    ),
    "search_path": Chart(
        search_path.search_path,
        search_path.shows_search_path,
        ("trials",),
        search_path.TITLE,
        "Each line is one search, from left to right. It climbs while the objective holds (filled), and closes in on the "
        "edge once it has failed twice at a value (hollow, or a cross where the load side gave in).",
    ),
    "cliff": Chart(
        cliff.cliff,
        cliff.shows_cliff,
        ("trials",),
        cliff.TITLE,
        "Where a line crosses the dotted objective, the transport breaks; the right panel tells whether the server's core "
        "was full there.",
    ),
    "latency_by_rtt": Chart(
        network.latency_by_rtt,
        network.shows_by_rtt,
        ("trials",),
        network.TITLE,
        "The steepness of a line is how many transits a delivery waits for: half a round trip is one. What lies above its "
        "pale band is the server's and the instrument's own; at the dashed line long polling begins to fall behind.",
    ),
    "latency_by_loss": Chart(
        loss.latency_by_loss,
        loss.shows_by_loss,
        ("trials", "latency"),
        loss.TITLE,
        "Compare the panels from left to right: what a line does that the first panel has not is what the loss costs it. A "
        "step upwards is a wait for what is sent again; on one connection, or one stream, all that comes behind waits too.",
    ),
    "bytes": Chart(
        wire.bytes_on_the_wire,
        wire.shows_bytes,
        ("trials",),
        wire.TITLE,
        "Only the payload is what was to be delivered; all else is the price of the transport. The thin mark is what the "
        "formulas say: a bar that ends elsewhere is to be explained.",
    ),
    "cpu": Chart(
        cpu.cpu,
        cpu.shows_cpu,
        ("trials",),
        cpu.TITLE,
        "The plain part of a bar may fall with another library or language, the hatched one is the kernel's, a matter of "
        "how often it is asked; what idle costs is paid also when there is nothing to say.",
    ),
    "crossover": Chart(
        crossover.crossover,
        crossover.shows_crossover,
        ("trials",),
        crossover.TITLE,
        "Find how often your feed has an update on the x axis, and go up: the lowest line is the cheapest. Left of a dot "
        "the one is cheaper, right of it the other; far from the dashed line it is arithmetic and not a measurement.",
    ),
    "scaling": Chart(
        scaling.scaling,
        scaling.shows_scaling,
        ("trials",),
        scaling.TITLE,
        "On the pale band all that was offered is delivered. A line that leaves it has met a limit; one that climbs "
        "towards it with every process or worker had too few of them.",
    ),
    "cost_by_connections": Chart(
        cost_by_connections.cost_by_connections,
        cost_by_connections.shows_cost_by_connections,
        ("trials",),
        cost_by_connections.TITLE,
        "A level line costs the same however many are connected; both axes are logarithmic and those of the two sides are "
        "equal, so the same rise is the same factor anywhere. × is the factor from a line's first point to its last.",
    ),
    "fairness": Chart(
        fairness.fairness,
        fairness.shows_fairness,
        ("trials",),
        fairness.TITLE,
        "The lower edge of a band is who gets a message first, the upper one who gets it last; a band that widens to the "
        "right makes the last wait for all that are served before. Both are medians over the messages.",
    ),
    "by_target": Chart(
        by_target.by_target,
        by_target.shows_by_target,
        ("trials",),
        by_target.TITLE,
        "Look along a row for what tells the transports of one server apart, and down the marks of one colour for what "
        "tells the servers apart: what keeps its order in every row is the transport's. Left is better; all axes are "
        "logarithmic.",
    ),
    "two_way": Chart(
        two_way.two_way,
        two_way.shows_two_way,
        ("trials",),
        two_way.TITLE,
        "Left, the steepness of a line is how many round trips it takes until who said something has its answer, or all "
        "have heard it. The bars are what that takes on the wire both ways; right is what it takes of two processors.",
    ),
}
"""Every chart by name, in the order of a report."""

OF_SEARCHES = ("capacity", "search_path", "cliff", "throughput")
"""What a run that searched shows if it is not told what: the others compare transports at one load, which it has not."""


def draw(name: str, frames: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw a chart from the frames of a run. KeyError: no such chart, or a frame that it needs is not given."""
    if name not in CHARTS:
        raise KeyError(f"no chart {name!r}; there are {', '.join(CHARTS)}")
    chart = CHARTS[name]
    if missing := [frame for frame in chart.frames if frame not in frames]:
        raise KeyError(f"chart {name!r} needs the frame {missing[0]!r}, and was given {', '.join(frames) or 'none'}")
    return chart.function(*(frames[frame] for frame in chart.frames))


def applicable(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """Name the charts that have something to show with these frames, in the order of the table."""
    return [
        name
        for name, chart in CHARTS.items()
        if all(frame in frames for frame in chart.frames) and chart.shows(*(frames[frame] for frame in chart.frames))
    ]
