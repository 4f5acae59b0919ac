"""The page is whole in itself, and shows every byte."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from pushbench.anatomy import record
from pushbench.anatomy.examples import RFC_6455
from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.ladder import NARROW, WIDE, ladder
from pushbench.anatomy.page import page, policy
from pushbench.anatomy.shape import view
from pushbench.anatomy.timeline import Row
from tests.pushbench.anatomy.spoken import ASK, NOTHING, published, whole


class Read(HTMLParser):
    """What of a page matters here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hex: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.parts: list[dict[str, str | None]] = []
        self._byte = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        self._byte = tag == "b"
        self.links += [value for name in ("href", "src") if (value := told.get(name))]
        self.ids += [value] if (value := told.get("id")) else []
        self.inline += [name for name in told if name == "style" or name.startswith("on")]
        if tag == "span" and "data-name" in told:
            self.parts.append(told)

    def handle_data(self, data: str) -> None:
        if self._byte:
            self.hex.append(data)
        self._byte = False


@pytest.fixture(scope="module", params=["polling", "websocket", "sse"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return record.load(request.param)


def test_every_byte_is_on_the_page_in_the_order_in_which_it_passed(exchange: Exchange) -> None:
    shown = bytes.fromhex("".join(Read(page(exchange)).hex))
    assert shown == b"".join(piece.data for piece in exchange.pieces)


def test_it_needs_nothing_from_outside_and_its_links_lead_to_places_of_its_own(exchange: Exchange) -> None:
    read = Read(page(exchange))
    assert [link for link in read.links if not link.startswith("#")] == []
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert read.inline == []
    assert not re.search(r"url\(|@import|src=", page(exchange))


def test_each_part_can_be_reached_by_keyboard_and_has_a_name_that_the_glossary_explains(exchange: Exchange) -> None:
    html = page(exchange)
    parts = Read(html).parts
    assert parts
    assert {part["tabindex"] for part in parts} == {"0"}
    explained = set(re.findall(r'<tr data-name="([^"]+)"', html))
    assert {part["data-name"] for part in parts} <= explained


def test_its_policy_lets_its_own_style_and_script_be_and_nothing_else() -> None:
    html = page(RFC_6455)
    for tag in ("style", "script"):
        [inside] = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy(html)
    assert "default-src 'none'" in policy(html)


def test_what_was_said_is_shown_and_never_run() -> None:
    said = b"<script>alert(1)</script>\"'"
    html = page(Exchange("any", "<b>", "x", "", (Piece(0, 0, False, whole(said)),)))
    assert "<script>alert" not in html
    assert "<b>," not in html
    assert "&lt;script&gt;alert" in html


def test_an_exchange_without_times_has_no_ladder_and_a_long_part_is_cut_and_says_so() -> None:
    html = page(RFC_6455, back="/wire/websocket")
    assert "<svg" not in html
    assert 'href="/wire/websocket"' in html
    assert "and 63488 bytes more" in html


def test_the_ladder_has_an_arrow_for_each_piece_and_shades_what_is_owed() -> None:
    asked_again = Piece(401_000_000, 0, True, ASK)
    told = Exchange("any", "x", "x", "", (Piece(0, 0, True, ASK), Piece(400_000_000, 0, False, NOTHING), asked_again))
    for layout in (WIDE, NARROW):
        drawn = ladder(view(told).rows, layout, timed=True, name="it")
        assert re.findall(r'<a href="#piece-(\d)" class="(\w+)"', drawn) == [("0", "up"), ("1", "down"), ("2", "up")]
        assert drawn.count('class="hold"') == 1
        assert 'aria-label="it"' in drawn
        assert re.findall(r'class="at"[^>]*>([\d.,]+)<', drawn) == ["0.0", "400.0", "401.0"]


def test_the_ladder_keeps_the_order_of_time_and_stays_within_its_width() -> None:
    rows = [
        Row(float(at), way, f"a thing that is said at {at}", "words " * 30)
        for at, way in enumerate(["published", "received"] * 9)
    ]
    drawn = ladder(rows, NARROW, timed=True, name="it")
    heights = [float(y) for y in re.findall(r'class="at" x="[\d.]+" y="([\d.]+)"', drawn)]
    assert heights == sorted(heights)
    assert all(0 <= float(x) <= NARROW.width for x in re.findall(r' x="([\d.]+)"', drawn))


def test_messages_are_told_in_the_clear() -> None:
    html = page(record.load("websocket"))
    assert "message number 1" in html
    assert published(0)[:10] == b'{"seq":   '
