"""A namespace of a run's own, and a line in it: the machine's network is not touched, and packets come back mirrored."""

import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pushbench import namespace

needs_root = pytest.mark.skipif(bool(namespace.unusable()), reason=namespace.unusable() or "it can be had")
NETWORK = Path("/proc/thread-self/ns/net")
HEADER = bytes.fromhex("4500003c1c4640004006") + b"\0\0" + socket.inet_aton("127.0.0.1") + socket.inet_aton("127.0.0.2")


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_a_mirrored_packet_goes_from_its_receiver_to_its_sender() -> None:
    packet = namespace.mirrored(HEADER + b"payload")
    assert packet[12:20] == socket.inet_aton("127.0.0.2") + socket.inet_aton("127.0.0.1")
    assert packet[:12] + packet[20:] == HEADER[:12] + b"payload"
    assert namespace.mirrored(packet) == HEADER + b"payload"


def test_its_checksum_holds_all_the_same() -> None:
    assert checksum(namespace.mirrored(HEADER)) == checksum(HEADER)


@pytest.mark.parametrize(
    ("packet", "is_one"), [(HEADER, True), (b"", False), (HEADER[:19], False), (b"\x60" + bytes(39), False)]
)
def test_what_is_no_packet_of_ipv4_is_not_mirrored(packet: bytes, is_one: bool) -> None:
    assert namespace.is_ipv4(packet) == is_one


def test_a_machine_without_the_device_is_told_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(namespace, "TUN", tmp_path / "tun")
    assert namespace.unusable() == f"there is no {tmp_path / 'tun'} on this machine"


def test_a_try_that_fails_is_not_taken_for_one_that_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert namespace.unusable() in ("trying it ended with exit code 1", f"there is no {namespace.TUN} on this machine")


@contextmanager
def mirror() -> Iterator[None]:
    """Inside of this what is sent to the far end arrives at the near one."""
    packets, (stop, stopped) = namespace.line(), os.pipe()

    def pass_on() -> None:
        while stop not in select.select([packets, stop], [], [])[0]:
            packet = os.read(packets, 65_536)
            if namespace.is_ipv4(packet):
                os.write(packets, namespace.mirrored(packet))

    thread = threading.Thread(target=pass_on)
    thread.start()
    try:
        yield
    finally:
        os.close(stopped)
        thread.join()
        os.close(stop)
        os.close(packets)


@needs_root
def test_what_is_sent_to_the_far_end_arrives_at_the_near_one_and_its_answer_comes_back() -> None:
    with namespace.entered(), mirror():
        with socket.create_server((namespace.NEAR, 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection((namespace.FAR, port)) as client:
                accepted, peer = server.accept()
                with accepted:
                    assert (peer[0], client.getpeername()) == (namespace.FAR, (namespace.FAR, port))
                    client.sendall(b"x" * 100_000)
                    assert len(accepted.recv(100_000, socket.MSG_WAITALL)) == 100_000
                    accepted.sendall(b"answer")
                    assert client.recv(10) == b"answer"
        with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
            server.bind((namespace.NEAR, 0))
            client.connect((namespace.FAR, server.getsockname()[1]))
            client.send(b"question")
            said, sender = server.recvfrom(100)
            server.sendto(b"answer", sender)
            assert (said, client.recv(100)) == (b"question", b"answer")


@needs_root
def test_it_is_left_as_it_was_and_has_no_other_network() -> None:
    before = str(NETWORK.readlink())
    with namespace.entered():
        assert str(NETWORK.readlink()) != before
        assert [
            name
            for _, name in socket.if_nameindex()
            if name != "lo" and not name.startswith(("tunl", "sit", "ip6", "gre", "erspan", "ip_vti", "ip6_vti"))
        ] == []
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
    assert str(NETWORK.readlink()) == before


@needs_root
def test_an_error_inside_does_not_leave_one_in_it() -> None:
    before = str(NETWORK.readlink())
    with pytest.raises(ZeroDivisionError), namespace.entered():
        raise ZeroDivisionError
    assert str(NETWORK.readlink()) == before
