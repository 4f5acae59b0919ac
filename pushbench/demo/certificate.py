"""A certificate that a page may be given by its hash: of ECDSA over P-256, valid for less than two weeks.

Source: W3C WebTransport, "custom certificate requirements" of `serverCertificateHashes`.
"""

import base64
import hashlib
import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

DAYS = 13
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM, and what a page is told."""

    certificate: str
    key: str
    sha256: str
    """Of the certificate in DER, as base64."""


def missing() -> str:
    """Why there is no WebTransport here, and how to change that; empty if there is."""
    if importlib.util.find_spec("aioquic"):
        return ""
    return "WebTransport needs the package aioquic: pip install 'pushbench[webtransport]'"


def made(directory: Path) -> Certificate:
    """A new one for loopback in that directory, signed by itself. It needs what may be missing."""
    from cryptography import x509  # which comes with aioquic
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pushbench demo")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now - timedelta(hours=1) + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "certificate.pem", directory / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
    return Certificate(str(paths[0]), str(paths[1]), base64.b64encode(digest).decode())
