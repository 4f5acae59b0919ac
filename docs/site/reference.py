"""The reference, made from the code, as Markdown: commands, keys, columns, verdicts, transports, contracts and charts.

It knows what the code declares and how that is set as a table. It writes no file, and defines nothing itself: what a page
says of a name is that name's own help, description or docstring.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from pushbench import checks, cli, columns, contract, scenario, transports
from pushbench.glossary import VERDICTS
from pushbench.scenario_errors import shown
from pushbench.scenario_keys import TABLES, allowed, kind_of_value, unit

PARTS: dict[str, Mapping[str, columns.Column]] = {
    "Which trial it is": columns.IDENTITY,
    "Its load": columns.LOAD,
    "May it be believed": columns.JUDGEMENT,
    "Of a search": columns.SEARCH,
    "What was measured": columns.MEASURED,
}
"""The parts of the table of columns, which are that table in its order."""


def pages(method: str) -> dict[str, str]:
    """Every page by the name of its file, without the ending. `method` is docs/method.md, to which columns lead."""
    made: dict[str, Callable[[], str]] = {
        "commands": commands,
        "scenario-keys": scenario_keys,
        "scenarios": scenarios,
        "columns": lambda: result_columns(method),
        "verdicts": verdicts,
        "transports": table_of_transports,
        "contract": contract_keys,
        "charts": charts,
    }
    return {name: page() for name, page in made.items()}


def commands() -> str:
    """Every command with its help, its arguments and options, and its example."""
    import typer

    group: Any = typer.main.get_command(cli.app)
    said = [
        "# Commands",
        f"`pushbench`: {group.help} [The design](../design.md#the-command-line) has the exit codes; "
        "[contributing](../../CONTRIBUTING.md#set-up) has the targets of `make`.",
    ]
    for name, command in group.commands.items():
        told, example = parted(command.help)
        usage = " ".join([f"pushbench {name}", *(slot(one) for one in command.params)])
        said += [f"## pushbench {name}", told, fenced(usage)]
        rows = [(code(slot(one).strip("[]")), one.help) for one in command.params]
        said += [table(("argument or option", "meaning"), rows)] if rows else []
        said += ["For example:", fenced(example)]
    return page(said)


def slot(parameter: Any) -> str:
    """How an argument or an option is written, in brackets where it may be left out."""
    if parameter.param_type_name == "option":
        value = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
        return f"[{parameter.opts[0]}{value}]"
    name = parameter.name.upper() + (" ..." if parameter.nargs < 0 else "")
    return name if parameter.required else f"[{name}]"


def parted(help_text: str) -> tuple[str, str]:
    """A command's docstring as what it says, and the command that is its example."""
    told, _, example = help_text.partition("Example: ")
    return told.strip(), example.strip()


def scenario_keys() -> str:
    """Every key that a scenario may hold."""
    said = [
        "# Keys of a scenario",
        "What contradicts what, `[grid]` and `--set` are explained "
        "[with the scenarios](../../scenarios/README.md#the-keys). Any key of `[load]` may be a list in `[grid]`.",
    ]
    for name, model in TABLES.items():
        rows = [
            (code(key), kind_of_value(field), default(field), allowed(field), unit(key), field.description or "")
            for key, field in model.model_fields.items()
        ]
        said += [f"## {title(name)}", table(("key", "type", "default", "limits", "unit", "meaning"), rows)]
    return page(said)


def title(name: str) -> str:
    """The heading of a table of a TOML file."""
    return code(f"[{name}]") if name else "Above the first table"


def default(field: FieldInfo) -> str:
    """What a key is where nothing is said of it."""
    if field.is_required():
        return "required"
    return code(shown(field.default)) if field.default not in (None, (), "", {}) else ""


def scenarios() -> str:
    """Every scenario that comes with it: what it asks, how much it is, and its file."""
    said = ["# The scenarios in full", "How long each takes is [in the list](../../scenarios/README.md)."]
    for path in scenario_files():
        read = scenario.load(path)
        amount = f"{len(read.cells)} cells, {read.repeat.trials} {'searches' if read.search else 'trials'} of each."
        said += [f"## {path.stem}", f"**{read.title}** {amount}", fenced(path.read_text(encoding="utf-8"), "toml")]
    return page(said)


def scenario_files() -> list[Path]:
    """The files of the scenarios that come with it, by name."""
    return sorted(scenario.SCENARIOS.glob("*.toml"))


def result_columns(method: str) -> str:
    """Every column of `trials`, with the part of the method that says how it is taken."""
    where = defined(method)
    said = [
        "# Columns of a result",
        "`trials.parquet` has one row a trial and these columns, in this order. The other files of a run are "
        "[in the design](../design.md#files-of-a-run).",
    ]
    for heading, part in PARTS.items():
        taken = sum(name in where for name in part) > 1
        headings = ["column", "type", *(["taken as in"] if taken else []), "what it is"]
        rows = [[code(name), one.type, *([where[name]] if taken else []), one.says] for name, one in part.items()]
        said += [f"## {heading}", table(headings, rows)]
    return page(said)


def defined(method: str) -> dict[str, str]:
    """Where the method defines each column: a link to the section that has its row."""
    found: dict[str, str] = {}
    heading, inside = "", False
    for line in method.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif not line.startswith("|"):
            inside = False
        elif line.startswith("| column |"):
            inside = True
        elif inside and (row := re.match(r"\| `(\w+)` \|", line)):
            found[row[1]] = f"[{heading}](../method.md#{anchor(heading)})"
    return found


def anchor(heading: str) -> str:
    """The anchor that a code host gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def verdicts() -> str:
    """Every verdict, and the limits that they are made with."""
    limits_said = documented(checks)
    return page(
        [
            "# Verdicts",
            "The conditions, in the order in which they are looked at, and the reasons for each limit are "
            "[in the method](../method.md#verdicts). `pushbench check` says why a run is doubted, and what to change.",
            table(
                ("verdict", "believable", "means"),
                [(code(one), "yes" if one.believable else "no", VERDICTS[one]) for one in checks.Verdict],
            ),
            "## The limits",
            table(
                ("constant", "value", "means"),
                [
                    (code(name), f"{getattr(checks, name):g}", means)
                    for name, means in limits_said.items()
                    if isinstance(getattr(checks, name, None), float)
                ],
            ),
        ]
    )


def documented(what: type | ModuleType) -> dict[str, str]:
    """The names that a class or a module assigns and explains in a string behind it, each with that string in one line."""
    (top,) = (
        [ast.parse(inspect.getsource(what))] if isinstance(what, ModuleType) else ast.parse(inspect.getsource(what)).body
    )
    assert isinstance(top, ast.Module | ast.ClassDef)
    found: dict[str, str] = {}
    for here, behind in zip(top.body, top.body[1:], strict=False):
        if isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant) and isinstance(behind.value.value, str):
            targets = (
                here.targets if isinstance(here, ast.Assign) else [here.target] if isinstance(here, ast.AnnAssign) else []
            )
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            found |= dict.fromkeys(names, " ".join(behind.value.value.split()))
    return found


def table_of_transports() -> str:
    """Every row of the table of transports, and what each of its traits means."""
    says = documented(transports.Transport)
    plain = ("name", "path", "client", "says", "variant_of")
    traits = [one for one in fields(transports.Transport) if one.name not in plain]
    rows = [
        (
            code(row.name),
            code(row.path) if row.path else "",
            row.says,
            code(row.variant_of) if row.variant_of else "",
            ", ".join(
                code(f"{one.name} = {getattr(row, one.name)!r}") for one in traits if getattr(row, one.name) != one.default
            ),
        )
        for row in transports.ROWS.values()
    ]
    return page(
        [
            "# Transports",
            "The rows that a scenario can name, in the order of every list and chart: the transports, the ways to act, and "
            "the floors. A trait is listed where it is not the usual one. What each takes and sends is "
            "[in the design](../design.md#what-each-transport-takes-and-sends).",
            table(("row", "path", "what it does", "variant of", "traits"), rows),
            "## The traits",
            table(
                ("trait", "usually", "means"), [(code(one.name), code(repr(one.default)), says[one.name]) for one in traits]
            ),
        ]
    )


def contract_keys() -> str:
    """Every key of a target's contract, and the targets that come with it."""
    named = {"": contract.Contract} | contract.TABLES | {"transports.NAME": contract.Transport}
    said = [
        "# Keys of a contract",
        "A contract is the TOML file of a server under test. [Adding a server](../adding-a-server.md) explains it, and has "
        "one in full.",
    ]
    for name, model in named.items():
        rows = [
            (code(key), kind_in_contract(field.annotation), default(field), field.description or "")
            for key, field in model.model_fields.items()
        ]
        said += [f"## {title(name)}", table(("key", "type", "default", "meaning"), rows)]
    known = [contract.known(name) for name in contract.names()]
    rows = [
        (
            code(one.name),
            one.contract.title,
            ", ".join(map(code, one.contract.transports)),
            code(install) if install else "",
        )
        for one in known
        for install in [one.contract.install.replace("{here}", "targets")]
    ]
    said += ["## The targets that there are", table(("target", "what it is", "transports", "to install"), rows)]
    return page(said)


def kind_in_contract(annotation: Any) -> str:
    """What a key of a contract takes: a table, a list, one of some names, or a plain value."""
    inside = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) is dict:
        return "table"
    if get_origin(annotation) is tuple:
        return "list of texts"
    if get_origin(annotation) is Literal:
        return ", ".join(map(code, inside))
    if inside:  # it, or nothing
        return kind_in_contract(inside[0])
    return {str: "text", float: "number", bool: "truth"}.get(annotation, "table")


def charts() -> str:
    """Every chart, what it asks and how it is read."""
    from pushbench.charts import CHARTS

    wanted = {path.stem: scenario.load(path).charts for path in scenario_files()}
    said = [
        "# Charts",
        "A scenario lists the charts that answer it (`charts`); without a list a run has all that it has data for. "
        "[How to add one](../adding-a-chart.md).",
    ]
    for name, chart in CHARTS.items():
        by = ", ".join(code(one) for one, names in wanted.items() if name in names)
        said += [f"## {name}", f"**{chart.title}**", chart.how_to_read, f"Asked for by {by}." if by else ""]
    return page(filter(None, said))


def page(parts: Iterable[str]) -> str:
    """Blocks of Markdown as a page."""
    return "\n\n".join(parts) + "\n"


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; a bar inside of a cell is told from the cell's own."""
    head = list(headings)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Text that is to be read as it is."""
    return f"`{text}`"


def fenced(text: str, language: str = "text") -> str:
    """A block of such text."""
    return f"```{language}\n{text.strip()}\n```"
