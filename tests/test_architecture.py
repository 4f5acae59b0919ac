"""Who may import whom, held by reading every import statement: the house of docs/design.md stays as it was drawn.

Imports under `if TYPE_CHECKING` do not count: nothing is imported by them when the program runs.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from clients.subscription import Subscription
from pushbench.environment import CHECKOUT
from pushbench.transports import ROWS, TRANSPORTS
from servers.app import create_app
from servers.options import Options

PACKAGES = ("servers", "apps", "targets", "clients", "pushbench", "naive")

PURE = (
    "advice",
    "advice_choice",
    "advice_values",
    "advice_words",
    "age",
    "anatomy.costs",
    "anatomy.directions",
    "anatomy.events",
    "anatomy.examples",
    "anatomy.explanations",
    "anatomy.frames",
    "anatomy.http",
    "anatomy.http3",
    "anatomy.ladder",
    "anatomy.page",
    "anatomy.quic",
    "anatomy.quic_frames",
    "anatomy.shape",
    "anatomy.spans",
    "anatomy.timeline",
    "anatomy.tls",
    "fanout",
    "buffering",
    "checks",
    "classics.aquilio",
    "classics.bozdag",
    "classics.claims",
    "classics.cometd",
    "classics.evidence",
    "classics.pimentel_nickerson",
    "classics.quantum_leap",
    "classics.rfc6202",
    "classics.van_de_vyvere",
    "clocks",
    "columns",
    "comparison",
    "crossover",
    "diagnosis",
    "differences",
    "labels",
    "lag",
    "ledger",
    "lies.record",
    "lies.table",
    "lies.text",
    "message",
    "models",
    "objective",
    "order",
    "part",
    "placement",
    "predictions",
    "rooms",
    "scenario",
    "scenario_cells",
    "scenario_errors",
    "scenario_keys",
    "scenario_search",
    "scenario_toml",
    "schedule",
    "search",
    "shaping",
    "shards",
    "stats",
    "timeline",
    "transports",
)
PURE_OF_APPS = ("life", "saying", "tasks.actions", "ticker.market", "ticker.ops", "ticker.book")
SOCKETS = {"asyncio", "socket", "selectors", "ssl", "http", "urllib", "uvloop", "aiohttp", "websockets"}
SERVING = {"starlette", "uvicorn", "sse_starlette"}
DRAWING = {"pandas", "matplotlib"}

MAY_DRAW = (
    "pushbench.anatomy.notebook",
    "pushbench.charts",
    "pushbench.lessons",
    "pushbench.summary",
    "pushbench.report",
    "pushbench.advice_measured",
)
MEASURING = ("cli", "run", "trial", "swarm", "publisher", "results", "scenario", "progress", "doctor")
"""What is imported before and while something is measured: pandas and matplotlib would take 1.6 s each."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import of one module."""

    module: str
    """What is imported, with the name behind it where that may be a module too."""
    lazy: bool
    """Inside a function: it happens only when that is called."""


def source_files() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            parts = path.relative_to(CHECKOUT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES = source_files()


def imports(tree: ast.AST, lazy: bool = False) -> Iterator[Import]:
    """All imports below a node, except those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute in this house, which this test relies on"
            assert node.module
            yield from (Import(f"{node.module}.{alias.name}", lazy) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imports(ast.Module([other], []), lazy)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports(node, lazy or inside)


IMPORTS = {name: list(imports(ast.parse(path.read_text()))) for name, path in FILES.items()}


def own_module(imported: str) -> str | None:
    """The module of this project that an import names; None if it is another's."""
    if imported in FILES:
        return imported
    parent = imported.rpartition(".")[0]
    return parent if parent in FILES else None


def reached(module: str, lazily: bool) -> set[str]:
    """Every module, of this project or another's, that importing this one imports; packages on the way included."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        if here in FILES:
            todo += [own_module(one.module) or one.module for one in IMPORTS[here] if lazily or not one.lazy]
            todo += [here.rpartition(".")[0]] if "." in here else []
    return seen


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def direct(module: str) -> set[str]:
    return packages({one.module for one in IMPORTS[module]})


def of_package(package: str) -> list[str]:
    return [name for name in FILES if name == package or name.startswith(f"{package}.")]


def test_the_project_was_found_and_its_imports_are_read() -> None:
    assert {"servers.hub", "clients.sse", "pushbench.charts.overview", "pushbench"} <= set(FILES)
    assert "starlette" in direct("servers.app")
    assert Import("pushbench.run.execute", lazy=True) in IMPORTS["pushbench.cli"]
    assert "pandas" not in direct("pushbench.results")  # there only for the type checker
    assert "numpy" in packages(reached("pushbench.trial", lazily=False))  # which it does not import itself


@pytest.mark.parametrize("module", of_package("servers"))
def test_a_server_knows_nothing_of_clients_and_benchmarks(module: str) -> None:
    assert not direct(module) & {"apps", "clients", "pushbench", "targets"}


@pytest.mark.parametrize("module", of_package("apps"))
def test_an_application_knows_the_server_and_nothing_of_clients_and_benchmarks(module: str) -> None:
    assert not direct(module) & {"clients", "pushbench", "targets"}


def test_nobody_imports_an_application_but_applications() -> None:
    assert {module for module in FILES if "apps" in direct(module)} <= set(of_package("apps"))


@pytest.mark.parametrize("application", ["tasks", "chat", "ticker"])
def test_one_application_never_imports_another(application: str) -> None:
    for module in of_package(f"apps.{application}"):
        own = {one.module for one in IMPORTS[module] if one.module.startswith("apps.")}
        shared = ("apps.saying", "apps.options", f"apps.{application}.")
        assert {imported for imported in own if not imported.startswith(shared)} == set()


@pytest.mark.parametrize("module", PURE_OF_APPS)
def test_what_is_pure_of_an_application_reaches_no_socket_and_no_server(module: str) -> None:
    assert not packages(reached(f"apps.{module}", lazily=True)) & (SOCKETS | SERVING | {"servers"})


def test_only_the_backplane_knows_redis_and_one_process_alone_does_not_import_it() -> None:
    assert [module for module in of_package("servers") if "redis" in direct(module)] == ["servers.backplane"]
    assert "redis" not in packages(reached("servers.serving", lazily=False))


@pytest.mark.parametrize(("package", "enters"), [("servers", "servers.serving"), ("clients", "clients.webtransport")])
def test_only_what_speaks_quic_knows_aioquic_and_what_speaks_tcp_does_not_import_it(package: str, enters: str) -> None:
    assert [module for module in of_package(package) if "aioquic" in direct(module)] == [f"{package}.quic"]
    assert "aioquic" not in packages(reached(enters, lazily=False))


def test_who_looks_after_workers_does_not_import_what_they_serve_with() -> None:
    assert not packages(reached("servers.supervisor", lazily=True)) & (SERVING | {"redis"})


@pytest.mark.parametrize("name", ["stream", "sse", "websocket", "polling", "longpoll", "conditional", "frames", "hub"])
def test_no_transport_knows_that_there_may_be_several_workers(name: str) -> None:
    assert not reached(f"servers.{name}", lazily=True) & {"servers.replica", "servers.backplane", "servers.siblings"}


@pytest.mark.parametrize("module", of_package("naive"))
def test_a_naive_benchmark_knows_nothing_of_this_one_and_but_for_the_one_process_nothing_of_the_server(module: str) -> None:
    assert not direct(module) & {"apps", "clients", "pushbench", "targets"}
    assert "servers" not in direct(module) or module == "naive.one_process"


def test_nobody_imports_a_naive_benchmark_but_another() -> None:
    assert {module for module in FILES if "naive" in direct(module)} <= set(of_package("naive"))


@pytest.mark.parametrize("module", of_package("targets"))
def test_a_target_knows_nothing_of_clients_benchmarks_and_the_built_in_server(module: str) -> None:
    assert not direct(module) & {"clients", "pushbench", "servers"}


def test_what_the_fake_plans_reaches_no_socket_and_no_server() -> None:
    assert not packages(reached("targets.plan", lazily=True)) & (SOCKETS | SERVING)


@pytest.mark.parametrize("module", of_package("clients"))
def test_a_client_knows_nothing_of_servers_and_benchmarks(module: str) -> None:
    assert not direct(module) & {"servers", "pushbench", "targets"}


@pytest.mark.parametrize("module", of_package("pushbench"))
def test_the_instrument_never_imports_a_server(module: str) -> None:
    assert not direct(module) & {"servers", "targets"}


@pytest.mark.parametrize("module", of_package("pushbench"))
def test_the_instrument_finds_clients_only_by_the_table_of_transports(module: str) -> None:
    known = {
        "clients.subscription",
        "clients.opening",
        "clients.sockets",
        "clients.ends",
    }  # what all clients have in common
    assert {own_module(one.module) for one in IMPORTS[module]} & set(of_package("clients")) <= known


def transport_files(package: str) -> set[str]:
    """The modules of one package that belong to one transport each."""
    if package == "clients":
        return {row.client.partition(":")[0] for row in TRANSPORTS.values()}
    return {f"servers.{row.family}" for row in TRANSPORTS.values()}


@pytest.mark.parametrize("package", ["servers", "clients"])
def test_one_transports_file_never_imports_anothers(package: str) -> None:
    own = transport_files(package)
    assert own <= set(FILES)
    for module in own:
        others = {own_module(one.module) for one in IMPORTS[module]} & (own - {module})
        assert not others, f"{module} imports {others}"


@pytest.mark.parametrize("module", PURE)
def test_what_is_pure_reaches_no_socket_no_server_and_no_drawing(module: str) -> None:
    found = packages(reached(f"pushbench.{module}", lazily=True))
    assert not found & (SOCKETS | SERVING | DRAWING | {"servers", "clients"})


@pytest.mark.parametrize("module", [name for name in of_package("pushbench") if not name.startswith(MAY_DRAW)])
def test_only_charts_table_and_report_import_what_draws(module: str) -> None:
    assert not direct(module) & DRAWING


@pytest.mark.parametrize("module", MEASURING)
def test_what_measures_does_not_wait_for_what_draws(module: str) -> None:
    assert not packages(reached(f"pushbench.{module}", lazily=False)) & DRAWING


@pytest.mark.parametrize("module", of_package("pushbench.charts"))
def test_a_chart_does_no_input_or_output_and_has_no_pyplot(module: str) -> None:
    found = {one.module for one in IMPORTS[module]}
    assert not packages(found) & (SOCKETS | {"os", "io", "pathlib", "shutil", "subprocess", "tempfile", "pyarrow", "json"})
    assert not {name for name in found if name.startswith(("matplotlib.pyplot", "matplotlib.backends"))}
    nodes = ast.walk(ast.parse(FILES[module].read_text()))
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    does_files = ("open", "print", "savefig", "read_csv", "read_parquet", "to_csv", "to_parquet", "write_text", "read_text")
    assert not {name for name in called if name.rpartition(".")[2] in does_files}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_every_row_of_the_table_has_a_client_and_a_server_route(name: str) -> None:
    row = TRANSPORTS[name]
    module, _, attribute = row.client.partition(":")
    assert issubclass(getattr(import_module(module), attribute), Subscription)
    assert row.path in {getattr(route, "path", None) for route in create_app(Options()).routes}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_a_variant_varies_a_row_that_is_none_itself_and_stands_behind_it(name: str) -> None:
    row = TRANSPORTS[name]
    assert row.name == name
    assert TRANSPORTS[row.family].variant_of is None
    assert list(TRANSPORTS).index(row.family) <= list(TRANSPORTS).index(name)


def test_the_names_of_the_transports_are_tested_nowhere_but_in_the_table() -> None:
    """Whoever must treat transports differently reads a trait that the table declares."""
    for module in of_package("pushbench"):
        for node in ast.walk(ast.parse(FILES[module].read_text())):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                names = {side.value for side in sides if isinstance(side, ast.Constant)} & set(ROWS)
                names -= {"websocket"} if any("via" in ast.unparse(side) for side in sides) else set()
                assert not names, f"{FILES[module].name}:{node.lineno} tests for {names}"
