// The page: makes a lane for each transport, shows what the worker tells of it, and passes on what is asked for.
//
// It draws at most 30 times a second and writes figures twice a second; nothing is kept for a message but numbers in rings.

import { ledger } from "./ledger.js";
import { PRESETS } from "./presets.js";
import { drawRace, mark, messages } from "./race.js";
import { WINDOW_MS, growth, series, summary } from "./recent.js";
import { sliders } from "./sliders.js";
import { drawStrip } from "./strip.js";
import { initTheme, looks } from "./theme.js";
import { bytes, headline, ms, sentence, time, titled, whole } from "./words.js";

const DRAW_MS = 33;
const CALM_MS = 500; // of who wants no motion, and for figures
const STRIP_MS = 200;
const GUIDES = {
  stopped: "Stopped: every connection has ended, the lanes try to come back, and the feed waits, so nothing is due meanwhile.",
  up: "Started again, with the log that it had: the lanes resume where they were as soon as they try again.",
};
const CONNECTED_MS = 1500; // by then all are; what that took is in the totals, and not among the bytes of a message
const ON_THE_WAY_MS = 5; // from the line's counter to the page, beyond what the line itself delays
const SETTLED_MS = 100; // after so long all is here that was received by then
const MENDED_MS = 10_000; // so long it is told who had what was missed
const LATENCIES = 8192; // more than 200 a second in 30 s
const SNAPSHOTS = 160; // more than four a second in 30 s

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const worker = new Worker("/page/worker.js", { type: "module" });

const lanes = new Map();
let order = [];
let all = null;
let state = null;
let clock = null;
let paused = false;
let changedMs = -Infinity; // when a setting was changed last
let controls = null;
let justMended = false;

const nowMs = () =>
  clock ? performance.now() + performance.timeOrigin - clock.timeOrigin + clock.offsetMs : NaN;

function makeLane({ name, says, base, why }, nth) {
  const article = $("lane").content.firstElementChild.cloneNode(true);
  const find = (selector) => article.querySelector(selector);
  article.id = `lane-${name}`;
  article.dataset.lane = name;
  article.style.setProperty("--lane", `var(--${name})`);
  find(".name").textContent = titled(name);
  find("h2").title = says;
  find(".race").setAttribute("aria-label", `${titled(name)}: when each message was due, and when it came`);
  find(".strip").setAttribute("aria-label", `${titled(name)}: latency over the last 30 seconds`);
  const wire = find(".wire");
  wire.href = `/wire/${name}`;
  wire.setAttribute("aria-label", `What passes the wire of ${titled(name)}`);
  wire.hidden = !base;
  const button = find(".switch");
  button.setAttribute("aria-label", titled(name));
  button.onclick = () => turn(name, !lanes.get(name).on);
  $("lanes").append(article);
  const lane = {
    nth,
    name,
    why,
    article,
    button,
    race: find(".race"),
    strip: find(".strip"),
    mark: find(".mark"),
    is: find(".is"),
    sentence: find(".sentence"),
    figures: Object.fromEntries([...article.querySelectorAll("[data-figure]")].map((one) => [one.dataset.figure, one])),
    on: true,
    state: "connecting",
    reason: "",
    ledger: ledger(),
    latencies: series(LATENCIES),
    counters: growth(SNAPSHOTS),
    counted: [], // counts of its line that are to be put beside what comes from it
    last: null, // the counters of the last snapshot
    base: null, // those at the reset
    sinceMs: Infinity,
    caughtUpMs: undefined, // how long after the line was mended it had all; null as long as it has not
  };
  lanes.set(name, lane);
  order.push(lane);
  return lane;
}

function turn(name, on) {
  const lane = lanes.get(name);
  if (lane.state === "missing") return;
  lane.on = on;
  lane.button.setAttribute("aria-checked", String(on));
  lane.article.classList.toggle("off", !on);
  if (on) {
    lane.ledger = ledger();
    lane.sinceMs = nowMs();
  } else {
    lane.sinceMs = Infinity;
    lane.latencies.clear();
    lane.counters.clear();
  }
  worker.postMessage({ lane: name, on });
  write();
}

/** What a lane shows now, in figures. */
function seen(lane) {
  const from = Math.max(nowMs() - WINDOW_MS, changedMs);
  const grown = lane.counters.since(from);
  const per = (count) => (grown && grown.received > 0 ? count / grown.received : NaN);
  const published = state?.feed?.count ?? 0;
  return {
    is: lane.state,
    why: lane.reason,
    latency: summary(lane.latencies, from),
    downPer: per(grown?.down),
    upPer: per(grown?.up),
    opened: grown?.opened ?? 0,
    caughtUpMs: lane.caughtUpMs,
    answers: grown?.answers ?? 0,
    messages: grown?.received ?? 0,
    behind: lane.on && lane.ledger.first >= 0 ? Math.max(0, published - 1 - lane.ledger.highest) : 0,
  };
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const STATES = {
  connecting: "connecting",
  connected: "connected",
  resumed: "resumed",
  waiting: "coming back",
  off: "off",
  missing: "not here",
};

/** Write every figure and sentence. */
function write() {
  if (!state || paused) return;
  const shown = {};
  for (const lane of order) {
    const one = (shown[lane.name] = seen(lane));
    const isCut = state.cut && lane.on && one.is !== "missing" && (one.is !== "connected" || one.behind > 1);
    setText(lane.is, isCut ? "cut" : STATES[one.is]);
    lane.article.dataset.is = isCut ? "cut" : one.is;
    lane.article.dataset.highest = lane.ledger.highest;
    setText(lane.figures.p50, time(one.latency.p50));
    setText(lane.figures.p99, time(one.latency.p99));
    lane.figures.p99.title = `of ${whole(one.latency.count)} messages${one.latency.count < 100 ? ": of so few it is the worst" : ""}`;
    setText(lane.figures.down, bytes(one.downPer));
    setText(lane.figures.up, bytes(one.upPer));
    const [last, base] = [lane.last, lane.base];
    setText(lane.figures.requests, last ? whole(last.requests - (base?.requests ?? 0)) : "–");
    setText(lane.figures.total, last ? bytes(last.down + last.up - (base ? base.down + base.up : 0)) : "–");
    setText(lane.figures.missed, whole(lane.ledger.missed));
    setText(lane.figures.repeated, whole(lane.ledger.repeated));
    lane.article.classList.toggle("lossy", lane.ledger.missed + lane.ledger.repeated > 0);
    setText(lane.sentence, sentence(lane.name, one, state));
  }
  setText($("headline"), headline(Object.fromEntries(order.filter((lane) => lane.on && lane.state !== "missing").map((lane) => [lane.name, shown[lane.name]])), state, justMended));
  setText($("published"), whole(state.feed?.count ?? 0));
  const late = state.feed?.late_ms ?? 0;
  const troubles = [
    state.pages > 1 && `${state.pages} pages are looking: bytes are those of all of them.`,
    late > 100 && `The feed is ${ms(late)} ms late: this machine does not manage that.`,
    state.why && `The server has ended by itself: ${state.why}`,
  ].filter(Boolean);
  setText($("alert"), troubles.join(" "));
  $("alert").hidden = !troubles.length;
}

function say(text) {
  setText($("said"), text);
}

/** Figures are of what comes from now on. */
function startAnew() {
  changedMs = nowMs();
  for (const lane of order) lane.counters.clear();
}

/**
 * Put beside what had come to a lane's line what of it has come here. A message that was counted there comes half a round trip
 * later, so that is waited for: bytes a message are of the same messages.
 */
function settle(lane) {
  while (lane.counted.length && lane.counted[0].atMs + lane.counted[0].transitMs + SETTLED_MS < nowMs()) {
    const { atMs, transitMs, counters } = lane.counted.shift();
    let later = 0;
    lane.latencies.since(atMs + transitMs + ON_THE_WAY_MS, () => (later += 1));
    if (atMs >= changedMs) lane.counters.add(atMs, { ...counters, received: lane.ledger.received - later });
  }
}

function showState(told, counts) {
  const before = state;
  state = told;
  if (before && JSON.stringify(before.settings) !== JSON.stringify(told.settings)) {
    startAnew();
  }
  if (told.mended && told.mended.at_ms !== before?.mended?.at_ms && before) {
    for (const lane of order) lane.caughtUpMs = lane.ledger.highest >= told.mended.count - 1 ? 0 : null;
    justMended = true;
    setText($("guide"), "Mended: the bars that end together are what had to wait. The lanes that the page brings back try again ever more seldom.");
  }
  if (justMended && (told.cut || nowMs() - told.mended.at_ms > MENDED_MS)) {
    justMended = false;
    startAnew(); // the figures are of ordinary times again
  }
  controls ??= sliders($("sliders"), (to) => worker.postMessage({ set: to }));
  controls.show(told);
  setText($("cut"), told.cut ? "Mend the line" : "Cut the line");
  $("cut").classList.toggle("alarming", told.cut);
  const up = told.server === "up" || told.server === "stopping";
  setText($("server"), up ? "Stop the server" : "Start the server");
  $("server").classList.toggle("alarming", !up);
  $("server").disabled = told.server === "stopping" || told.server === "starting";
  document.body.dataset.server = told.server;
  document.body.dataset.line = told.cut ? "cut" : "whole";
  if (before?.cut !== undefined && before.cut !== told.cut) say(told.cut ? "The line is cut." : "The line is mended.");
  if (before && before.server !== told.server) {
    say(`The server is ${told.server}.`);
    if (told.server in GUIDES) setText($("guide"), GUIDES[told.server]);
  }
  for (const lane of order) {
    const passed = told.lanes?.[lane.name];
    if (!passed) continue;
    const { requests, opened, answers } = counts[lane.name] ?? { requests: 0, opened: 0, answers: 0 };
    lane.last = { requests, opened, answers, up: passed.up, down: passed.down };
    lane.base ??= lane.last;
    lane.counted.push({ atMs: told.counted_ms, transitMs: told.settings.round_trip_ms / 2, counters: lane.last });
    settle(lane);
  }
}

function take(points) {
  for (let at = 0; at < points.length; at += 4) {
    const lane = order[points[at]];
    const [seq, dueMs, receivedMs] = [points[at + 1], points[at + 2], points[at + 3]];
    if (!lane.on) continue;
    lane.ledger.take(seq);
    lane.latencies.add(receivedMs, receivedMs - dueMs);
    if (lane.caughtUpMs === null && seq >= state.mended.count - 1) lane.caughtUpMs = Math.max(0, receivedMs - state.mended.at_ms);
    all.take(lane.nth, seq, dueMs, receivedMs);
  }
}

worker.onmessage = ({ data }) => {
  if (data.another) location.reload();
  if (data.facts && !all) {
    data.facts.lanes.forEach(makeLane);
    all = messages(order.length);
    paintMarks();
    setTimeout(startAnew, CONNECTED_MS);
  }
  if (data.clock) {
    clock = data.clock;
    setText($("clock"), `± ${clock.uncertaintyMs.toFixed(2)} ms`);
  }
  if (data.lane) {
    const lane = lanes.get(data.lane);
    lane.state = data.is;
    lane.reason = data.why;
    if (data.is === "connecting" && lane.sinceMs === Infinity) lane.sinceMs = nowMs();
    if (data.is === "missing") {
      lane.article.classList.add("missing");
      lane.button.disabled = true;
    }
    document.dispatchEvent(new CustomEvent("lane", { detail: data }));
  }
  if (data.state) showState(data.state, data.counts);
  if (data.points) take(data.points);
  if (data.refused) {
    say(data.refused);
    controls?.show(state, true);
  }
  if (data.console === false) {
    setText($("headline"), "The console has ended: start it again with make demo, and this page comes back.");
    document.body.dataset.console = "gone";
  }
  if (data.console === true) delete document.body.dataset.console;
};

let drawnMs = 0;
let strippedMs = 0;
function frame(at) {
  requestAnimationFrame(frame);
  if (paused || !state || !clock || at - drawnMs < (calm.matches ? CALM_MS : DRAW_MS)) return;
  drawnMs = at;
  const now = nowMs();
  const look = looks();
  const withStrips = at - strippedMs >= (calm.matches ? CALM_MS : STRIP_MS);
  if (withStrips) strippedMs = at;
  for (const lane of order) {
    const of = { ...look, colour: look[lane.name] };
    drawRace(lane.race, all, lane.nth, lane.name, of, now, { rateHz: state.settings.rate_hz, first: lane.on ? lane.ledger.first : Infinity, sinceMs: lane.sinceMs });
    if (withStrips) drawStrip(lane.strip, lane.latencies, of, now);
  }
}

function paintMarks() {
  const look = looks();
  for (const lane of order) {
    const context = lane.mark.getContext("2d");
    context.clearRect(0, 0, 14, 14);
    context.fillStyle = look[lane.name];
    mark(context, lane.name, 7, 7, 4.6);
  }
}

$("cut").onclick = () => worker.postMessage({ do: state?.cut ? "mend" : "cut" });
$("server").onclick = () => worker.postMessage({ do: state?.server === "stopped" ? "start" : "stop" });
$("pause").onclick = () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  setText($("pause"), paused ? "Go on" : "Pause");
};
$("reset").onclick = () => {
  changedMs = nowMs();
  for (const lane of order) {
    lane.ledger = ledger();
    lane.latencies.clear();
    lane.counters.clear();
    lane.base = lane.last;
  }
  write();
  say("Counted from now on.");
};

for (const preset of PRESETS) {
  const button = document.createElement("button");
  button.type = "button";
  button.id = `preset-${preset.id}`;
  button.textContent = preset.name;
  button.onclick = () => {
    controls?.forget();
    worker.postMessage({ set: preset.set, do: preset.do ?? (state?.cut ? "mend" : undefined) });
    setText($("guide"), preset.says);
  };
  $("presets").append(button);
}
setText($("guide"), PRESETS[0].says);

initTheme($("theme"), paintMarks);
setInterval(write, CALM_MS);
requestAnimationFrame(frame);
