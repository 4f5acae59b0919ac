"""A full disk, for tests that need no disk of their own for it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def room_for(files: int) -> Iterator[None]:
    """Inside of this so many files can be written, and not one more."""
    fsync = os.fsync
    written = 0

    def full(descriptor: int) -> None:
        nonlocal written
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            written += 1
            if written > files:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        yield
