// How far the console's clock (CLOCK_MONOTONIC) is ahead of this context's `performance.now()`.
//
// A ping tells it within half of its round trip; of several the shortest round trip is the best witness. Both clocks are the
// same kernel's and do not drift apart, so an old good witness is better than a new bad one; the last 64 are kept all the same,
// for a machine that was put to sleep.

const KEPT = 64;

export function clock() {
  const witnesses = [];
  return {
    /** Takes what a ping told: both in ms of this context's clock, and what the console's was meanwhile. */
    hear(sentMs, heardMs, thereMs) {
      witnesses.push({ offsetMs: thereMs - (sentMs + heardMs) / 2, uncertaintyMs: (heardMs - sentMs) / 2 });
      if (witnesses.length > KEPT) witnesses.shift();
    },
    /** The best there is: `{ offsetMs, uncertaintyMs }`, or null. */
    get best() {
      return witnesses.reduce((best, one) => (best && best.uncertaintyMs <= one.uncertaintyMs ? best : one), null);
    },
  };
}
