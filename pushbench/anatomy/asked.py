"""What the command line asks for: an exchange that is captured now, one that was kept, or the standard's examples."""

import asyncio
from pathlib import Path

from pushbench import certificates, contract, environment
from pushbench.anatomy import record
from pushbench.anatomy.capture import CaptureFailed, captured
from pushbench.anatomy.examples import RFC_6455
from pushbench.anatomy.exchange import Exchange
from pushbench.results import ResultsError
from pushbench.run import Secured
from pushbench.scenario_errors import nearest
from pushbench.transports import ROWS

CAPTURED = [name for name, row in ROWS.items() if row.pushes and not row.feeds_itself]
"""What has a wire on which something is pushed."""


def exchange(transport: str | None, target: str, *, example: bool) -> Exchange:
    """That exchange. Raises ResultsError or ScenarioError."""
    if example:
        if transport:
            raise ResultsError(f"--example has bytes of its own, and captures no {transport}: leave one of the two out")
        return RFC_6455
    if transport is None:
        raise ResultsError(f"name a transport ({', '.join(CAPTURED)}), a file that --json wrote, or --example")
    if transport.endswith(".json"):
        return record.load(Path(transport))
    if transport not in CAPTURED:
        hint = nearest(transport, CAPTURED)
        raise ResultsError(f"{transport}: no such transport{', ' + hint if hint else ''} (there are {', '.join(CAPTURED)})")
    row = ROWS[transport]
    known = contract.known(row.own_target or target)
    if row.quic and (why := certificates.missing()):
        raise ResultsError(why)
    secured = Secured("127.0.0.1")
    try:
        return asyncio.run(captured(known, transport, environment.placed().server, secured))
    except CaptureFailed as failed:
        raise ResultsError(str(failed)) from None
    finally:
        secured.close()
