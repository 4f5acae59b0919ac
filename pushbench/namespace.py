"""A network namespace of a run's own, in which nothing but its own processes is, and a line on which packets can be lost.

In it only loopback's first address is loopback's; the rest of 127.0.0.0/8 may be at the end of a line. It is this thread's,
and that of all processes and threads that it starts from then on. It takes Linux and root, and needs no program.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEAR, FAR = "127.0.0.1", "127.0.0.2"
"""Where servers listen, and where those find them who come by the line."""
MTU_BYTES = 1500
QUEUE_PACKETS = 100_000
"""So many may wait to be read from the line; what comes then is dropped by the kernel, and told by `dropped`."""
TRY_S = 20.0
TUN = Path("/dev/net/tun")
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of linux/sched.h
TUN_OF_PACKETS = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI of linux/if_tun.h
SET_INTERFACE = 0x400454CA  # TUNSETIFF
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # of linux/sockios.h, and linux/if.h
SET_ADDRESS, SET_PEER, SET_MASK, SET_MTU, SET_QUEUE = 0x8916, 0x8918, 0x891C, 0x8922, 0x8943
NAME = "line"
SENT_DROPPED = 11  # of the columns of /proc/net/dev


def unusable() -> str:
    """Why this process cannot have one with a line, in a few words; empty if it can. It is tried, in another process."""
    if not TUN.exists():
        return f"there is no {TUN} on this machine"
    command = [sys.executable, "-m", "pushbench.namespace"]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=TRY_S, check=False)
    return tried.stdout.strip() if tried.returncode == 0 else f"trying it ended with exit code {tried.returncode}"


@contextmanager
def entered() -> Iterator[None]:
    """Be in a new one. Raises OSError: PermissionError without root."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _call("unshare", NEW_NETWORK)
        try:
            _up("lo")
            _address("lo", SET_MASK, "255.255.255.255")
            # What TCP has learnt of a line in one trial, the next one shall not know.
            Path("/proc/sys/net/ipv4/tcp_no_metrics_save").write_text("1")
            yield
        finally:
            _call("setns", before, NEW_NETWORK)
    finally:
        os.close(before)


def line() -> int:
    """Make the line, in a namespace that was entered: what is sent to its far end can be read from the file, a packet at a
    time, and what is written there arrives. It is there until the file is closed. Raises OSError."""
    packets = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(packets, SET_INTERFACE, struct.pack("16sH14x", NAME.encode(), TUN_OF_PACKETS))
        Path(f"/proc/sys/net/ipv4/conf/{NAME}/route_localnet").write_text("1")  # else no 127.x.x.x may come from there
        _address(NAME, SET_ADDRESS, NEAR)
        _address(NAME, SET_PEER, FAR)
        _address(NAME, SET_MASK, "255.255.255.255")
        for what, value in ((SET_MTU, MTU_BYTES), (SET_QUEUE, QUEUE_PACKETS)):
            _ask(what, struct.pack("16si12x", NAME.encode(), value))
        _up(NAME)
    except BaseException:
        os.close(packets)
        raise
    return packets


def dropped() -> int:
    """How many packets the kernel has dropped because too many waited on the line."""
    for text in Path("/proc/thread-self/net/dev").read_text().splitlines():
        name, _, counts = text.partition(":")
        if name.strip() == NAME:
            return int(counts.split()[SENT_DROPPED])
    return 0


def mirrored(packet: bytes) -> bytes:
    """The packet from its receiver to its sender, and otherwise as it is: so what was sent to the far end comes to the near
    one, and its answer back. No checksum changes, for a sum does not depend on the order."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def is_ipv4(packet: bytes) -> bool:
    """Whether it is one that can be mirrored; the kernel itself also says things in IPv6."""
    return len(packet) >= 20 and packet[0] >> 4 == 4


def _call(name: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _up(name: str) -> None:
    flags: int = struct.unpack("16sh14x", _ask(GET_FLAGS, struct.pack("16sh14x", name.encode(), 0)))[1]
    _ask(SET_FLAGS, struct.pack("16sh14x", name.encode(), flags | UP))


def _address(name: str, what: int, address: str) -> None:
    _ask(what, struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address)))


def _ask(what: int, request: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, what, request)


def _tried() -> str:
    """Why this process cannot have one, by trying."""
    try:
        with entered():
            os.close(line())
    except PermissionError:
        return "it takes root"
    except OSError as error:
        return f"this kernel does not let a process have one ({error.strerror})"
    return ""


if __name__ == "__main__":
    print(_tried())
