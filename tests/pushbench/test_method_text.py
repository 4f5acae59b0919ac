"""How a run was measured, in sentences from its manifest: nothing is said that it does not hold."""

from pushbench import method_text
from pushbench.scenario import SCENARIOS
from tests.pushbench import frames
from tests.pushbench.written import MANIFEST

SMOKE = {"name": "smoke", "source": (SCENARIOS / "smoke.toml").read_text(), "overrides": ["seed=77", "warmup_s=0.5"]}


def said(**columns: str | float | list[str]) -> str:
    trials = frames.run(("sse",), subscribers=(10,), trials=3)["trials"].assign(**columns)
    return " ".join(method_text.told(MANIFEST | {"scenario": SMOKE}, trials))


def test_trials_phases_placement_clock_and_intervals_are_told() -> None:
    text = said()
    for part in (
        "3 trials of 1 cells",
        "drawn from seed 77",
        "lets 0.5 s pass uncounted, counts 10 s",
        "server on core 0, swarm and publisher on core 1",
        "one clock",
        "95 % bootstrap interval, which of so few is their range",
    ):
        assert part in text


def test_two_clocks_are_told_with_how_well_they_are_known() -> None:
    assert "two clocks, whose offset is known within 0.250 ms" in said(clock_uncertainty_ms=0.25)


def test_a_run_without_traffic_has_no_window_and_no_latency() -> None:
    text = said(measure_s=0.0, latency_mean_ms=float("nan"))
    assert "nothing is published" in text
    assert "Latency" not in text


def test_of_idle_connections_no_message_and_no_straggler_is_told() -> None:
    text = said(kind="idle")
    assert "lets 0.5 s pass uncounted, and counts 10 s; nothing is published." in text
    assert "stragglers" not in text
    assert "traffic" not in text


def test_of_a_run_in_which_some_connections_are_idle_both_are_told() -> None:
    text = said(kind=["broadcast", "broadcast", "idle"])
    assert "waits for stragglers" in text
    assert "Where connections are idle nothing is published" in text


def test_a_scenario_that_can_be_read_no_more_leaves_out_what_only_it_knows() -> None:
    trials = frames.run(("sse",), subscribers=(10,), trials=1)["trials"]
    text = " ".join(method_text.told(MANIFEST, trials))
    assert "the scenario's seed" in text
    assert "counts 10 s." in text
