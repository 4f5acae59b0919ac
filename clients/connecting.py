"""Connecting without asking anything yet: by the caller's socket, and over TLS where the URL says so."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from clients.sockets import CONNECT_TIMEOUT_S, SocketFactory

Made = TypeVar("Made", bound=asyncio.BaseProtocol)
PORTS = {"http": 80, "https": 443}


async def connected(
    url: str,
    make: Callable[[], Made],
    socket_factory: SocketFactory | None = None,
    tls: ssl.SSLContext | None = None,
    *,
    alpn: Sequence[str] = (),
) -> Made:
    """The protocol of a new connection to the URL's server. Raises OSError, TimeoutError or ssl.SSLError.

    `tls` is how a https URL is connected to, None as usual; `alpn` are the protocols that are offered on it.
    """
    split = urlsplit(url)
    context = (tls or ssl.create_default_context()) if split.scheme == "https" else None
    if context and alpn:
        context.set_alpn_protocols([*alpn])
    host, port = split.hostname or "", split.port or PORTS[split.scheme]
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        if socket_factory is None:
            return (await loop.create_connection(make, host, port, ssl=context))[1]
        [address, *_] = await loop.getaddrinfo(host, port, type=1)
        made = socket_factory(address)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, address[4])
        except BaseException:
            made.close()
            raise
        name = split.hostname if context else None
        return (await loop.create_connection(make, sock=made, ssl=context, server_hostname=name))[1]
