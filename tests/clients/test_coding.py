"""What undoes the coding of an answer: what was asked for, cut anywhere, and nothing else."""

import zlib

import aiohttp
import brotli
import pytest

from clients.coding import decoder
from clients.ends import SubscriptionEnded
from clients.polling import Polling
from clients.stream import Stream
from tests.clients.peer import Answer, Then, peer

GZIPPED = zlib.compress(b"first\nsecond\n", wbits=31)
CODED = {"gzip": GZIPPED, "br": brotli.compress(b"first\nsecond\n")}


@pytest.mark.parametrize("name", CODED)
def test_it_is_undone_wherever_it_is_cut(name: str) -> None:
    data = CODED[name]
    for cut in range(len(data) + 1):
        decode = decoder(name)
        assert decode
        assert decode(data[:cut]) + decode(data[cut:]) == b"first\nsecond\n"


def test_no_coding_is_none_and_one_that_nobody_asked_for_ends_it() -> None:
    assert decoder("") is None
    assert decoder("identity") is None
    with pytest.raises(SubscriptionEnded, match="'zstd', which was not asked for"):
        decoder("zstd")


def head(name: str, size: int) -> bytes:
    return f'HTTP/1.1 200 OK\r\nETag: "7"\r\nContent-Encoding: {name}\r\nContent-Length: {size}\r\n\r\n'.encode()


@pytest.mark.parametrize("name", CODED)
async def test_an_endless_answer_is_decoded_as_it_comes(name: str) -> None:
    got: list[bytes] = []
    async with peer(Answer(head(name, len(CODED[name])) + CODED[name], Then.END)) as server, Stream(server.url) as stream:
        with pytest.raises(SubscriptionEnded, match="the server ended the response"):
            await stream.receive(got.extend)
    assert got == [b"first", b"second"]


@pytest.mark.parametrize("name", CODED)
async def test_what_is_no_such_coding_ends_it_with_the_reason(name: str) -> None:
    wrong = head(name, 9) + b"not coded"
    async with peer(Answer(wrong, Then.END)) as server, Stream(server.url) as stream:
        with pytest.raises(SubscriptionEnded, match="the body cannot be decoded"):
            await stream.receive(lambda messages: None)
    first = Answer(b'HTTP/1.1 204 No Content\r\nETag: "7"\r\n\r\n')
    async with peer(first, Answer(wrong)) as server, Polling(server.url, interval_s=0) as poller:
        with pytest.raises(aiohttp.ClientPayloadError, match="the body cannot be decoded"):
            await poller.receive(lambda messages: None)
