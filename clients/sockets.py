"""What all clients say of sockets: how one is made, and how long connecting it may take."""

import socket
from collections.abc import Callable
from typing import Any

CONNECT_TIMEOUT_S = 60.0

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""An address as `socket.getaddrinfo` gives it: family, type, protocol, canonical name, address."""
SocketFactory = Callable[[AddressInfo], socket.socket]
"""Makes the socket that is to be connected to an address."""
