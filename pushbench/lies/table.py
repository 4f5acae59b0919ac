"""The lies, in words: a literal table. Pure; how one is run both ways is in the file of its name in `ways/`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lie:
    """A way in which a benchmark misleads whoever reads it."""

    name: str
    title: str
    claim: str
    """What the report says, and would be believed."""
    quantity: str
    """What both numbers are."""
    unit: str
    too_high: bool
    """Whether the wrong number is too high, or too low."""
    wrong_way: str
    right_way: str
    why: str
    """Why it misleads."""
    seen: str
    """Where it has been seen."""
    notice: str
    """How to see it in a report of one's own."""


_ALL = (
    Lie(
        name="closed_loop",
        title="The closed loop",
        claim="99 % of all messages arrived within this time, although the server paused.",
        quantity="p99 latency",
        unit="ms",
        too_high=False,
        wrong_way="The server pauses once, for 300 ms of four seconds. The publisher waits for its answer before it sends "
        "the next message, and each counts from when it was sent.",
        right_way="Every message has its time and is sent then, whatever the server does; it counts from that time.",
        why="While the server pauses a closed loop sends nothing. One message is late, and the others that should have "
        "been sent meanwhile are in no statistics: coordinated omission.",
        seen="wrk2 was written because of it. kamilkloch/websocket-benchmark prints both: a mean of 0.75 ms that "
        "is 4.2 ms. himanshuplace/protocol_for_broadcast takes a message's time after its limiter has waited.",
        notice="Is the rate that was reached the one that was asked for? Is the longest latency many times the time "
        "between two messages, and yet hardly any message late? Stop the server by hand for a second (SIGSTOP): if the p99 "
        "stays as it was, the loop is closed.",
    ),
    Lie(
        name="one_process",
        title="Server and clients in one process",
        claim="The server spends this much CPU on a delivery.",
        quantity="CPU for a delivery",
        unit="µs",
        too_high=True,
        wrong_way="The script starts server and clients in its own event loop, and divides the CPU time of the process "
        "by the deliveries.",
        right_way="The server is a process of its own on a core of its own, and its CPU time is read from outside.",
        why="Each client decodes its messages, and a task publishes them: what that takes is charged to the server. Nor "
        "can the server use a core that its clients have, so it may deliver less than was meant.",
        seen="himanshuplace/protocol_for_broadcast, with its figures for CPU and memory.",
        notice="Look for the process ids. If there is one, CPU, memory and latency are those of both sides.",
    ),
    Lie(
        name="saturated_client",
        title="The saturated client",
        claim="The server makes this many deliveries a second, and no more.",
        quantity="deliveries per second",
        unit="/s",
        too_high=False,
        wrong_way="500 subscribers in one script on the library websockets, which decodes each message, and publishes "
        "too; 200 messages a second are meant.",
        right_way="The same 500 and 200 from the suite's swarm, and a publisher of its own, with CPU and lag of each in "
        "the verdict.",
        why="One thread decodes every message, and publishes as well when its turn comes. What it has no time for, be its "
        "core full or taken by something else, is never sent, and the number does not tell the one from the other, "
        "nor either from a slow server; what the script had of its core stands beside it. The right number is no "
        "limit of the server either, but what it was asked for.",
        seen="uWebSockets' benchmarks warn of it: unless the server is at 100 % CPU one benchmarks the client. "
        "TechEmpower #5207, k6 #885 (10,000 users that were 8,000 sockets), nchan (its author's tools are "
        "much slower than nchan).",
        notice="Is the server at 100 % of its core? If it is not, the number is that of something else: of the client, or "
        "of the machine. Add a second client process: if the throughput rises, the first was the limit.",
    ),
    Lie(
        name="counted_sends",
        title="Sends counted, and not receipts",
        claim="The server makes this many deliveries a second.",
        quantity="deliveries per second",
        unit="/s",
        too_high=True,
        wrong_way="A script sends for two seconds as fast as it can, and multiplies what it sent by its 100 subscribers.",
        right_way="The same run: what its 100 subscribers received in those two seconds.",
        why="A send is done when a buffer has taken it. What lies in buffers, or is never delivered because a "
        "subscriber was cut off as too slow, counts as if it had arrived. (What was received is no limit of the server: "
        "its subscribers read in the thread that sends.)",
        seen="Granian's comparison of servers: a send throughput of 3.5 million messages a second beside 81,000 to "
        "367,000 received, by server and number of clients.",
        notice="Is there a figure for messages received, and is it sent × subscribers? Does the rate go up when the "
        "run is shorter?",
    ),
    Lie(
        name="no_keep_alive",
        title="Polling without keep-alive",
        claim="An empty poll costs the server this much CPU.",
        quantity="server CPU for an empty poll",
        unit="µs",
        too_high=True,
        wrong_way="Each poll is a request by itself: connect, TLS, ask, close.",
        right_way="A poller keeps its connection between two polls, as every browser does.",
        why="What is measured is the handshakes. The poller is a straw man, and whatever it is compared with "
        "looks better than it is.",
        seen="llm-webtransport had to publish a file of incorrect results, because its HTTP connections had not "
        "been reused.",
        notice="Count connections: `ss -s` during the run, or the server's TIME_WAIT sockets. There should be one "
        "for each poller.",
    ),
    Lie(
        name="in_phase",
        title="Polls in phase",
        claim="The server takes this long to answer a poll.",
        quantity="median time to answer a poll",
        unit="ms",
        too_high=True,
        wrong_way="300 pollers are started together, and each asks every two seconds.",
        right_way="The same script; each poller first waits for a random part of its two seconds.",
        why="Who started together asks together, for ever: 300 requests queue in the loop of the script, which writes and "
        "reads one after the other, and for the server's core, and both idle in between. A poll counts from before it "
        "was written, so that the script's own queue is in what it says of the server. The staleness of what the pollers "
        "see is no longer spread over the interval either.",
        seen="Scripts that start their clients by one `gather`, and have each sleep for the same time; we know of "
        "no published one by name.",
        notice="Draw requests against time, at 10 ms. Comb or noise? A median that grows with the number of pollers "
        "at a server that is nearly idle is the comb.",
    ),
    Lie(
        name="rss_over_n",
        title="Memory divided by N",
        claim="A connection costs this much memory.",
        quantity="memory for a connection",
        unit="KiB",
        too_high=True,
        wrong_way="The server's memory with 100 connections, divided by 100.",
        right_way="The slope of the server's memory over eight plateaus up to 800 connections.",
        why="The interpreter, the libraries and the application are there without any connection, and are divided "
        "among the few that there are. (Here by USS; RSS, which counts shared libraries too, is further off.)",
        seen="Most figures of so many KiB a connection. Centrifugo's 27 KB were taken at 200,000 connections, "
        "where the fixed part no longer matters.",
        notice="Is there a number for zero connections? Measure at twice as many: a price for each does not halve.",
    ),
    Lie(
        name="compression",
        title="Compression left on",
        claim="A WebSocket costs this much memory.",
        quantity="memory for a used connection",
        unit="KiB",
        too_high=True,
        wrong_way="Read after ten messages, with the library's default: permessage-deflate, wherever the client offers it.",
        right_way="Compression off, or on and named, and compared with others that compress.",
        why="Each connection keeps a compressor with its window, and each broadcast is compressed for each "
        "subscriber anew. It may be worth that, but it is a price of compression, and not of WebSocket.",
        seen="uvicorn's default (uvicorn #1862: 4 GB for 5,000 to 8,000 WebSockets). The documentation of "
        "websockets names it: 64 KiB a connection by default, 14 KiB without.",
        notice="Look for `Sec-WebSocket-Extensions: permessage-deflate` in the answer to the handshake, and whether "
        "bytes on the wire are fewer than the payload.",
    ),
    Lie(
        name="averages",
        title="Averages",
        claim="Messages arrive within this time.",
        quantity="latency",
        unit="ms",
        too_high=False,
        wrong_way="The mean of all latencies of four seconds, in which the server paused once, for 300 ms.",
        right_way="The p99 of the same latencies, of the same trial.",
        why="Most messages are quick, and the pause is divided among all of them. No subscriber sees the mean: it is above "
        "what most have, and far below what the unlucky have.",
        seen="The graph in nchan's README is a mean of five runs.",
        notice="Is there a percentile, and a maximum? Is the mean far above the median? Then there is a tail that it "
        "does not tell.",
    ),
    Lie(
        name="connection_limit",
        title="The pool of 100 connections",
        claim="The server makes this many deliveries a second to 400 subscribers of SSE.",
        quantity="deliveries per second",
        unit="/s",
        too_high=False,
        wrong_way="400 tasks read SSE by one aiohttp session, as its tutorial has it.",
        right_way="Every subscriber has a connection of its own, and is waited for until it has it.",
        why="aiohttp's TCPConnector opens 100 connections at most. Streams never end, so the other 300 wait for "
        "ever, and nothing says so.",
        seen="aiperf's pull request #1388 found its own load throttled so.",
        notice="Ask the server, or `ss`, how many connections there are. A throughput that stops growing at a round "
        "number is a limit of somebody's pool.",
    ),
)

LIES: dict[str, Lie] = {lie.name: lie for lie in _ALL}
