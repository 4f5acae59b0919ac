// What is said of a lane and of all of them, from their own current figures. Pure.

export const NAMES = {
  polling: "polling",
  longpoll: "long polling",
  stream: "HTTP streaming",
  sse: "SSE",
  websocket: "WebSocket",
  webtransport: "WebTransport",
};

const capital = (text) => text[0].toUpperCase() + text.slice(1);
export const titled = (name) => capital(NAMES[name]);

/** Milliseconds with two digits, three from 100 on: 0.62, 4.1, 27, 512, 1,240. */
export function ms(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1) return value.toFixed(2);
  if (size < 10) return value.toFixed(1);
  return whole(value);
}

export const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en-GB") : "–");

/** Bytes: in full up to 10,000, then in kB or MB (of 1,000). */
export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < 10_000) return whole(value);
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)} kB`;
  return `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)} MB`;
}

/** A time in the unit that suits it: 0.62 ms, 1 s, 2.5 s. */
export function time(valueMs) {
  if (!Number.isFinite(valueMs)) return "–";
  return valueMs < 1000 ? `${ms(valueMs)} ms` : `${Number((valueMs / 1000).toPrecision(2))} s`;
}

const plural = (count, noun) => `${whole(count)} ${noun}${Math.round(count) === 1 ? "" : "s"}`;

/**
 * One sentence or two on what a lane shows. `seen` has `is`, `why`, `latency` (mean, p50, …), `downPer`, `upPer`, `opened`
 * (questions that were answered), `answers` (those that had something) and `messages` in the window, `behind` (published, and not here yet); `state` is the console's.
 */
export function sentence(name, seen, state) {
  const { settings } = state;
  if (seen.is === "missing") return `Not here: ${seen.why}.`;
  if (seen.is === "off") return "Switched off; when it is switched on it begins with what is new.";
  if (state.server !== "up") return "The server is stopped: the feed waits for it, and each lane tries to come back.";
  if (state.cut && seen.is !== "connected" && seen.is !== "resumed") {
    return `The line is cut, and it tries to come back: ${plural(seen.behind, "message")} wait${seen.behind === 1 ? "s" : ""} for it in the server's log.`;
  }
  if (state.cut) {
    return seen.behind > 1
      ? `The line is cut, and nothing tells it so: it hears nothing, and ${plural(seen.behind, "message")} wait for it.`
      : "The line is cut.";
  }
  if (seen.is === "waiting") return `It was cut off (${seen.why}), and comes back by itself.`;
  if (seen.is === "connecting" && !seen.messages) return "It has asked, and waits for a first answer.";
  if (!seen.messages) return "Connected, and nothing was published yet.";
  return SENTENCES[name](seen, settings);
}

const around = (seen, settings) => Math.max(0, seen.downPer - settings.payload_bytes);
const upOf = (seen) => (seen.upPer < 1 ? "none up" : `${whole(seen.upPer)} up`);

const SENTENCES = {
  polling(seen, settings) {
    const asks = `Asks every ${time(settings.poll_interval_ms)}: on average a message waits ${time(seen.latency.mean)}`;
    const empty = Math.max(0, seen.opened - seen.answers);
    if (!(seen.opened > 1)) return `${asks}.`;
    if (empty / seen.opened > 0.05) {
      return `${asks}, and ${whole(empty)} of the last ${whole(seen.opened)} questions were answered with nothing.`;
    }
    return `${asks}, and each answer brings ${whole(seen.messages / Math.max(1, seen.answers))} at once, which share its headers.`;
  },
  longpoll(seen, settings) {
    const per = seen.messages / Math.max(1, seen.answers);
    const answers = per > 1.15 ? `${per.toFixed(1)} messages an answer` : "one message an answer";
    const cost = `Answered at once, but each answer needs a new question: ${whole(seen.upPer)} bytes up a message`;
    if (settings.round_trip_ms < 10) return `${cost}, ${answers}.`;
    return `${cost}; what is published while that is on its way waits for it, up to ${time(1.5 * settings.round_trip_ms)}.`;
  },
  stream: (seen, settings) =>
    `One answer that never ends: ${whole(around(seen, settings))} bytes around each message of ${whole(settings.payload_bytes)}, ${upOf(seen)}.`,
  sse: (seen, settings) =>
    `A stream with names: ${whole(around(seen, settings))} bytes around each message, for its id. The browser itself comes back and resumes.`,
  websocket: (seen, settings) =>
    `One frame a message: ${whole(around(seen, settings))} bytes around ${whole(settings.payload_bytes)}, ${upOf(seen)}; and it could talk back.`,
  webtransport: (seen, settings) =>
    `QUIC over UDP, always encrypted: ${whole(around(seen, settings))} bytes around each message, ${whole(seen.upPer)} up to acknowledge it.`,
};

/** What all of it comes to, in one sentence. `lanes` has what `sentence` is given, by name. */
export function headline(lanes, state, justMended = false) {
  if (state.server === "stopped") return "The server is stopped. The feed waits; when it starts again, every lane goes on where it was.";
  if (state.server !== "up") return `The server is ${state.server}.`;
  if (state.feed?.left_out.length) return state.feed.left_out[0];
  if (state.cut) {
    const most = Math.max(0, ...Object.values(lanes).map((lane) => lane.behind || 0));
    return `The line is cut: up to ${plural(most, "message")} wait in the server's log. Mend it, and see who has them first.`;
  }
  if (justMended) return caughtUp(lanes);
  const has = (name) => lanes[name] && lanes[name].latency.count > 0 && Number.isFinite(lanes[name].downPer);
  const best = ["websocket", "webtransport", "stream", "sse", "longpoll"].find(has);
  const worst = ["polling", "longpoll"].find((name) => has(name) && name !== best);
  if (!best && !worst) return "Waiting for the first messages.";
  const says = (name) => {
    const { latency, downPer, upPer } = lanes[name];
    // The mean, as the lanes' sentences have it: of a feed that keeps step with the polls the median is one of a few waits.
    return { in: time(latency.mean), with: bytes(downPer + upPer), ms: latency.mean, bytes: downPer + upPer };
  };
  if (!best || !worst) {
    const one = says(best ?? worst);
    return `${titled(best ?? worst)} delivers in ${one.in} on average, with ${one.with} bytes a message.`;
  }
  const [a, b] = [says(best), says(worst)];
  const unit = (text) => (/[a-z]/i.test(text) ? text : `${text} bytes`);
  const told = `${titled(best)} delivers in ${a.in} on average, with ${unit(a.with)} a message; ${NAMES[worst]} in ${b.in} with ${unit(b.with)}`;
  if (b.bytes < 1.25 * a.bytes && b.ms > 5 * a.ms) return `${told}: it costs hardly more here, and only waits.`;
  if (b.ms < 3 * a.ms && b.bytes > 1.5 * a.bytes) return `${told}: as fast, but dearer.`;
  return `${told}.`;
}

/** Who had what was missed first, once the line was mended. */
function caughtUp(lanes) {
  const all = Object.entries(lanes).filter(([, lane]) => lane.caughtUpMs !== undefined);
  const done = all.filter(([, lane]) => lane.caughtUpMs !== null).sort(([, one], [, other]) => one.caughtUpMs - other.caughtUpMs);
  if (!done.length) return "The line is mended: who has first what was missed?";
  const told = ([name, lane]) => `${NAMES[name]} after ${time(lane.caughtUpMs)}`;
  if (done.length < all.length || done.length < 2) return `The line is mended. What was missed came first to ${told(done[0])}; ${done.length} of ${all.length} lanes have it.`;
  return `The line is mended, and every lane has what it missed: first ${told(done[0])}, last ${told(done.at(-1))}.`;
}
