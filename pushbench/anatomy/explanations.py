"""What each name of a span means, and where that is written down. Data only."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """Of one name."""

    means: str
    source: str = ""
    """The section of the standard."""


R9110, R9112, R6455 = "RFC 9110", "RFC 9112", "RFC 6455"
R9000, R9001, R9114, R9204 = "RFC 9000", "RFC 9001", "RFC 9114", "RFC 9204"
WEBTRANSPORT = "draft-ietf-webtrans-http3-02"

EXPLAINED: dict[str, Explanation] = {
    "rest": Explanation("Not told: the record ends inside of it, or it is in no protocol that is known here."),
    # HTTP/1.1
    "request line: method": Explanation(
        "What is wanted: GET asks for something, POST brings something.", f"{R9112} section 3.1"
    ),
    "request line: target": Explanation("Which resource; ?after= is a reader’s place in the feed.", f"{R9112} section 3.2"),
    "request line: version": Explanation("The protocol the client speaks, and the line’s end.", f"{R9112} section 2.3"),
    "status line: version": Explanation("The protocol the server speaks.", f"{R9112} section 4"),
    "status line: status": Explanation(
        "What came of it: 200 there is something, 204 and 304 nothing is new, 101 the protocol changes.",
        f"{R9110} section 15",
    ),
    "status line: reason": Explanation(
        "The status in words, which no program reads, and the line’s end.", f"{R9112} section 4"
    ),
    "end of head": Explanation("The empty line: the head is over.", f"{R9112} section 2.1"),
    "header": Explanation("A header that this page does not know.", f"{R9110} section 5"),
    "header host": Explanation("Which site is meant, for one address may have several.", f"{R9110} section 7.2"),
    "header accept": Explanation("Which kinds of content the client takes; aiohttp sends */*.", f"{R9110} section 12.5.1"),
    "header accept-encoding": Explanation(
        "Which compressions the client takes; the suite asks for none unless the load says so.", f"{R9110} section 12.5.3"
    ),
    "header accept-language": Explanation(
        "Which languages the reader prefers; a browser adds it.", f"{R9110} section 12.5.4"
    ),
    "header user-agent": Explanation(
        "Which program asks: its library’s name, in every request again.", f"{R9110} section 10.1.5"
    ),
    "header referer": Explanation("The page from which it was asked; a browser adds it.", f"{R9110} section 10.1.3"),
    "header origin": Explanation("The page’s site; by it a server refuses pages of others.", "RFC 6454 section 7"),
    "header cookie": Explanation(
        "What the site has had the browser keep: sent again with every request.", "RFC 6265 section 5.4"
    ),
    "header authorization": Explanation("Who asks: the token of the client.", f"{R9110} section 11.6.2"),
    "header cache-control": Explanation("What caches on the way may do with it.", "RFC 9111 section 5.2"),
    "header pragma": Explanation("The same for caches of HTTP/1.0.", "RFC 9111 section 5.4"),
    "header connection": Explanation(
        "What holds for this connection alone: keep-alive, close, Upgrade.", f"{R9110} section 7.6.1"
    ),
    "header keep-alive": Explanation("How long an idle connection is kept.", "RFC 2068 section 19.7.1"),
    "header upgrade": Explanation("To which protocol this connection is to change.", f"{R9110} section 7.8"),
    "header if-none-match": Explanation(
        "The ETag of the answer before: answer with content only if something is newer. A poller’s place in the feed.",
        f"{R9110} section 13.1.2",
    ),
    "header if-modified-since": Explanation("The same by the time of the answer before.", f"{R9110} section 13.1.3"),
    "header last-event-id": Explanation(
        "The id of the last event that was had: an SSE reader’s place.", "HTML standard section 9.2.4"
    ),
    "header etag": Explanation(
        "The validator of this answer: how far the feed is. It comes back in If-None-Match, or ?after=.",
        f"{R9110} section 8.8.3",
    ),
    "header last-modified": Explanation("The same as a time.", f"{R9110} section 8.8.2"),
    "header date": Explanation(
        "When the answer was made, in whole seconds; every server adds it.", f"{R9110} section 6.6.1"
    ),
    "header server": Explanation("Which program answers.", f"{R9110} section 10.2.4"),
    "header content-type": Explanation(
        "What the content is: text/event-stream is SSE, text/plain a message a line.", f"{R9110} section 8.3"
    ),
    "header content-length": Explanation("How many bytes of content follow the head.", f"{R9110} section 8.6"),
    "header content-encoding": Explanation("How the content is compressed.", f"{R9110} section 8.4"),
    "header transfer-encoding": Explanation(
        "chunked: the length is not known before, so it comes in pieces that say their own; what an endless answer needs.",
        f"{R9112} section 6.1",
    ),
    "header vary": Explanation(
        "On which headers of the request the answer depends, for caches.", f"{R9110} section 12.5.5"
    ),
    "header x-accel-buffering": Explanation(
        "Has a proxy of nginx’s kind pass everything on at once: it must not collect a stream."
    ),
    "header x-content-type-options": Explanation("Has a browser believe the content type.", "Fetch standard section 3.6"),
    "header access-control-allow-origin": Explanation(
        "Pages of which site may read this answer.", "Fetch standard section 3.3"
    ),
    "header access-control-allow-headers": Explanation("Which headers such a page may send.", "Fetch standard section 3.3"),
    "header access-control-allow-methods": Explanation("Which methods such a page may use.", "Fetch standard section 3.3"),
    "header access-control-expose-headers": Explanation(
        "Which headers of the answer such a page may see.", "Fetch standard section 3.3"
    ),
    "header access-control-max-age": Explanation("How long that need not be asked again.", "Fetch standard section 3.3"),
    "header access-control-request-method": Explanation(
        "A preflight: what the page is going to ask.", "Fetch standard section 3.3"
    ),
    "header access-control-request-headers": Explanation(
        "A preflight: which headers it is going to send.", "Fetch standard section 3.3"
    ),
    "header sec-websocket-key": Explanation(
        "16 random bytes in base64: only who understands WebSocket answers with what belongs to them.",
        f"{R6455} section 11.3.1",
    ),
    "header sec-websocket-accept": Explanation(
        "The key with the GUID of the standard behind it, hashed: proves that the server speaks WebSocket.",
        f"{R6455} section 4.2.2",
    ),
    "header sec-websocket-version": Explanation("13, the version that became the standard.", f"{R6455} section 11.3.5"),
    "header sec-websocket-extensions": Explanation(
        "Extensions, such as compression of messages.", f"{R6455} section 11.3.2"
    ),
    "header sec-websocket-protocol": Explanation("A protocol inside of the WebSocket.", f"{R6455} section 11.3.4"),
    "refusal": Explanation("Why the server refuses, in its own words.", f"{R9110} section 15.5"),
    "chunk: size": Explanation(
        "How many bytes the next piece has, in hexadecimal, and the line’s end.", f"{R9112} section 7.1"
    ),
    "chunk: end": Explanation("Ends a piece.", f"{R9112} section 7.1"),
    "chunk: trailer": Explanation("A header behind the content.", f"{R9112} section 7.1.2"),
    "chunk: end of body": Explanation("The empty line behind the last piece.", f"{R9112} section 7.1"),
    "compressed payload": Explanation(
        "Content that is compressed: which byte is of which message cannot be said.", f"{R9110} section 8.4.1"
    ),
    # lines and events
    "line end": Explanation("Ends the line."),
    "heartbeat line": Explanation(
        "An empty line: a sign of life, so that nobody on the way takes the connection for dead."
    ),
    "event: id": Explanation(
        "The event’s id. A reader that comes back sends it as Last-Event-ID.", "HTML standard section 9.2.6"
    ),
    "event: data": Explanation("The field whose value is the message.", "HTML standard section 9.2.6"),
    "event: event": Explanation("The event’s type.", "HTML standard section 9.2.6"),
    "event: retry": Explanation(
        "How many milliseconds a browser waits before it comes back.", "HTML standard section 9.2.6"
    ),
    "event: other field": Explanation("A field that readers ignore.", "HTML standard section 9.2.6"),
    "event: comment": Explanation(
        "A line that begins with a colon is a comment: a sign of life that no reader hears.", "HTML standard section 9.2.6"
    ),
    "event: dispatch": Explanation("The empty line: now the event is handed over.", "HTML standard section 9.2.6"),
    # WebSocket
    "frame: FIN, RSV, opcode": Explanation(
        "FIN: last frame of its message. RSV: 0 unless an extension uses them. The opcode says which kind.",
        f"{R6455} section 5.2",
    ),
    "frame: MASK, length": Explanation(
        "A client’s frames are masked, a server’s never. Up to 125 it is the length, beyond it how long the length is.",
        f"{R6455} section 5.2",
    ),
    "frame: 16 bit length": Explanation("The length of 126 to 65,535 bytes, high byte first.", f"{R6455} section 5.2"),
    "frame: 64 bit length": Explanation("The length of 65,536 bytes and more, high byte first.", f"{R6455} section 5.2"),
    "frame: masking key": Explanation(
        "Four random bytes, new in every frame: byte i of the payload is XORed with byte i mod 4, so that no script "
        "can choose what a proxy sees.",
        f"{R6455} section 5.3",
    ),
    "fragment": Explanation("One part of a message that comes in several frames.", f"{R6455} section 5.4"),
    "control payload": Explanation("What a ping asks to be sent back, and a pong does.", f"{R6455} section 5.5.2"),
    "close code": Explanation(
        "Why it is closed, as a number. The other side answers with the same.", f"{R6455} section 7.4"
    ),
    "close reason": Explanation("Why, in words.", f"{R6455} section 7.1.6"),
    # what was published
    "message": Explanation("What was published."),
    "message seq": Explanation("The message’s number, in a field of fixed width.", "pushbench: docs/design.md"),
    "message due_ns": Explanation(
        "When it was due, by CLOCK_MONOTONIC: latency counts from here.", "pushbench: docs/method.md"
    ),
    "message sent_ns": Explanation(
        "When it was sent; what counts from here alone hides stalls.", "pushbench: docs/method.md"
    ),
    "message pad": Explanation("Fills the message to the size that was asked for.", "pushbench: docs/design.md"),
    # QUIC
    "quic: first byte": Explanation(
        "Long or short header, and the kind of packet; its low bits are protected.", f"{R9000} section 17.2"
    ),
    "quic: version": Explanation("The version of QUIC.", f"{R9000} section 15"),
    "quic: connection id length": Explanation("How long the connection id is that follows.", f"{R9000} section 17.2"),
    "quic: destination connection id": Explanation(
        "Which connection of the receiver: the packet belongs to it whatever address it comes from.", f"{R9000} section 5.1"
    ),
    "quic: source connection id": Explanation("By which id the sender wants to be reached.", f"{R9000} section 7.2"),
    "quic: token": Explanation("Proves that the client’s address is its own; here there is none.", f"{R9000} section 8.1"),
    "quic: length": Explanation("How many bytes of this packet follow; another may be behind it.", f"{R9000} section 17.2"),
    "quic: packet number": Explanation(
        "Counts the sender’s packets; a number is never used twice.", f"{R9000} section 17.1"
    ),
    "quic: AEAD tag": Explanation(
        "16 bytes by which the receiver sees that nobody has changed the packet.", f"{R9001} section 5.3"
    ),
    "quic: PADDING": Explanation("Zeros: a first flight has at least 1,200 bytes.", f"{R9000} section 19.1"),
    "quic: PING": Explanation("Asks for a sign of life; what it is in answered by is an ACK.", f"{R9000} section 19.2"),
    "quic: ACK": Explanation("Which packets have come, and how long that was ago.", f"{R9000} section 19.3"),
    "quic: CRYPTO": Explanation(
        "The head of a piece of the TLS handshake: where it belongs, and how long it is.", f"{R9000} section 19.6"
    ),
    "quic: STREAM": Explanation(
        "The head of a piece of a stream: which, where it belongs, how long it is.", f"{R9000} section 19.8"
    ),
    "quic: DATAGRAM": Explanation("The head of a datagram: sent once, never again.", "RFC 9221 section 4"),
    "quic: NEW_CONNECTION_ID": Explanation("One more id by which the sender can be reached.", f"{R9000} section 19.15"),
    "quic: RETIRE_CONNECTION_ID": Explanation("An id that is not used any more.", f"{R9000} section 19.16"),
    "quic: HANDSHAKE_DONE": Explanation("The server has seen the client’s end of the handshake.", f"{R9000} section 19.20"),
    "quic: CONNECTION_CLOSE": Explanation("The end of the connection, and why.", f"{R9000} section 19.19"),
    "quic: flow control": Explanation(
        "How much more the receiver takes, or that the sender is held up.", f"{R9000} section 4"
    ),
    "quic: stream control": Explanation("Ends a stream before its end.", f"{R9000} section 19.4"),
    "quic: other frame": Explanation("Another frame of QUIC.", f"{R9000} section 19"),
    "quic: stream again": Explanation("Bytes of a stream that were sent before.", f"{R9000} section 13.3"),
    "quic: ciphertext": Explanation("Encrypted, and nobody here has the key.", f"{R9001} section 5"),
    "quic: protected": Explanation(
        "A packet with a short header: connection id, packet number and frames, of which only the first two bits "
        "can be read without the key.",
        f"{R9000} section 17.3",
    ),
    "tls: handshake": Explanation("A message of TLS 1.3’s handshake.", "RFC 8446 section 4"),
    # HTTP/3 and WebTransport
    "h3: stream type": Explanation("What a stream in one direction is for.", f"{R9114} section 6.2"),
    "h3: frame head": Explanation("A frame’s type and length.", f"{R9114} section 7.1"),
    "h3: setting": Explanation("A setting and its value: what this side can do.", f"{R9114} section 7.2.4"),
    "h3: frame": Explanation("The content of another frame.", f"{R9114} section 7.2"),
    "qpack: prefix": Explanation("How much of the dynamic table the headers need.", f"{R9204} section 4.5.1"),
    "qpack: indexed": Explanation(
        "A header that is in a table with name and value: a byte or two.", f"{R9204} section 4.5.2"
    ),
    "qpack: name by index": Explanation(
        "A header whose name is in a table, and whose value is here.", f"{R9204} section 4.5.4"
    ),
    "qpack: literal": Explanation("A header that is in no table: name and value are here.", f"{R9204} section 4.5.6"),
    "qpack: headers": Explanation("Headers, compressed by QPACK.", f"{R9204} section 4.5"),
    "qpack: instructions": Explanation("What this side tells the other of its table of headers.", f"{R9204} section 4.3"),
    "webtransport: signal": Explanation(
        "0x54: this stream belongs to a WebTransport session.", f"{WEBTRANSPORT} section 4.1"
    ),
    "webtransport: session id": Explanation(
        "Which: the number of the stream on which it was asked for.", f"{WEBTRANSPORT} section 4"
    ),
    "webtransport: quarter stream id": Explanation(
        "Which session a datagram is of: that number divided by four.", "RFC 9297 section 2.1"
    ),
    "webtransport: length": Explanation(
        "How long the next message is, for a stream has no messages of its own.", f"{R9000} section 16"
    ),
    "webtransport: message id": Explanation("Which message it is: they may come in any order.", f"{R9000} section 16"),
    "webtransport: capsule": Explanation("Of the session itself, such as its good-bye.", "RFC 9297 section 3.2"),
}
"""By name."""


def explained(name: str) -> Explanation:
    """What a name means."""
    return EXPLAINED.get(name) or (EXPLAINED["header"] if name.startswith("header ") else Explanation(""))
