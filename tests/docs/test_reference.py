"""The reference says all that the code declares: commands, keys, columns, verdicts, transports and charts, in its words."""

import re
from typing import Any

import pytest
import typer

from docs.site import reference
from pushbench import checks, cli, columns, contract, scenario, transports
from pushbench.environment import CHECKOUT
from pushbench.glossary import VERDICTS
from pushbench.scenario_keys import TABLES, Table

METHOD = (CHECKOUT / "docs/method.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages(METHOD)


def first_cells(page: str) -> list[str]:
    """What the first cell of each row has in backticks, in order."""
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


def headings(page: str) -> list[str]:
    return re.findall(r"^## (.+)$", page, re.MULTILINE)


def test_the_index_lists_every_page_of_the_reference_and_no_other(pages: dict[str, str]) -> None:
    index = (CHECKOUT / "docs/index.md").read_text(encoding="utf-8")
    assert re.findall(r"^reference/([\w-]+)$", index, re.MULTILINE) == list(pages)


def test_every_command_is_there_with_its_help_every_option_and_its_example(pages: dict[str, str]) -> None:
    group: Any = typer.main.get_command(cli.app)
    assert headings(pages["commands"]) == [f"pushbench {name}" for name in group.commands]
    for name, command in group.commands.items():
        section = pages["commands"].partition(f"## pushbench {name}\n")[2].partition("\n## ")[0]
        told, example = reference.parted(command.help)
        assert told in section
        assert example.startswith("pushbench ")
        assert f"```text\n{example}\n```" in section
        for parameter in command.params:
            assert parameter.help in section.replace("\\|", "|")
            assert (parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper()) in section


def test_an_option_is_in_brackets_with_its_value_and_an_argument_that_is_needed_is_not(pages: dict[str, str]) -> None:
    assert (
        "```text\npushbench compare BASE CANDIDATE [--fail-on-worse N%] [--all] [--json FILE|-]\n```" in pages["commands"]
    )
    assert "```text\npushbench conform [TARGETS ...] [--transport VALUE] [--tls]" in pages["commands"]


def test_every_key_of_a_scenario_is_there_in_order_with_its_meaning(pages: dict[str, str]) -> None:
    assert first_cells(pages["scenario-keys"]) == [key for model in TABLES.values() for key in model.model_fields]
    for model in TABLES.values():
        for field in model.model_fields.values():
            assert str(field.description) in pages["scenario-keys"]


def test_every_scenario_is_there_with_its_question_and_its_file(pages: dict[str, str]) -> None:
    assert headings(pages["scenarios"]) == sorted(path.stem for path in scenario.SCENARIOS.glob("*.toml"))
    for path in scenario.SCENARIOS.glob("*.toml"):
        assert scenario.load(path).title in pages["scenarios"]
        assert path.read_text(encoding="utf-8").strip() in pages["scenarios"]


def test_every_column_is_there_in_order_and_every_measured_one_leads_to_the_method(pages: dict[str, str]) -> None:
    assert first_cells(pages["columns"]) == list(columns.COLUMNS)
    linked = re.findall(r"^\| `(\w+)` \|.*\]\(\.\./method\.md#[\w-]+\) \|", pages["columns"], re.MULTILINE)
    assert set(columns.MEASURED) <= set(linked)


def test_a_column_leads_to_the_section_that_has_its_row() -> None:
    method = "# M\n\n| column | x |\n| --- | --- |\n| `a` | 1 |\n\n"
    method += "## Who's there: two (2)?\n\n| column | x |\n| --- | --- |\n| `b` | 2 |\n"
    other = "\n| key | x |\n| --- | --- |\n| `c` | 3 |\n"
    assert reference.defined(method + other) == {
        "a": "[M](../method.md#m)",
        "b": "[Who's there: two (2)?](../method.md#whos-there-two-2)",
    }


def test_every_verdict_is_there_with_its_meaning_and_whether_it_is_believable(pages: dict[str, str]) -> None:
    assert first_cells(pages["verdicts"])[: len(checks.Verdict)] == list(checks.Verdict)
    for verdict, means in VERDICTS.items():
        assert f"| `{verdict}` | {'yes' if verdict.believable else 'no'} | {means} |" in pages["verdicts"]
    assert "| `SATURATED_PERCENT` | 95 | A process that used" in pages["verdicts"]


def test_every_transport_is_there_with_the_traits_that_are_not_usual(pages: dict[str, str]) -> None:
    rows = first_cells(pages["transports"])
    assert rows[: len(transports.ROWS)] == list(transports.ROWS)
    assert {"polls", "transits", "quic", "duplex"} <= set(rows)
    (polling,) = [line for line in pages["transports"].splitlines() if line.startswith("| `polling` |")]
    assert "`polls = True`" in polling
    assert "duplex" not in polling


def test_every_key_of_a_contract_and_every_target_is_there(pages: dict[str, str]) -> None:
    models: list[type[Table]] = [contract.Contract, *contract.TABLES.values(), contract.Transport]
    keys = [key for model in models for key in model.model_fields]
    assert first_cells(pages["contract"]) == [*keys, *contract.names()]
    assert "| `ready` | text |  | a path" in pages["contract"]
    assert "| `within_s` | number | `20.0` |" in pages["contract"]
    assert "| `command` | list of texts | required |" in pages["contract"]
    assert "| `publish` | table | required |" in pages["contract"]
    assert "| `cursor` | `validators`, `after`, `last-event-id`, `none` |" in pages["contract"]


def test_every_chart_is_there_with_its_question_how_to_read_it_and_who_asks_for_it(pages: dict[str, str]) -> None:
    from pushbench.charts import CHARTS

    assert headings(pages["charts"]) == list(CHARTS)
    for chart in CHARTS.values():
        assert f"**{chart.title}**\n\n{chart.how_to_read}" in pages["charts"]
    assert "Asked for by `chat`, `request`, `request_rtt`, `tasks`." in pages["charts"]


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert reference.table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |"
