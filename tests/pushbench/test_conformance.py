"""The conformance suite itself: it finds what a server does wrong. That good ones pass is in tests/conformance."""

import re
import sys
from pathlib import Path

import pytest

from pushbench import conformance_text, environment
from pushbench.conformance import SENTENCES, Finding, Result, examined, from_plain_values, plain_values
from pushbench.contract import Known, read

pytestmark = pytest.mark.slow

SERVER = """
import asyncio, json, os, sys
from aiohttp import web

WRONG = sys.argv[1]
log, readers = [], set()


async def publish(request):
    data = await request.read()
    if WRONG == "loses" and len(log) == 50:
        data = None
    log.append(data)
    for reader in list(readers):
        reader.set()
    return web.Response(status=201)


async def poll(request):
    tag = request.headers.get("If-None-Match")
    at = len(log) if tag is None else int(tag.strip('"'))
    if tag is None:
        return web.Response(status=204, headers={"ETag": f'"{at}"'})
    if request.path == "/longpoll" and WRONG != "does not hold":
        came = asyncio.Event()
        readers.add(came)
        while at >= len(log):
            await came.wait()
            came.clear()
        readers.discard(came)
    news = [data for data in log[at:] if data is not None]
    if WRONG == "turns round":
        news.reverse()
    if WRONG == "cuts":
        news = [data[:1000] for data in news]
    if not news:
        return web.Response(status=304, headers={"ETag": f'"{len(log)}"'})
    return web.Response(body=b"".join(data + b"\\n" for data in news), headers={"ETag": f'"{len(log)}"'})


app = web.Application(client_max_size=2**20)
app.add_routes([web.post("/publish", publish), web.get("/polling", poll), web.get("/longpoll", poll)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None, shutdown_timeout=0.1)
"""


def target(tmp_path: Path, wrong: str) -> Known:
    (tmp_path / "server.py").write_text(SERVER)
    path = tmp_path / "wrong.toml"
    path.write_text(f"""
title = "a server that may do something wrong"
heeds = ["longpoll_timeout_s"]
[start]
command = [{sys.executable!r}, "{{here}}/server.py", {wrong!r}, "{{port}}"]
ready = "/polling"
[publish]
post = "/publish"
[transports.polling]
path = "/polling"
[transports.longpoll]
path = "/longpoll"
tells_gone = true
""")
    return read(path, "wrong")


@pytest.fixture(autouse=True)
def _waits_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushbench.conformance.WAIT_S", 0.5)


async def failing(tmp_path: Path, wrong: str) -> dict[tuple[str, str], str]:
    results = await examined(target(tmp_path, wrong), environment.placed().server, long=False)
    return {(one.transport, one.check): one.why for one in results if one.finding is Finding.FAILS}


async def test_what_a_server_does_as_it_claims_passes_and_what_it_does_not_claim_is_not_asked(tmp_path: Path) -> None:
    told: list[Result] = []
    results = await examined(
        target(tmp_path, "nothing"), environment.placed().server, only=["polling"], long=False, tell=told.append
    )
    assert told == results
    assert {one.transport for one in results} == {"polling"}
    assert {one.check for one in results if one.finding is Finding.NOT_CLAIMED} == {
        *("held", "gone", "http2", "answers", "rooms")
    }
    assert {one.check for one in results if one.finding is Finding.PASSES} == {
        *("one", "fifty", "before", "text", "sizes", "publishing", "resumes", "unseen")
    }


@pytest.mark.parametrize(
    ("wrong", "transport", "check", "why"),
    [
        ("turns round", "polling", "one", "should be .*, and is"),
        ("loses", "polling", "one", r"message 51 should be .*\"seq\": +50,.*, and is .*\"seq\": +51,"),
        ("cuts", "polling", "sizes", r"message 2 should be .*… \(65536 bytes\), and is .*… \(1000 bytes\)"),
        ("does not hold", "longpoll", "held", r"\d+ requests were answered within 0.5 s"),
        ("nothing", "longpoll", "gone", "a cursor that nobody has given was taken"),
    ],
)
async def test_what_it_does_wrong_fails_with_what_was_seen(
    tmp_path: Path, wrong: str, transport: str, check: str, why: str
) -> None:
    found = await failing(tmp_path, wrong)
    assert re.search(why, found[transport, check]), found
    assert found.keys() >= {("longpoll", "gone")}


def test_results_survive_as_json_has_them() -> None:
    results = [Result("one", "sse", Finding.PASSES), Result("stops", "", Finding.FAILS, "it had to be killed")]
    assert from_plain_values(plain_values(results)) == results


def test_in_words_there_is_a_line_for_each_and_one_row_for_a_transport_of_a_target() -> None:
    results = [
        Result("one", "sse", Finding.PASSES),
        Result("held", "sse", Finding.NOT_CLAIMED, "it holds no requests"),
        Result("stops", "", Finding.FAILS, "it had to be killed after 5.1 s"),
    ]
    assert conformance_text.line(results[2]) == f"  server     FAIL {SENTENCES['stops']} (it had to be killed after 5.1 s)"
    table = conformance_text.table({"mine": results})
    assert table.headings == ("target", "transport", "one", "held", "stops")
    assert table.rows == (("mine", "sse", "pass", "–", ""), ("mine", "server", "", "", "FAIL"))
    assert conformance_text.failures({"mine": results}) == [
        f"mine, server: {SENTENCES['stops']}: it had to be killed after 5.1 s"
    ]
    assert conformance_text.verdict("mine", results) == "mine does not keep what it claims: 1 of 2 checks fail"
    assert conformance_text.verdict("mine", results[:2]) == "mine keeps what it claims: 1 checks pass"


def test_a_run_before_which_nobody_looked_has_no_table() -> None:
    assert conformance_text.of({}) is None
    assert conformance_text.kept({"conformance": {"mine": []}}) == {"mine": []}
