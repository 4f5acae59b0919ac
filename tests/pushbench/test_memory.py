"""Memory: what a connection costs is the slope over the ramp, and nothing else."""

from itertools import chain, repeat

import pytest

from pushbench import memory as memories, probes
from pushbench.memory import KERNEL_READINGS, Memory
from pushbench.stats import fit_line

PID = 4711
USER_BYTES = {0: 30_000_000, 100: 30_950_000, 200: 32_040_000, 300: 33_010_000, 400: 33_980_000}
KERNEL_BYTES = {0: 5_000_000, 100: 5_820_000, 200: 6_600_000, 300: 7_420_000, 400: 8_200_000}
"""Of the whole host: both ends of every connection."""
HALF_GROWTH = [0, 410_000, 800_000, 1_210_000, 1_600_000]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "KERNEL_PAUSE_S", 0)


async def nothing() -> int:
    return 0


async def measured(monkeypatch: pytest.MonkeyPatch) -> Memory:
    now = [0]

    def user_bytes(pid: int) -> int:
        assert pid == PID
        return USER_BYTES[now[0]]

    monkeypatch.setattr(probes, "user_bytes", user_bytes)
    monkeypatch.setattr(probes, "kernel_bytes", lambda: KERNEL_BYTES[now[0]])

    async def client_bytes() -> int:
        return 2 * USER_BYTES[now[0]]

    memory = Memory((PID,), client_bytes)
    await memory.note("baseline", 0)
    for connections in (100, 200, 300, 400):
        now[0] = connections
        await memory.note("ramp", connections, connect_per_s=10.0 * connections)
    await memory.note("residual", 0)
    return memory


async def test_every_plateau_is_a_row_with_the_servers_half_of_the_kernels_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (await measured(monkeypatch)).rows
    assert [(row["state"], row["connections"]) for row in rows] == [
        ("baseline", 0),
        ("ramp", 100),
        ("ramp", 200),
        ("ramp", 300),
        ("ramp", 400),
        ("residual", 0),
    ]
    assert [row["connect_per_s"] for row in rows] == [None, 1000, 2000, 3000, 4000, None]
    assert [row["server_user_bytes"] for row in rows[:5]] == list(USER_BYTES.values())
    assert [row["server_kernel_bytes"] for row in rows[:5]] == HALF_GROWTH


async def test_of_the_kernels_readings_the_least_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    mib = 2**20
    at_rest, with_segments = [mib], [3 * mib] * (KERNEL_READINGS - 1)
    readings = chain(with_segments, at_rest, at_rest, with_segments, repeat(2 * mib))
    monkeypatch.setattr(probes, "user_bytes", lambda _: 0)
    monkeypatch.setattr(probes, "kernel_bytes", lambda: next(readings))
    memory = Memory((PID, PID), nothing)
    for connections in (0, 1, 2):
        await memory.note("ramp", connections)
    assert [row["server_kernel_bytes"] for row in memory.rows] == [0, 0, mib / 2]


async def test_the_slopes_are_fitted_over_the_ramp_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (await measured(monkeypatch)).slopes()
    user = fit_line([100, 200, 300, 400], list(USER_BYTES.values())[1:])
    kernel = fit_line([100, 200, 300, 400], HALF_GROWTH[1:])
    client = fit_line([100, 200, 300, 400], [2 * each for each in list(USER_BYTES.values())[1:]])
    server_and_client = [3 * each for each in USER_BYTES.values()]
    of_both = [user + 2 * half for user, half in zip(server_and_client, HALF_GROWTH, strict=True)]
    both = fit_line([100, 200, 300, 400], of_both[1:])
    for name, line in (("server_user", user), ("server_kernel", kernel), ("client_user", client), ("both_ends", both)):
        of = f"{name}_bytes_per_connection"
        assert [columns[of + end] for end in ("", "_low", "_high", "_r2")] == [line.slope, line.low, line.high, line.r2]
    assert columns["server_user_bytes_per_connection"] == pytest.approx(10_000, rel=0.05)
    assert columns["server_kernel_bytes_per_connection"] == pytest.approx(4_000, rel=0.05)


async def test_of_several_processes_the_sum_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "user_bytes", lambda pid: 10 * pid)
    memory = Memory((3, 4), nothing)
    await memory.note("baseline", 0)
    assert memory.rows[0]["server_user_bytes"] == 70


async def test_without_plateaus_there_are_no_slopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "user_bytes", lambda _: 0)
    memory = Memory((PID, PID), nothing)
    await memory.note("baseline", 0)
    assert memory.slopes() == {}


async def test_what_came_with_messages_and_what_stays_is_shared_among_the_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = await measured(monkeypatch)
    residual, last = memory.rows.pop(), memory.rows[-1]
    memory.rows.append(last | {"state": "traffic", "server_user_bytes": last["server_user_bytes"] + 4_000_000})
    memory.rows.append(residual | {"server_user_bytes": 32_000_000.0, "server_kernel_bytes": 4_000.0})
    columns = memory.slopes()
    idle = columns["server_user_bytes_per_connection"]
    assert idle == fit_line([100, 200, 300, 400], list(USER_BYTES.values())[1:]).slope
    assert columns["server_user_traffic_bytes_per_connection"] == pytest.approx(idle + 10_000)
    assert columns["server_kernel_traffic_bytes_per_connection"] == columns["server_kernel_bytes_per_connection"]
    assert columns["server_user_left_bytes_per_connection"] == pytest.approx(2_000_000 / 400)
    assert columns["server_kernel_left_bytes_per_connection"] == pytest.approx(10)
