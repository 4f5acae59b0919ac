"""The Redis of a trial's own, and servers that share their log in it."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from pushbench.backplane import backplane
from pushbench.target import TargetFailed

CORES = sorted(os.sched_getaffinity(0))
needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed: apt-get install redis-server"
)


def name(pid: int) -> str | None:
    """What a process is called; None if there is none."""
    path = Path(f"/proc/{pid}/comm")
    return path.read_text().strip() if path.exists() else None


@needs_redis
async def test_it_answers_when_it_is_entered_and_is_gone_when_it_is_left() -> None:
    async with backplane(CORES) as running:
        assert name(running.pid) == "redis-server"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2].partition("/")[0]))
        writer.write(b"PING\r\n")
        assert await reader.readline() == b"+PONG\r\n"
        writer.close()
    assert name(running.pid) is None


async def test_without_the_program_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushbench.backplane.PROGRAM", "no-such-redis")
    with pytest.raises(TargetFailed, match=r"no-such-redis is not installed.*apt-get install.*server_workers = 1"):
        async with backplane(CORES):
            pass


async def test_a_program_that_ends_at_once_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho it cannot be\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("pushbench.backplane.PROGRAM", str(program))
    with pytest.raises(TargetFailed, match="ended before it answered; its last words: it cannot be"):
        async with backplane(CORES):
            pass
