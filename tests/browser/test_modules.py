"""The page's modules that only reckon, in the browser that runs them."""

import pytest

from tests.browser.conftest import Show, Shown


@pytest.fixture
def plain(show: Show) -> Shown:
    """A page of the same origin with nothing on it."""
    return show("/page/icon.svg")


@pytest.mark.parametrize(
    ("seqs", "missed", "repeated", "unjudged"),
    [
        ([], 0, 0, 0),
        ([7, 8, 9], 0, 0, 0),
        ([7, 9], 1, 0, 0),
        ([7, 9, 8], 0, 0, 0),
        ([7, 8, 8, 7], 0, 2, 0),
        ([7, 6], 0, 0, 1),
        ([0, 65535, 1], 65533, 0, 0),
        ([0, 65536, 0], 65535, 0, 1),
        ([0, 200_000, 200_000], 199_999, 1, 0),
    ],
)
def test_the_ledger_counts_what_is_missed_and_repeated(
    plain: Shown, seqs: list[int], missed: int, repeated: int, unjudged: int
) -> None:
    got = plain.page.evaluate(
        """async (seqs) => {
          const { ledger } = await import("/page/ledger.js");
          const one = ledger();
          seqs.forEach(one.take);
          return [one.missed, one.repeated, one.unjudged];
        }""",
        seqs,
    )
    assert got == [missed, repeated, unjudged]


def test_percentiles_are_by_nearest_rank_of_those_that_are_recent(plain: Shown) -> None:
    got = plain.page.evaluate(
        """async () => {
          const { series, summary } = await import("/page/recent.js");
          const one = series(100);
          for (let nth = 1; nth <= 300; nth += 1) one.add(nth, nth);
          const { count, mean, p50, p99, max } = summary(one, 201);
          return [count, mean, p50, p99, max, Number.isNaN(summary(one, 1000).p50)];
        }"""
    )
    assert got == [100, 250.5, 250, 299, 300, True]


def test_counters_grow_from_the_first_snapshot_of_the_window_to_the_last(plain: Shown) -> None:
    got = plain.page.evaluate(
        """async () => {
          const { growth } = await import("/page/recent.js");
          const one = growth(3);
          [0, 1, 2, 3, 4].forEach((at) => one.add(at, { up: at * 10 }));
          return [one.since(0), one.since(3), one.since(4)];
        }"""
    )
    assert got == [{"up": 20}, {"up": 10}, None]


def test_the_shortest_ping_tells_the_clock_and_half_of_it_is_the_uncertainty(plain: Shown) -> None:
    got = plain.page.evaluate(
        """async () => {
          const { clock } = await import("/page/clock.js");
          const one = clock();
          const before = one.best;
          one.hear(100, 110, 5000);
          one.hear(200, 202, 5101);
          one.hear(300, 330, 5000);
          return [before, one.best];
        }"""
    )
    assert got == [None, {"offsetMs": 4900, "uncertaintyMs": 1}]


def test_a_message_is_read_to_the_microsecond(plain: Shown) -> None:
    got = plain.page.evaluate(
        """async () => {
          const { seqOf, dueMsOf } = await import("/page/message.js");
          const text = '{"seq":      123,"due_ns":    81234567890123,"sent_ns":    81234567891123,"pad":""}';
          return [seqOf(text), dueMsOf(text)];
        }"""
    )
    assert got == [123, pytest.approx(81234567.890123, abs=1e-6)]


def test_a_transport_without_after_begins_with_the_next_message_and_knows_its_place_where_a_page_can(
    show: Show, plain: Shown
) -> None:
    """What another harness imports it for."""
    shown = show()
    shown.set("rate_hz", 5)
    shown.until_all_have(shown.published + 1)
    got = plain.page.evaluate(
        """async () => {
          const { TRANSPORTS } = await import("/page/transports.js");
          const { seqOf } = await import("/page/message.js");
          const control = new WebSocket(`${location.origin.replace("http", "ws")}/control`);
          const { facts } = await new Promise((done) => (control.onmessage = (e) => done(JSON.parse(e.data))));
          const all = facts.lanes.map(({ name, base }) => new Promise((done, fail) => {
            const seqs = [];
            const one = TRANSPORTS[name](base, {
              pollIntervalMs: 100,
              certificateHash: facts.certificateHash,
              onEnd: (reason) => fail(new Error(`${name}: ${reason}`)),
              onMessages: (texts) => {
                seqs.push(...texts.map(seqOf));
                if (seqs.length < 5) return;
                one.close();
                const inOrder = seqs.every((seq, nth) => seq === seqs[0] + nth);
                const knowsItsPlace = one.cursor === null || one.cursor === seqs.at(-1) + 1;
                done([name, inOrder, knowsItsPlace, one.requests > 0]);
              },
            });
          }));
          const told = await Promise.all(all);
          control.close();
          return told;
        }"""
    )
    assert [one[0] for one in got] == ["polling", "longpoll", "stream", "sse", "websocket", "webtransport"]
    assert all(all(one[1:]) for one in got)


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"is": "off"}, "Switched off"),
        ({"is": "missing", "why": "no package"}, "Not here: no package."),
        (
            {"is": "connected", "messages": 8, "opened": 10, "answers": 2, "latency": {"mean": 500}},
            "Asks every 1 s: on average a message waits 500 ms, and 8 of the last 10 questions were answered with nothing.",
        ),
    ],
)
def test_the_sentence_of_a_lane_is_made_of_its_own_figures(plain: Shown, figures: dict[str, object], says: str) -> None:
    got = plain.page.evaluate(
        """async (figures) => {
          const { sentence } = await import("/page/words.js");
          return sentence("polling", figures, { server: "up", cut: false, settings: { poll_interval_ms: 1000 } });
        }""",
        figures,
    )
    assert got.startswith(says)


def test_the_headline_compares_a_push_with_polling(plain: Shown) -> None:
    got = plain.page.evaluate(
        """async () => {
          const { headline } = await import("/page/words.js");
          const lane = (mean, downPer, upPer) => ({ latency: { count: 9, mean }, downPer, upPer });
          const up = { server: "up", cut: false };
          return [
            headline({ websocket: lane(0.62, 130, 0), polling: lane(512, 800, 440) }, up),
            headline({ websocket: lane(0.62, 130, 0), polling: lane(512, 131, 2) }, up),
            headline({}, up),
            headline({}, { ...up, feed: { left_out: ["One is left out."] } }),
          ];
        }"""
    )
    assert got == [
        "WebSocket delivers in 0.62 ms on average, with 130 bytes a message; polling in 512 ms with 1,240 bytes.",
        "WebSocket delivers in 0.62 ms on average, with 130 bytes a message; polling in 512 ms with 133 bytes: "
        "it costs hardly more here, and only waits.",
        "Waiting for the first messages.",
        "One is left out.",
    ]
