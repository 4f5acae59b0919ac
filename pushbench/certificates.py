"""Certificates of a run's own: an authority that is believed for its time alone, and one for the server, signed by it."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("127.0.0.1", "::1", "localhost", "127.0.0.2")  # the last is the far end of a line of packets


@dataclass(frozen=True, slots=True)
class Certificates:
    """In PEM: the authority itself, for it goes to other hosts; files with the others."""

    authority: str
    certificate: str
    key: str


def missing() -> str:
    """What is not installed that makes them, and how to change that; empty if it is."""
    if importlib.util.find_spec("trustme"):
        return ""
    return "certificates need the package trustme: pip install 'pushbench[tls]'"


def made(directory: Path, names: Sequence[str] = ()) -> Certificates:
    """New ones in that directory, for a server at loopback and at these names or addresses; ECDSA, P-256.

    It needs what may be missing.
    """
    import trustme  # which is no use without TLS, and takes a while

    authority = trustme.CA()
    server = authority.issue_cert(*dict.fromkeys((*NAMES, *names)))
    paths = [directory / name for name in ("authority.pem", "certificate.pem", "key.pem")]
    server.private_key_pem.write_to_path(paths[2])
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(paths[1], append=number > 0)
    return Certificates(authority.cert_pem.bytes().decode(), str(paths[1]), str(paths[2]))
