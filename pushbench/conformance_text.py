"""What came of conformance checks, in words: a line for each, and a table of all. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pushbench.conformance import SENTENCES, Finding, Result, from_plain_values
from pushbench.summary import Table

SIGNS = {Finding.PASSES: "pass", Finding.FAILS: "FAIL", Finding.NOT_CLAIMED: "–"}
WHOLE = "server"
"""What stands in the place of a transport for what is of a server as a whole."""


def kept(manifest: Mapping[str, Any]) -> dict[str, list[Result]]:
    """What was found before a run, by target; empty of a run before which nobody looked."""
    return {name: from_plain_values(values) for name, values in manifest.get("conformance", {}).items()}


def of(manifest: Mapping[str, Any]) -> Table | None:
    """The table of a run; None if nobody looked."""
    found = kept(manifest)
    return table(found) if found else None


def line(result: Result) -> str:
    """One result as it comes."""
    why = f" ({result.why})" if result.why else ""
    return f"  {result.transport or WHOLE:10} {SIGNS[result.finding]:4} {SENTENCES[result.check]}{why}"


def table(by_target: Mapping[str, Sequence[Result]]) -> Table:
    """One row a transport of a target, one column a check."""
    found = {(name, one.transport, one.check): one for name, results in by_target.items() for one in results}
    checks = [check for check in SENTENCES if any(check == made for _, _, made in found)]
    return Table(
        headings=("target", "transport", *checks),
        rows=tuple(
            (name, transport or WHOLE, *(_sign(found.get((name, transport, check))) for check in checks))
            for name, transport in dict.fromkeys((name, transport) for name, transport, _ in found)
        ),
        keys=2,
        title="Conformance",
        notes=(*(f"{check}: {SENTENCES[check]}." for check in checks), f"{SIGNS[Finding.NOT_CLAIMED]}: not claimed."),
    )


def _sign(result: Result | None) -> str:
    return SIGNS[result.finding] if result else ""


def failures(by_target: Mapping[str, Sequence[Result]]) -> list[str]:
    """What fails, and why, a line for each."""
    return [
        f"{name}, {one.transport or WHOLE}: {SENTENCES[one.check]}: {one.why}"
        for name, results in by_target.items()
        for one in results
        if one.finding is Finding.FAILS
    ]


def verdict(target: str, results: Sequence[Result]) -> str:
    """How many of the checks passed, in a sentence."""
    passed, failed = (sum(one.finding is finding for one in results) for finding in (Finding.PASSES, Finding.FAILS))
    if failed:
        return f"{target} does not keep what it claims: {failed} of {passed + failed} checks fail"
    return f"{target} keeps what it claims: {passed} checks pass"
