"""Aquil.io, Real-time: a performance comparison of methodologies: bytes for an update by HTTP/1.1 and HTTP/2. Pure.

The article's HAR files have, for each exchange, the bytes of its request's head (`headersSize`), and of its answer as it
was transferred (`_transferSize`). They were read at commit 1c8696f87050: in results/ short-polling.har, long-polling.har
and sse.har, and those with " h2" in their names. Their sums contain the page that polls, and an icon: 1,239 and 158 bytes
of short polling's 3,767 are answers to no poll. What is left is set beside ours: for one update, without the update itself,
which is 39 bytes there. The sums with page and icon have nothing of ours beside them.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pushbench.classics.claims import Certainty, Classic, Dots, Published, Reproduction, Row, Source, claim, met
from pushbench.classics.evidence import Evidence, Values, doubted, value
from pushbench.stats import Interval

UPDATES, TEXT_BYTES = 5, 39
ANSWER_BYTES = 158
"""A poll's answer over HTTP/1.1, with the update in it."""
POLLS = 15
"""Requests of their short polling until five updates had been seen."""
SSE_BYTES, SSE_HEAD_BYTES = 452, 166
"""Their event stream's answer, and of that its head."""
ANSWERS = {
    "polling": (POLLS * ANSWER_BYTES - UPDATES * TEXT_BYTES) / UPDATES,
    "longpoll": float(ANSWER_BYTES - TEXT_BYTES),
    "sse": (SSE_BYTES - SSE_HEAD_BYTES) / UPDATES - TEXT_BYTES,
}
"""Bytes down beside the update, for each update. Of short polling, all that is no update's first copy counts."""
REQUEST_BYTES = 428.0
REQUESTS = {"polling": POLLS * 430 / UPDATES, "longpoll": REQUEST_BYTES, "sse": 0.0}
"""Bytes up; an event stream's 450 are said once, before there are updates."""
TOTALS = {("polling", "1.1"): 3767, ("longpoll", "1.1"): 2066, ("sse", "1.1"): 1229,
          ("polling", "2"): 2135, ("longpoll", "2"): 1407, ("sse", "2"): 816}  # fmt: skip
"""Of all answers to one page for five updates, with the page and the icon, as the files sum up."""
WAYS = ("polling", "longpoll", "sse")
VERSIONS = ("1.1", "2")
NEAR, FACTOR = 1.25, 2.0


def answers(trial: Values) -> float:
    """Bytes of heads and framing down for an update."""
    return value(trial, "wire_down_http_bytes_per_delivery") + value(trial, "wire_down_framing_bytes_per_delivery")


def requests(trial: Values) -> float:
    """Bytes of heads and framing up for an update."""
    return value(trial, "wire_up_http_bytes_per_delivery") + value(trial, "wire_up_framing_bytes_per_delivery")


def everything(trial: Values) -> float:
    """All bytes for an update, both ways, with TLS and TCP/IP."""
    return sum(value(trial, f"wire_{way}_bytes_per_delivery") for way in ("down", "up"))


def judge(evidence: Evidence) -> Reproduction:
    """Bytes beside the update over HTTP/1.1, which can be taken apart, and all bytes by both versions."""
    cells = {(way, http): evidence.at(transport=way, http=http) for http in VERSIONS for way in WAYS}
    down = {way: cells[way, "1.1"].of(answers) for way in WAYS}
    up = {way: cells[way, "1.1"].of(requests) for way in WAYS}
    whole = {place: cell.of(everything) for place, cell in cells.items()}
    rows = [
        Row(f"{way} HTTP/1.1: {what}", "B/update", Published(published[way], Certainty.COMPUTED), made[way], None,
            cells[way, "1.1"].doubted, drawn_as=way)
        for what, published, made in (("answers", ANSWERS, down), ("requests", REQUESTS, up))
        for way in WAYS
    ]  # fmt: skip
    rows += [
        Row(f"{way} HTTP/{http}: all with TLS and TCP/IP", "B/update",
        None, whole[way, http], None, cells[way, http].doubted,
            drawn_as=way)
        for way, http in cells
    ]  # fmt: skip
    totals = [
        Row(f"{way} HTTP/{http}: all answers, with page and icon", "B", Published(TOTALS[way, http], Certainty.COMPUTED),
            drawn_as=way)
        for way, http in cells
    ]  # fmt: skip
    unsure = doubted(cells.values())
    listed = {"answers HTTP/1.1": _mids(down, WAYS), "requests HTTP/1.1": _mids(up, WAYS)}
    listed |= {f"all HTTP/{http}": _mids(whole, [(way, http) for way in WAYS]) for http in VERSIONS}
    ordered = {what: values for what, values in listed.items() if values}
    told = "; ".join(f"{what} {_listed(values)}" for what, values in ordered.items())
    long = up["longpoll"]
    ratio = cells["polling", "1.1"].beside(cells["longpoll", "1.1"], lambda short, held: answers(short) / answers(held))
    theirs = ANSWERS["polling"] / ANSWERS["longpoll"]
    claims = (
        claim(
            "short polling takes most bytes, then long polling, then SSE", "in answers, in requests, and in all by both "
            "versions",
            all(_falls(values) for values in ordered.values()) if len(ordered) == len(listed) else None, told,
            "one of these orders is another", Certainty.READ, doubted=unsure,
        ),
        claim(
            "whoever asks again and again takes fewer bytes by HTTP/2", "short and long polling, all bytes both ways",
            *_spared(whole, ("polling", "longpoll")),
            "the answers came with more packets, whose headers weigh more than what was spared of theirs", Certainty.READ,
            doubted=unsure,
        ),
        claim(
            "SSE takes fewer bytes by HTTP/2 too", "all bytes of an update, once the stream is there",
            *_spared(whole, ("sse",)),
            "HTTP/2 spares heads, and an event has none: it has the 9 bytes of a frame's header in place of a chunk's size",
            Certainty.READ, shape=False, doubted=doubted(cells["sse", http] for http in VERSIONS),
        ),
        claim(
            f"short polling's answers take {theirs:.1f} times those of long polling", f"within a factor of {FACTOR:g}",
            met(ratio, theirs / FACTOR, theirs * FACTOR), f"{ratio.mid:.1f} times" if ratio else "",
            "an empty poll is a 304 here and an answer in full there", Certainty.COMPUTED, shape=False,
            doubted=doubted((cells["polling", "1.1"], cells["longpoll", "1.1"])),
        ),
        claim(
            f"a long poll's request has {REQUEST_BYTES:,.0f} bytes of headers", f"within {NEAR - 1:.0%}",
            met(long, REQUEST_BYTES / NEAR, REQUEST_BYTES * NEAR), f"{long.mid:,.0f} bytes" if long else "",
            "this browser's headers have more and longer cookies than theirs, which had one", Certainty.READ, shape=False,
            doubted=cells["longpoll", "1.1"].doubted,
        ),
    )  # fmt: skip
    return Reproduction(
        (*rows, *totals),
        claims,
        (
            Dots("Heads and framing for one update", "bytes beside the update (log)", tuple(rows[:6])),
            Dots("All for one update", "bytes with TLS and TCP/IP, both ways (log)", tuple(rows[6:])),
        ),
    )


def _mids(made: Mapping[Any, Interval | None], places: Sequence[Any]) -> list[float]:
    """The medians at these places, in their order; nothing if one is missing."""
    found = [one.mid for place in places if (one := made[place])]
    return found if len(found) == len(places) else []


def _spared(whole: Mapping[tuple[str, str], Interval | None], ways: Sequence[str]) -> tuple[bool | None, str]:
    """Whether each of these ways takes less by HTTP/2, and the figures."""
    pairs = {way: _mids(whole, [(way, http) for http in VERSIONS]) for way in ways}
    if not all(pairs.values()):
        return None, ""
    told = ", ".join(f"{way} {one:,.0f} → {two:,.0f} bytes" for way, (one, two) in pairs.items())
    return all(two < one for one, two in pairs.values()), told


def _falls(values: list[float]) -> bool:
    return all(one > two for one, two in pairwise(values))


def _listed(values: list[float]) -> str:
    return " > ".join(f"{one:,.0f}" for one in values) if _falls(values) else ", ".join(f"{one:,.0f}" for one in values)


CLASSIC = Classic(
    "aquilio",
    Source(
        "Aquil.io", "Real-time: a performance comparison of methodologies", 2017,
        "github.com/Aquilio/09-23-17-real-time-methods, results/*.har",
    ),
    "five updates at 1 s over TLS: short polling takes most bytes, then long polling, then SSE; HTTP/2 takes fewer of all",
    "Not scaled, an update a second, polls every 250 ms, a browser's headers, TLS. Ours are 10 subscribers in steady "
    "state, each on a connection of its own, of hypercorn, which speaks both versions; theirs is one browser, whose "
    "files are taken apart: the page and the icon are left out, and the update itself, which is longer here.",
    (
        "Their totals as they stand: 1,276 of long polling's 2,066 bytes are the page and an icon.",
        "What HTTP/2 puts into heads and frames by itself: compressed heads are counted with all bytes, and not taken "
        "apart.",
        "Reloading the page by hand, and WebSockets: neither is tried here.",
    ),
    "Who takes how many bytes for an update?",
    judge,
)  # fmt: skip
