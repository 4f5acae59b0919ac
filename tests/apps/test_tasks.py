"""The task list: every action and every error is the same by every way to act."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.apps.acting import Act, Rest, Socket, Way
from tests.apps.conftest import MAX_MESSAGE_BYTES
from tests.serving import Server

WAYS = ("rest", "act", "websocket")
NOWHERE = 10**15


@pytest.fixture
async def ways(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[dict[str, Way]]:
    async with http.ws_connect(server.url("/tasks/socket")) as socket:
        yield {"rest": Rest(server, http), "act": Act(server, http), "websocket": Socket(socket)}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, ways: dict[str, Way]) -> Way:
    return ways[request.param]


# --- what is done


async def test_what_is_added_is_in_the_list_as_it_was_answered(way: Way) -> None:
    added = await way.act(action="add", title="Käse <b>kaufen</b>", note="two\nlines")
    assert added["task"] == {"id": added["task"]["id"], "title": "Käse <b>kaufen</b>", "done": False, "note": "two\nlines"}
    listed = await way.act(action="list")
    assert listed["tasks"][-1] == added["task"]
    assert listed["version"] == added["version"]


async def test_a_task_is_renamed_with_or_without_a_new_note(way: Way) -> None:
    task = (await way.act(action="add", title="before", note="stays"))["task"]
    renamed = await way.act(action="rename", id=task["id"], title="after")
    assert renamed["task"] == task | {"title": "after"}
    renamed = await way.act(action="rename", id=task["id"], title="after", note="")
    assert renamed["task"] == task | {"title": "after", "note": ""}


async def test_a_task_is_done_and_undone_and_each_is_a_change_of_its_own(way: Way) -> None:
    added = await way.act(action="add", title="do it")
    number = added["task"]["id"]
    answers = [await way.act(action="done", id=number, done=done) for done in (True, True, False)]
    assert [answer["task"]["done"] for answer in answers] == [True, True, False]
    assert [answer["version"] - added["version"] for answer in answers] == [1, 2, 3]


async def test_what_is_deleted_is_answered_as_it_was_and_its_id_is_never_another_tasks(way: Way) -> None:
    task = (await way.act(action="add", title="short-lived"))["task"]
    assert (await way.act(action="delete", id=task["id"]))["task"] == task
    assert task not in (await way.act(action="list"))["tasks"]
    assert (await way.act(action="delete", id=task["id"]))["error"]["name"] == "task_unknown"
    assert (await way.act(action="add", title="next"))["task"]["id"] > task["id"]


async def test_done_without_more_is_done(ways: dict[str, Way]) -> None:
    for name in ("act", "websocket"):
        number = (await ways[name].act(action="add", title="do it"))["task"]["id"]
        assert (await ways[name].act(action="done", id=number))["task"]["done"] is True


async def test_what_one_has_done_by_one_way_another_sees_by_every_other(ways: dict[str, Way]) -> None:
    for one in ways.values():
        added = await one.act(action="add", title="for all")
        lists = [await other.act(action="list") for other in ways.values()]
        assert lists[0] == lists[1] == lists[2]
        assert lists[0]["tasks"][-1] == added["task"]


# --- what is refused

ERRORS: list[tuple[dict[str, Any], str, int]] = [
    ({"action": "add"}, "key_missing", 400),
    ({"action": "add", "title": ""}, "title_invalid", 400),
    ({"action": "add", "title": "   "}, "title_invalid", 400),
    ({"action": "add", "title": "x" * 201}, "title_invalid", 400),
    ({"action": "add", "title": "a\nb"}, "title_invalid", 400),
    ({"action": "add", "title": "a\x00b"}, "title_invalid", 400),
    ({"action": "add", "title": "a\x9fb"}, "title_invalid", 400),
    ({"action": "add", "title": "half a character: \ud83d"}, "title_invalid", 400),
    ({"action": "add", "title": None}, "type_wrong", 400),
    ({"action": "add", "title": 7}, "type_wrong", 400),
    ({"action": "add", "title": ["a"]}, "type_wrong", 400),
    ({"action": "add", "title": "a", "note": 1}, "type_wrong", 400),
    ({"action": "add", "title": "a", "note": "\x07"}, "note_invalid", 400),
    ({"action": "add", "title": "a", "note": "x" * (MAX_MESSAGE_BYTES * 15 // 16)}, "body_too_large", 413),
    ({"action": "add", "title": "a", "done": True}, "key_unknown", 400),
    ({"action": "add", "title": "a", "Note": ""}, "key_unknown", 400),
    ({"action": "rename", "id": NOWHERE, "title": "a"}, "task_unknown", 404),
    ({"action": "rename", "id": 0, "title": "a"}, "task_unknown", 404),
    ({"action": "rename", "id": 2**63, "title": "a"}, "task_unknown", 404),
    ({"action": "rename", "id": "first", "title": "a"}, "type_wrong", 400),
    ({"action": "rename", "id": "-1.5", "title": "a"}, "type_wrong", 400),
    ({"action": "rename", "id": 1}, "key_missing", 400),
    ({"action": "rename", "id": 1, "title": "x" * 201}, "title_invalid", 400),
    ({"action": "done", "id": NOWHERE, "done": True}, "task_unknown", 404),
    ({"action": "done", "id": 1, "done": 1}, "type_wrong", 400),
    ({"action": "done", "id": 1, "done": None}, "type_wrong", 400),
    ({"action": "done", "id": 1, "done": True, "title": "a"}, "key_unknown", 400),
    ({"action": "delete", "id": NOWHERE}, "task_unknown", 404),
    ({"action": "delete", "id": "all"}, "type_wrong", 400),
]


@pytest.mark.parametrize(("action", "name", "status"), ERRORS)
async def test_what_is_refused_is_refused_in_the_same_words_by_every_way_and_changes_nothing(
    ways: dict[str, Way], action: dict[str, Any], name: str, status: int
) -> None:
    before = await ways["act"].act(action="list")
    answers = {each: await way.act(**action) for each, way in ways.items()}
    assert answers["rest"] == answers["act"] == answers["websocket"]
    assert answers["rest"].keys() == {"error"}
    assert answers["rest"]["error"].keys() == {"name", "says"}
    assert answers["rest"]["error"]["name"] == name
    rest = ways["rest"]
    assert isinstance(rest, Rest)
    assert rest.status == status
    assert await ways["act"].act(action="list") == before


TEXTS = [
    (b"", "json_invalid"),
    (b"{", "json_invalid"),
    (b'{"title": NaN}', "json_invalid"),
    (b'{"title": ' + b"9" * 4000 + b"}", "body_too_large"),
    (b"\xff", "json_invalid"),
    (b"[" * 3000, "json_invalid"),
    (b"[]", "type_wrong"),
    (b'"add"', "type_wrong"),
    (b"null", "type_wrong"),
    (b"1", "type_wrong"),
    (b"1.5", "type_wrong"),
    (b"true", "type_wrong"),
    (b'{"title": "a"} {}', "json_invalid"),
]


@pytest.mark.parametrize(("text", "name"), TEXTS)
async def test_what_is_no_action_at_all_is_refused_in_the_same_words_by_every_way(
    ways: dict[str, Way], text: bytes, name: str
) -> None:
    answers = [await way.say(text or b" ") for way in ways.values()]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["error"]["name"] == name


async def test_a_note_whose_change_would_be_too_long_a_message_is_refused(way: Way) -> None:
    task = (await way.act(action="add", title="a", note="n" * 3770))["task"]
    longest = '"' * 200  # and each is two bytes in JSON
    assert (await way.act(action="rename", id=task["id"], title=longest))["error"]["name"] == "task_too_large"
    assert task in (await way.act(action="list"))["tasks"]


async def test_an_action_that_there_is_not_is_told_which_there_are(ways: dict[str, Way]) -> None:
    for name, action in (("action_unknown", {"action": "rob"}), ("action_unknown", {"action": 1}), ("key_missing", {})):
        answers = [await ways[each].act(**action) for each in ("act", "websocket")]
        assert answers[0] == answers[1]
        assert answers[0]["error"]["name"] == name
        assert "list, add, rename, done, delete" in answers[0]["error"]["says"]


# --- the envelope


@pytest.mark.parametrize("ref", [7, "a", -1, "x" * 64])
async def test_the_ref_comes_back_with_the_result_and_with_the_error(
    server: Server, http: aiohttp.ClientSession, ref: int | str
) -> None:
    async with http.ws_connect(server.url("/tasks/socket")) as socket:
        for action in ({"action": "list"}, {"action": "add"}):
            text = json.dumps({"ref": ref, **action})
            await socket.send_str(text)
            by_socket = json.loads(await socket.receive_str())
            async with http.post(server.url("/tasks/act"), json=json.loads(text)) as answer:
                assert await answer.json() == by_socket
            assert by_socket["ref"] == ref


@pytest.mark.parametrize("ref", [True, None, 1.5, [], {}, "x" * 65, "\n", 10**64])
async def test_what_can_be_no_ref_is_refused_and_not_repeated(ways: dict[str, Way], ref: object) -> None:
    for name in ("act", "websocket"):
        answer = await ways[name].act(ref=ref, action="list")
        assert answer.keys() == {"error"}
        assert answer["error"]["name"] in ("type_wrong", "ref_invalid")


async def test_actions_on_a_socket_are_answered_in_the_order_in_which_they_came(
    server: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(server.url("/tasks/socket")) as socket:
        for ref in range(50):
            await socket.send_json({"ref": ref, "action": "add", "title": str(ref)} if ref % 2 else {"ref": ref})
        answers = [json.loads(await socket.receive_str()) for _ in range(50)]
    assert [answer["ref"] for answer in answers] == list(range(50))
    assert [answer["result"]["task"]["title"] for answer in answers[1::2]] == [str(ref) for ref in range(1, 50, 2)]


# --- what only HTTP can get wrong


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_not_said_to_be_json_is_415(server: Server, http: aiohttp.ClientSession, kind: str) -> None:
    for method, path in (("POST", "/tasks/items"), ("PATCH", "/tasks/items/1"), ("POST", "/tasks/act")):
        headers = {"Content-Type": kind}
        async with http.request(method, server.url(path), data=b'{"title": "a"}', headers=headers) as answer:
            assert answer.status == 415
            assert (await answer.json())["error"]["name"] == "media_type_unknown"


async def test_a_method_that_there_is_not_is_405_with_those_that_there_are(
    server: Server, http: aiohttp.ClientSession
) -> None:
    for method, path, allow in (
        ("DELETE", "/tasks/items", "GET, HEAD, POST"),
        ("GET", "/tasks/items/1", "PATCH, DELETE"),
        ("GET", "/tasks/act", "POST"),
    ):
        async with http.request(method, server.url(path)) as answer:
            assert (answer.status, answer.headers["allow"]) == (405, allow)
            assert (await answer.json())["error"]["name"] == "method_unknown"


async def test_what_is_added_is_201_and_a_body_may_not_say_what_the_path_says(
    server: Server, http: aiohttp.ClientSession
) -> None:
    async with http.post(server.url("/tasks/items"), json={"title": "a"}) as answer:
        assert answer.status == 201
        number = (await answer.json())["task"]["id"]
    for body in ({"title": "b", "id": 1}, {"title": "b", "action": "delete"}):
        async with http.patch(server.url(f"/tasks/items/{number}"), json=body) as answer:
            assert (answer.status, (await answer.json())["error"]["name"]) == (400, "key_unknown")


async def test_nobody_can_publish_a_change_that_is_none(server: Server, http: aiohttp.ClientSession) -> None:
    async with http.post(server.url("/tasks/changes/publish"), data=b"{}") as answer:
        assert answer.status == 404
