"""One demo for all tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.demo.demos import Demo, showing


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    with showing() as shown:
        yield shown
