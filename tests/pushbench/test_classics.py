"""Published experiments, judged: what bears a claim out, what does not and why, and what nothing can be told of."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from pushbench.classics import CLASSICS, aquilio, listing, reading, text
from pushbench.classics.claims import Certainty, Claim, Outcome, Published, Reproduction
from pushbench.classics.evidence import Evidence
from pushbench.classics.sequence import Reproduced
from pushbench.results import Run
from pushbench.scenario import load
from tests.pushbench.classics import LOAD, MADE, Trials, evidence, wire

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def claims(name: str, change: Change = lambda trial: None) -> list[Claim]:
    """The claims of a classic, judged by its hand-made trials, each with what the change gives."""
    trials = [{**trial, **(change(trial) or {})} for trial in MADE[name]()]
    return list(CLASSICS[name].judge(evidence(trials)).claims)


def only(name: str, begins: str, change: Change = lambda trial: None) -> Claim:
    [found] = [claim for claim in claims(name, change) if claim.says.startswith(begins)]
    return found


@pytest.mark.parametrize("name", CLASSICS)
def test_what_a_source_says_is_borne_out_by_trials_that_are_as_it_says(name: str) -> None:
    made = CLASSICS[name].judge(evidence(MADE[name]()))
    assert [claim.says for claim in made.claims if claim.outcome is not Outcome.REPRODUCES] == []
    assert made.outcome is Outcome.REPRODUCES
    assert not any(claim.doubted for claim in made.claims)


NOT_BORNE_OUT: list[tuple[str, str, Change, str]] = [
    ("quantum-leap", "a WebSocket takes far less",
     lambda one: wire(50, 1, 0) if one["transport"] == "polling" else None, "too few"),
    ("quantum-leap", "it is 435", lambda one: wire(500, 1, 0) if one["transport"] == "polling" else None, "501 bytes"),
    ("quantum-leap", "network throughput",
     lambda one: wire(870 if one["transport"] == "polling" else 0, 2, 104), "52 bytes of TCP/IP headers"),
    ("quantum-leap", "a frame has 2 bytes",
     lambda one: wire(0, 4, 0) if one.get("payload_bytes") == 200 else None,
     "16 bits more"),
    ("pimentel-nickerson", "long polling is as good",
     lambda one: {"latency_mean_ms": 90.0} if (one["transport"], one["rtt_ms"]) == ("longpoll", 60) else None,
     "no small part"),
    ("pimentel-nickerson", "beyond that WebSocket is better",
     lambda one: {"latency_mean_ms": 150.0} if (one["transport"], one["rtt_ms"]) == ("longpoll", 290) else None,
     "kept a place"),
    ("bozdag", "pulled less often", lambda one: {"coalesced": 0} if "coalesced" in one else None, "drifted"),
    ("bozdag", "pulled more often", lambda one: {"requests_per_delivery": 1.0} if "coalesced" in one else None, "drifted"),
    ("bozdag", "push is more coherent",
     lambda one: {"latency_mean_ms": 80.0} if one["transport"] == "longpoll" else None, "waits less"),
    ("bozdag", "push takes 7", lambda one: {"server_cpu_percent": 5.0}, "no more work"),
    ("bozdag", "push saturates", lambda one: {"server_cpu_percent": 40.0}, "another server"),
    ("rfc6202", "the average is close to one transit",
     lambda one: {"latency_mean_ms": 180.0} if one["rate_hz"] == 3 else None, "more than a third"),
    ("rfc6202", "the largest is up to three", lambda one: {"latency_max_ms": 280.0}, "just behind an answer"),
    ("rfc6202", "the largest is up to three",
     lambda one: {"latency_max_ms": 900.0} if one["burst"] == 2 else None, "held an answer or a request up"),
    ("rfc6202", "the average is close to one transit at any rate",
     lambda one: {"latency_mean_ms": 200.0} if one["rate_hz"] > 5 else None, "does not say of which rate"),
    ("aquilio", "short polling takes most",
     lambda one: {"wire_down_http_bytes_per_delivery": 900.0} if one["transport"] == "sse" else None, "is another"),
    ("aquilio", "whoever asks again",
     lambda one: {"wire_up_bytes_per_delivery": 9e3} if (one["transport"], one["http"]) == ("longpoll", "2") else None,
     "more packets"),
    ("aquilio", "SSE takes fewer",
     lambda one: {"wire_down_bytes_per_delivery": 200.0} if (one["transport"], one["http"]) == ("sse", "2") else None,
     "an event has none"),
    ("aquilio", "short polling's answers",
     lambda one: {"wire_down_http_bytes_per_delivery": 130.0} if one["transport"] == "polling" else None, "304"),
    ("aquilio", "a long poll's request",
     lambda one: {"wire_up_http_bytes_per_delivery": 659.0} if one["transport"] == "longpoll" else None, "cookies"),
    ("van-de-vyvere", "SSE serves more", lambda one: {"latency_p99_ms": 20.0}, "within reach of both"),
    ("van-de-vyvere", "from an acceptable latency on",
     lambda one: {"server_cpu_us_per_delivery": 4000.0} if one.get("poll_interval_ms") == 250 else None,
     "on one side of it"),
    ("van-de-vyvere", "from an acceptable latency on",
     lambda one: {"server_cpu_percent": 99.0} if one.get("poll_interval_ms") == 2000 else None, "100 µs every 125 ms"),
    ("van-de-vyvere", "that is 10 s",
     lambda one: {"server_cpu_us_per_delivery": 200.0} if one["transport"] == "sse" else None, "a cache"),
    ("cometd", "under load messages are batched", lambda one: {"requests_per_delivery": 1.0}, "had asked anew"),
    ("cometd", "every message arrives", lambda one: {"lost": 3}, "fallen too far behind"),
    ("cometd", "p99 is 2.3", lambda one: {"latency_p99_ms": 21.0}, "one feed"),
    ("cometd", "p99 is 2.3", lambda one: {"latency_p99_ms": 900.0}, "held some"),
    ("cometd", "half of them", lambda one: {"latency_p50_ms": 380.0}, "one after the other"),
    ("cometd", "91,853",
     lambda one: {"deliveries_per_s": 50_000.0} if one["rate_hz"] > 90 else None, "Python on one core"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "begins", "change", "why"),
    NOT_BORNE_OUT,
    ids=lambda value: value[:30] if isinstance(value, str) else "changed",
)
def test_a_claim_that_the_figures_contradict_does_not_reproduce_and_says_why(
    name: str, begins: str, change: Change, why: str
) -> None:
    found = [claim for claim in claims(name, change) if claim.says.startswith(begins)][-1 if "any rate" in begins else 0]
    assert found.outcome is Outcome.DOES_NOT
    assert why in found.why


@pytest.mark.parametrize("name", CLASSICS)
def test_each_claim_is_held_against_figures_that_contradict_it(name: str) -> None:
    said = {claim.says for claim in claims(name)}
    tried = [begins for one, begins, _, _ in NOT_BORNE_OUT if one == name]
    assert {claim for claim in said if not any(claim.startswith(begins) for begins in tried)} == set()


@pytest.mark.parametrize("name", CLASSICS)
def test_of_no_trials_nothing_is_told(name: str) -> None:
    made = CLASSICS[name].judge(Evidence(()))
    assert {claim.outcome for claim in made.claims} == {Outcome.UNTOLD}
    assert made.outcome is Outcome.UNTOLD
    assert text.verdict(made).startswith("Whether it reproduces in shape cannot be told: 0 of ")
    assert text.plain_values(CLASSICS[name], made)["reproduces_in_shape"] is None
    assert all(row.measured is None or row.measured.mid == 0 for row in made.rows)


@pytest.mark.parametrize("name", CLASSICS)
def test_what_rests_on_trials_that_are_not_to_be_believed_is_marked(name: str) -> None:
    made = CLASSICS[name].judge(evidence(MADE[name](), verdict="client_bound"))
    assert all(claim.doubted or claim.outcome is Outcome.UNTOLD for claim in made.claims)
    told = text.table(made)
    assert any(cell.startswith("○") for row in told.rows for cell in row)
    assert any("not to be believed" in note for note in told.notes)
    assert "not to be believed" in text.verdict(made)


@pytest.mark.parametrize("name", CLASSICS)
def test_a_trial_that_has_failed_has_no_part_in_the_figures(name: str) -> None:
    trials = MADE[name]()
    good = CLASSICS[name].judge(evidence(trials))
    nothing = [{key: trial[key] for key in trial if key in LOAD or key == "transport"} for trial in trials]
    failed = evidence(nothing, rounds=1, verdict="failed", trial=4)
    both = CLASSICS[name].judge(Evidence(evidence(trials).trials + failed.trials))
    assert [row.measured for row in both.rows] == [row.measured for row in good.rows]


@pytest.mark.parametrize("name", CLASSICS)
def test_every_published_figure_has_a_source_and_a_certainty(name: str) -> None:
    classic = CLASSICS[name]
    made = classic.judge(evidence(MADE[name]()))
    source = classic.source
    assert all((source.authors, source.title, source.where, source.year > 1990))
    published = [row.published for row in made.rows if row.published]
    assert published
    assert all(isinstance(figure, Published) and isinstance(figure.certainty, Certainty) for figure in published)
    assert all(isinstance(claim.certainty, Certainty) and claim.rule for claim in made.claims)
    assert any(claim.shape for claim in made.claims)


@pytest.mark.parametrize("name", CLASSICS)
def test_its_scenario_loads_and_has_every_cell_that_is_judged(name: str) -> None:
    scenario = load(reading.path(CLASSICS[name]))
    assert scenario.name == name
    assert scenario.repeat.trials == 3
    keys = {
        "transport",
        "headers",
        "payload_bytes",
        "poll_interval_ms",
        "rtt_ms",
        "rate_hz",
        "burst",
        "http",
        "subscribers",
    }
    cells = [{key: getattr(cell, key) for key in keys} for cell in scenario.cells]
    for trial in MADE[name]():
        wanted = {key: value for key, value in trial.items() if key in keys}
        near = [cell for cell in cells if all(_near(cell[key], value) for key, value in wanted.items())]
        assert near, f"no cell with {wanted}"


def _near(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) < 0.2  # the highest rate of CometD's is 91.853, and 92 here
    return one == other


def test_every_scenario_of_the_folder_is_a_classic_and_has_its_section() -> None:
    assert {path.stem for path in reading.FOLDER.glob("*.toml")} == set(CLASSICS)
    page = (reading.FOLDER.parent.parent / "docs" / "classics.md").read_text()
    assert re.findall(r"^## `(.+)`", page, re.MULTILINE) == list(CLASSICS)


def test_the_polls_of_quantum_leap_that_find_nothing_are_counted_and_the_cases_multiplied() -> None:
    made = CLASSICS["quantum-leap"].judge(evidence(MADE["quantum-leap"]()))
    rows = {row.what: row for row in made.rows}
    often, once = rows["polled 4 times an update"], rows["a poll and its answer with a browser's headers"]
    assert often.measured
    assert once.measured
    assert often.measured.mid == pytest.approx(4 * once.measured.mid, rel=0.01)
    case = rows["case C: 100,000 clients on polling"]
    assert case.scaled
    assert case.measured
    assert case.model == pytest.approx(665, abs=1)  # as they print it, so a megabit of theirs is 2 ** 20
    assert case.measured.mid == pytest.approx(665, abs=1)


def test_what_a_poller_of_the_newest_alone_would_miss_is_what_came_behind_another() -> None:
    made = CLASSICS["bozdag"].judge(evidence(MADE["bozdag"]()))
    rows = {row.what: row for row in made.rows}
    missed = rows["would be missed: publish 500 ms / pull 1,500 ms"]
    assert missed.measured
    assert missed.measured.mid == pytest.approx(2 / 3, rel=0.01)
    assert missed.model == pytest.approx(2 / 3)


def test_the_knee_lies_between_the_distances_on_both_sides_of_it() -> None:
    made = CLASSICS["pimentel-nickerson"].judge(evidence(MADE["pimentel-nickerson"]()))
    [knee] = [row for row in made.rows if row.what.startswith("round trip from which")]
    assert knee.measured
    assert (knee.measured.low, knee.measured.high) == (220, 290)
    assert knee.model == 250


def test_requests_are_counted_where_most_are_asked_for_and_clients_multiplied_by_the_speed() -> None:
    made = CLASSICS["van-de-vyvere"].judge(evidence(MADE["van-de-vyvere"]()))
    rows = {row.what: row for row in made.rows}
    figures = {what: row.measured.mid for what, row in rows.items() if row.measured}
    assert figures["requests/s answered at most"] == 10 * 400 * 8
    assert figures["polling: clients within a second"] == 25 * 40
    assert figures["SSE: clients within a second"] == 100 * 40
    assert figures["staleness from which polling serves more"] == 5


def test_certainties_are_marked_in_the_table_and_the_marks_explained() -> None:
    made = CLASSICS["pimentel-nickerson"].judge(evidence(MADE["pimentel-nickerson"]()))
    told = text.table(made)
    cells = [row[2] for row in told.rows]
    assert "250†" in cells
    assert "2.30–4.50?" in cells
    [note] = [note for note in told.notes if note.startswith("Published:")]
    assert "† as another source reports it" in note
    assert "? recalled, and not verified" in note


def test_what_is_told_is_json_with_the_reasons() -> None:
    classic = CLASSICS["rfc6202"]
    told = json.loads(json.dumps(text.plain_values(classic, classic.judge(evidence(MADE["rfc6202"]())))))
    assert told["reproduces_in_shape"] is True
    assert told["claims"][0]["outcome"] == "reproduces"
    assert told["rows"][0]["published"]["certainty"] == "read in the source"


def judged(*shape: Outcome, figure: Outcome = Outcome.REPRODUCES) -> Reproduction:
    made = [Claim("it is so", "so", outcome, "", Certainty.READ) for outcome in shape]
    return Reproduction((), (*made, Claim("so much", "so", figure, "", Certainty.READ, shape=False)), ())


@pytest.mark.parametrize(
    ("made", "outcome", "said"),
    [
        (judged(Outcome.REPRODUCES, Outcome.UNTOLD), Outcome.UNTOLD,
         "Whether it reproduces in shape cannot be told: 1 of 2 claims of the shape, 1 of 1 claims of a figure reproduce, "
         "1 cannot be told."),
        (judged(Outcome.DOES_NOT, Outcome.UNTOLD), Outcome.DOES_NOT,
         "It does not reproduce in shape: 0 of 2 claims of the shape, 1 of 1 claims of a figure reproduce, "
         "1 cannot be told."),
        (judged(Outcome.REPRODUCES, figure=Outcome.DOES_NOT), Outcome.REPRODUCES,
         "It reproduces in shape: 1 of 1 claims of the shape, 0 of 1 claims of a figure."),
    ],
)  # fmt: skip
def test_what_cannot_be_told_of_the_shape_is_a_third_outcome_unless_another_claim_of_it_does_not_reproduce(
    made: Reproduction, outcome: Outcome, said: str
) -> None:
    assert made.outcome is outcome
    assert text.verdict(made) == said
    one = Reproduced(CLASSICS["rfc6202"], cast(Run, None), made)
    *_, last = listing.verdicts([one])
    assert last == f"{int(outcome is Outcome.REPRODUCES)} of 1 reproduce in shape" + (
        ", 1 cannot be told" if outcome is Outcome.UNTOLD else ""
    )


def test_the_largest_of_a_long_poll_is_judged_by_trials_that_are_to_be_believed() -> None:
    made = MADE["rfc6202"]()
    late = [{**trial, "latency_max_ms": 5000.0} for trial in made]
    stalled = evidence(late, rounds=9, verdict="client_bound")
    judge = CLASSICS["rfc6202"].judge
    [largest] = [one for one in judge(Evidence(evidence(made).trials + stalled.trials)).claims if "largest" in one.says]
    assert largest.outcome is Outcome.REPRODUCES
    [alone] = [one for one in judge(stalled).claims if "largest" in one.says]
    assert alone.outcome is Outcome.UNTOLD


def test_the_range_of_pimentels_ratio_is_shown_and_not_judged() -> None:
    made = CLASSICS["pimentel-nickerson"].judge(evidence(MADE["pimentel-nickerson"]()))
    [row] = [row for row in made.rows if row.what.startswith("polling ÷ WebSocket")]
    assert row.measured
    assert row.measured.low == pytest.approx(2.1, abs=0.05)  # as the section says: the model at these distances
    assert row.measured.mid == pytest.approx(2.8, abs=0.05)
    assert row.measured.high == pytest.approx(5.2, abs=0.05)
    assert not any(claim.says.startswith("polling") for claim in made.claims)


def test_the_sums_of_aquilio_with_page_and_icon_have_nothing_measured_beside_them() -> None:
    made = CLASSICS["aquilio"].judge(evidence(MADE["aquilio"]()))
    sums = [row for row in made.rows if row.what.endswith("with page and icon")]
    assert [row.published.value for row in sums if row.published] == list(aquilio.TOTALS.values())
    assert all(row.measured is None for row in sums)
    page, icon = 1239, 158
    assert page + icon + aquilio.POLLS * aquilio.ANSWER_BYTES == aquilio.TOTALS["polling", "1.1"]


def test_a_distribution_adds_up_the_buckets_of_all_trials_of_a_cell() -> None:
    rows: Trials = [{"cell": 0, "trial": 1, "verdict": "ok"}, {"cell": 0, "trial": 2, "verdict": "ok"}]
    buckets = [
        {"cell": 0, "trial": trial, "clock": clock, "value_ms": edge, "count": 5}
        for trial in (1, 2)
        for clock in ("due", "sent")
        for edge in (10.0, 20.0)
    ] + [{"cell": 1, "trial": 1, "clock": "due", "value_ms": 5.0, "count": 99}]
    made = Evidence(tuple(rows), tuple(buckets))
    assert made.share_within(made.at()) == ((10.0, 0.5), (20.0, 1.0))


def test_a_range_over_distances_is_no_interval_of_trials() -> None:
    made = CLASSICS["pimentel-nickerson"].judge(evidence(MADE["pimentel-nickerson"](), rounds=1))
    told = text.table(made)
    assert {row[0]: row[3] for row in told.rows}["round trip from which long polling falls behind"] == "220–290"
    assert any(note.startswith("One trial of each cell") for note in told.notes)
