"""Exchanges: which bytes belong together, and how few are kept."""

from pushbench.demo.exchange import FIRST_BYTES, KINDS, LAST_PIECES, OPAQUE, OPEN, Exchanges

ASKED = b"GET /polling HTTP/1.1\r\nhost: x\r\n\r\n"
EMPTY = b"HTTP/1.1 304 Not Modified\r\n\r\n"
FULL = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx\n"


def test_a_request_behind_an_answer_begins_a_new_exchange_and_the_last_of_each_kind_is_kept() -> None:
    seen = Exchanges()
    for nth, answer in enumerate((FULL, EMPTY, EMPTY)):
        seen.add("one", 2 * nth, True, ASKED)
        seen.add("one", 2 * nth + 1, False, answer)
    assert list(seen.kinds) == ["GET 200", "GET 304"]
    assert bytes(seen.kinds["GET 200"].down.first) == FULL
    assert seen.kinds["GET 304"].begun_ns == 4
    assert bytes(seen.kinds["GET 304"].up.first) == ASKED


def test_an_answer_that_comes_in_pieces_is_one_exchange() -> None:
    seen = Exchanges()
    seen.add("one", 0, True, ASKED)
    for at, byte in enumerate(FULL):
        seen.add("one", at, False, bytes([byte]))
    [exchange] = [one for kind, one in seen.kinds.items() if kind == "GET 200"]
    assert bytes(exchange.down.first) == FULL


def test_what_a_websocket_says_later_is_of_the_same_exchange() -> None:
    seen = Exchanges()
    seen.add("one", 0, True, b"GET /websocket HTTP/1.1\r\n\r\n")
    seen.add("one", 1, False, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    seen.add("one", 2, True, b"\x8a\x80mask")
    assert list(seen.kinds) == ["GET 101"]
    assert seen.kinds["GET 101"].up.size == 33


def test_connections_are_told_apart() -> None:
    seen = Exchanges()
    seen.add("one", 0, True, ASKED)
    seen.add("other", 1, True, ASKED)
    seen.add("one", 2, False, FULL)
    seen.add("other", 3, False, EMPTY)
    assert bytes(seen.kinds["GET 200"].down.first) == FULL
    assert bytes(seen.kinds["GET 304"].down.first) == EMPTY


def test_all_is_counted_and_little_is_kept_however_long_it_goes_on() -> None:
    seen = Exchanges()
    for nth in range(100):
        seen.add("client", nth, nth % 2 == 0, bytes(1000), OPAQUE)
    exchange = seen.kinds[OPAQUE]
    assert (exchange.up.size, exchange.down.size) == (50_000, 50_000)
    assert len(exchange.up.first) == FIRST_BYTES
    assert [piece.at_ns for piece in exchange.last] == list(range(100 - LAST_PIECES, 100))


def test_kinds_and_connections_are_bounded() -> None:
    seen = Exchanges()
    for nth in range(2 * OPEN):
        seen.add(nth, nth, True, b"GET / HTTP/1.1\r\n\r\n")
        seen.add(nth, nth, False, b"HTTP/1.1 %d X\r\n\r\n" % (200 + nth))
    assert len(seen.kinds) == KINDS
    assert len(seen._current) == OPEN
    seen.end(2 * OPEN - 1)
    assert len(seen._current) == OPEN - 1
