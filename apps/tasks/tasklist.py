"""The task list: does actions, and publishes each change on a hub of its own. It knows no way by which actions come.

A change is `{"version": 8, "action": "done", "task": {…}}`, and its version is its id on the hub. So who takes the list,
which says its version too, and follows the hub from there, by any transport, misses nothing and gets nothing twice. The
change is in the database before the hub has it, and a list that is opened again goes on with the version that it had: a
reader's cursor from before continues, or, if the changes behind it are no longer kept, is refused as too old.
"""

from typing import Any, Literal, TypedDict

from apps.saying import NotTaken, said
from apps.tasks.actions import Action, action_of, unknown_task
from apps.tasks.store import Store, Task
from servers.hub import Hub


class Change(TypedDict):
    """What the hub's readers are told."""

    version: int
    action: Literal["add", "rename", "done", "delete"]
    task: Task
    """As it is now; of one that is deleted, as it was."""


class TaskList:
    """The list."""

    def __init__(self, store: Store, hub: Hub, *, limit: int) -> None:
        """The hub has to be new; it is given the changes that the store has kept."""
        self._store = store
        self._hub = hub
        self._limit = limit
        self._count = store.count()  # counting them anew for each that is added would take longer the more there are
        hub.forget(store.begin)
        hub.restore(store.changes())

    def act(self, asked: object) -> dict[str, Any]:
        """Do it, and return its result. Raises `NotTaken`."""
        action = action_of(asked)
        if action.name == "list":
            return {"version": self._hub.last_id, "tasks": self._store.tasks()}
        version = self._hub.last_id + 1
        with self._store.transaction():
            task = self._do(action)
            change = said({"version": version, "action": action.name, "task": task}).encode()
            if len(change) > self._hub.max_message_bytes:
                raise NotTaken(
                    "task_too_large",
                    f"the change would be a message of {len(change)} bytes, and at most {self._hub.max_message_bytes} are "
                    f"taken: shorten the note",
                )
            self._store.changed(version, change)
        self._count += {"add": 1, "delete": -1}.get(action.name, 0)
        self._hub.publish(change)
        return {"version": version, "task": task}

    def _do(self, action: Action) -> Task:
        if action.name == "add":
            if self._count >= self._limit:
                raise NotTaken("list_full", f"there are {self._limit} tasks, and no more may be: delete one")
            return self._store.add(action.title, action.note or "")
        task = self._store.task(action.id)
        if task is None:
            raise unknown_task(action.id)
        if action.name == "delete":
            self._store.delete(action.id)
            return task
        if action.name == "rename":
            task["title"] = action.title
            task["note"] = task["note"] if action.note is None else action.note
        else:
            task["done"] = action.done
        self._store.put(task)
        return task
