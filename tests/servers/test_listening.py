"""The listening socket: what it inherits to connections, and who may have the same port."""

import asyncio
import socket

import pytest

from servers.listening import CannotBind, listen
from tests.serving import serving


def test_a_port_is_shared_only_by_those_who_all_want_to() -> None:
    with listen("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        first.listen()
        listen("127.0.0.1", port, shared=True).close()
        with pytest.raises(CannotBind, match=f"cannot bind 127.0.0.1:{port}: Address already in use; --port 0"):
            listen("127.0.0.1", port)


def test_a_server_of_the_other_address_family_serves() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        listen("::1", 0).close()
    except OSError as error:
        pytest.skip(f"this host has no IPv6 loopback: {error}")
    with serving(host="::1") as server, socket.create_connection(("::1", server.port)) as connection:
        connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


async def test_accepted_connections_send_what_they_have_at_once() -> None:
    """asyncio switches Nagle's algorithm off only on sockets whose protocol is named."""
    accepted: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket"))
        await reader.read()
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        async with await asyncio.start_server(note, sock=listener):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
