"""The pages say what the code does: links, transports, columns, constants, make targets, and the guide's example."""

import asyncio
import re
import socket
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
import uvicorn
from matplotlib.text import Text

from clients.ends import CursorGone
from clients.subscription import Subscription
from pushbench import cli, contract, scenario
from pushbench.columns import COLUMNS, MEASURED
from pushbench.conformance import SENTENCES
from pushbench.environment import CHECKOUT
from pushbench.results import TABLES
from pushbench.transports import FLOORS, TRANSPORTS
from servers import publish
from servers.app import create_app
from servers.options import Options

DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "CHANGELOG.md", CHECKOUT / "scenarios/README.md"]
PAGES += sorted(DOCS.glob("*.md"))
METHOD = DOCS / "method.md"
DESIGN = DOCS / "design.md"
GUIDE = DOCS / "adding-a-transport.md"


def tables(page: Path, first_heading: str) -> list[list[str]]:
    """The rows, as lists of cells, of all tables whose first column has this heading."""
    rows: list[list[str]] = []
    inside = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif inside and not set(line) <= set("|-: "):
            rows.append(cells)
        elif cells[0] == first_heading:
            inside = True
    return rows


def code(cell: str) -> str:
    """What a cell has in backticks; the whole cell must be that, or empty."""
    if not cell:
        return ""
    found = re.fullmatch(r"`([^`]+)`", cell)
    assert found, f"{cell} is not one name in backticks"
    return found[1]


def relative_links(page: Path) -> Iterator[str]:
    """Where links and pictures outside of code blocks point to, if it is a file."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(CHECKOUT)) for page in PAGES])
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    missing = [target for target in relative_links(page) if not (page.parent / target).exists()]
    assert missing == []


def test_the_pages_do_link_to_each_other() -> None:
    assert "docs/method.md" in set(relative_links(CHECKOUT / "CONTRIBUTING.md"))
    assert "method.md" in set(relative_links(DESIGN))


def test_the_method_defines_every_measured_column_once_and_no_other_than_there_are() -> None:
    defined = [code(row[0]) for row in tables(METHOD, "column")]
    assert len(defined) == len(set(defined))
    assert set(defined) <= set(COLUMNS)
    assert set(MEASURED) - set(defined) == set()


def test_every_definition_says_something() -> None:
    assert [row for row in tables(METHOD, "column") if len(row) != 2 or not row[1]] == []


@pytest.mark.parametrize("row", tables(METHOD, "constant"), ids=lambda row: row[0].strip("`"))
def test_the_method_states_the_constants_of_the_code(row: list[str]) -> None:
    module, _, name = code(row[0]).rpartition(".")
    assert getattr(import_module(module), name) == float(row[1].replace(",", ""))


def test_the_limits_of_the_verdicts_are_those_of_the_checks() -> None:
    constants = {code(name).rpartition(".")[2]: value for name, value in tables(METHOD, "constant")}
    stated = [(code(verdict), condition) for verdict, condition, _ in tables(METHOD, "verdict")]
    busy, lag, saturated = (constants[name] for name in ("SWARM_BUSY_PERCENT", "SWARM_LAG_MS", "SATURATED_PERCENT"))
    late = f"`publisher_slip_p99_ms` > {constants['SLIP_MS']} and > {constants['SLIP_PART']} × `latency_p99_ms`"
    assert ("publisher_late", f"{late}, or not all was published in time") in stated
    wanted = "`swarm_cpu_percent` + `swarm_wait_percent`"
    held = f"`swarm_held_p99_ms` > {constants['HELD_MS']} and > {constants['HELD_PART']} × `latency_p99_ms`"
    part = f"> {constants['HELD_MS']} and > {constants['LAG_PART']} × `latency_p99_ms`"
    stopped = ", ".join(f"`{role}_stopped_percent`" for role in ("server", "swarm")) + " or `publisher_stopped_percent`"
    stopped += f" > {constants['STOPPED_PERCENT']}, beyond a stall that the load asks for"
    assert ("client_bound", stopped) in stated
    assert ("client_bound", f"{wanted} > {saturated}") in stated
    assert ("client_bound", held) in stated
    waited = f"> {constants['WAIT_LEAST_PERCENT']} and > {constants['WAIT_PART']} × `server_cpu_percent`"
    assert ("client_bound", f"`server_wait_percent` > {constants['WAIT_PERCENT']}, or {waited}") in stated
    assert ("client_bound", f"`steal_percent` > {constants['STEAL_PERCENT']}") in stated
    assert ("server_bound", f"`server_cpu_percent` > {saturated}") in stated
    assert ("client_bound", f"{wanted} > {busy} or `swarm_lag_p99_ms` > {lag}, or {part}") in stated
    assert (
        "client_bound",
        f"`deliveries_per_s` < {constants['KEPT_UP']} × `offered_per_s`, less what the load itself delays",
    ) in stated


def test_the_table_of_transports_is_that_of_the_code() -> None:
    described = [
        (code(name), code(path), code(client), code(variant) or None, polls == "yes")
        for name, path, client, variant, polls in tables(DESIGN, "row")
    ]
    assert described == [(row.name, row.path, row.client, row.variant_of, row.polls) for row in TRANSPORTS.values()]


def test_every_transport_has_its_line_on_what_it_takes_and_sends() -> None:
    described = [name for row in tables(DESIGN, "transport") for name in re.findall(r"`(\w+)`", row[0])]
    assert described == list(TRANSPORTS)


@pytest.mark.parametrize("table", ["latency", "timeline", "memory"])
def test_the_design_names_the_columns_of_each_file_of_a_run(table: str) -> None:
    [row] = [row for row in tables(DESIGN, "file") if row[0] == f"`{table}.parquet`"]
    assert set(TABLES[table]) <= set(re.findall(r"`(\w+)`", row[1]))


def test_the_make_targets_are_those_of_the_makefile() -> None:
    described = [code(row[0]).removeprefix("make ") for row in tables(CHECKOUT / "CONTRIBUTING.md", "target")]
    makefile = (CHECKOUT / "Makefile").read_text()
    assert described == re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)


def example(path: str) -> ModuleType:
    """A file that the guide shows: the block of Python after its name."""
    found = re.search(rf"^`{re.escape(path)}`:\n\n```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{GUIDE.name} does not show {path}"
    module = ModuleType(path.removesuffix(".py").replace("/", "."))
    exec(compile(found[1], path, "exec"), module.__dict__)
    return module


async def test_the_transport_that_the_guide_shows_delivers_and_resumes_and_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servers.app.MODULES", (publish, example("servers/multipart.py")))
    app = create_app(Options(log_messages=3, heartbeat_s=0.01))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
    subscribe = example("clients/multipart.py").Multipart
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:  # it listens already, so that a client may come at once
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(server.serve([listener]))
        async with aiohttp.ClientSession(base) as http:
            async with subscribe(f"{base}/multipart") as subscription:
                await _publish(http, b"--part")
                await _receive(subscription, taken, 1)
            await _publish(http, "während".encode())
            async with subscribe(f"{base}/multipart", after=subscription.cursor) as resumed:
                await _receive(resumed, taken, 2)
            await _publish(http, *[b"more than the log holds"] * 4)
            with pytest.raises(CursorGone, match="410: cursor_too_old"):
                await subscribe(f"{base}/multipart", after=resumed.cursor).__aenter__()
        server.should_exit = True
        await serving
    assert taken == [b"--part", "während".encode()]


async def _publish(http: aiohttp.ClientSession, *messages: bytes) -> None:
    for data in messages:
        async with http.post("/publish", data=data) as response:
            assert response.status == 200


async def _receive(subscription: Subscription, into: list[bytes], count: int) -> None:
    """Receive until there are `count` messages in all."""
    enough = asyncio.Event()

    def hand_over(messages: list[bytes]) -> None:
        into.extend(messages)
        if len(into) >= count:
            enough.set()

    receiving = asyncio.ensure_future(subscription.receive(hand_over))
    try:
        await asyncio.wait_for(enough.wait(), 20)
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page in docs/ that are in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def test_the_scenarios_that_the_tutorial_and_the_guide_show_are_as_many_cells_as_they_say() -> None:
    scores, _ = blocks("tutorial.md", "toml")
    (large,) = blocks("adding-a-scenario.md", "toml")
    assert len(scenario.loads(scores, "scores.toml").cells) == 3
    assert len(scenario.loads(large, "large.toml").cells) == 4


def test_what_the_tutorial_sets_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "scores.toml").write_text(blocks("tutorial.md", "toml")[0])
    told = re.findall(r"run my/scores\.toml --set (\S+)$", (DOCS / "tutorial.md").read_text(), re.MULTILINE)
    assert len(told) == 2
    for change in told:
        assert scenario.load(tmp_path / "scores.toml", [change]).cells


@pytest.mark.slow
def test_the_server_that_the_tutorial_shows_keeps_what_its_contract_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "server.toml").write_text(blocks("tutorial.md", "toml")[1])
    (tmp_path / "server.py").write_text(blocks("tutorial.md", "python")[0])
    assert cli.invoke(["conform", str(tmp_path / "server.toml")]) == 0
    assert re.findall(r"server keeps what it claims: 9 checks pass", capsys.readouterr().out)


def test_the_chart_that_the_guide_shows_draws_every_transport_and_says_why_it_is_empty() -> None:
    from tests.pushbench import frames

    chart = ModuleType("age")
    exec(compile(blocks("adding-a-chart.md", "python")[0], "age.py", "exec"), chart.__dict__)
    trials = frames.run(("sse", "websocket"), subscribers=(10, 100), trials=2, measure_s=1, warmup_s=0.5)["trials"]
    assert chart.shows_age(trials)
    assert {"line:sse", "line:websocket"} <= {str(one.get_gid()) for one in chart.age(trials).findobj(lambda _: True)}
    unmeasured = trials.assign(age_mean_ms=float("nan"))
    assert not chart.shows_age(unmeasured)
    texts = [str(one.get_text()) for one in chart.age(unmeasured).findobj(Text)]
    assert any("The age of information was not measured." in text for text in texts)


SERVERS = DOCS / "adding-a-server.md"


def test_the_contract_in_full_is_a_contract(tmp_path: Path) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", SERVERS.read_text(), flags=re.DOTALL)
    (tmp_path / "mine.toml").write_text(toml)
    known = contract.read(tmp_path / "mine.toml", "mine")
    assert known.contract.start
    assert known.taken == {"heartbeat_s", "longpoll_timeout_s", "compression", "tls"}


def test_every_option_key_of_a_transport_and_placeholder_of_a_contract_is_told() -> None:
    text = SERVERS.read_text()
    names = {*contract.ALWAYS, *contract.OPTIONS, *chain(*contract.OPTIONS.values())}
    assert {name for name in names if f"`{{{name}}}`" not in text} == set()
    assert {code(row[0]) for row in tables(SERVERS, "key")} == contract.Transport.model_fields.keys() - {"path"}
    assert {name for name in contract.Contract.model_fields if not re.search(rf"\b{name}\b", text)} == set()


def test_the_table_of_checks_is_that_of_the_code() -> None:
    assert {code(name): says for name, says in tables(SERVERS, "check")} == SENTENCES


def test_the_table_of_targets_has_every_one_that_is_no_floor() -> None:
    told = [name for row in tables(SERVERS, "target") for name in re.findall(r"`([a-z_0-9]+)`", row[0])]
    floors = {row.own_target for row in FLOORS.values()}
    assert sorted(told) == sorted(set(contract.names()) - floors)
    installs = {code(row[2]) for row in tables(SERVERS, "target")} - {""}
    assert installs == {install.replace("{here}", "targets") for name in told if (install := known_install(name))}


def known_install(name: str) -> str:
    return contract.known(name).contract.install
