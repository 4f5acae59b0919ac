// The worker: everything that is timed. The lanes and the control WebSocket live here, so that what the page draws delays nothing
// of what they receive, and a tab in the background, where a page's timers are held back, stays right.
//
// It tells the page, in batches, what was received when: lane, seq, due and received, in ms of the console's clock.

import { clock } from "./clock.js";
import { laneOf } from "./lane.js";
import { dueMsOf, seqOf } from "./message.js";
import { TRANSPORTS } from "./transports.js";

const BATCH_MS = 30;
const BATCH_MOST = 4096; // numbers
const PINGS_FIRST = 16;
const PING_EVERY_MS = 2000;
const AGAIN_MS = 1000;

const times = clock();
const lanes = new Map();
const waiting = new Map(); // who wants to know where the feed is, by number
let control = null;
let facts = null;
let pollIntervalMs = 1000;
let asked = 0;
let batch = [];
let batchTimer = 0;

const tell = (note) => postMessage(note);
const send = (note) => {
  if (control?.readyState === WebSocket.OPEN) control.send(JSON.stringify(note));
};

function flush() {
  clearTimeout(batchTimer);
  batchTimer = 0;
  if (!batch.length) return;
  const points = Float64Array.from(batch);
  batch = [];
  postMessage({ points }, [points.buffer]);
}

function note(lane, texts, receivedMs) {
  const offsetMs = times.best?.offsetMs ?? NaN;
  for (const text of texts) batch.push(lane, seqOf(text), dueMsOf(text), receivedMs + offsetMs);
  if (batch.length >= BATCH_MOST) flush();
  else batchTimer ||= setTimeout(flush, BATCH_MS);
}

const where = () =>
  new Promise((resolve) => {
    asked += 1;
    waiting.set(asked, resolve);
    send({ where: asked });
  });

const canDo = (name) => name !== "webtransport" || typeof WebTransport === "function";

function makeLanes() {
  facts.lanes.forEach(({ name, base, why }, nth) => {
    if (!base || !canDo(name)) {
      tell({ lane: name, is: "missing", why: why || "this browser has no WebTransport" });
      return;
    }
    const lane = laneOf((options) => TRANSPORTS[name](base, options), {
      where,
      pollIntervalMs,
      phase: Math.random(),
      certificateHash: facts.certificateHash,
      tell: (is, why) => tell({ lane: name, is, why }),
      onMessages: (texts, receivedMs) => note(nth, texts, receivedMs),
    });
    lanes.set(name, lane);
    lane.start();
  });
}

function ping() {
  send({ ping: performance.now() });
}

function heard(text, heardMs) {
  const { facts: told, state, pong, at_ms: thereMs, here, last_id: lastId, refused } = JSON.parse(text);
  if (told) {
    if (facts && JSON.stringify(facts) !== JSON.stringify(told)) {
      tell({ another: true }); // it was started anew, and all its ports are others
      return;
    }
    facts = told;
    for (const number of waiting.keys()) send({ where: number });
    tell({ facts });
  }
  if (state) {
    const interval = state.settings.poll_interval_ms;
    if (interval !== pollIntervalMs) {
      pollIntervalMs = interval;
      lanes.get("polling")?.change({ pollIntervalMs });
    }
    const countsOf = ({ requests, opened, answers }) => ({ requests, opened, answers });
    const counts = Object.fromEntries([...lanes].map(([name, lane]) => [name, countsOf(lane)]));
    tell({ state, counts });
  }
  if (pong !== undefined) {
    times.hear(pong, heardMs, thereMs);
    tell({ clock: { ...times.best, timeOrigin: performance.timeOrigin } });
  }
  if (here !== undefined) {
    waiting.get(here)?.(lastId);
    waiting.delete(here);
  }
  if (refused) tell({ refused });
}

function connect() {
  control = new WebSocket(`${location.origin.replace(/^http/, "ws")}/control`);
  control.onopen = async () => {
    tell({ console: true });
    for (let nth = 0; nth < PINGS_FIRST; nth += 1) {
      ping();
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    if (facts && !lanes.size) makeLanes();
  };
  control.onmessage = (event) => heard(event.data, performance.now());
  control.onclose = () => {
    tell({ console: false });
    setTimeout(connect, AGAIN_MS);
  };
}

onmessage = ({ data }) => {
  if (data.set) send({ set: data.set });
  if (data.do) send({ do: data.do });
  if (data.lane) {
    const lane = lanes.get(data.lane);
    if (data.on) lane?.start();
    else lane?.stop();
  }
};

setInterval(ping, PING_EVERY_MS);
connect();
