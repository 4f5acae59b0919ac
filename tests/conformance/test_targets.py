"""Every target that comes with the suite keeps what its contract claims, as far as it is installed.

The built-in server is held to more than that in the other files; this is the suite that `pushbench conform` runs, without
the checks that take long (`make conform` has them all).
"""

import pytest

from pushbench import contract, environment
from pushbench.conformance import Finding, examined
from pushbench.transports import FLOORS

NAMES = [name for name in contract.names() if name not in {row.own_target for row in FLOORS.values()}]


@pytest.mark.parametrize("name", NAMES)
async def test_it_keeps_what_it_claims(name: str) -> None:
    known = contract.known(name)
    if why := known.missing():
        pytest.skip(why)
    results = await examined(known, environment.placed().server, long=False)
    assert {one.transport for one in results} == known.contract.transports.keys()
    assert [one for one in results if one.finding is Finding.FAILS] == []
