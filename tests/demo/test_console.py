"""The console as a process, without a browser: its controls act, the feed waits and goes on, and nothing outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from pushbench.transports import TRANSPORTS
from tests.demo.demos import WAIT_S, Demo, page_of, seq_of, showing

TCP = [name for name, row in TRANSPORTS.items() if row.variant_of is None and not row.quic]


async def test_there_is_a_lane_for_each_transport_in_the_order_of_the_table(demo: Demo) -> None:
    async with page_of(demo) as page:
        assert [one["name"] for one in page.facts["lanes"]] == [
            name for name, row in TRANSPORTS.items() if row.variant_of is None
        ]
        assert len({one["base"] for one in page.facts["lanes"]}) == len(page.facts["lanes"])


async def test_a_message_comes_by_its_lane_with_the_size_that_is_set(demo: Demo) -> None:
    async with page_of(demo) as page:
        await page.ask("done", set={"rate_hz": 50, "payload_bytes": 333})
        async with page.http.ws_connect(f"{page.base('websocket')}/websocket", headers={"origin": demo.url}) as lane:
            texts = [(await lane.receive(timeout=WAIT_S)).data for _ in range(5)]
        seqs = [seq_of(text) for text in texts]
        assert seqs == list(range(seqs[0], seqs[0] + 5))
        assert {len(text) for text in texts} == {333}


@pytest.mark.parametrize("name", TCP)
async def test_what_the_lines_count_is_what_passed(demo: Demo, name: str) -> None:
    """A request of our own, to the byte, of which the answer is a refusal with a length."""
    async with page_of(demo) as page:
        await page.until(lambda state: True)
        before = page.state["lanes"][name]
        host, port = page.base(name).removeprefix("http://").split(":")
        asked = b"GET /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(asked)
        answer = await reader.read()
        writer.close()
        await page.until(lambda state: state["lanes"][name]["down"] >= before["down"] + len(answer))
        now = page.state["lanes"][name]
        assert {key: now[key] - before[key] for key in ("up", "down", "connections")} == {
            "up": len(asked),
            "down": len(answer),
            "connections": 1,
        }
        async with page.http.get(f"{demo.url}/wire/{name}/exchange.json") as wire:
            told = await wire.json()
        assert told["kinds"][-1] == "GET 404"
        assert told["exchange"]["up"]["size"] == len(asked)
        async with page.http.get(f"{demo.url}/wire/{name}/annotated?kind=GET%20404") as explained:
            assert explained.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
            assert "request line: method" in await explained.text()
        async with page.http.get(f"{demo.url}/wire/{name}/annotated?kind=GET%20999") as nothing:
            assert nothing.status == 404


async def test_a_line_that_is_cut_lets_nobody_through_until_it_is_mended(demo: Demo) -> None:
    async with page_of(demo) as page:
        await page.ask("done", do="cut")
        assert page.state["cut"]
        with pytest.raises(aiohttp.ClientError):
            await page.http.get(f"{page.base('polling')}/polling")
        await page.ask("done", do="mend")
        assert not page.state["cut"]
        async with page.http.get(f"{page.base('polling')}/polling") as answer:
            assert answer.status == 204
        assert page.state["mended"]["at_ms"] > 0


async def test_a_server_that_is_stopped_and_started_has_what_it_had_and_goes_on_with_the_next_message(
    demo: Demo,
) -> None:
    async with page_of(demo) as page:
        await page.ask("done", set={"rate_hz": 50})
        await page.until(lambda state: state["feed"]["count"] >= 3)
        await page.ask("done", do="stop")
        await page.until(lambda state: state["server"] == "stopped" and state["feed"]["waits"])
        published = page.state["feed"]["count"]
        await page.ask("done", do="start")
        await page.until(lambda state: state["server"] == "up" and state["feed"]["count"] > published + 3)
        answers = f"{page.base('polling')}/polling"
        async with page.http.get(answers, headers={"if-none-match": '"0"', "origin": demo.url}) as answer:
            assert answer.status == 200
            seqs = [seq_of(line) for line in (await answer.text()).splitlines()]
        assert seqs == list(range(len(seqs)))
        assert len(seqs) > published


async def test_background_subscribers_come_and_go(demo: Demo) -> None:
    async with page_of(demo) as page:
        for by in ("sse", "polling"):
            await page.ask("done", set={"subscribers": 20, "subscribers_by": by})
            await page.until(lambda state: state["crowd"] == 20)
            await page.ask("done", set={"subscribers": 0})
            await page.until(lambda state: state["crowd"] == 0)


async def test_a_ping_tells_the_consoles_clock_and_where_the_next_message_will_be(demo: Demo) -> None:
    async with page_of(demo) as page:
        first, second = [(await page.ask("pong", ping=nth))["at_ms"] for nth in (1, 2)]
        assert second > first
        assert (await page.ask("here", where=3))["here"] == 3


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ({"set": {"rate_hz": 1000}}, "rate_hz is 1000: it must be from 0.2 to 200 messages/s"),
        ({"do": "dance"}, "'dance' cannot be done: there are cut, mend, stop, start"),
        ({"sing": 1}, "a note has ping, where, set or do, and this one sing"),
    ],
)
async def test_what_cannot_be_done_is_said(demo: Demo, note: dict[str, object], says: str) -> None:
    async with page_of(demo) as page:
        assert (await page.ask("refused", **note))["refused"] == says


async def test_what_is_no_json_is_refused_and_ends_nothing(demo: Demo) -> None:
    async with page_of(demo) as page:
        await page._control.send_str("{")
        while "refused" not in await page.hear():
            pass
        assert (await page.ask("pong", ping=1))["pong"] == 1


async def test_pages_of_other_origins_are_refused_and_so_are_other_names(demo: Demo) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with page_of(demo, origin="http://elsewhere.example"):
            pass
    async with aiohttp.ClientSession() as http, http.get(demo.url, headers={"host": "elsewhere.example"}) as answer:
        assert answer.status == 400


async def test_the_page_is_isolated_and_reaches_loopback_alone(demo: Demo) -> None:
    async with aiohttp.ClientSession() as http, http.get(demo.url) as answer:
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; connect-src 'self' ")
    hosts = {word.split("://")[1].split(":")[0] for word in policy.replace(";", " ").split() if "://" in word}
    assert hosts == {"127.0.0.1", "localhost"}


async def test_an_unknown_lane_has_no_wire_and_those_that_there_are_are_named(demo: Demo) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{demo.url}/wire/pigeon") as answer:
        assert answer.status == 404
        assert "polling, longpoll" in await answer.text()


def descendants(pid: int) -> set[int]:
    found, todo = set[int](), [pid]
    while todo:
        parent = todo.pop()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.add(int(stat.parent.name))
                todo.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        (signal.SIGKILL, -9),
    ],
)
async def test_nothing_that_it_has_started_outlives_it(how: signal.Signals, code: int) -> None:
    with showing(stderr=subprocess.PIPE) as demo:
        started = descendants(demo.process.pid)
        assert len(started) >= 5  # two servers below keepers, lines, feed, crowd
        async with page_of(demo):
            demo.process.send_signal(how)
            assert await asyncio.to_thread(demo.process.wait, WAIT_S) == code
        assert demo.process.stderr is not None
        said = await asyncio.to_thread(demo.process.stderr.read)
        if how != signal.SIGKILL:  # else it is Python's own resource tracker that has something to say
            assert said == "pushbench: interrupted\n"
        async with asyncio.timeout(WAIT_S):
            for pid in started:
                await _gone(pid)


async def _gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)


def test_a_port_in_use_is_one_line_that_names_the_way_out(demo: Demo) -> None:
    port = demo.url.rpartition(":")[2]
    command = [sys.executable, "-m", "pushbench", "serve", "--demo", f"--port={port}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"pushbench: port {port} of 127.0.0.1 is in use; name another with --port, or --port 0 for a free one\n"
    )


@pytest.mark.parametrize("flags", [["--port=x"], ["--port=70000"], ["--colour"]])
def test_wrong_flags_are_one_line(flags: list[str]) -> None:
    command = [sys.executable, "-m", "pushbench", "serve", "--demo", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1


def test_what_the_page_is_made_of_refers_to_nothing_beyond_it() -> None:
    page = Path(__file__).parents[2] / "pushbench/demo/page"
    for file in page.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        beyond = [word for word in text.split() if "://" in word and "127.0.0.1" not in word and "${" not in word]
        assert beyond == [], file.name


def test_the_colours_are_those_of_the_charts() -> None:
    from pushbench.charts.style import look

    style = (Path(__file__).parents[2] / "pushbench/demo/page/style.css").read_text()
    for name in (name for name, row in TRANSPORTS.items() if row.variant_of is None):
        assert f"--{name}: {look(name).colour.lower()};" in style
