"""The validator of a conditional request, and the three answers to it."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from servers.conditional import nothing_yet, validator, whats_new
from servers.hub import CursorInvalid, Hub


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def told(response: Response) -> tuple[int, str, bytes]:
    return response.status_code, response.headers["etag"], bytes(response.body)


def test_a_request_without_a_validator_has_no_position() -> None:
    assert validator(request()) is None


@pytest.mark.parametrize("tag", ['"7"', 'W/"7"', "7"])
def test_the_validator_is_the_position_quoted_weak_or_bare(tag: str) -> None:
    assert validator(request(if_none_match=tag)) == 7


@pytest.mark.parametrize("tag", ["*", '"7", "8"', '""', '"abc"'])
def test_a_validator_that_is_no_position_is_refused(tag: str) -> None:
    with pytest.raises(CursorInvalid):
        validator(request(if_none_match=tag))


def test_without_messages_the_validator_that_was_sent_still_holds() -> None:
    assert told(whats_new([], 7)) == (304, '"7"', b"")


def test_messages_come_one_a_line_with_the_id_of_the_last_as_validator() -> None:
    hub = Hub()
    for data in (b"1", b"2", b"3"):
        hub.publish(data)
    assert told(whats_new(hub.after(1), 1)) == (200, '"3"', b"2\n3\n")


def test_who_has_no_validator_is_given_one() -> None:
    assert told(nothing_yet(7)) == (204, '"7"', b"")
