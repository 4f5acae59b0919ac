"""The handshake of TLS 1.3 as QUIC carries it, annotated by message (RFC 8446 section 4). Pure."""

from pushbench.anatomy.spans import Event, Kind, Notes

MESSAGES = {
    1: "ClientHello",
    2: "ServerHello",
    4: "NewSessionTicket",
    8: "EncryptedExtensions",
    11: "Certificate",
    13: "CertificateRequest",
    15: "CertificateVerify",
    20: "Finished",
    24: "KeyUpdate",
}
"""Section 4, and IANA's registry."""


def annotated(data: bytes) -> Notes:
    """The messages that are complete."""
    notes, at = Notes(), 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4])
        if end > len(data):
            break
        name = MESSAGES.get(data[at], f"message {data[at]}")
        notes.add(at, end - at, Kind.TLS, "tls: handshake", f"{name}, {end - at} bytes")
        notes.events.append(Event(end, "said", name))
        at = end
    return notes
