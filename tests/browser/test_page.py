"""The demo's page in a real browser: every lane receives, every control acts, and what was cut off misses nothing."""

from pathlib import Path

import pytest

from pushbench.transports import TRANSPORTS
from tests.browser.conftest import PHONE, Show, Shown

LANES = [name for name, row in TRANSPORTS.items() if row.variant_of is None]
BEHIND = 5
"""So many messages are published while a lane cannot have them."""


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_receives_and_its_bytes_are_counted(shown: Shown, lane: str) -> None:
    shown.wait("lane => document.getElementById(`lane-${lane}`).dataset.highest > 3", lane)
    shown.wait(
        "lane => /[1-9]/.test(document.querySelector(`#lane-${lane} [data-figure=down]`).textContent)",
        lane,
    )
    assert shown.figure(lane, "p50").endswith("s")
    assert shown.page.get_attribute(f"#lane-{lane}", "data-is") in ("connected", "resumed")


def test_the_lanes_are_in_the_order_of_the_table_and_nothing_goes_wrong_on_the_console(shown: Shown) -> None:
    assert shown.lanes == LANES
    shown.until_all_have(shown.published + 3)
    assert shown.errors == []


def test_the_browser_does_not_ask_twice_for_each_poll(shown: Shown) -> None:
    """A preflight for each would double what polling costs a page of another origin."""
    shown.page.click("#reset")
    shown.until_all_have(shown.published + 20)
    shown.wait("() => Number(document.querySelector('#lane-longpoll [data-figure=up]').textContent) > 0")
    assert float(shown.figure("longpoll", "up").replace(",", "")) < 600


@pytest.mark.parametrize("button", ["cut", "server"])
def test_every_lane_resumes_without_loss_or_repeats(shown: Shown, button: str) -> None:
    shown.page.click("#reset")
    shown.until_all_have(shown.published + 3)
    shown.page.click(f"#{button}")
    if button == "cut":
        shown.wait("() => [...document.querySelectorAll('.lane')].every((one) => one.dataset.is === 'cut')")
        shown.until_published(shown.published + BEHIND)
        behind = shown.published
    else:
        shown.wait("() => document.body.dataset.server === 'stopped'")
        shown.wait("() => document.getElementById('headline').textContent.includes('The feed waits')")
        behind = shown.published + BEHIND
    shown.page.click(f"#{button}")
    shown.until_all_have(behind + BEHIND)
    for lane in LANES:
        assert (shown.figure(lane, "missed"), shown.figure(lane, "repeated")) == ("0", "0"), lane


def test_the_payload_slider_makes_messages_larger(shown: Shown) -> None:
    shown.set("payload_bytes", 5)
    shown.wait("() => document.querySelector('#lane-websocket .sentence').textContent.includes('around 2,000')")


def test_the_round_trip_slider_makes_the_line_longer(shown: Shown) -> None:
    shown.set("round_trip_ms", 6)
    shown.wait("() => document.querySelector('#round_trip_ms').getAttribute('aria-valuetext') === '200 ms'")
    at_least_half = "lane => parseFloat(document.querySelector(`#lane-${lane} [data-figure=p50]`).textContent) >= 99"
    for lane in ("stream", "sse", "websocket", "webtransport"):
        shown.wait(at_least_half, lane)


def test_the_poll_interval_slider_makes_the_poller_ask_at_another_pace(shown: Shown) -> None:
    shown.set("poll_interval_ms", 2)
    shown.wait("() => document.querySelector('#lane-polling .sentence').textContent.startsWith('Asks every 200 ms')")
    assert shown.figure("polling", "missed") == "0"


def test_background_subscribers_come_on_the_transport_that_is_chosen(shown: Shown) -> None:
    shown.page.select_option("#subscribers_by", "stream")
    shown.set("subscribers", 1)
    shown.wait("() => document.querySelector('#crowd').textContent === '10 connected'")
    shown.set("subscribers", 0)
    shown.wait("() => ['', '0 connected'].includes(document.querySelector('#crowd').textContent)")


def test_a_lane_that_is_switched_off_hears_nothing_and_switched_on_again_it_does(shown: Shown) -> None:
    switch = "#lane-sse .switch"
    shown.page.click(switch)
    shown.wait("() => document.getElementById('lane-sse').dataset.is === 'off'")
    assert shown.page.get_attribute(switch, "aria-checked") == "false"
    highest = shown.page.get_attribute("#lane-sse", "data-highest")
    shown.until_published(shown.published + 3)
    assert shown.page.get_attribute("#lane-sse", "data-highest") == highest
    shown.page.click(switch)
    shown.until_all_have(shown.published + 1)
    assert shown.figure("sse", "missed") == "0"


def test_a_picture_that_is_paused_stands_still_and_loses_nothing(shown: Shown) -> None:
    shown.until_all_have(shown.published + 1)
    shown.page.click("#pause")
    published = shown.published
    before = shown.page.locator("#lane-websocket .race").screenshot()
    shown.page.evaluate("() => new Promise((done) => setTimeout(done, 700))")  # two times that it would have been written
    assert shown.page.locator("#lane-websocket .race").screenshot() == before
    assert shown.published == published
    shown.page.click("#pause")
    shown.until_all_have(published + 2)
    assert shown.figure("websocket", "missed") == "0"


def test_counts_can_be_reset(shown: Shown) -> None:
    shown.until_all_have(shown.published + 10)
    total = int(shown.figure("longpoll", "requests").replace(",", ""))
    shown.page.click("#reset")
    assert int(shown.figure("longpoll", "requests").replace(",", "")) < total


@pytest.mark.parametrize("preset", ["usual", "quiet", "busy", "far", "tunnel"])
def test_a_guided_setting_sets_what_it_says(shown: Shown, preset: str) -> None:
    says = {
        "usual": ("rate_hz", "2 a second"),
        "quiet": ("rate_hz", "one every 5 s"),
        "busy": ("rate_hz", "50 a second"),
        "far": ("round_trip_ms", "200 ms"),
        "tunnel": ("rate_hz", "5 a second"),
    }
    name, text = says[preset]
    shown.page.click(f"#preset-{preset}")
    shown.wait("([name, text]) => document.getElementById(name).getAttribute('aria-valuetext') === text", [name, text])
    if preset == "tunnel":
        shown.wait("() => document.body.dataset.line === 'cut'")


def test_the_keyboard_reaches_every_control_and_its_focus_is_seen(shown: Shown) -> None:
    for summary in shown.page.query_selector_all("summary"):
        summary.click()
    wanted = shown.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll("button, input, select, a[href], summary")];
          all.forEach((one, nth) => (one.dataset.nth = nth));
          return all.filter((one) => !one.disabled && !one.hidden).length;
        }"""
    )
    shown.page.evaluate("() => document.activeElement.blur()")
    reached = set()
    for _ in range(2 * wanted):
        shown.page.keyboard.press("Tab")
        found = shown.page.evaluate(
            "() => [document.activeElement.dataset.nth, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if found[0] is not None:
            reached.add(found[0])
            assert found[1] != "none"
    assert len(reached) == wanted


def test_every_control_has_a_name(shown: Shown) -> None:
    nameless = shown.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a[href], canvas[role]")].filter((one) =>
          !(one.getAttribute("aria-label") || one.labels?.[0]?.textContent.trim() || one.textContent.trim())).length"""
    )
    assert nameless == 0


def test_nothing_is_kept_in_the_page_for_a_message(shown: Shown) -> None:
    shown.until_all_have(shown.published + 3)
    count = "() => document.querySelectorAll('*').length"
    before = shown.page.evaluate(count)
    shown.set("rate_hz", 7)
    shown.until_all_have(shown.published + 200)
    assert shown.page.evaluate(count) == before


def test_a_second_page_is_told_of(shown: Shown, show: Show) -> None:
    assert shown.page.is_hidden("#alert")
    show()
    shown.wait("() => document.getElementById('alert').textContent.startsWith('2 pages are looking')")


def test_the_theme_goes_from_the_systems_to_light_to_dark_and_is_remembered(show: Show) -> None:
    one = show(color_scheme="dark")
    paper = "() => getComputedStyle(document.documentElement).backgroundColor"
    dark = one.page.evaluate(paper)
    one.page.click("#theme")
    light = one.page.evaluate(paper)
    assert light != dark
    one.page.reload()
    assert one.page.evaluate(paper) == light
    one.page.click("#theme")
    assert one.page.evaluate(paper) == dark


@pytest.mark.parametrize("lane", LANES)
def test_the_wire_shows_what_passed(shown: Shown, show: Show, lane: str) -> None:
    shown.until_all_have(shown.published + 3)
    wire = show(f"/wire/{lane}")
    wire.page.wait_for_selector("#ways .way pre")
    text = wire.page.inner_text("#ways")
    if TRANSPORTS[lane].quic:
        assert "QUIC is always encrypted" in wire.page.inner_text("#about")
    else:
        wire.page.click("#kinds button:has-text('GET')")
        wire.wait("() => document.querySelector('#ways').textContent.includes('HTTP/1.1')")
        text = wire.page.inner_text("#ways")
        assert f"GET /{lane}" in text
        assert "of HTTP" in text
    assert wire.errors == []


@pytest.mark.parametrize("lane", ["websocket", "webtransport"])
def test_the_wire_leads_to_a_page_that_explains_each_byte(shown: Shown, show: Show, lane: str) -> None:
    shown.until_all_have(shown.published + 3)
    wire = show(f"/wire/{lane}")
    wire.page.click("#annotated")
    wire.page.wait_for_selector("#told")
    part = wire.page.locator(".s").first
    part.focus()
    name = part.get_attribute("data-name")
    wire.wait("name => document.querySelector('#told .name').textContent.startsWith(name)", name)
    assert wire.page.evaluate("() => getComputedStyle(document.querySelector('#told')).position") == "fixed"
    assert wire.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert "Back to the lane" in wire.page.inner_text("body")
    assert wire.errors == []


def test_who_wants_no_motion_gets_the_same_figures(show: Show) -> None:
    one = show(reduced_motion="reduce")
    one.until_all_have(one.published + 2)
    assert one.errors == []


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_screenshots_are_made_and_nothing_is_wider_than_the_screen(show: Show, pictures: Path, look: str) -> None:
    scheme = {"color_scheme": "light" if look == "light" else "dark"}
    one = show(**scheme, **({"viewport": PHONE} if look == "phone" else {}))
    one.until_all_have(one.published + 10)
    one.page.screenshot(path=pictures / f"{look}.png", full_page=look == "phone")
    assert one.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if look == "phone":
        for name in ("polling", "websocket"):
            wire = show(f"/wire/{name}", **scheme, viewport=PHONE)
            wire.page.wait_for_selector("#ways pre")
            assert wire.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_bytes_a_message_are_those_of_its_frame(shown: Shown) -> None:
    """A WebSocket's frame of 150 bytes has a head of four: RFC 6455 section 5.2."""
    shown.set("rate_hz", 6)
    shown.wait("() => document.querySelector('#rate_hz').getAttribute('aria-valuetext') === '20 a second'")
    shown.wait("() => document.querySelector('#lane-websocket [data-figure=down]').textContent === '154'")
    assert shown.page.inner_text("#lane-websocket .sentence").startswith("One frame a message: 4 bytes around 150")
