"""The contract of a target: what its file may say, what is made of it for a cell, and why it may be none of its cells."""

import sys
from pathlib import Path
from typing import Any

import pytest

from pushbench import contract
from pushbench.contract import OPTIONS, Known, known, read
from pushbench.scenario import Load, ScenarioError
from pushbench.target import filled
from pushbench.transports import FLOORS, TRANSPORTS

GOOD = """
title = "mine"

[start]
command = ["mine", "--port={port}", "--beat={heartbeat_s}"]

[publish]
post = "/in"

[transports.sse]
path = "/out"
"""


def made(tmp_path: Path, text: str = GOOD) -> Known:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return read(path, "mine")


def load(transport: str = "sse", **changes: object) -> Load:
    return Load.model_validate(
        {"transport": transport, "subscribers": 4, "rate_hz": 10.0, "publish_via": "post", **changes}
    )


@pytest.mark.parametrize("name", contract.names())
def test_every_target_that_comes_with_the_suite_has_a_contract_that_holds(name: str) -> None:
    there = known(name)
    assert there.contract.title
    assert bool(there.contract.install) == bool(there.contract.needs)


def test_the_suites_own_server_takes_every_option_and_claims_every_transport() -> None:
    own = known("starlette")
    assert own.taken == OPTIONS.keys()
    assert own.contract.transports.keys() == TRANSPORTS.keys()
    for name, row in TRANSPORTS.items():
        for way in ("post", "websocket"):
            assert own.refusal(load(name, publish_via=way, tls=row.quic)) == ""


def test_what_a_transport_needs_is_added_and_looked_for_where_it_is_asked_for(tmp_path: Path) -> None:
    of_it = 'path = "/wt"\nmore = ["--quic"]\nneeds = ["python:no_such_module"]\ninstall = "get it"\n'
    more = f'\n[start.more]\ntls = ["{{tls_certificate}}"]\n[transports.webtransport]\n{of_it}'
    there = made(tmp_path, GOOD + more)
    assert there.missing() == there.refusal(load()) == ""
    why = "what mine needs for webtransport is not installed (no_such_module is missing): get it"
    assert there.missing("webtransport") == there.refusal(load("webtransport")) == why
    assert there.target(load("webtransport", tls=True)).command[-1] == "--quic"
    assert "--quic" not in there.target(load()).command


def test_what_another_serves_can_be_left_out(tmp_path: Path) -> None:
    text = 'title = "mine"\nlike = "starlette"\nwithout = ["sse", "webtransport"]\n'
    there = made(tmp_path, text)
    assert there.contract.transports.keys() == TRANSPORTS.keys() - {"sse", "webtransport"}
    assert there.refusal(load("sse")) == "mine does not claim sse"


def test_a_floor_has_its_target_whatever_the_load_names_and_the_swarm_that_feeds_itself_has_none() -> None:
    assert contract.of(load("tcp", target="nchan")) == known("tcp")
    assert contract.of(load("null")) is None
    assert set(FLOORS) == {"tcp", "null"}


def test_a_target_has_what_its_contract_says_filled_in(tmp_path: Path) -> None:
    target = made(tmp_path).target(load(heartbeat_s=7.5))
    assert [filled(word, {"port": "9", **target.values}) for word in target.command] == ["mine", "--port=9", "--beat=7.5"]
    assert target.publish == {"post": "/in"}
    assert target.serves["sse"].path == "/out"
    assert target.values["python"] == sys.executable
    assert target.values["here"] == str(tmp_path)


def test_what_is_only_added_on_request_is_added_then(tmp_path: Path) -> None:
    there = made(tmp_path, GOOD + '[start.more]\nserver_workers = ["--workers={server_workers}"]\n')
    assert there.target(load()).command[-1] == "--beat={heartbeat_s}"
    assert there.target(load(server_workers=3)).command[-1] == "--workers={server_workers}"
    assert there.target(load(server_workers=3)).values["server_workers"] == "3"


def test_a_contract_may_be_like_another_but_for_what_it_says_itself() -> None:
    like, own = known("starlette_uvloop"), known("starlette")
    assert like.contract.transports == own.contract.transports
    assert like.contract.status == own.contract.status
    assert like.contract.start
    assert own.contract.start
    assert like.contract.start.command != own.contract.start.command


def test_a_url_is_a_server_that_is_there_with_the_paths_of_the_suites_own() -> None:
    target = known("https://push.example/feed/").target(load())
    assert (target.command, target.url) == ((), "https://push.example/feed/")
    assert target.path(target.serves["sse"].path) == "/feed/sse"
    assert target.path(target.publish["post"]) == "/feed/publish"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"transport": "websocket"}, "mine does not claim websocket"),
        ({"publish_via": "websocket"}, "mine takes no messages by websocket; it does by post (publish_via)"),
        ({"kind": "idle", "rate_hz": 0.0, "publish_via": "websocket"}, ""),
        (
            {"compression": "permessage-deflate"},
            'mine is not told of compression, which is "permessage-deflate" here: its contract has no {compression}',
        ),
        ({"server_workers": 2}, "mine is not told of server_workers, which is 2 here: its contract has no {redis}"),
        ({"heartbeat_s": 3.0}, ""),
        ({"vanish_percent": 50.0}, "mine has no status, by which vanish_percent is measured"),
        ({"resume_percent": 50.0}, ""),
    ],
)
def test_a_cell_that_it_cannot_serve_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    assert made(tmp_path).refusal(load(**changes)) == says  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["resume_percent", "churn_hz"])
def test_who_resumes_needs_a_cursor(tmp_path: Path, key: str) -> None:
    of: dict[str, Any] = {key: 1.0}
    without = made(tmp_path, GOOD + 'cursor = "none"\n')
    assert without.refusal(load(**of)) == f"mine resumes no reader on sse, which {key} asks for"
    only_seen = made(tmp_path, GOOD + "resumes_unseen = false\n")
    assert only_seen.refusal(load(**of)) == f"mine resumes no reader on sse, which {key} asks for"


@pytest.mark.parametrize("need", ["no-such-program", "/no/such/file", "python:no_such_module"])
def test_what_is_not_installed_is_told_with_the_command_that_installs_it(tmp_path: Path, need: str) -> None:
    text = GOOD.replace('title = "mine"', f'title = "mine"\nneeds = ["sh", "{need}"]\ninstall = "get it from {{here}}"')
    missing = made(tmp_path, text).missing()
    assert missing.startswith(f"mine is not installed ({need.removeprefix('python:')} is missing): get it from ")
    assert "{here}" not in missing
    assert made(tmp_path, text).refusal(load()) == missing


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('title = "mine"', ""), r"mine.toml:1: title: missing; add it"),
        (("[start]", "[strat]"), r"mine.toml:4: strat: unknown key, did you mean start"),
        (("path =", "pth ="), r"mine.toml:11: transports.sse.pth: unknown key, did you mean path"),
        (
            ("[transports.sse]", "[transports.streem]"),
            r"mine.toml:10: transports.streem: unknown .*mean stream",
        ),
        (
            ('path = "/out"', 'path = "out"'),
            r'mine.toml:11: transports.sse.path: "out" has to be a path',
        ),
        (('path = "/out"', 'cursor = "none"'), r"mine.toml:10: transports.sse.path: missing"),
        (('path = "/out"', 'path = "/out"\ncursor = "after"'), r'"after" resumes nobody on sse, expected "last-event-id"'),
        (
            ("[transports.sse]", '[transports.polling]\ncursor = "none"'),
            r'"none", but polling asks by its cursor each time',
        ),
        (
            ('path = "/out"', 'path = "/out"\nstart = "/x"'),
            r"mine.toml:12: transports.sse.start: sse asks once; take it out",
        ),
        (('post = "/in"', ""), r"mine.toml:7: publish: no way to publish, expected websocket, post or lines"),
        (('post = "/in"', 'websocket = "/in"\nfirst = "x"'), r"publish.post: missing, and a first message is to be posted"),
        (("title", 'url = "http://127.0.0.1:80"\ntitle'), r"start: both, expected one"),
        (("title", 'like = "nothing"\ntitle'), r'mine.toml:2: like: "nothing" is no other target, expected one of .*nchan'),
        (
            ("title", 'heeds = ["rate_hz"]\ntitle'),
            r'mine.toml:2: heeds: "rate_hz" is no key of the load that a server heeds',
        ),
        (("[publish]", "[start.more]\nx = []\n[publish]"), r'mine.toml:8: start.more.x: "x" is no key of the load'),
        (("[publish]", "[publish"), r"mine.toml: not TOML: "),
    ],
)
def test_a_mistake_is_one_line_that_names_file_line_key_and_what_was_expected(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    with pytest.raises(ScenarioError, match=says) as error:
        made(tmp_path, GOOD.replace(*change, 1))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["http://", "https://x/?query=1", "ftp://x", "http://user@x", "http://x:port"])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ScenarioError, match="is not http:// or https:// with a host and without a query"):
        known(url)


def test_a_name_that_there_is_not_is_told_with_the_nearest_one_and_all_that_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"nchann: no such target, did you mean nchan\? \(known by name: .*starlette"):
        known("nchann")
    with pytest.raises(ScenarioError, match=r"nowhere/mine.toml: no such target"):
        known("nowhere/mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "{heartbeat_s}",
            "{heartbeats}",
            r'start.command: "{heartbeats}" is nothing that is filled in, did you mean heartbeat_s',
        ),
        (
            "[transports.sse]",
            "[transports.webtransport]",
            "is always over TLS, and the server is not told of its certificate",
        ),
        (
            'title = "mine"',
            'title = "mine"\nwithout = ["sse"]',
            'without: "sse" cannot be left out, expected a transport of',
        ),
        ('path = "/out"', 'path = "/out"\nqueries = true', "transports.sse.queries: sse does not poll; take it out"),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_started(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        made(tmp_path, GOOD.replace(old, new))


def test_braces_that_are_the_commands_own_are_left_alone(tmp_path: Path) -> None:
    assert made(tmp_path, GOOD.replace('["mine"', '["mine", "{%s}", "{json}"'))


def test_polls_by_a_query_are_only_of_who_claims_them(tmp_path: Path) -> None:
    there = made(tmp_path, GOOD + '[transports.polling]\npath = "/poll"\n')
    asked = load("polling", poll_empty="200")
    assert there.refusal(asked) == (
        'mine does not claim to be polled by a query (queries), which poll_empty = "200" asks for'
    )
    assert there.refusal(load("polling")) == known("starlette").refusal(asked) == ""


def test_who_acts_is_served_where_the_contract_says_so_and_else_skipped_with_the_reason(tmp_path: Path) -> None:
    there = made(tmp_path)
    asked = {"kind": "request", "subscribers": 4}
    assert (
        there.refusal(load("websocket", **asked))
        == "mine does not claim to answer actions by websocket (request.websocket)"
    )
    assert there.refusal(load("post", **asked)) == "mine does not claim to answer actions by post (request.post)"
    chat = {"kind": "chat", "room_size": 2}
    assert there.refusal(load("sse", **chat)) == "mine does not claim rooms (chat.room)"
    claims = made(tmp_path, GOOD + '[request]\npost = "/act"\n[chat]\nroom = "/in/{room}"\n')
    assert claims.refusal(load("post", **asked)) == ""
    assert claims.refusal(load("sse", **chat)) == ""
    target = claims.target(load("post", **asked))
    assert (target.acts, target.room) == ({"post": "/act"}, "/in/{room}")


def test_a_room_without_a_place_for_its_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"chat.room: \"/room\" has to be a path with {room} in it"):
        made(tmp_path, GOOD + '[chat]\nroom = "/room"\n')


def test_who_cannot_post_says_nothing_in_a_room(tmp_path: Path) -> None:
    there = made(tmp_path, GOOD.replace('post = "/in"', 'websocket = "/in"') + '[chat]\nroom = "/{room}"\n')
    says = "mine takes no messages by POST, as who reads sse says something (publish.post)"
    assert there.refusal(load("sse", kind="chat", room_size=2)) == says
