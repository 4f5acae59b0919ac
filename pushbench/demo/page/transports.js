// The transports as a browser has them: one function each, from an address and options to a subscription.
//
//   const subscription = TRANSPORTS.websocket("http://127.0.0.1:8711", { after: 7, onMessages: (texts, receivedMs) => … });
//   subscription.cursor;    // the id of the last message that was handed over; null as long as nobody has said
//   subscription.requests;  // how many requests it has made, as far as a page can know
//   subscription.close();
//
// Options: `after` (the cursor to resume from; without it one starts with the next message), `pollIntervalMs` and `phase`
// (polling alone; the first request follows after that part of an interval), `onMessages(texts, receivedMs)` (in order, as
// they were published; received is `performance.now()` taken first of all in the event), `onOpen()`, `onRequest()`,
// `onEnd(reason)` (once, if the subscription ends without `close`), `certificateHash` (webtransport alone: SHA-256, base64).
//
// Nothing here comes back by itself, but for EventSource, whose business that is: it tells `onInterrupted(reason)`, and `onOpen()`
// again, and loses nothing. `after` is in its URL, for no script may set `Last-Event-ID`; when it comes back by itself it asks with
// the same URL and the newer `Last-Event-ID`, which counts.
//
// What a page cannot see: the ETag of a WebSocket's handshake and of a WebTransport session. Without `after` their cursor is
// null for good.
//
// Conditional requests are made with `cache: "force-cache"`, and are yet never answered by a cache: one that has validators of
// its own is the page's business, and passes it. In every other mode Chromium also forgets what a CORS preflight has allowed, and
// each poll of a page of another origin is two requests: 1,036 bytes up, and not 510.

export const TRANSPORTS = { polling, longpoll, stream, sse, websocket, webtransport };

const NOTHING = () => {};

function subscriptionOf(options) {
  const { after = null, onMessages = NOTHING, onOpen = NOTHING, onRequest = NOTHING, onEnd = NOTHING } = options;
  let over = false;
  const subscription = {
    cursor: after,
    requests: 0,
    leave: NOTHING,
    get over() {
      return over;
    },
    asked() {
      subscription.requests += 1;
      onRequest();
    },
    opened() {
      if (!over) onOpen();
    },
    take(texts, receivedMs) {
      if (!over && texts.length) onMessages(texts, receivedMs);
    },
    end(reason) {
      if (over) return;
      over = true;
      subscription.leave();
      onEnd(reason);
    },
    close() {
      if (over) return;
      over = true;
      subscription.leave();
    },
  };
  return subscription;
}

const idOf = (response) => {
  const found = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("etag") ?? "");
  return found ? Number(found[1]) : null;
};

const why = (error) => (error instanceof Error ? error.message : String(error));

async function refusal(response) {
  const said = await response.text().catch(() => "");
  return `answered ${response.status}${said ? `: ${said.trim().slice(0, 200)}` : ""}`;
}

const lines = (text) => text.split("\n").filter((line) => line !== "");

/** One conditional request: hands over what is new. Returns false when the subscription has ended. */
async function ask(subscription, url, signal) {
  subscription.asked();
  const known = subscription.cursor !== null;
  try {
    const response = await fetch(url, {
      signal,
      cache: known ? "force-cache" : "no-store",
      headers: known ? { "If-None-Match": `"${subscription.cursor}"` } : {},
    });
    if (response.status !== 200 && response.status !== 204 && response.status !== 304) {
      subscription.end(await refusal(response));
      return false;
    }
    const text = response.status === 200 ? await response.text() : "";
    const receivedMs = performance.now();
    const id = idOf(response);
    if (id === null) {
      subscription.end("answered without an ETag");
      return false;
    }
    subscription.opened();
    subscription.cursor = id;
    subscription.take(lines(text), receivedMs);
  } catch (error) {
    subscription.end(why(error));
  }
  return !subscription.over;
}

function polling(base, options = {}) {
  const { pollIntervalMs = 1000, phase = 0 } = options;
  const subscription = subscriptionOf(options);
  const url = `${base}/polling`;
  const stop = new AbortController();
  let timer = 0;
  subscription.leave = () => {
    clearTimeout(timer);
    stop.abort();
  };
  let due = performance.now() + phase * pollIntervalMs;
  const next = async () => {
    if (!(await ask(subscription, url, stop.signal))) return;
    // One that was due while an answer was awaited is left out.
    due += pollIntervalMs * Math.max(1, Math.ceil((performance.now() - due) / pollIntervalMs));
    timer = setTimeout(next, due - performance.now());
  };
  timer = setTimeout(
    async () => {
      // The first answer to one without a cursor only says where to begin.
      if (subscription.cursor === null && !(await ask(subscription, url, stop.signal))) return;
      due = performance.now() + phase * pollIntervalMs;
      timer = setTimeout(next, due - performance.now());
    },
    0,
  );
  return subscription;
}

function longpoll(base, options = {}) {
  const subscription = subscriptionOf(options);
  const stop = new AbortController();
  subscription.leave = () => stop.abort();
  (async () => {
    await null; // so that whoever asked has the subscription before it is called back
    while (!subscription.over && (await ask(subscription, `${base}/longpoll`, stop.signal)));
  })();
  return subscription;
}

const query = (after) => (after === null ? "" : `?after=${after}`);

function stream(base, options = {}) {
  const subscription = subscriptionOf(options);
  const stop = new AbortController();
  subscription.leave = () => stop.abort();
  (async () => {
    await null;
    try {
      subscription.asked();
      const response = await fetch(`${base}/stream${query(subscription.cursor)}`, { signal: stop.signal });
      if (response.status !== 200) return subscription.end(await refusal(response));
      subscription.cursor = idOf(response);
      subscription.opened();
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      for (let rest = ""; ; ) {
        const { value, done } = await reader.read();
        const receivedMs = performance.now();
        if (done) return subscription.end("the server ended the stream");
        const whole = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = whole.pop();
        const lastWord = whole.find((line) => line.startsWith("\0"));
        const texts = whole.filter((line) => line !== "" && !line.startsWith("\0")); // an empty one is a heartbeat
        if (subscription.cursor !== null) subscription.cursor += texts.length;
        subscription.take(texts, receivedMs);
        if (lastWord) return subscription.end(lastWord.slice(1));
      }
    } catch (error) {
      subscription.end(why(error));
    }
  })();
  return subscription;
}

/** Why an EventSource was refused, which it does not tell: so that who has a cursor that is gone can begin anew. */
async function whyRefused(subscription, base, signal) {
  const nothing = "the server refused the EventSource";
  if (subscription.cursor === null) return nothing;
  subscription.asked();
  try {
    const response = await fetch(`${base}/polling${query(subscription.cursor)}`, { signal, cache: "no-store" });
    return response.ok ? nothing : await refusal(response);
  } catch {
    return nothing;
  }
}

function sse(base, options = {}) {
  const { onInterrupted = NOTHING } = options;
  const subscription = subscriptionOf(options);
  const source = new EventSource(`${base}/sse${query(subscription.cursor)}`);
  const stop = new AbortController();
  subscription.leave = () => {
    source.close();
    stop.abort();
  };
  queueMicrotask(() => subscription.asked());
  source.onopen = () => subscription.opened();
  source.onmessage = (event) => {
    const receivedMs = performance.now();
    subscription.cursor = Number(event.lastEventId);
    subscription.take([event.data], receivedMs);
  };
  source.addEventListener("cursor_too_old", (event) => subscription.end(`cursor_too_old: ${event.data}`));
  source.onerror = () => {
    if (subscription.over) return;
    if (source.readyState === EventSource.CLOSED) {
      whyRefused(subscription, base, stop.signal).then(subscription.end);
    } else {
      subscription.asked(); // it comes back by itself, with the id of the last event
      onInterrupted("the connection was lost");
    }
  };
  return subscription;
}

function websocket(base, options = {}) {
  const subscription = subscriptionOf(options);
  const socket = new WebSocket(`${base.replace(/^http/, "ws")}/websocket${query(subscription.cursor)}`);
  subscription.leave = () => socket.close();
  queueMicrotask(() => subscription.asked());
  socket.onopen = () => subscription.opened();
  socket.onmessage = (event) => {
    const receivedMs = performance.now();
    if (subscription.cursor !== null) subscription.cursor += 1;
    subscription.take([event.data], receivedMs);
  };
  socket.onclose = (event) => subscription.end(`closed with ${event.code}${event.reason ? `: ${event.reason}` : ""}`);
  return subscription;
}

function webtransport(base, options = {}) {
  const subscription = subscriptionOf(options);
  const hash = options.certificateHash;
  const certificates = hash ? [{ algorithm: "sha-256", value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }] : undefined;
  const session = new WebTransport(`${base}/webtransport${query(subscription.cursor)}`, {
    serverCertificateHashes: certificates,
  });
  subscription.leave = () => {
    try {
      session.close();
    } catch {
      // it was not open yet, or not any more
    }
  };
  session.closed.then(
    (info) => subscription.end(`closed with ${info.closeCode}${info.reason ? `: ${info.reason}` : ""}`),
    (error) => subscription.end(why(error)),
  );
  (async () => {
    await null;
    try {
      subscription.asked();
      await session.ready;
      subscription.opened();
      const streams = session.incomingUnidirectionalStreams.getReader();
      const { value: messages, done } = await streams.read();
      if (done) return;
      await framed(messages.getReader(), subscription);
    } catch (error) {
      subscription.end(why(error));
    }
  })();
  return subscription;
}

/** Messages on a stream of WebTransport, each behind its length: a number of QUIC's (RFC 9000 section 16). */
async function framed(reader, subscription) {
  const decoder = new TextDecoder();
  for (let rest = new Uint8Array(0); ; ) {
    const { value, done } = await reader.read();
    const receivedMs = performance.now();
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    const texts = [];
    let at = 0;
    while (at < bytes.length) {
      const size = 1 << (bytes[at] >> 6);
      if (at + size > bytes.length) break;
      let length = bytes[at] & 0x3f;
      for (let next = 1; next < size; next += 1) length = length * 256 + bytes[at + next];
      if (at + size + length > bytes.length) break;
      texts.push(decoder.decode(bytes.subarray(at + size, at + size + length)));
      at += size + length;
    }
    rest = bytes.slice(at);
    if (subscription.cursor !== null) subscription.cursor += texts.length;
    subscription.take(texts, receivedMs);
  }
}
