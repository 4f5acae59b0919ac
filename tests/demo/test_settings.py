"""Settings: what can be set, and how it is said that something cannot."""

from dataclasses import fields
from math import inf, nan
from typing import Any

import pytest

from pushbench import message
from pushbench.demo.settings import MAIN, Settings, Unacceptable, bounds, changed


def test_what_is_not_named_stays_as_it_was() -> None:
    assert changed(Settings(rate_hz=5), {"payload_bytes": 500}) == Settings(rate_hz=5, payload_bytes=500)


@pytest.mark.parametrize("name", bounds())
def test_both_bounds_can_be_set_and_nothing_beyond_them(name: str) -> None:
    least, most = bounds()[name]["least"], bounds()[name]["most"]
    assert getattr(changed(Settings(), {name: least}), name) == least
    assert getattr(changed(Settings(), {name: most}), name) == most
    for beyond in (least - 1, most + 1):
        with pytest.raises(Unacceptable, match=rf"^{name} is .*: it must be from {least:g} to {most:g}"):
            changed(Settings(), {name: beyond})


@pytest.mark.parametrize("value", ["5", None, True, nan, inf, [5]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(Unacceptable, match="it must be a number"):
        changed(Settings(), {"rate_hz": value})


def test_an_unknown_setting_or_transport_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Unacceptable, match="speed is no setting: there are rate_hz"):
        changed(Settings(), {"speed": 1})
    with pytest.raises(Unacceptable, match="must be one of polling, longpoll, stream, sse, websocket"):
        changed(Settings(), {"subscribers_by": "carrier pigeon"})


def test_the_usual_settings_are_within_their_own_bounds() -> None:
    usual = Settings()
    assert changed(usual, {one.name: getattr(usual, one.name) for one in fields(usual)}) == usual
    assert usual.subscribers_by in MAIN
    assert bounds()["payload_bytes"]["least"] == message.MIN_BYTES
