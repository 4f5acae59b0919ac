"""The contract of a target: one TOML file that says how a server is started, where its transports are, and what it can do.

It knows the keys of that file, and makes of it the target of a cell, or the reason why there can be none. How a target is
started and whether it keeps what it claims is not known here. The keys are explained in docs/adding-a-server.md.
"""

import importlib.util
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, Strict, ValidationError

from pushbench.reach import Reach
from pushbench.scenario_errors import Places, Problem, ScenarioError, dotted, nearest, shown
from pushbench.scenario_keys import BUILT_IN, Load, Table
from pushbench.scenario_toml import lines_of
from pushbench.target import Served, Target, filled, placeholders
from pushbench.transports import ROWS, TRANSPORTS

PATH = "^(/.*)?$"
"""Nothing, or a path."""
ROOM = r"^/.*\{room\}"
"""A path with a place for the number of a room."""
ACTION = r"^$|\{text\}|\{message\}"
"""Nothing, or what has a place for a message."""
PATTERNS = {
    PATH: "to be a path: begin it with /",
    ROOM: "to be a path with {room} in it, for the number of the room; such as /rooms/{room}",
    ACTION: "no {text} or {message} in it, which stands for the message; put one of the two where the message belongs",
}
"""What is wrong with a text that is none."""
TARGETS = Path(__file__).resolve().parent.parent / "targets"
"""Where a target is looked up by its bare name: the folder of the checkout."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "server_loop": (),
    "heartbeat_s": (),
    "longpoll_timeout_s": (),
    "compression": (),
    "frames": (),
    "drop_unanswered_s": (),
    "server_workers": ("redis",),
    "server_down_ms": ("journal",),
    "tls": ("tls_certificate", "tls_key"),
}
"""The keys of a load that are the server's to heed, each with what it has to be told beside the value, if anything. A
target that is not told of one cannot be asked for another value than the usual."""
ALWAYS = ("host", "port", "directory", "here", "python")
"""What can be filled into a command or a file beside these: address and port to listen at, a directory of its own, that of
the contract's file, and the Python that runs this."""
FILLED = (*ALWAYS, *OPTIONS, *(name for more in OPTIONS.values() for name in more))
"""All that is filled in."""
NEEDS_STATUS = ("vanish_percent", "server_down_ms")
"""Keys of a load that can only be measured on a server that says how it is."""


def told_by(key: str) -> str:
    """The placeholder by which a server is told of a key."""
    return next(iter(OPTIONS[key]), key)


Words = Annotated[tuple[str, ...], Strict(False)]


class Start(Table):
    """How the server is started, and when it is ready."""

    command: Words = Field(min_length=1, description="program and arguments; no shell is in between")
    ready: str = Field(
        default="",
        pattern=PATH,
        description="a path that is answered when it is ready; none: it prints the ready line",
    )
    within_s: float = Field(default=20.0, gt=0, le=600, description="it has failed if it is not ready after so long")
    files: dict[str, str] = Field(default={}, description="files that are written into {directory} before, by their names")
    more: dict[str, Words] = Field(
        default={}, description="arguments that are added where a key of the load has not its usual value, by that key"
    )
    more_files: dict[str, dict[str, str]] = Field(
        default={}, description="files that are written then, beside those or in their place, by that key"
    )


class Publish(Table):
    """Where messages are published, by each way that there is."""

    websocket: str = Field(default="", pattern=PATH, description="path of a WebSocket that takes a message a frame")
    post: str = Field(default="", pattern=PATH, description="path of a POST that takes a message as its body")
    first: str = Field(
        default="",
        max_length=1000,
        description="a message that is posted once it is ready, before anybody comes",
    )
    lines: bool = Field(default=False, description="whether a bare TCP connection takes a message a line")


class Request(Table):
    """Where an action is answered, with what it brought in the answer."""

    post: str = Field(default="", pattern=PATH, description="path of a POST that is answered with its body")
    websocket: str = Field(
        default="", pattern=PATH, description="path of a WebSocket that answers each frame with the same"
    )
    says: str = Field(
        default="",
        max_length=1000,
        pattern=ACTION,
        description="what an action is, with {text} in it for the message as a JSON string, or {message} for it as it is; "
        "the answer has it somewhere, too; none: the message alone, and the answer is nothing else",
    )
    content_type: str = Field(default="text/plain", max_length=100, description="what a POST says that its body is")


class Chat(Table):
    """Where rooms are, in each of which all hear what one says."""

    room: str = Field(
        pattern=ROOM,
        description="path of a room, with {room} for its number; below it are transports and publish.post as elsewhere, "
        "and what is said on a WebSocket there is published",
    )


class Transport(Table):
    """How one transport is served."""

    path: str = Field(default="", pattern=PATH, description="where it is")
    cursor: Literal["validators", "after", "last-event-id", "none"] | None = Field(
        default=None, description="what resumes a reader: the transport's own kind, or none"
    )
    resumes_unseen: bool = Field(
        default=True,
        description="whether also a reader resumes who has not had a message: false if only messages name a cursor",
    )
    tells_gone: bool = Field(
        default=False, description="whether a reader is told when its cursor cannot be resumed (410, or a last word)"
    )
    ignores: Words = Field(default=(), description="keys of the load that it is told of, and does not heed here")
    start: str = Field(
        default="",
        pattern=PATH,
        description="for polling: a path whose answer says where a reader starts; none: its own",
    )
    one_at_a_time: bool = Field(
        default=False, description="for polling: an answer has one message at most, so the client asks again at once"
    )
    queries: bool = Field(
        default=False,
        description="for polling: whether it can also be asked by a query `after=ID`, and answers an empty 200 then",
    )
    hello: str = Field(
        default="",
        max_length=1000,
        description="for websocket: what a reader says once it is there; then its messages are inside of what it is told",
    )
    inside: str = Field(
        default="",
        max_length=300,
        description="with hello: how what it is told begins that has a message inside; all else is passed over",
    )
    more: Words = Field(default=(), description="arguments that are added to the command where it is asked for")
    needs: Words = Field(default=(), description="what must be there beside what the target needs, likewise")
    install: str = Field(default="", max_length=300, description="the command that installs that")


class Contract(Table):
    """What a target's file says."""

    title: str = Field(min_length=1, max_length=120, description="what it is, in a few words")
    like: str = Field(default="", description="another target whose contract this one is, but for what it says itself")
    without: Words = Field(default=(), description="transports of that one which this one does not serve")
    url: str = Field(default="", description="where it is, if it is there already and not started here")
    authority: str = Field(
        default="",
        description="with a https URL: a file with the certificate by which its own is believed; none: the system's",
    )
    install: str = Field(default="", max_length=300, description="the command that installs what it needs")
    needs: Words = Field(
        default=(), description="what must be there: a program, a file (with a slash), or a module (python:name)"
    )
    version: Words = Field(default=(), description="a command that prints its version, for the record")
    status: str = Field(
        default="",
        pattern=PATH,
        description="a path that answers with last_id and cursors, in JSON; none: there is none",
    )
    http2: bool = Field(default=False, description="whether it speaks HTTP/2 too, with WebSockets on it (RFC 8441)")
    heeds: Annotated[tuple[str, ...], Strict(False)] = Field(
        default=(), description="keys of the load that it heeds by itself, without being told of them"
    )
    start: Start | None = Field(default=None, description="how it is started")
    publish: Publish = Field(description="how messages come in")
    request: Request | None = Field(default=None, description="where actions are answered; none: nowhere")
    chat: Chat | None = Field(default=None, description="where rooms are; none: there are none")
    transports: dict[str, Transport] = Field(min_length=1, description="each transport that it serves, by its name")


TABLES: dict[str, type[Table]] = {"start": Start, "publish": Publish, "request": Request, "chat": Chat}


@dataclass(frozen=True, slots=True)
class Known:
    """A contract that holds together, and where it is from."""

    name: str
    contract: Contract
    here: Path
    """The directory of its file."""
    text: str = field(repr=False)
    """The file, verbatim."""

    def missing(self, transport: str = "") -> str:
        """What is not installed for it, or for one of its transports, and how to change that; empty if nothing is."""
        of: Contract | Transport = self.contract.transports[transport] if transport else self.contract
        lacking = [need for need in of.needs if not _there(filled(need, {"here": str(self.here)}))]
        if not lacking:
            return ""
        how = f": {filled(of.install, {'here': _shown(self.here)})}" if of.install else ""
        what = f"what {self.name} needs for {transport}" if transport else self.name
        said = (filled(need.rpartition(":")[2], {"here": _shown(self.here)}) for need in lacking)
        return f"{what} is not installed ({', '.join(said)} is missing){how}"

    def refusal(self, load: Load) -> str:
        """Why it cannot serve a cell; empty if it can."""
        if why := self.missing():
            return why
        if load.acts and (why := self._refusal_of_acting(load)):
            return why
        served = self.contract.transports.get(load.transport)
        if not ROWS[load.transport].pushes:
            served = Transport()  # there is nothing that its readers could be told of
        if served is None:
            return f"{self.name} does not claim {load.transport}"
        if load.transport in self.contract.transports and (why := self.missing(load.transport)):
            return why
        if load.client == "browser" and served.path != (path := ROWS[load.transport].path):
            return f"{self.name} has {load.transport} at {served.path}, and the page looks for it at {path} (client)"
        ways = self.ways
        if load.publish_via not in ways and not self.contract.publish.lines and load.kind == "broadcast":
            return f"{self.name} takes no messages by {load.publish_via}; it does by {' and '.join(ways)} (publish_via)"
        if self.contract.url and load.tls != (tls := self.contract.url.startswith("https:")):
            return f"{self.name} is reached {'over' if tls else 'without'} TLS, and tls is {shown(load.tls)} here"
        if load.http == "2" and not self.contract.http2:
            return f"{self.name} does not claim HTTP/2 (http)"
        if self.contract.url and load.server_stall_ms:
            return f"{self.name} is not started here, and cannot be stopped for server_stall_ms"
        if load.poll_empty == "200" and not served.queries:
            return f'{self.name} does not claim to be polled by a query (queries), which poll_empty = "200" asks for'
        if self.contract.url and load.line == "packets":
            return f"{self.name} is not started here, and a line of packets is in a network of a run's own (line)"
        for key in served.ignores:
            if (value := getattr(load, key)) != Load.model_fields[key].default:
                return f"{self.name} does not heed {key} on {load.transport}, which is {shown(value)} here"
        for key in (*OPTIONS, *NEEDS_STATUS, "resume_percent", "churn_hz"):
            value = getattr(load, key)
            if value == Load.model_fields[key].default:
                continue
            if key in OPTIONS and key not in self.taken and not (key == "tls" and self.contract.url):
                by = f"{{{told_by(key)}}}"
                return f"{self.name} is not told of {key}, which is {shown(value)} here: its contract has no {by}"
            if key in NEEDS_STATUS and not self.contract.status:
                return f"{self.name} has no status, by which {key} is measured"
            if key in ("resume_percent", "churn_hz") and (served.cursor == "none" or not served.resumes_unseen):
                return f"{self.name} resumes no reader on {load.transport}, which {key} asks for"
        return ""

    def _refusal_of_acting(self, load: Load) -> str:
        """Why its readers cannot act, or talk to each other, as a cell has it; empty if they can."""
        row = ROWS[load.transport]
        if load.kind == "request":
            way = "websocket" if row.duplex else "post"
            claimed = self.contract.request and getattr(self.contract.request, way)
            return "" if claimed else f"{self.name} does not claim to answer actions by {way} (request.{way})"
        if not self.contract.chat:
            return f"{self.name} does not claim rooms (chat.room)"
        if not row.duplex and not self.contract.publish.post:
            return f"{self.name} takes no messages by POST, as who reads {load.transport} says something (publish.post)"
        return ""

    def refusal_of_tls(self) -> str:
        """Why it cannot be reached over TLS; empty if it can."""
        if self.contract.url:
            return "" if self.contract.url.startswith("https:") else f"{self.name} is reached without TLS"
        return "" if "tls" in self.taken else f"{self.name} is not told of tls: its contract has no {{{told_by('tls')}}}"

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways to publish that a load can name."""
        return tuple(way for way in ("websocket", "post") if getattr(self.contract.publish, way))

    @property
    def taken(self) -> frozenset[str]:
        """The keys of the load that it is told of."""
        return _taken(self.contract)

    def _authority(self, values: Mapping[str, str]) -> str:
        """The certificate in the file that is named. Raises ScenarioError if it cannot be read."""
        if not self.contract.authority:
            return ""
        path = Path(filled(self.contract.authority, values))
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ScenarioError(f"{self.name}: authority {path} cannot be read ({why}); name a file in PEM") from None

    def target(self, load: Load) -> Target:
        """What is started for a cell that it can serve."""
        contract = self.contract
        served = {
            name: Served(
                path=one.path,
                start=one.start,
                resumes=one.cursor != "none",
                resumes_unseen=one.cursor != "none" and one.resumes_unseen,
                tells_gone=one.cursor != "none" and one.tells_gone,
                one_at_a_time=one.one_at_a_time,
                hello=one.hello,
                inside=one.inside,
            )
            for name, one in contract.transports.items()
        }
        publish = {way: path for way in ("websocket", "post") if (path := getattr(contract.publish, way))}
        values = {"here": str(self.here), "python": sys.executable}
        values |= {key: f"{value:g}" if isinstance(value := getattr(load, key), float) else str(value) for key in OPTIONS}
        start = contract.start
        unusual = [key for key in OPTIONS if getattr(load, key) != Load.model_fields[key].default]
        added = [word for key in unusual for word in (start.more.get(key, ()) if start else ())]
        added += contract.transports[load.transport].more if load.transport in contract.transports else ()
        files = {name: text for key in unusual if start for name, text in start.more_files.get(key, {}).items()}
        return Target(
            self.name,
            (*start.command, *added) if start else (),
            publish=publish or {"lines": ""},
            acts={way: path for way in ("post", "websocket") if (path := getattr(contract.request, way, ""))},
            action=contract.request.says if contract.request else "",
            content_type=contract.request.content_type if contract.request else "",
            room=contract.chat.room if contract.chat else "",
            serves=served,
            files={**start.files, **files} if start else {},
            ready_path=start.ready if start else "",
            ready_timeout_s=start.within_s if start else 0.0,
            first_message=contract.publish.first,
            values=values,
            url=contract.url,
            reach=Reach(tls=contract.url.startswith("https:"), authority=self._authority(values)),
            status_path=contract.status,
            shares_log=load.server_workers > 1,
        )


def _taken(contract: Contract) -> frozenset[str]:
    start = contract.start
    if start is None:
        return frozenset(contract.heeds)
    told = {name for text in (*start.command, *start.files.values()) for name in placeholders(text, OPTIONS)}
    return frozenset({*told, *start.more, *start.more_files, *contract.heeds})


def of(load: Load) -> Known | None:
    """The target of a cell: that of its floor, or the one that it names; None if the swarm feeds itself.

    Raises ScenarioError if there is none of that name, or its file does not hold together.
    """
    row = ROWS[load.transport]
    return None if row.feeds_itself else known(row.own_target or load.target)


@cache
def known(name: str) -> Known:
    """The target of that name, of that file, or at that URL. Raises ScenarioError."""
    if "://" in name:
        return _at_url(name)
    path = find(name)
    return read(path, name if not name.endswith(".toml") else path.stem)


def names() -> list[str]:
    """The targets that come with the suite."""
    return sorted(path.stem for path in TARGETS.glob("*.toml"))


def find(name: str) -> Path:
    """The file of a target given by its bare name, such as `nchan`, or by a path. Raises ScenarioError."""
    if name in names():
        return TARGETS / f"{name}.toml"
    if name.endswith(".toml") and Path(name).exists():
        return Path(name)
    hint = nearest(Path(name).stem, names())
    raise ScenarioError(
        f"{name or shown('')}: no such target{', ' + hint if hint else ''} (known by name: {', '.join(names())}; else give "
        f"the path of a contract, which ends with .toml, or a URL; docs/adding-a-server.md says what is in one)"
    )


def read(path: Path, name: str) -> Known:
    """The contract in a file. Raises ScenarioError, which names file, line, key, and what was expected."""
    shown_path = _shown(path)
    try:
        text = path.read_bytes().decode()
        tree = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ScenarioError(f"{shown_path}: not UTF-8, which TOML must be; save the file as UTF-8") from None
    except OSError as error:
        raise ScenarioError(f"{shown_path}: cannot be read ({error.strerror}); look at its name and permissions") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScenarioError(f"{shown_path}: not TOML: {error}") from None
    places = Places(shown_path, lines_of(text), {})
    if isinstance(like := tree.get("like"), str) and like:
        if like not in names() or (TARGETS / f"{like}.toml").samefile(path):
            raise places.error(
                [Problem("like", f"{shown(like)} is no other target, expected one of {', '.join(names())}", (("like",),))]
            )
        tree = _like(like, tree)
    try:
        contract = Contract.model_validate(tree)
    except ValidationError as invalid:
        raise places.error(list(_problems(invalid))) from None
    if problems := list(_contradictions(contract)):
        raise places.error(problems)
    return Known(name, contract, path.resolve().parent, text)


def _tree(name: str) -> dict[str, Any]:
    """What a target that comes with the suite says, with what it takes from another."""
    tree = tomllib.loads((TARGETS / f"{name}.toml").read_text())
    return _like(tree["like"], tree) if "like" in tree else tree


def _like(name: str, tree: dict[str, Any]) -> dict[str, Any]:
    below = _tree(name)
    if "start" in tree:
        del below["start"]  # another command knows other options
    for transport in without if isinstance(without := tree.get("without"), list) else ():
        below["transports"].pop(transport, None)
    below.pop("without", None)
    return _laid_over(below, tree)


def _at_url(url: str) -> Known:
    """A server that is there already, with the paths of the one that comes with the suite."""
    base = read(TARGETS / f"{BUILT_IN}.toml", BUILT_IN)
    contract = base.contract.model_copy(update={"title": f"a server at {url}", "url": url, "start": None})
    if problems := list(_contradictions(contract)):
        raise ScenarioError(f"target {problems[0].says}")
    return Known(url, contract, base.here, base.text)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees in one: of tables in both the keys of both, of anything else what is above."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _laid_over(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return merged


def _contradictions(contract: Contract) -> Iterator[Problem]:
    """What keys of a contract mean to each other."""
    if bool(contract.url) == bool(contract.start):
        says = "both, expected one: a server is there already, or is started" if contract.url else "missing, and so is url"
        yield Problem("start", f"{says}; give [start] or url", (("start",), ("url",)))
    if contract.url and not _is_url(contract.url):
        yield Problem(
            "url", f"{shown(contract.url)} is not http:// or https:// with a host and without a query", (("url",),)
        )
    publish = contract.publish
    if not (publish.websocket or publish.post or publish.lines):
        yield Problem("publish", "no way to publish, expected websocket, post or lines; add one", (("publish",),))
    if publish.first and not publish.post:
        says = "missing, and a first message is to be posted; give a path, or take first out"
        yield Problem("publish.post", says, (("publish", "first"),))
    start = contract.start
    for key in (*contract.heeds, *(start.more if start else ()), *(start.more_files if start else ())):
        if key not in OPTIONS:
            under = "more" if start and key in start.more else "more_files"
            where = ("heeds",) if key in contract.heeds else ("start", under, key)
            says = f"no key of the load that a server heeds, expected one of {', '.join(OPTIONS)}"
            yield Problem(dotted(*where), f"{shown(key)} is {says}", (where,))
    for transport in contract.without:
        if not contract.like or transport not in ROWS:
            says = f"{shown(transport)} cannot be left out, expected a transport of another target (like); take it out"
            yield Problem("without", says, (("without",),))
    for word in start.command if start else ():
        for name in re.findall(r"\{(\w+)\}", word):
            if name not in FILLED and (hint := nearest(name, FILLED)):  # other braces are the command's own
                says = f"{shown('{' + name + '}')} is nothing that is filled in, {hint}"
                yield Problem("start.command", says, (("start", "command"),))
    for name, one in contract.transports.items():
        at = ("transports", name)
        if name not in ROWS:
            says = f"unknown transport, {nearest(name, TRANSPORTS) or 'expected one of ' + ', '.join(TRANSPORTS)}"
            yield Problem(dotted("transports", name), says, (at,))
            continue
        row = ROWS[name]
        if row.quic and start and "tls" not in _taken(contract):
            says = (
                "is always over TLS, and the server is not told of its certificate; pass on {tls_certificate} and {tls_key}"
            )
            yield Problem(dotted("transports", name), f"{says}, or take the transport out", (at,))
        if one.queries and not row.polls:
            yield Problem(dotted("transports", name, "queries"), f"{name} does not poll; take it out", ((*at, "queries"),))
        if one.cursor not in (None, "none", row.cursor):
            says = f'{shown(one.cursor)} resumes nobody on {name}, expected {shown(row.cursor)} or "none"'
            yield Problem(dotted("transports", name, "cursor"), says, ((*at, "cursor"),))
        if row.asks == "again" and one.cursor == "none":
            says = f'"none", but {name} asks by its cursor each time; take the transport out, or give it one'
            yield Problem(dotted("transports", name, "cursor"), says, ((*at, "cursor"),))
        for key in one.ignores:
            if key not in OPTIONS:
                says = f"{shown(key)} is no key of the load that a server heeds, expected one of {', '.join(OPTIONS)}"
                yield Problem(dotted("transports", name, "ignores"), says, ((*at, "ignores"),))
        for key in ("start", "one_at_a_time"):
            if getattr(one, key) and row.asks != "again":
                yield Problem(dotted("transports", name, key), f"{name} asks once; take it out", ((*at, key),))
        if one.hello and not row.duplex:
            yield Problem(dotted("transports", name, "hello"), f"{name} says nothing; take it out", ((*at, "hello"),))
        if one.inside and not one.hello:
            says = "without hello, where all that comes is messages; take it out, or add hello"
            yield Problem(dotted("transports", name, "inside"), f"{shown(one.inside)} {says}", ((*at, "inside"),))
        if name in TRANSPORTS and not one.path:
            yield Problem(
                dotted("transports", name, "path"), "missing, expected where it is, such as /stream", ((*at, "path"),)
            )


def _problems(invalid: ValidationError) -> Iterator[Problem]:
    """All that pydantic found."""
    for error in invalid.errors():
        path = tuple(part for part in error["loc"] if part != "[key]")
        key = dotted(*(str(part) for part in path))
        if error["type"] == "missing":
            yield Problem(key, "missing; add it", (path,), absent=True)
        elif error["type"] == "extra_forbidden":
            model: type[Table] = Contract
            for part in path[:-1]:
                model = TABLES.get(str(part), Transport)
            hint = nearest(str(path[-1]), model.model_fields) or f"expected one of {', '.join(model.model_fields)}"
            yield Problem(key, f"unknown key, {hint}", (path,))
        else:
            says = f"cannot be: {error['msg'].lower()}"
            if error["type"] == "string_pattern_mismatch":
                says = f"has {PATTERNS[error['ctx']['pattern']]}"
            yield Problem(key, f"{shown(error['input'])} {says}", (path,))


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _there(need: str) -> bool:
    if need.startswith("python:"):
        return importlib.util.find_spec(need.removeprefix("python:")) is not None
    return Path(need).exists() if "/" in need else shutil.which(need) is not None


def _shown(path: Path) -> str:
    here, whole = Path.cwd(), path.resolve()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(path)
