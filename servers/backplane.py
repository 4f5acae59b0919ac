"""The backplane: one log that several processes share, in Redis. It knows keys and commands, no hub and no reader.

`KEY:log` is a stream; message 7 is its entry `7-0`, with one field. `KEY:head` is a hash of the log's `life` and `last` id.

Redis runs one script at a time and whole (redis.io, "Scripting with Lua": atomic), so ids are consecutive whoever
publishes. With `appendonly yes` it writes what a script has done to its file before it answers, so a message that was
accepted outlives a Redis that is killed; `appendfsync` decides about power cuts only (redis.io, "Redis persistence").
"""

import secrets
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from servers.options import without_password
from servers.replica import BackplaneLost, Head

ANSWER_S = 2.0
"""How long Redis may take to answer."""
BLOCK_S = 1.0
"""How long a read waits for a message."""
READ_MESSAGES = 256
"""The most that one read returns: a stream cannot be told how many bytes."""
LIFE_IDS = 1_000_000
"""A log that begins anew does so behind the next multiple of this: behind whatever any process has seen of it."""

JOIN = """
local life = redis.call('HGET', KEYS[2], 'life')
local last = tonumber(redis.call('HGET', KEYS[2], 'last') or 0)
local mine, seen, ids = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local start = 0
if seen > 0 then start = (math.floor(seen / ids) + 1) * ids end
if not life and redis.call('EXISTS', KEYS[1]) == 1 then
    return redis.error_reply('FOREIGN ' .. KEYS[1] .. ' is there without ' .. KEYS[2] .. ': choose another --redis-key')
end
if not life or (life == mine and last < seen) or (life ~= mine and last < start) then
    life, last = ARGV[4], start
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[2], 'life', life, 'last', string.format('%d', last))
end
return {life, last}
"""
COMMIT = """
if redis.call('HGET', KEYS[2], 'life') ~= ARGV[1] then
    return redis.error_reply('LIFE it has lost the log that was in it')
end
local last = redis.call('HINCRBY', KEYS[2], 'last', #ARGV - 2)
for i = 3, #ARGV do
    local id = string.format('%d-0', last - #ARGV + i)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'data', ARGV[i])
end
return last
"""


class Backplane:
    """The shared log, over two connections: one that asks, and one that waits for messages."""

    def __init__(self, url: str, key: str, *, keep: int) -> None:
        """It keeps at least the last `keep` messages."""
        self.name = without_password(url)
        self._keys = (f"{key}:log", f"{key}:head")
        self._keep = keep
        self._commit = ""  # what Redis calls the script
        self._asking = _connection(url, ANSWER_S)
        self._reading = _connection(url, BLOCK_S + ANSWER_S)

    async def join(self, life: bytes, last_id: int) -> Head:
        """Reach the log, for a process that was in this life (none: b"") up to this id; begin a new one if that is lost."""
        arguments = (life, last_id, LIFE_IDS, secrets.token_hex(8))
        current, newest = await self._ask(self._reading, "EVAL", JOIN, 2, *self._keys, *arguments)
        self._commit = await self._ask(self._reading, "SCRIPT", "LOAD", COMMIT)
        return Head(current, newest)

    async def commit(self, life: bytes, messages: Sequence[bytes]) -> int:
        """Append messages in this order, or none; returns the newest id."""
        newest: int = await self._ask(self._asking, "EVALSHA", self._commit, 2, *self._keys, life, self._keep, *messages)
        return newest

    async def read(self, after: int, *, wait: bool) -> list[tuple[int, bytes]]:
        """Some of what is behind this id, as (id, data), oldest first; waits for a while if there is nothing."""
        block = ("BLOCK", round(BLOCK_S * 1000)) if wait else ()
        command = ("XREAD", "COUNT", READ_MESSAGES, *block, "STREAMS", self._keys[0], f"{after}-0")
        streams = await self._ask(self._reading, *command)
        return [(int(name[:-2]), fields[1]) for _, entries in streams or () for name, fields in entries]

    async def close(self) -> None:
        """Let both connections go."""
        for connection in (self._asking, self._reading):
            await connection.disconnect(nowait=True)

    async def _ask(self, connection: Connection, *command: Any) -> Any:
        try:
            await connection.send_command(*command)
            return await connection.read_response()
        except (RedisError, OSError) as error:
            await connection.disconnect(nowait=True)
            raise BackplaneLost(str(error) or type(error).__name__) from None


def _connection(url: str, within_s: float) -> Connection:
    """A connection that is made when it is first used, on which an answer comes within so many seconds."""
    pool = ConnectionPool.from_url(
        url,
        # Nothing is tried twice unasked: what was sent may have been done, and would be done again.
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        socket_connect_timeout=ANSWER_S,
        socket_timeout=within_s,
    )
    connection: Connection = pool.make_connection()  # type: ignore[no-untyped-call]
    return connection
