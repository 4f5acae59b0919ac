"""The certificate: what browsers want of one that they are given by its hash."""

import base64
import hashlib
import ssl
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pushbench.demo import certificate


def test_it_is_of_p256_and_valid_for_less_than_two_weeks_and_its_hash_is_told(tmp_path: Path) -> None:
    made = certificate.made(tmp_path)
    pem = Path(made.certificate).read_text()
    read = x509.load_pem_x509_certificate(pem.encode())
    key = read.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert read.not_valid_after_utc - read.not_valid_before_utc < timedelta(days=14)
    assert base64.b64decode(made.sha256) == hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()


def test_its_key_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    assert Path(certificate.made(tmp_path).key).stat().st_mode & 0o077 == 0
