"""Targets that come with the suite keep what their contracts claim, as far as they are installed.

One of each kind: the suite's own application without its direct writes, and programs of others. `make conform` looks at all
of them, with the checks that take long too; the built-in server is held to more in the other files.
"""

import pytest

from pushbench import contract, environment
from pushbench.conformance import Finding, examined
from pushbench.run import Secured

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["starlette_asgi", "granian", "nchan", "node"])
async def test_it_keeps_what_it_claims(name: str) -> None:
    known = contract.known(name)
    if why := known.missing():
        pytest.skip(why)
    secured = Secured("127.0.0.1")
    try:
        results = await examined(known, environment.placed().server, long=False, secured=secured)
    finally:
        secured.close()
    assert {one.transport for one in results} == known.contract.transports.keys()
    assert [one for one in results if one.finding is Finding.FAILS] == []
