from pushbench.client_options import BROWSER_HEADERS, client_options
from pushbench.scenario import Load


def load(transport: str, **keys: object) -> Load:
    return Load.model_validate({"transport": transport, "subscribers": 1, **keys})


def test_only_pollers_are_told_how_to_poll() -> None:
    assert client_options(load("sse")) == {}
    assert client_options(load("polling", poll_interval_ms=250)) == {
        "interval_s": 0.25,
        "keep_connection": True,
        "validators": True,
    }
    worse = client_options(load("polling", poll_connection="new", poll_empty="200"))
    assert (worse["keep_connection"], worse["validators"]) == (False, False)


def test_compression_is_asked_for_in_the_transports_own_way() -> None:
    assert client_options(load("websocket")) == {}
    assert client_options(load("websocket", compression="permessage-deflate")) == {"deflate": True}
    assert client_options(load("sse", compression="br")) == {"headers": {"Accept-Encoding": "br"}}
    both = client_options(load("sse", compression="gzip", headers="browser"))
    assert both["headers"] == {**BROWSER_HEADERS, "Accept-Encoding": "gzip"}


def test_a_browsers_headers_are_as_long_as_a_browsers() -> None:
    assert client_options(load("longpoll", headers="browser")) == {"headers": BROWSER_HEADERS}
    assert 500 <= sum(len(f"{name}: {value}\r\n") for name, value in BROWSER_HEADERS.items()) <= 900
