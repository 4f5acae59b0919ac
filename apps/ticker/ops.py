"""What a client of the ticker may say: which ops there are, what each takes, and what is refused. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from apps.saying import NotTaken, kind_of, read, shown

MOST_BYTES = 16_384
"""The longest op that is taken."""
ID_CHARACTERS = 64
OPS: Mapping[str, tuple[str, ...]] = {
    "subscribe": ("channels",),
    "unsubscribe": ("channels",),
    "resync": ("channel",),
    "ping": ("id",),
}
"""What each takes beside its name. All is needed, but the `id` of a ping."""


@dataclass(frozen=True, slots=True)
class Op:
    """One op that may be done, if its channels are those that it needs."""

    name: str
    channels: tuple[str, ...] = ()
    id: int | str | None = None


def op_of(data: bytes, known: Collection[str]) -> Op:
    """The op that a frame says. Raises `NotTaken`."""
    if len(data) > MOST_BYTES:
        raise NotTaken("op_too_large", f"the op has {len(data)} bytes, at most {MOST_BYTES} are taken: use several")
    said = read(data)
    if not isinstance(said, dict):
        raise NotTaken("type_wrong", f"that is {kind_of(said)}: an op is an object")
    if "op" not in said:
        raise NotTaken("key_missing", f"the key op is missing: it is one of {', '.join(OPS)}")
    name = said["op"]
    if not isinstance(name, str) or name not in OPS:
        raise NotTaken("op_unknown", f"{shown(name)} is no op: it is one of {', '.join(OPS)}")
    for key in said:
        if key != "op" and key not in OPS[name]:
            raise NotTaken("key_unknown", f"{name} takes no {shown(key)}: it takes {', '.join(OPS[name])}")
    for key in OPS[name]:
        if key not in said and name != "ping":
            raise NotTaken("key_missing", f"{name} needs the key {key}")
    if name == "ping":
        return Op(name, id=_id(said.get("id")))
    if name == "resync":
        return Op(name, (_channel(said["channel"], known),))
    channels = said["channels"]
    if not isinstance(channels, list) or not channels:
        raise NotTaken("type_wrong", f"channels is {shown(channels)}: it has to be an array of at least one channel")
    return Op(name, tuple(dict.fromkeys(_channel(channel, known) for channel in channels)))


def _channel(value: object, known: Collection[str]) -> str:
    if not isinstance(value, str):
        raise NotTaken("type_wrong", f"a channel is {kind_of(value)}, {shown(value)}: it has to be a string")
    if value not in known:
        few = ", ".join(list(known)[:3])
        raise NotTaken(
            "channel_unknown", f"there is no channel {shown(value)}: GET channels has all {len(known)}, as {few}"
        )
    return value


def _id(value: object) -> int | str | None:
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise NotTaken("type_wrong", f"id is {kind_of(value)}: it has to be a whole number or a string")
    if len(str(value)) > ID_CHARACTERS or (isinstance(value, str) and not value.isprintable()):
        raise NotTaken("id_invalid", f"id has at most {ID_CHARACTERS} characters, all of them printable")
    return value
