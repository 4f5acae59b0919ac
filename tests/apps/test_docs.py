"""docs/applications.md says what the code does: actions, ops, and every name of an error."""

import re

from apps.options import AppsOptions
from apps.pages import PAGES
from apps.tasks.actions import ACTIONS
from apps.tasks.rest import STATUS
from apps.ticker.ops import OPS
from pushbench.environment import CHECKOUT
from tests.test_docs import code, tables

PAGE = CHECKOUT / "docs" / "applications.md"
NAMED = r'NotTaken\(\s*f?"([a-z_{}]+)"'


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def refused_in(*modules: str) -> set[str]:
    text = "".join((CHECKOUT / "apps" / module).read_text() for module in modules)
    found = set(re.findall(NAMED, text))
    if "{key}_invalid" in found:
        found = (found - {"{key}_invalid"}) | {"title_invalid", "note_invalid"}
    return found


def test_the_table_of_actions_is_that_of_the_code() -> None:
    told = {code(row[0]): row[1] for row in tables(PAGE, "action")}
    assert list(told) == list(ACTIONS)
    for name, keys in ACTIONS.items():
        wanted = [f"`{key}`" for key in keys.needed] + [f"`{key}`?" for key in keys.optional]
        assert re.sub(r" \(.*?\)", "", told[name]) == ", ".join(wanted)


def test_the_table_of_the_task_lists_errors_has_every_one_with_its_status() -> None:
    told = {name: int(row[1]) for row in tables(PAGE, "error") for name in names(row[0])}
    modules = ("saying.py", "tasks/actions.py", "tasks/asked.py", "tasks/tasklist.py", "tasks/rest.py")
    assert told.keys() == refused_in(*modules)
    assert told == {name: STATUS.get(name, 400) for name in told}


def test_the_tables_of_the_ticker_are_those_of_the_code() -> None:
    told = {code(row[0]): tuple(names(row[1])) for row in tables(PAGE, "op")}
    assert told == dict(OPS)
    refused = {name for row in tables(PAGE, "refusal") for name in names(row[0])}
    assert refused == refused_in("saying.py", "ticker/ops.py", "ticker/session.py")


def test_the_options_and_paths_that_the_page_names_are_there() -> None:
    text = PAGE.read_text()
    named = {flag.replace("-", "_") for flag in re.findall(r"`--([a-z-]+)", text)} - {"help"}
    assert named <= set(AppsOptions.__dataclass_fields__)
    assert {code(row[0]) for row in tables(PAGE, "path")} == set(PAGES) - {"/"}
