"""The replica: a hub whose log is a bounded copy of one that several processes share. It knows no Redis and no transport.

Theory of operation
1. What is published goes to the shared log first, and into the hub when it comes back from there. So every process
   has the same messages under the same ids, in the same order, and a reader can resume at any of them.
2. Whatever has come to be published while the shared log was being asked goes there together, next. One question is
   under way at a time, so that messages keep their order and batch by themselves, as they do for readers.
3. A replica may lag by a moment. So a reader that is ahead of it, and one that starts with what comes next, asks the
   shared log for the newest id, and waits until the replica has that. To ask is to publish nothing, so it is done together
   with what is published. Who resumes at a position that the replica has asks nobody.
4. When the shared log is lost, readers stay, and read on from where they are when it is back. What was being published
   at that moment was refused, and may be in the log all the same.
5. A shared log has a life. If what comes back has lost messages, it is another life, and begins behind all ids of the one
   before: a reader of that is told `CursorTooOld`, and never reads on in another log.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from servers.hub import CursorUnknown, Hub, MessageRefused, Refused

RETRY_S = 0.2
"""How long after each attempt to reach the shared log again."""
CATCH_UP_S = 2.0
"""How long a reader waits for the replica to have its position."""
GROUP_MESSAGES, GROUP_BYTES = 1000, 1024 * 1024
"""Nothing more is put with what has so many messages, or so much data: nobody else is served while it is taken in."""


class BackplaneLost(Exception):
    """The shared log cannot be reached, or is not the one that was joined; the text says why."""


class BackplaneUnavailable(Refused):
    """The shared log had to be asked, and does not answer: later it may."""

    name = "backplane_unavailable"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a shared log."""

    life: bytes
    last_id: int


class SharedLog(Protocol):
    """What a replica copies. Each of these raises `BackplaneLost`."""

    name: str
    """What it is called when it is told of."""

    async def join(self, life: bytes, last_id: int) -> Head:
        """Reach it, for a replica that was in this life (none: b"") up to this id. It begins anew if it has lost that."""

    async def commit(self, life: bytes, messages: Sequence[bytes]) -> int:
        """Append messages in this order, or none; returns the newest id. They are in no other life than this."""

    async def read(self, after: int, *, wait: bool) -> list[tuple[int, bytes]]:
        """Some of what is behind this id, as (id, data), oldest first. May wait for it a while, and return nothing."""

    async def close(self) -> None:
        """Let it go."""


class Replica(Hub):
    """The hub of one of several processes. `publish` is for nobody: messages come from the shared log."""

    def __init__(
        self, shared: SharedLog, say: Callable[[str], None], *, log_messages: int, log_bytes: int, max_message_bytes: int
    ) -> None:
        """`say` is given one line when the shared log is lost, and one when it is back."""
        super().__init__(log_messages=log_messages, log_bytes=log_bytes, max_message_bytes=max_message_bytes)
        self.joined = False
        self._shared = shared
        self._say = say
        self._log_messages = log_messages
        self._life = b""
        self._pending: list[tuple[tuple[bytes, ...], asyncio.Future[int]]] = []  # what is to be asked next
        self._wanted = asyncio.Event()  # set when there is something

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Copy the shared log, and keep up with it meanwhile. Raises `BackplaneLost` if it cannot be reached at first."""
        await self._join()
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._ask_what_is_wanted())]
        for task in tasks:
            task.add_done_callback(_must_not_end)
        try:
            yield
        finally:
            for task in tasks:
                task.remove_done_callback(_must_not_end)
                task.cancel()
            await asyncio.wait(tasks)
            await self._shared.close()

    async def accept(self, *messages: bytes) -> int:
        """As a hub does; raises `BackplaneUnavailable` too, and then the messages may be in the log or not."""
        taken: list[bytes] = []
        refused: MessageRefused | None = None
        for data in messages:
            try:
                self.readable(data)
            except MessageRefused as error:
                refused = error
                break
            taken.append(data)
        last_id = await self._ask(*taken) if taken else 0
        if refused is not None:
            raise refused
        return last_id

    async def newest(self) -> int:
        """The newest id of the shared log, or of this copy while that is lost."""
        try:
            return await self._ask()
        except BackplaneUnavailable:
            return self.last_id

    async def start(self, after: int | None) -> int:
        """As a hub does; raises `BackplaneUnavailable` if a position ahead of the copy cannot be known, or served yet."""
        if after is None:
            after = await self.newest()
        elif after > self.last_id and after > (newest := await self._ask()):
            raise CursorUnknown(f"the cursor is {after} but the newest message is {newest}: start again without a cursor")
        await self._reach(after)
        return await super().start(after)

    async def _reach(self, position: int) -> None:
        try:
            async with asyncio.timeout(CATCH_UP_S):
                while self.last_id < position and not self.closed:
                    future = asyncio.get_running_loop().create_future()
                    self._waiting[future] = None
                    try:
                        await future
                    finally:
                        self._waiting.pop(future, None)
        except TimeoutError:
            pass
        if self.last_id < position:
            raise BackplaneUnavailable(
                f"message {position} has been published but is not here yet, the newest here is {self.last_id}: ask again"
            )

    async def _ask(self, *messages: bytes) -> int:
        """Have the messages committed; returns the id of the last, or of what was newest if there are none."""
        if not self.joined:
            raise self._unavailable()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((messages, future))
        self._wanted.set()
        return await future

    async def _ask_what_is_wanted(self) -> None:
        while True:
            await self._wanted.wait()
            group = self._next_group()
            messages = [data for each, _ in group for data in each]
            try:
                position = await self._shared.commit(self._life, messages) - len(messages)
            except Exception as error:
                self._lose(error)
                # What waits behind it must not be accepted either: its publisher sent it after what was not.
                group += self._pending
                self._pending = []
                self._wanted.clear()
                for _, future in group:
                    if not future.done():
                        future.set_exception(self._unavailable())
                continue
            for each, future in group:
                position += len(each)
                if not future.done():
                    future.set_result(position)

    def _next_group(self) -> list[tuple[tuple[bytes, ...], asyncio.Future[int]]]:
        count = size = taken = 0
        while taken < len(self._pending) and count < GROUP_MESSAGES and size < GROUP_BYTES:
            messages, _ = self._pending[taken]
            count += len(messages)
            size += sum(map(len, messages))
            taken += 1
        group, self._pending = self._pending[:taken], self._pending[taken:]
        if not self._pending:
            self._wanted.clear()
        return group

    async def _follow(self) -> None:
        while True:
            try:
                if not self.joined:
                    await self._join()
                messages = await self._shared.read(self.last_id, wait=True)
                if messages and messages[0][0] != self.last_id + 1:  # another life, or this one has been asleep
                    await self._join()
                elif messages:  # else it waited in vain, and so do the readers
                    self.restore(messages)
            except Exception as error:  # also if what is there cannot be read: it must not be published on, unread
                self._lose(error)
                await asyncio.sleep(RETRY_S)

    async def _join(self) -> None:
        """Reach the shared log, and copy what there is of it."""
        head = await self._shared.join(self._life, self.last_id)
        before, self._life = self._life, head.life
        if before != head.life:
            if before:
                self._say(
                    f"the backplane {self._shared.name} has lost messages that it had taken: "
                    f"who followed them is told cursor_too_old, and ids go on behind {head.last_id}"
                )
            self.forget(max(self.last_id, head.last_id - self._log_messages))
        while self.last_id < head.last_id:
            messages = await self._shared.read(self.last_id, wait=False)
            if messages:
                self.restore(messages)
            else:
                self.forget(head.last_id)
        if before and not self.joined:
            self._say(f"the backplane {self._shared.name} is back")
        self.joined = True

    def _lose(self, error: Exception) -> None:
        if self.joined:
            self.joined = False
            lost = error if isinstance(error, BackplaneLost) else f"{type(error).__name__}: {error}"
            self._say(f"the backplane {self._shared.name} is lost, and nothing is published until it is back: {lost}")

    def _unavailable(self) -> BackplaneUnavailable:
        return BackplaneUnavailable("what the workers share does not answer: try again in a second")


def _must_not_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()  # raises in the loop what has ended it, which would be told only at the very end otherwise
