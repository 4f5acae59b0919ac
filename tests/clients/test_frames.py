"""The parser of WebSocket frames, held to RFC 6455 section 5 and RFC 7692 section 7.2, and to another implementation."""

import itertools
import zlib
from dataclasses import dataclass

import pytest
from hypothesis import example, given, strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from clients.frames import (
    BINARY,
    BROKEN,
    CLOSE,
    COMPRESSED,
    CONTINUATION,
    DEFLATE_TAIL,
    FIN,
    PING,
    PONG,
    TEXT,
    Frames,
    masked,
)

Found = list[tuple[int, bytes]]

SIZES = [0, 1, 125, 126, 65535, 65536]
"""The first and the last of each way to write a length."""


def frame(first: int, payload: bytes) -> bytes:
    """A frame of a server; `first` is its first byte."""
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    return bytes([first]) + (b"\x7e" + size.to_bytes(2) if size < 1 << 16 else b"\x7f" + size.to_bytes(8)) + payload


def parse(*pieces: bytes, compressed: bool = False) -> Found:
    frames = Frames(compressed=compressed)
    return [each for piece in pieces for each in frames.feed(piece)]


def payload(size: int) -> bytes:
    return bytes(each * 7 & 0xFF for each in range(size))


class Deflate:
    """What a server compresses with: RFC 7692 section 7.2.1."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def __call__(self, message: bytes) -> bytes:
        data = self._compress.compress(message) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(DEFLATE_TAIL)
        return data.removesuffix(DEFLATE_TAIL)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
def test_a_whole_message_is_its_opcode_and_its_bytes(opcode: int, size: int) -> None:
    assert parse(frame(FIN | opcode, payload(size))) == [(opcode, payload(size))]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("deflate", [False, True])
def test_it_reads_what_another_implementation_writes(size: int, deflate: bool) -> None:
    extension = PerMessageDeflate(False, False, zlib.MAX_WBITS, zlib.MAX_WBITS)
    written = Frame(Opcode.TEXT, payload(size)).serialize(mask=False, extensions=[extension] if deflate else [])
    assert parse(written, compressed=deflate) == [(TEXT, payload(size))]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("81 05 48 65 6c 6c 6f", (TEXT, b"Hello")),
        ("01 03 48 65 6c 80 02 6c 6f", (TEXT, b"Hello")),
        ("89 05 48 65 6c 6c 6f", (PING, b"Hello")),
        ("82 7E 01 00" + "61" * 256, (BINARY, b"a" * 256)),
        ("82 7F 00 00 00 00 00 01 00 00" + "61" * 65536, (BINARY, b"a" * 65536)),
    ],
)
def test_the_examples_of_rfc_6455_section_5_7(data: str, found: tuple[int, bytes]) -> None:
    assert parse(bytes.fromhex(data)) == [found]


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ("c1 07 f2 48 cd c9 c9 07 00", 1),
        ("41 03 f2 48 cd 80 04 c9 c9 07 00", 1),
        ("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", 2),
        ("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", 1),
        ("c1 08 f3 48 cd c9 c9 07 00 00", 1),
        ("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", 1),
    ],
    ids=["one block", "in fragments", "with the window of the one before", "stored", "a last block", "two blocks"],
)
def test_the_examples_of_rfc_7692_section_7_2_3(data: str, messages: int) -> None:
    assert parse(bytes.fromhex(data), compressed=True) == [(TEXT, b"Hello")] * messages


def test_several_in_one_piece_are_found_in_order() -> None:
    sent = frame(FIN | TEXT, b"a") + frame(FIN | PING, b"?") + frame(FIN | BINARY, b"b") + frame(FIN | CLOSE, b"\x03\xe8")
    assert parse(sent) == [(TEXT, b"a"), (PING, b"?"), (BINARY, b"b"), (CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_one_message_and_what_comes_between_them_is_found_at_once(opcode: int) -> None:
    frames = Frames()
    assert frames.feed(frame(opcode, b"a")) == []
    assert frames.feed(frame(FIN | PING, b"?")) == [(PING, b"?")]
    assert frames.feed(frame(CONTINUATION, b"")) == []
    assert frames.feed(frame(CONTINUATION, payload(126))) == []
    assert frames.feed(frame(FIN | PONG, b"") + frame(FIN | CLOSE, b"")) == [(PONG, b""), (CLOSE, b"")]
    assert frames.feed(frame(FIN | CONTINUATION, b"b")) == [(opcode, b"a" + payload(126) + b"b")]
    assert frames.feed(frame(FIN | TEXT, b"c")) == [(TEXT, b"c")]


def test_a_compressed_message_may_refer_to_those_before_it() -> None:
    deflate = Deflate()
    first, second, third = (deflate(payload(250)) for _ in range(3))
    assert len(second) < len(first) / 2  # so it does
    sent = [frame(FIN | COMPRESSED | TEXT, data) for data in (first, second, third)]
    assert parse(*sent, compressed=True) == [(TEXT, payload(250))] * 3


def test_compressed_messages_need_not_refer_to_those_before_them() -> None:
    sent = [frame(FIN | COMPRESSED | TEXT, Deflate()(payload(250))) for _ in range(3)]
    assert parse(*sent, compressed=True) == [(TEXT, payload(250))] * 3


def test_messages_that_are_not_compressed_may_come_between_those_that_are() -> None:
    deflate = Deflate()
    sent = [
        frame(FIN | TEXT, b"plain"),
        frame(FIN | COMPRESSED | BINARY, deflate(b"one, two")),
        frame(FIN | BINARY, b"plain"),
        frame(TEXT, b"pl") + frame(FIN | CONTINUATION, b"ain"),
        frame(FIN | COMPRESSED | TEXT, deflate(b"one, two, three")),
        frame(FIN | COMPRESSED | TEXT, deflate(b"")),
    ]
    assert parse(*sent, compressed=True) == [
        (TEXT, b"plain"),
        (BINARY, b"one, two"),
        (BINARY, b"plain"),
        (TEXT, b"plain"),
        (TEXT, b"one, two, three"),
        (TEXT, b""),
    ]


@dataclass(frozen=True)
class Broken:
    """What no server may send; by itself, and after what it may."""

    sent: bytes
    says: bytes
    compressed: bool = False


BROKENS = {
    "a masked frame": Broken(bytes([FIN | TEXT, 0x80 | 1]) + b"mask" + b"a", b"masked"),
    "a masked and longer frame": Broken(bytes([FIN | TEXT, 0x80 | 126, 0, 126]) + b"mask" + payload(126), b"masked"),
    "an opcode of a message that nobody knows": Broken(frame(FIN | 0x3, b""), b"no opcode 3"),
    "the last of these": Broken(frame(FIN | 0x7, b""), b"no opcode 7"),
    "an opcode of control that nobody knows": Broken(frame(FIN | 0xB, b""), b"no opcode 11"),
    "the last opcode": Broken(frame(FIN | 0xF, b""), b"no opcode 15"),
    "a compressed message that was not agreed on": Broken(frame(FIN | COMPRESSED | TEXT, Deflate()(b"a")), b"reserved bit"),
    "the second reserved bit": Broken(frame(FIN | 0x20 | TEXT, b"a"), b"reserved bit"),
    "the third reserved bit": Broken(frame(FIN | 0x10 | TEXT, b"a"), b"reserved bit"),
    "another reserved bit beside the compression": Broken(
        frame(FIN | COMPRESSED | 0x20 | TEXT, Deflate()(b"a")), b"reserved bit", compressed=True
    ),
    "a compressed frame of control": Broken(
        frame(FIN | COMPRESSED | PING, Deflate()(b"a")), b"reserved bit", compressed=True
    ),
    "a compressed fragment that is not the first": Broken(
        frame(TEXT, b"a") + frame(FIN | COMPRESSED | CONTINUATION, b"b"), b"reserved bit", compressed=True
    ),
    "a frame of control that is too long": Broken(frame(FIN | PING, payload(126)), b"has 126 bytes"),
    "a frame of control that is much too long": Broken(frame(FIN | CLOSE, payload(65536)), b"has 65536 bytes"),
    "a fragment of a frame of control": Broken(frame(PING, b"a"), b"is a fragment"),
    "a fragment without a beginning": Broken(frame(CONTINUATION, b"a"), b"has no beginning"),
    "a last fragment without a beginning": Broken(frame(FIN | CONTINUATION, b"a"), b"has no beginning"),
    "a message inside a message": Broken(frame(TEXT, b"a") + frame(FIN | TEXT, b"b"), b"has no end"),
    "a fragmented message inside a message": Broken(frame(TEXT, b"a") + frame(BINARY, b"b"), b"has no end"),
    "what was not compressed as it says": Broken(
        frame(FIN | COMPRESSED | TEXT, b"\x07"), b"cannot be decompressed", compressed=True
    ),
    "fragments that were not compressed as they say": Broken(
        frame(COMPRESSED | TEXT, b"") + frame(FIN | CONTINUATION, b"\x07"), b"cannot be decompressed", compressed=True
    ),
}


@pytest.fixture(params=BROKENS.values(), ids=list(BROKENS))
def broken(request: pytest.FixtureRequest) -> Broken:
    given: Broken = request.param
    return given


def test_what_no_server_may_send_is_found_after_what_came_before_it(broken: Broken) -> None:
    before = frame(FIN | TEXT, b"a") + frame(FIN | PING, b"?")
    *found, (opcode, reason) = parse(before + broken.sent, compressed=broken.compressed)
    assert found == [(TEXT, b"a"), (PING, b"?")]
    assert opcode == BROKEN
    assert broken.says in reason


def test_what_no_server_may_send_is_found_wherever_it_is_cut_and_nothing_follows(broken: Broken) -> None:
    sent = broken.sent + frame(FIN | TEXT, b"a") + frame(FIN | PING, b"?")
    whole = parse(sent, compressed=broken.compressed)
    assert [opcode for opcode, _ in whole] == [BROKEN]
    for cut in range(min(len(sent), 40)):
        assert parse(sent[:cut], sent[cut:], compressed=broken.compressed) == whole
    last = min(len(sent), 300)
    bytewise = [sent[at : at + 1] for at in range(last)]
    assert parse(*bytewise, sent[last:], compressed=broken.compressed) == whole


def test_the_head_of_a_frame_is_enough_to_find_that_it_may_not_be() -> None:
    assert [opcode for opcode, _ in parse(bytes([FIN | PING, 126, 0, 126]))] == [BROKEN]
    assert [opcode for opcode, _ in parse(bytes([FIN | TEXT, 0x80 | 1]))] == [BROKEN]


MESSAGES = st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300)), max_size=4)
CONTROLS = st.lists(st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125)), max_size=1)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, Found, bool]:
    """What a server may send, what is in it, and whether compression was agreed on."""
    compressed, deflate = draw(st.booleans()), Deflate()
    sent, found = b"", Found()
    for opcode, message in draw(MESSAGES):
        first, data = opcode, message
        if compressed and draw(st.booleans()):
            first, data = COMPRESSED | opcode, deflate(message)
        edges = [0, *sorted(draw(st.lists(st.integers(0, len(data)), max_size=3))), len(data)]
        for number, (begin, end) in enumerate(itertools.pairwise(edges)):
            for control, said in draw(CONTROLS):
                sent += frame(FIN | control, said)
                found.append((control, said))
            last = number == len(edges) - 2
            sent += frame((CONTINUATION if number else first) | (FIN if last else 0), data[begin:end])
        found.append((opcode, message))
    return sent, found, compressed


@given(streams(), st.lists(st.floats(0, 1), max_size=20))
@example((frame(FIN | TEXT, payload(65536)) * 2, [(TEXT, payload(65536))] * 2, False), [0, 0.00001, 0.25, 0.5, 0.50005, 1])
def test_what_is_found_is_the_same_wherever_the_bytes_are_cut(stream: tuple[bytes, Found, bool], cuts: list[float]) -> None:
    sent, found, compressed = stream
    assert parse(sent, compressed=compressed) == found
    edges = [0, *(int(cut * len(sent)) for cut in sorted(cuts)), len(sent)]
    assert parse(*[sent[a:b] for a, b in itertools.pairwise(edges)], compressed=compressed) == found


@given(streams())
def test_what_is_found_is_the_same_byte_by_byte(stream: tuple[bytes, Found, bool]) -> None:
    sent, found, compressed = stream
    assert parse(*[sent[at : at + 1] for at in range(len(sent))], compressed=compressed) == found


def test_it_is_between_messages_exactly_where_the_next_byte_begins_one() -> None:
    deflate = Deflate()
    whole, cut = deflate(b"abc"), deflate(b"abcdef")
    alone = [  # each of them is followed by the beginning of something
        frame(FIN | TEXT, b""),
        frame(FIN | TEXT, b"abc"),
        frame(FIN | PING, b"?"),
        frame(FIN | BINARY, payload(126)),
        frame(TEXT, b"a") + frame(FIN | CONTINUATION, b"b"),
        frame(TEXT, b"") + frame(FIN | PING, b"") + frame(CONTINUATION, b"b") + frame(FIN | CONTINUATION, b""),
        frame(FIN | COMPRESSED | TEXT, whole),
        frame(COMPRESSED | TEXT, cut[:2]) + frame(FIN | CONTINUATION, cut[2:]),
        frame(FIN | TEXT, payload(65536)),
    ]
    between = {0, *itertools.accumulate(map(len, alone))}
    frames, sent = Frames(compressed=True), b"".join(alone)
    assert frames.between
    for at in range(len(sent) - 65000):
        frames.feed(sent[at : at + 1])
        assert frames.between == (at + 1 in between), at + 1
    frames.feed(sent[-65000:])
    assert frames.between


@pytest.mark.parametrize(
    ("opcode", "said"),
    [
        (PING, b""),
        (PONG, b"?"),
        (PONG, payload(125)),
        (CLOSE, b""),
        (CLOSE, (1000).to_bytes(2)),
        (CLOSE, (1001).to_bytes(2) + "α".encode() * 61),
    ],
)
def test_what_a_client_says_is_what_another_implementation_hears(opcode: int, said: bytes) -> None:
    server = ServerProtocol(state=State.OPEN)
    server.receive_data(masked(opcode, said) + masked(PING, b"and no byte more or less"))
    heard, *more = server.events_received()
    assert heard == Frame(Opcode(opcode), said)
    if opcode != CLOSE:  # behind which nothing is read
        assert more == [Frame(Opcode.PING, b"and no byte more or less")]
    assert server.parser_exc is None


def test_a_message_whose_last_block_is_final_is_followed_by_others() -> None:
    def ended(text: bytes) -> bytes:
        squeeze = zlib.compressobj(wbits=-15)
        payload = squeeze.compress(text) + squeeze.flush(zlib.Z_FINISH) + b"\0"
        return bytes((0x80 | 0x40 | TEXT, len(payload))) + payload

    assert Frames(compressed=True).feed(ended(b"one") + ended(b"two")) == [(TEXT, b"one"), (TEXT, b"two")]
