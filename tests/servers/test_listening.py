"""The listening socket: what it inherits to connections, and who may have the same port."""

import asyncio
import socket
from dataclasses import replace

import pytest

from servers import listening
from servers.listening import CannotBind, listen, listen_as
from servers.options import Options
from tests.serving import serving


def test_a_port_is_shared_only_by_those_who_all_want_to() -> None:
    with listen("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        first.listen()
        listen("127.0.0.1", port, shared=True).close()
        with pytest.raises(CannotBind, match=f"cannot bind 127.0.0.1:{port}: Address already in use; --port 0"):
            listen("127.0.0.1", port)


QUIC = Options(port=0, webtransport=True, tls_certificate="certificate", tls_key="key")


def test_for_webtransport_a_socket_of_udp_has_the_same_port() -> None:
    listener, udp = listen_as(QUIC)
    with listener:
        assert udp is not None
        with udp:
            assert (udp.type, udp.getsockname()) == (socket.SOCK_DGRAM, listener.getsockname())


def test_a_port_that_another_has_for_udp_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(CannotBind, match=f"cannot bind 127.0.0.1:{port} of UDP: Address already in use"):
            listen_as(replace(QUIC, port=port))


def test_of_free_ports_one_is_looked_for_that_is_free_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        ports = iter([taken.getsockname()[1], 0])
        monkeypatch.setattr(listening, "listen", lambda host, port, drop_s: listen(host, next(ports), drop_s))
        listener, udp = listen_as(QUIC)
        with listener:
            assert udp is not None
            udp.close()
            assert listener.getsockname() != taken.getsockname()


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
