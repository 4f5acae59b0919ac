"""QUIC's packets, of two ends that talk in memory: all bytes are told, with the keys and without."""

import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pushbench.anatomy import http3
from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.explanations import explained
from pushbench.anatomy.quic import annotate_datagrams
from pushbench.anatomy.quic_frames import Inside, Run, annotate_frames
from pushbench.anatomy.shape import view
from pushbench.anatomy.spans import Annotated, Kind, Notes
from pushbench.anatomy.varint import Short, prefixed, varint
from tests.pushbench.anatomy.spoken import is_whole, published

connection = pytest.importorskip(
    "aioquic.quic.connection", reason="aioquic is not installed: pip install 'pushbench[webtransport]'"
)
configuration = pytest.importorskip("aioquic.quic.configuration")
trustme = pytest.importorskip("trustme", reason="trustme is not installed: pip install 'pushbench[tls]'")

HEADERS = [(b":method", b"CONNECT"), (b":protocol", b"webtransport"), (b":path", b"/webtransport"), (b"x-own", b"yes")]


class Talk:
    """A client and a server, and the datagrams between them."""

    def __init__(self, tmp: str) -> None:
        self.log = io.StringIO()
        authority = trustme.CA()
        made = authority.issue_cert("localhost")
        client = configuration.QuicConfiguration(
            alpn_protocols=["h3"], max_datagram_frame_size=65_536, secrets_log_file=self.log, server_name="localhost"
        )
        client.load_verify_locations(cadata=authority.cert_pem.bytes())
        server = configuration.QuicConfiguration(is_client=False, alpn_protocols=["h3"], max_datagram_frame_size=65_536)
        made.private_key_pem.write_to_path(f"{tmp}/key.pem")
        made.cert_chain_pems[0].write_to_path(f"{tmp}/certificate.pem")
        server.load_cert_chain(f"{tmp}/certificate.pem", f"{tmp}/key.pem")
        self.client = connection.QuicConnection(configuration=client)
        self.client.connect(("server", 1), now=0.0)
        self.server = connection.QuicConnection(
            configuration=server, original_destination_connection_id=self.client.original_destination_connection_id
        )
        self.pieces: list[Piece] = []
        self.now = 0.0

    def pass_on(self) -> None:
        """Until nobody has anything to say."""
        quiet = 0
        while quiet < 4:
            self.now += 0.03  # beyond what an ACK waits for
            for up in (True, False):
                if (at := self._end(up).get_timer()) is not None and at <= self.now:
                    self._end(up).handle_timer(now=self.now)
                sent = [data for data, _ in self._end(up).datagrams_to_send(now=self.now)]
                quiet = 0 if sent else quiet + 1
                for data in sent:
                    self.pieces.append(Piece(len(self.pieces) * 1_000_000, 0, up, data))
                    self._end(not up).receive_datagram(data, ("client" if up else "server", 1), now=self.now)

    def _end(self, up: bool) -> Any:
        return self.client if up else self.server


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    from aioquic.h3.connection import H3Connection

    talk = Talk(str(tmp_path_factory.mktemp("certificates")))
    talk.pass_on()
    client, server = (
        H3Connection(talk.client, enable_webtransport=True),
        H3Connection(talk.server, enable_webtransport=True),
    )
    client.send_headers(0, HEADERS)
    talk.pass_on()
    server.send_headers(0, [(b":status", b"200"), (b"etag", b'"0"')])
    stream = server.create_webtransport_stream(0, is_unidirectional=True)
    for seq in (1, 2):
        talk.server.send_stream_data(stream, b"\x40\x80" + published(seq))
        talk.pass_on()
    server.send_data(0, bytes.fromhex("6843 07 00000007") + b"bye", end_stream=False)
    talk.server.send_ping(1)
    talk.pass_on()
    talk.client.close(error_code=0x100, reason_phrase="enough")
    talk.pass_on()
    return Exchange("webtransport", "memory", "", "", tuple(talk.pieces), quic=True, secrets=talk.log.getvalue())


def told(found: Annotated, name: str) -> list[str]:
    return [span.value for span in found.spans if span.name == name]


def test_with_the_keys_every_byte_is_told_and_none_is_ciphertext(exchange: Exchange) -> None:
    up, down = (annotate_datagrams(exchange)[0, way] for way in (True, False))
    for found in (up, down):
        assert is_whole(found)
        assert Kind.REST not in {span.kind for span in found.spans}
        assert {span.name for span in found.spans if not explained(span.name).means} == set()


def test_the_handshake_the_headers_and_the_messages_are_said_in_order(exchange: Exchange) -> None:
    up, down = ([event.text for event in annotate_datagrams(exchange)[0, way].events] for way in (True, False))
    assert up[0] == "ClientHello"
    assert "CONNECT /webtransport" in up
    assert up[-1] == "CONNECTION_CLOSE 0x100, “enough”"
    messages = [text for text in down if text not in ("ACK",) and not text.startswith(("NEW_", "the ", "more"))]
    assert messages[:5] == ["ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"]
    assert messages[-5:] == ["200", "message 1", "message 2", "PING", "a capsule of the session"]


def test_headers_settings_and_what_webtransport_adds_are_told_one_by_one(exchange: Exchange) -> None:
    up, down = (annotate_datagrams(exchange)[0, way] for way in (True, False))
    lines = [span.value for span in up.spans if span.name.startswith("qpack: ") and ": " in span.value]
    assert lines == [f"{name.decode()}: {value.decode()}" for name, value in HEADERS]
    assert "ENABLE_WEBTRANSPORT = 1" in told(up, "h3: setting")
    assert told(down, "webtransport: session id") == ["0"]
    assert told(down, "webtransport: length") == ["128 bytes"] * 2
    assert told(down, "webtransport: capsule") == ["CLOSE_WEBTRANSPORT_SESSION 7: bye"]
    assert told(down, "message seq") == ["message number 1", "message number 2"]
    assert b"".join(span.plain or b"" for span in down.spans if span.kind is Kind.PAYLOAD) == published(1) + published(2)


def test_without_the_keys_the_first_flight_is_open_to_all_and_the_rest_is_ciphertext(exchange: Exchange) -> None:
    found = annotate_datagrams(replace(exchange, secrets=""))
    assert all(is_whole(one) for one in found.values())
    assert told(found[0, True], "tls: handshake")[0].startswith("ClientHello")
    assert told(found[0, False], "tls: handshake")[0].startswith("ServerHello")
    sealed = [span for one in found.values() for span in one.spans if span.name == "quic: ciphertext"]
    assert sealed
    assert all(span.value == f"{span.length} bytes" for span in sealed)
    assert not [span for one in found.values() for span in one.spans if span.kind is Kind.PAYLOAD]


def test_datagrams_without_their_beginning_are_protected_as_a_whole(exchange: Exchange) -> None:
    last = exchange.pieces[-1]._replace(connection=3)
    [found] = annotate_datagrams(replace(exchange, pieces=(last,))).values()
    [span] = found.spans
    assert (span.name, span.value) == ("quic: protected", f"{len(last.data)} bytes")


def test_the_whole_of_it_can_be_shown(exchange: Exchange) -> None:
    made = view(exchange)
    assert sum(made.sums.values()) == made.size
    assert any(row.waits.endswith("and does not end") for row in made.rows)


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=5))
def test_whatever_datagrams_come_are_covered(said: list[tuple[bool, bytes]]) -> None:
    pieces = tuple(Piece(0, 0, up, data) for up, data in said)
    for found in annotate_datagrams(Exchange("", "", "", "", pieces, quic=True)).values():
        assert is_whole(found)


@given(st.binary(max_size=80))
def test_whatever_is_inside_a_packet_is_covered(payload: bytes) -> None:
    notes = Notes()
    inside = Inside()
    annotate_frames(notes, inside, 4, payload, 0)
    noted = sum(span.length for span in notes.spans)
    carried = sum(len(joined.data) for joined in (*inside.streams.values(), *inside.crypto.values()))
    assert noted + carried + sum(len(data) for data, _ in inside.datagrams) <= len(payload)
    assert is_whole(Annotated(payload, notes.covering(len(payload), ""), []))


@given(st.binary(max_size=60), st.integers(0, 15), st.booleans())
def test_whatever_a_stream_carries_is_read_without_a_mistake(data: bytes, stream: int, numbered: bool) -> None:
    notes = http3.annotated(data, stream, True, http3.Headers(), numbered=numbered)
    assert is_whole(Annotated(data, notes.covering(len(data), ""), []))


def test_a_stream_is_put_together_whatever_the_order_and_what_comes_twice_is_said_to() -> None:
    notes, run = Notes(), Run()
    run.add(notes, 3, b"def", 100)
    run.add(notes, 0, b"abc", 10)
    run.add(notes, 1, b"bcdefg", 200)
    assert bytes(run.joined.data) == b"abcdefg"
    assert [(span.offset, span.length, span.name) for span in notes.spans] == [(200, 5, "quic: stream again")]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("c2 19 7c 5e ff 14 e8 8c", 151_288_809_941_952_652),
        ("9d 7f 3e 7d", 494_878_333),
        ("7b bd", 15_293),
        ("25", 37),
        ("40 25", 37),
    ],
)
def test_numbers_are_read_as_in_rfc_9000_appendix_a_1(data: str, value: int) -> None:
    assert varint(bytes.fromhex(data), 0) == (value, len(bytes.fromhex(data)))
    with pytest.raises(Short):
        varint(bytes.fromhex(data)[:-1], 0)


@pytest.mark.parametrize(("data", "bits", "value"), [("0a", 5, 10), ("1f 9a 0a", 5, 1337), ("2a", 8, 42)])
def test_numbers_of_qpack_are_read_as_in_rfc_7541_appendix_c_1(data: str, bits: int, value: int) -> None:
    assert prefixed(bytes.fromhex(data), 0, bits) == (value, len(bytes.fromhex(data)))
    with pytest.raises(Short):
        prefixed(bytes.fromhex(data)[:-1], 0, bits)
