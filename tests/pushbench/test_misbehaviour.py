"""What goes wrong on purpose: what of it contradicts itself or the rest of a scenario is refused, with the way out."""

import pytest

from pushbench.scenario import ScenarioError, loads

TEXT = """
title = "What if?"
[load]
transport = "{transport}"
subscribers = 10
rate_hz = 10
{load}
[phases]
warmup_s = 1
measure_s = 2
{phases}
"""


def cell_of(load: str, phases: str = "", transport: str = "sse") -> str:
    [cell] = loads(TEXT.format(transport=transport, load=load, phases=phases), "mine.toml").cells
    return cell.model_dump_json()


@pytest.mark.parametrize(
    ("load", "phases", "says"),
    [
        ("server_down_ms = 2000", "", r"2000 ms do not fit into a window of 2 s, .*; shorten the outage, or set measure_s"),
        ("server_down_ms = 100\nserver_stall_ms = 100", "", "stopped at the same time; take one of the two out"),
        ("server_down_ms = 100", "plateaus = 4", "memory makes no line, .*; set plateaus = 0"),
        ("slow_percent = 1", "", "1 of 10 subscribers is not even one, .*; raise it to 10"),
        ("slow_bytes_per_s = 5", "", "5, but none of 10 subscribers is slow"),
        ("slow_percent = 60\nresume_percent = 40", "", "6 of 10 subscribers read slowly and the others all"),
        ("burst = 21", "", r"a burst every 2.1 s, expected at least one in the 2 s"),
        (
            "churn_hz = 20",
            "",
            "20 Hz, each away for 0.5 s, and only 10 subscribers take their turns.*lower it below 20",
        ),
        ("vanish_percent = 1", "", "0 of 10 subscribers vanish"),
        ("vanish_percent = 50\nchurn_hz = 1", "", "50 together with churn_hz"),
        ("reconnect_jitter = 1", "", "1 is not one of true, false"),
        ('reconnect_jitter = "true"', "", '"true" is not one of true, false'),
    ],
)
def test_a_contradiction_is_refused_with_the_way_out(load: str, phases: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as error:
        cell_of(load, phases)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("load", ["slow_percent = 10", "vanish_percent = 50", "server_stall_ms = 100", "churn_hz = 1"])
def test_without_a_window_nothing_can_go_wrong_in_it(load: str) -> None:
    text = TEXT.replace("warmup_s = 1\nmeasure_s = 2", "warmup_s = 0\nmeasure_s = 0\nplateaus = 4").replace(
        "rate_hz = 10", ""
    )
    assert loads(text.format(transport="sse", load="", phases=""), "mine.toml")
    with pytest.raises(ScenarioError, match="measure_s = 0 has no window in which that could be; take it out, or set"):
        loads(text.format(transport="sse", load=load, phases=""), "mine.toml")


@pytest.mark.parametrize(
    "load", ["server_down_ms = 100", "slow_percent = 10", "burst = 2", "churn_hz = 1", "drop_unanswered_s = 1"]
)
@pytest.mark.parametrize("floor", ["tcp", "null"])
def test_a_floor_takes_the_plain_feed_alone(load: str, floor: str) -> None:
    with pytest.raises(ScenarioError, match="a floor takes the plain feed alone"):
        cell_of(load, transport=floor)


@pytest.mark.parametrize(
    "load",
    [
        "server_down_ms = 1999\nreconnect_backoff_ms = 30000\nreconnect_jitter = false",
        "slow_percent = 10\nslow_bytes_per_s = 1\njoin_late_percent = 30\nresume_percent = 30",
        "burst = 20",
        "churn_hz = 19",
    ],
)
def test_what_fits_is_taken(load: str) -> None:
    assert cell_of(load)
