// Subscribers of a measurement, in a browser: as many as they are told to be, by the transports that the demo's lanes have.
//
// They note what came and when, and judge nothing. Who drives this page takes the notes now and then, tells it to connect and
// to leave, and asks what the clock says (pushbench/browser.py). What a message says is at fixed places (message.js).

import { dueMsOf, seqOf } from "./message.js";
import { TRANSPORTS } from "./transports.js";

const HEAD = 73; // of a message: all of its numbers
const BEAT_MS = 10;

const subscriptions = [];
let notes = fresh();
let ended = {};

function fresh() {
  return { who: [], seq: [], at: [], heads: {}, late: [] };
}

function note(number, texts, receivedMs) {
  for (const text of texts) {
    const seq = seqOf(text);
    if (!Number.isFinite(dueMsOf(text))) continue; // it is none of the feed's
    notes.who.push(number);
    notes.seq.push(seq);
    notes.at.push(receivedMs);
    notes.heads[seq] ??= text.slice(0, HEAD);
  }
}

function subscribe(transport, base, options, withinMs) {
  const number = subscriptions.length;
  const began = performance.now();
  return new Promise((settled) => {
    const waiting = setTimeout(() => {
      end(`it was not connected within ${withinMs / 1000} s`);
      subscription.close();
    }, withinMs);
    let open = false;
    const end = (reason) => {
      clearTimeout(waiting);
      ended[reason] = (ended[reason] ?? 0) + 1;
      settled(null);
    };
    const subscription = TRANSPORTS[transport](base, {
      ...options,
      phase: Math.random(),
      onMessages: (texts, receivedMs) => note(number, texts, receivedMs),
      onOpen: () => {
        if (open) return;
        open = true;
        clearTimeout(waiting);
        settled(performance.now() - began);
      },
      // EventSource comes back by itself; that it had to is no less an end.
      onInterrupted: (reason) => {
        ended[reason] = (ended[reason] ?? 0) + 1;
      },
      onEnd: end,
    });
    subscriptions.push(subscription);
  });
}

globalThis.harness = {
  /** Have so many subscribe in all; returns how long each new one took to connect, in ms, or null for one that did not. */
  connect: (total, transport, base, options, withinMs) =>
    Promise.all(
      Array.from({ length: total - subscriptions.length }, () => subscribe(transport, base, options, withinMs)),
    ),

  /** What was noted since the last time, and why who has ended did, of all that have. */
  take() {
    const taken = notes;
    notes = fresh();
    return { ...taken, ended };
  },

  now: () => performance.now(),

  /** Note again and again how late this page's own timer is: [when it was due, by how much], in ms. */
  beat() {
    let due = performance.now() + BEAT_MS;
    const tick = () => {
      const now = performance.now();
      notes.late.push([due, now - due]);
      due = now + BEAT_MS;
      setTimeout(tick, BEAT_MS);
    };
    setTimeout(tick, BEAT_MS);
  },

  leave() {
    for (const one of subscriptions) one.close();
  },
};
