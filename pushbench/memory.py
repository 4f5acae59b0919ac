"""The memory of server and swarms at several numbers of connections, and what a connection costs by it.

It reads the probes when it is told to; when that is, the trial decides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pushbench import probes, stats

KERNEL_READINGS = 5
KERNEL_PAUSE_S = 0.01
PARTS = ("server_user", "server_kernel", "client_user")


class Memory:
    """The memory of both sides at several numbers of connections, as rows of the frame `memory`."""

    def __init__(self, server: Sequence[int], client_bytes: Callable[[], Awaitable[int]], ends: float = 2) -> None:
        """`server` are its processes; `client_bytes` tells the USS of all swarm processes.

        `ends`: how many sockets of this host belong to one subscriber, of which the server's is one.
        """
        self._server = server
        self._client_bytes = client_bytes
        self._ends = ends
        self._kernel_before: int | None = None
        self.rows: list[dict[str, Any]] = []

    async def note(self, state: str, connections: int, connect_per_s: float | None = None) -> None:
        """Read the memory now; the first time is the baseline. `connect_per_s`: how quickly the newest ones came.

        The kernel's part is of the whole host. What it grew by since the baseline belongs in equal parts to all ends of
        the connections, the server's, the swarm's and a relay's two, which are the same structures. It is the least of a
        few readings: for a segment in flight the kernel sets a whole MiB aside, which is no connection's.
        """
        kernel_bytes = probes.kernel_bytes()
        for _ in range(KERNEL_READINGS - 1):
            await asyncio.sleep(KERNEL_PAUSE_S)
            kernel_bytes = min(kernel_bytes, probes.kernel_bytes())
        if self._kernel_before is None:
            self._kernel_before = kernel_bytes
        self.rows.append(
            {
                "state": state,
                "connections": connections,
                "connect_per_s": connect_per_s,
                "server_user_bytes": float(sum(map(probes.user_bytes, self._server))),
                "server_kernel_bytes": (kernel_bytes - self._kernel_before) / self._ends,
                "client_user_bytes": float(await self._client_bytes()),
            }
        )

    def slopes(self) -> dict[str, float]:
        """The columns of `trials` on memory: slopes over the ramp's plateaus, and quotients of what was read behind it.

        Empty if there are no plateaus.
        """
        columns: dict[str, float] = {}
        rows = {state: [row for row in self.rows if row["state"] == state] for state in ("ramp", "traffic", "residual")}
        most = max((row["connections"] for row in self.rows), default=0)
        for part in PARTS if rows["ramp"] else ():
            column = f"{part}_bytes"
            line = self._line(f"{part}_bytes_per_connection", [row[column] for row in rows["ramp"]], columns)
            for row in rows["traffic"]:
                grown = (row[column] - rows["ramp"][-1][column]) / most
                columns[f"{part}_traffic_bytes_per_connection"] = line.slope + grown
            for row in rows["residual"]:
                columns[f"{part}_left_bytes_per_connection"] = (row[column] - self.rows[0][column]) / most
        if rows["ramp"] and self._ends == 2:  # else the relay's part is missing, or that of other hosts
            self._line("both_ends_bytes_per_connection", list(map(self._whole, rows["ramp"])), columns)
        return columns

    def _line(self, name: str, values: Sequence[float], columns: dict[str, float]) -> stats.Line:
        """The line through what was read on the ramp, which is put into the columns."""
        line = stats.fit_line([row["connections"] for row in self.rows if row["state"] == "ramp"], values)
        columns |= {name: line.slope, f"{name}_low": line.low, f"{name}_high": line.high, f"{name}_r2": line.r2}
        return line

    def _whole(self, row: Mapping[str, float]) -> float:
        """What both sides have, and the kernel for both ends."""
        return row["server_user_bytes"] + row["client_user_bytes"] + 2 * row["server_kernel_bytes"]
