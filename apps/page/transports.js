// The browser's side of the five transports: one way to subscribe, whichever it is, that reconnects and resumes by itself.
//
// subscribe(base, transport, options) follows the feed at `base` (as "/rooms/lobby") and returns
// { close(), cursor, send(text) }. `cursor` is the position up to which messages were handed over: as `after` it
// resumes, on this transport or on another. `send` says something on a duplex WebSocket; false: nothing was said, so post it.
//
// options: after           the position to start behind; null: what is published from now on
//          pollIntervalMs  between two polls (polling)
//          onMessage(text, cursor)
//          onState(state, why)  "connecting", "open", "waiting" (to connect again), "gone" or "closed"
//          onGone(why)     the position is no longer kept, or of another life of the server: it is over, begin anew

const WAIT_MS = [200, 500, 1000, 2000, 5000]; // before connecting again, the more often it has failed

export const TRANSPORTS = {
  polling: "polling",
  longpoll: "long polling",
  stream: "HTTP streaming",
  sse: "SSE (EventSource)",
  websocket: "WebSocket",
};

class Gone extends Error {}

export function subscribe(base, transport, options) {
  return new Subscription(base, CONNECT[transport], options);
}

// The address, with the token that the page was asked for with, if there is one.
export function address(path, parameters = {}) {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const token = new URLSearchParams(location.search).get("access_token");
  if (token) url.searchParams.set("access_token", token);
  return url;
}

class Subscription {
  constructor(base, connect, { after = null, pollIntervalMs = 1000, onMessage, onState = () => {}, onGone = () => {} }) {
    Object.assign(this, { base, cursor: after, pollIntervalMs, onMessage, onState, onGone });
    this.failures = 0;
    this.aborting = new AbortController(); // everything that is under way ends with it
    this.hangUp = () => {}; // closes what that does not end
    this.socket = null; // the WebSocket, while there is one
    this.run(connect);
  }

  get closed() {
    return this.aborting.signal.aborted;
  }

  close() {
    if (this.closed) return;
    this.aborting.abort();
    this.hangUp();
    this.onState("closed");
  }

  send(text) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(text);
    return true;
  }

  async run(connect) {
    while (!this.closed) {
      try {
        this.onState("connecting");
        await connect(this);
      } catch (error) {
        if (this.closed) return;
        if (error instanceof Gone) {
          this.close();
          this.onState("gone", error.message);
          this.onGone(error.message);
          return;
        }
        this.onState("waiting", error.message);
        await pause(WAIT_MS[Math.min(this.failures++, WAIT_MS.length - 1)], this.aborting.signal);
      }
    }
  }

  opened() {
    this.failures = 0;
    if (!this.closed) this.onState("open");
  }

  handOver(text, cursor) {
    if (this.closed) return;
    this.cursor = cursor;
    this.onMessage(text, cursor);
  }

  // Fetch a path of the feed. What is refused raises, and what can never be had again as `Gone`.
  async ask(path, parameters, headers = {}) {
    const signal = this.aborting.signal;
    const answer = await fetch(address(this.base + path, parameters), { headers, signal, cache: "no-store" });
    if (answer.status === 410) throw new Gone((await answer.text()).trim());
    if (!answer.ok && answer.status !== 304) {
      throw new Error((await answer.text()).trim() || `the server answered ${answer.status}`);
    }
    return answer;
  }

  // One poll by a validator, held or not.
  async poll(path) {
    const headers = this.cursor === null ? {} : { "If-None-Match": `"${this.cursor}"` };
    const answer = await this.ask(path, {}, headers);
    const last = positionOf(answer);
    const lines = answer.status === 200 ? (await answer.text()).split("\n").slice(0, -1) : [];
    lines.forEach((line, i) => this.handOver(line, last - lines.length + 1 + i));
    if (!this.closed) this.cursor = last;
  }

  // A position to resume from, for what cannot tell its own before the first message has come.
  async locate() {
    if (this.cursor === null) this.cursor = positionOf(await this.ask("/polling"));
  }

  // Why a connection has failed that says nothing: EventSource and WebSocket hide the answer. Raises in any case.
  async explain() {
    await this.ask("/polling", {}, { "If-None-Match": `"${this.cursor}"` });
    throw new Error("the connection was lost");
  }
}

const CONNECT = {
  async polling(subscription) {
    for (;;) {
      await subscription.poll("/polling");
      subscription.opened();
      await pause(subscription.pollIntervalMs, subscription.aborting.signal);
    }
  },

  async longpoll(subscription) {
    await subscription.poll("/polling"); // which is answered at once, and so tells that there is a server
    subscription.opened();
    for (;;) await subscription.poll("/longpoll");
  },

  async stream(subscription) {
    const { cursor } = subscription;
    const answer = await subscription.ask("/stream", cursor === null ? {} : { after: cursor });
    subscription.cursor = positionOf(answer);
    subscription.opened();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the server ended the stream");
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("\0")) throw new Gone(line.slice(1));
        if (line) subscription.handOver(line, subscription.cursor + 1); // an empty one is a heartbeat
      }
    }
  },

  async sse(subscription) {
    await subscription.locate();
    await new Promise((resolve, reject) => {
      // The browser reconnects by itself, with the newest id, unless it was refused.
      const source = new EventSource(address(subscription.base + "/sse", { after: subscription.cursor }));
      const end = (error) => (source.close(), reject(error));
      subscription.hangUp = () => end(new Error("closed"));
      source.onopen = () => subscription.opened();
      source.onmessage = (event) => subscription.handOver(event.data, Number(event.lastEventId));
      source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) subscription.explain().catch(end);
        else if (!subscription.closed) subscription.onState("waiting", "the connection was lost");
      };
      for (const name of ["cursor_too_old", "cursor_unknown"]) {
        source.addEventListener(name, (event) => end(new Gone(`${name}: ${event.data}`)));
      }
    });
  },

  async websocket(subscription) {
    await subscription.locate();
    const url = address(subscription.base + "/websocket", { after: subscription.cursor });
    url.protocol = url.protocol.replace("http", "ws");
    await new Promise((resolve, reject) => {
      const socket = (subscription.socket = new WebSocket(url));
      subscription.hangUp = () => socket.close();
      socket.onopen = () => subscription.opened();
      socket.onmessage = (event) => subscription.handOver(event.data, subscription.cursor + 1);
      socket.onclose = (event) => {
        if (event.code === 4410) reject(new Gone(event.reason));
        else if (event.code === 1006) subscription.explain().catch(reject); // refused, or lost without a word
        else reject(new Error(event.reason || `the server closed with ${event.code}`));
      };
    });
  },
};

function positionOf(answer) {
  return Number(answer.headers.get("etag").replaceAll(/[W/"]/g, ""));
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
