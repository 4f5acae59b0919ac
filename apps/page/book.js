// What a client of the ticker has of one channel: a state that is right, or that it is not, and what to say then.
// The same as apps/ticker/book.py, in other words; tests run both through the same messages.

const MOST_WAITING = 10_000; // updates that are kept for a snapshot; of more the oldest are forgotten: another gap

export class Book {
  constructor(channel) {
    this.channel = channel;
    this.state = null;
    this.seq = 0; // of the last update in the state
    this.inSync = false; // from the first snapshot until a gap
    this.gaps = 0;
    this.repeats = 0;
    this.fold = channel === "bench" ? (state, data) => data : trades;
    this.waiting = new Map(); // data of updates that cannot be applied yet, by number
  }

  // Take a message in; returns what to say to the server, or null.
  take(message) {
    if (message.type === "snapshot") return this.takeSnapshot(message.seq, message.data);
    if (message.type === "update") return this.takeUpdate(message.seq, message.data);
    if (message.type === "gap" && message.channels.includes(this.channel)) return this.missed();
    return null;
  }

  takeUpdate(seq, data) {
    if (this.inSync && seq === this.seq + 1) {
      this.state = this.fold(this.state, data);
      this.seq = seq;
      return null;
    }
    if (this.inSync && seq <= this.seq) {
      this.repeats += 1;
      return null;
    }
    this.waiting.set(seq, data);
    if (this.waiting.size > MOST_WAITING) this.waiting.delete(this.waiting.keys().next().value);
    return this.inSync ? this.missed() : null;
  }

  takeSnapshot(seq, data) {
    Object.assign(this, { state: data, seq, inSync: true });
    const waiting = [...this.waiting].sort(([one], [other]) => one - other);
    this.waiting.clear();
    let asked = null;
    for (const [number, held] of waiting) {
      if (number > seq) asked = this.takeUpdate(number, held) ?? asked;
    }
    return asked;
  }

  // Ask for a snapshot, unless one is on its way: of the subscription, or asked for already.
  missed() {
    if (!this.inSync) return null;
    this.inSync = false;
    this.gaps += 1;
    return { op: "resync", channel: this.channel };
  }
}

// The state of a symbol's trades: it depends on every one.
function trades(state, { price_cents: price, amount_thousandths: amount }) {
  const before = state ?? { low_cents: price, high_cents: price, volume_thousandths: 0, trades: 0 };
  return {
    price_cents: price,
    low_cents: Math.min(before.low_cents, price),
    high_cents: Math.max(before.high_cents, price),
    volume_thousandths: before.volume_thousandths + amount,
    trades: before.trades + 1,
  };
}
