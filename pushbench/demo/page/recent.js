// What was lately: a bounded series of numbers, each with its moment, and what can be said of those since another moment.

export const WINDOW_MS = 30_000;

/** A ring of the last `capacity` pairs (moment, value). */
export function series(capacity) {
  const at = new Float64Array(capacity);
  const values = new Float64Array(capacity);
  let count = 0;
  return {
    add(moment, value) {
      at[count % capacity] = moment;
      values[count % capacity] = value;
      count += 1;
    },
    /** Calls `each(moment, value)` from the newest back to that moment. */
    since(moment, each) {
      for (let nth = count - 1; nth >= Math.max(0, count - capacity); nth -= 1) {
        if (at[nth % capacity] < moment) return;
        each(at[nth % capacity], values[nth % capacity]);
      }
    },
    clear() {
      count = 0;
    },
  };
}

/** Percentiles of those since a moment, by nearest rank: `{ count, mean, p50, p99, max }`; NaN of none. */
export function summary(one, moment) {
  const found = [];
  one.since(moment, (_, value) => found.push(value));
  const sorted = Float64Array.from(found).sort();
  const count = sorted.length;
  const rank = (part) => (count ? sorted[Math.max(0, Math.ceil(part * count) - 1)] : NaN);
  const mean = count ? sorted.reduce((sum, value) => sum + value, 0) / count : NaN;
  return { count, mean, p50: rank(0.5), p99: rank(0.99), max: count ? sorted[count - 1] : NaN };
}

/** Counters that only grow, as they were lately: a bounded list of snapshots, and how much they grew since a moment. */
export function growth(capacity) {
  const snapshots = [];
  return {
    add(moment, counters) {
      snapshots.push({ moment, counters });
      if (snapshots.length > capacity) snapshots.shift();
    },
    /** Between the first snapshot since that moment and the last, for each counter; null if there are no two. */
    since(moment) {
      const from = snapshots.find((one) => one.moment >= moment);
      const to = snapshots.at(-1);
      if (!from || from === to) return null;
      return Object.fromEntries(Object.keys(to.counters).map((name) => [name, to.counters[name] - from.counters[name]]));
    },
    clear() {
      snapshots.length = 0;
    },
  };
}
