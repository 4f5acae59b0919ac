// A lane: a subscription that comes back. When one ends another is made after a while, from the cursor that was reached, so that
// nothing is lost and nothing comes twice. How a transport works is not known here.

const FIRST_MS = 250;
const MOST_MS = 2000;
const RESUMED_MS = 5000; // so long it is told apart from one that was never away
const GONE = /cursor_too_old|cursor_unknown|closed with 4410|answered 410/;

/**
 * `subscribe(options)` makes a subscription (see transports.js); `where()` promises the cursor to begin from; `tell(is, why)` is
 * told how it is: "connecting", "connected", "resumed", "waiting" or "off". Other options are passed on.
 */
export function laneOf(subscribe, { where, tell: say, onMessages, ...options }) {
  let subscription = null;
  let life = 0; // what an earlier one still has to say is not heard
  let cursor = null;
  let backoffMs = FIRST_MS;
  let timer = 0;
  let wasAway = false;
  let is = "";
  let resumedTimer = 0;
  const done = { requests: 0, opened: 0, answers: 0 };

  const tell = (now, why) => {
    if (now === "connected" && is === "resumed" && resumedTimer) return;
    clearTimeout(resumedTimer);
    resumedTimer = now === "resumed" ? setTimeout(settled, RESUMED_MS) : 0;
    if (now === is && !why) return;
    is = now;
    say(now, why);
  };

  function settled() {
    resumedTimer = 0;
    tell("connected", "");
  }

  const keep = () => {
    if (!subscription) return;
    cursor = subscription.cursor ?? cursor;
    done.requests += subscription.requests;
    subscription = null;
  };

  async function connect() {
    const mine = ++life;
    tell("connecting", "");
    if (cursor === null) {
      const here = await where();
      if (mine !== life) return;
      cursor = here;
    }
    const mineOnly = (call) => (...args) => mine === life && call(...args);
    subscription = subscribe({
      ...options,
      after: cursor,
      onOpen: mineOnly(() => {
        backoffMs = FIRST_MS;
        done.opened += 1;
        tell(wasAway ? "resumed" : "connected", "");
        wasAway = false;
      }),
      onMessages: mineOnly((texts, receivedMs) => {
        done.answers += 1;
        onMessages(texts, receivedMs);
      }),
      onInterrupted: mineOnly((reason) => {
        wasAway = true;
        tell("waiting", reason);
      }),
      onEnd: mineOnly((reason) => {
        keep();
        if (GONE.test(reason)) cursor = null; // it was away for longer than the server remembers
        wasAway = true;
        tell("waiting", reason);
        timer = setTimeout(connect, backoffMs * (0.75 + Math.random() / 2));
        backoffMs = Math.min(2 * backoffMs, MOST_MS);
      }),
    });
  }

  function stop() {
    life += 1;
    clearTimeout(timer);
    subscription?.close();
    keep();
  }

  return {
    start() {
      cursor = null;
      wasAway = false;
      backoffMs = FIRST_MS;
      connect();
    },
    /** Leave, and forget the place: who comes back begins with what is new. */
    stop() {
      stop();
      tell("off", "");
    },
    /** Have it be with other options from now on, from the same place. */
    change(to) {
      Object.assign(options, to);
      if (!subscription) return;
      stop();
      connect();
    },
    get requests() {
      return done.requests + (subscription?.requests ?? 0);
    },
    /** How many times it was answered at all, of polls: each answer. */
    get opened() {
      return done.opened;
    },
    /** How many times something was handed over: answers of polls, events, frames. */
    get answers() {
      return done.answers;
    },
    get cursor() {
      return subscription?.cursor ?? cursor;
    },
  };
}
