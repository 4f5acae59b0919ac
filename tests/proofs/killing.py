"""Kills runs at random moments, and looks whether anything was lost or left: the proof that a run keeps what it has made.

    python -m tests.proofs.killing --times 200 --seed 1 --signal KILL

Each time a short run is made and a signal sent, at moments spread evenly over its whole length. Then all must hold:

- every trial that the run has said it made can be read, in the scenario's order, with as many deliveries as it must have;
- no row of any table is of another trial;
- a second later none of its processes is left, whoever their parents are: they all inherit a mark in their environment;
- what was told to end, and not killed, ends within two seconds, with its exit code and a page of what was finished;
- of every fifth run: --resume makes exactly the trials that are missing, and leaves the others as they were.

It prints a line for each breach and one in the end, and exits with 1 if there was a breach.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pushbench import results
from pushbench.environment import CHECKOUT
from pushbench.results import ResultsError, Run
from pushbench.scenario import loads
from pushbench.schedule import Schedule

TOML = """\
title = "What is left of a run that is killed?"
charts = ["overview"]
[grid]
transport = ["longpoll", "websocket"]
[load]
subscribers = 3
rate_hz = 50
[phases]
settle_s = 0
warmup_s = 0.1
measure_s = 0.3
drain_s = 5
[repeat]
trials = 2
"""
SCENARIO = loads(TOML, "killing.toml")

MARK = "PUSHBENCH_KILLING"
GONE_WITHIN_S = 1.0
ENDED_WITHIN_S = 2.0
RESUMED_EVERY = 5
GIVEN_UP_S = 120
POLLED_EVERY_S = 0.01
MADE = re.compile(r"^\[\d+/\d+\] .*#\d+: ", re.MULTILINE)
"""What a run says of a trial that it has made."""


@dataclass(slots=True)
class Look:
    """What came of one signal."""

    processes: int
    """How many the run had just before; 0 if it was over already."""
    ended_s: float = 0.0
    """How long the run itself took to end."""
    gone_s: float = 0.0
    """How long after that the last of its processes had gone."""
    made: int = 0
    """How many trials it said it had made."""
    breaches: list[str] = field(default_factory=list)


class Attempt:
    """One run, from its start to what is left of it, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "run"
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        directory.mkdir()
        (directory / "killing.toml").write_text(TOML)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin the run. What it says goes into files: a pipe would be open as long as any of its processes lives."""
        name, _, value = self._mark.partition("=")
        # Without git the commit is unknown, so that a change of the checkout meanwhile is none of the run's environment.
        environment = {**os.environ, name: value, "PATH": "", "PYTHONPATH": str(CHECKOUT)}
        with (self.directory / "said").open("wb") as said, (self.directory / "told").open("wb") as told:
            return subprocess.Popen(
                [sys.executable, "-m", "pushbench", "run", "killing.toml", "--out", self.path.name, *arguments],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=told,
                start_new_session=True,
            )

    def told(self) -> str:
        """What the run has said on stderr since it was begun, or gone on with."""
        return (self.directory / "told").read_text()

    def made(self) -> int:
        """How many trials it has said it has made."""
        return len(MADE.findall(self.told()))

    def processes(self) -> dict[int, str]:
        """Those that have this attempt's mark, whoever their parents are, by process id, with their commands."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):  # it has ended meanwhile, or is another user's
                if self._mark.encode() in path.read_bytes():
                    command = path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(path.parent.name)] = command
        return found

    def whole_s(self) -> float:
        """Make the run undisturbed; returns how long it takes."""
        began = time.monotonic()
        code = self.start().wait(GIVEN_UP_S)
        took_s = time.monotonic() - began
        if wrong := [*self.what_is_wrong(), *([] if code in (0, 1) else [f"it exited with {code}"])]:
            raise SystemExit(f"{self.directory}: an undisturbed run does not do what it should: {wrong}")
        return took_s

    def look(self, moment_s: float, what: signal.Signals) -> Look:
        """Make the run, send the signal at this moment after its start, and look what there is then."""
        if signal.getsignal(what) is signal.SIG_IGN:  # as a shell has it for what it starts in the background: the run too
            signal.signal(what, signal.SIG_DFL)
        run = self.start()
        with suppress(subprocess.TimeoutExpired):
            run.wait(moment_s)
        look = Look(len(self.processes()) if run.poll() is None else 0)
        began = time.monotonic()
        if look.processes:
            # What comes from a terminal comes to the whole group.
            (os.kill if what == signal.SIGKILL else os.killpg)(run.pid, what)
        run.wait(GIVEN_UP_S)
        ended = time.monotonic()
        while (left := self.processes()) and time.monotonic() - ended < GIVEN_UP_S:
            time.sleep(POLLED_EVERY_S)
        look.ended_s, look.gone_s, look.made = ended - began, time.monotonic() - ended, self.made()
        for pid, command in left.items():
            look.breaches.append(f"process {pid} is left: {command}")
            os.kill(pid, signal.SIGKILL)
        look.breaches += self.what_is_wrong()
        if look.processes and what != signal.SIGKILL:
            look.breaches += self.wrong_end(run.returncode, what)
        return look

    def what_is_wrong(self) -> Iterator[str]:
        """Whatever is wrong with what can be read of the run."""
        made = self.made()
        if not (self.path / "run.json").exists():
            if made:
                yield f"{made} trials were made, and there is no run"
            return
        try:
            run = results.load(self.path)
        except ResultsError as error:
            yield f"{made} trials were made, and none can be read: {error}"
            return
        if len(run.trials) - made not in (0, 1):  # one is kept before it is said
            yield f"{made} trials were made, and {len(run.trials)} are kept"
        if (kept := trials_of(run)) != list(SCENARIO.schedule[: len(kept)]):
            yield f"{kept} are kept, and not the first of {SCENARIO.schedule}"
        yield from wrong_counts(run)

    def wrong_end(self, code: int, what: signal.Signals) -> Iterator[str]:
        """Whatever is wrong with how a run has ended that was told to."""
        told, page = self.told(), self.path / "report.html"
        # In its first 30 ms it is not listening yet, and Python itself says what it wants; in its last it has done all.
        unborn = code in (1, -what) and "pushbench: " not in told and not self.path.exists()
        done = code in (0, 1) and self.made() == len(SCENARIO.schedule) and page.exists()
        if code != 128 + what and not unborn and not done:
            yield f"it exited with {code}, and told: {told}"
        if self.made() and not page.exists():
            yield "there is no page of what was finished"

    def wrong_rest(self) -> Iterator[str]:
        """Go on with the run; whatever is wrong then."""
        before = results.load(self.path) if (self.path / "run.json").exists() else None
        kept = len(before.trials) if before else 0
        code = self.start(*(["--resume"] if before else [])).wait(GIVEN_UP_S)
        if code not in (0, 1):
            yield f"it cannot be gone on with: {self.told()}"
            return
        after = results.load(self.path)
        if self.made() != len(SCENARIO.schedule) - kept:
            yield f"of {len(SCENARIO.schedule)} trials {kept} were kept, and {self.made()} were made to complete them"
        if trials_of(after) != list(SCENARIO.schedule):
            yield f"after all {trials_of(after)} are kept, and not {SCENARIO.schedule}"
        for name, frame in before.frames.items() if before else ():
            if not frame.equals(after.frames[name].iloc[: len(frame)]):
                yield f"what was kept in {name} has changed"
        if not after.manifest["finished_at"] or not (self.path / "report.html").exists():
            yield "it is not finished"
        if partial := [path.name for path in self.path.rglob(".*.partial")]:
            yield f"{partial} are left"
        yield from wrong_counts(after)


def trials_of(run: Run) -> list[tuple[int, int]]:
    """The cell and trial of each row of `trials`."""
    return list(zip(run.trials["cell"], run.trials["trial"], strict=True))


def wrong_counts(run: Run) -> Iterator[str]:
    """Whatever is wrong with a run's numbers of rows and deliveries."""
    kept = set(trials_of(run))
    for name, frame in run.frames.items():
        if others := set(zip(frame["cell"], frame["trial"], strict=True)) - kept:
            yield f"{name} has rows of {others}, which are not kept"
    for row in run.trials.to_dict("records"):
        name = f"trial {row['trial']} of cell {row['cell']}"
        if row["verdict"] == "failed":
            yield f"{name} is kept as failed: {row['reason']}"
            continue
        schedule = Schedule(row["rate_hz"], SCENARIO.phases.warmup_s, SCENARIO.phases.measure_s)
        latency, timeline, memory = (
            frame[(frame["cell"] == row["cell"]) & (frame["trial"] == row["trial"])]
            for frame in (run.latency, run.timeline, run.memory)
        )
        everything = row["subscribers"] * schedule.count
        measured = row["subscribers"] * (schedule.count - schedule.warmup_count)
        for what, found, right in (
            ("expected deliveries", row["expected"], everything),
            ("deliveries", row["delivered"], everything),
            ("deliveries in the time line", timeline["deliveries"].sum(), everything),
            ("latencies from due", latency.loc[latency["clock"] == "due", "count"].sum(), measured),
            ("latencies from sent", latency.loc[latency["clock"] == "sent", "count"].sum(), measured),
            ("readings of memory", len(memory), 1),
        ):
            if found != right:
                yield f"{name} has {found} {what}, and not {right}"


def main() -> None:
    """Kill as often as is asked for, and print what came of it."""
    parser = argparse.ArgumentParser(
        description="Kills runs at random moments, and looks whether anything was lost or left."
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signal", choices=["KILL", "INT", "TERM", "HUP"], default="KILL")
    asked = parser.parse_args()
    what = signal.Signals[f"SIG{asked.signal}"]
    chance = random.Random(asked.seed)
    below = Path(tempfile.mkdtemp(prefix="pushbench-killing-"))
    length_s = Attempt(below / "whole").whole_s()
    moments_s = [(slot + chance.random()) / asked.times * length_s for slot in range(asked.times)]
    chance.shuffle(moments_s)
    looks, resumed = [], 0
    for number, moment_s in enumerate(moments_s):
        attempt = Attempt(below / str(number))
        look = attempt.look(moment_s, what)
        if look.gone_s > GONE_WITHIN_S:
            look.breaches.append(f"its processes took {look.gone_s:.2f} s to go")
        if what != signal.SIGKILL and look.ended_s > ENDED_WITHIN_S:
            look.breaches.append(f"it took {look.ended_s:.2f} s to end")
        if number % RESUMED_EVERY == 0:
            look.breaches += attempt.wrong_rest()
            resumed += 1
        for breach in look.breaches:
            print(f"{attempt.directory}: {what.name} after {moment_s:.3f} s: {breach}", flush=True)
        if not look.breaches:
            shutil.rmtree(attempt.directory)
        looks.append(look)
    breached = sum(bool(look.breaches) for look in looks)
    at_work = [look for look in looks if look.processes]
    print(
        f"{what.name} to {len(at_work)} of {asked.times} runs of {length_s:.1f} s (the others were over), each with up to "
        f"{max(look.processes for look in looks)} processes: the run had ended within "
        f"{max(look.ended_s for look in looks):.2f} s, its processes {max(look.gone_s for look in looks):.2f} s later; "
        f"{sum(look.made for look in looks)} trials were made, {resumed} runs gone on with; {breached} had a breach"
    )
    if not breached:
        shutil.rmtree(below)
    raise SystemExit(1 if breached else 0)


if __name__ == "__main__":
    main()
