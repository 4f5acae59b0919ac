"""How a server is reached: over TLS or not, by whose word its certificate is believed, and with which token."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reach:
    """How a server is reached."""

    tls: bool = False
    authority: str = ""
    """The certificate of who has signed the server's, in PEM; empty: those that the system knows."""
    token: str = field(default="", repr=False)
    """What every request brings; empty: nothing. It is never told or kept."""

    @property
    def scheme(self) -> str:
        """Of a URL."""
        return "https" if self.tls else "http"

    @property
    def headers(self) -> dict[str, str]:
        """What every request has beside its own."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def context(self) -> ssl.SSLContext | None:
        """By which a connection is made; None without TLS. The server's name and certificate are verified."""
        return ssl.create_default_context(cadata=self.authority or None) if self.tls else None


PLAIN = Reach()
"""Over HTTP, without anything."""
