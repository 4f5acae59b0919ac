// What a lane has missed, and what came twice: exact, by the numbers of messages, with a bounded memory.
//
// A bit for each of the last `WINDOW` numbers says whether it came. What is older than that and comes all the same cannot be
// judged, and is counted apart.

export const WINDOW = 65536;

export function ledger() {
  const came = new Uint8Array(WINDOW);
  let first = -1;
  let highest = -1;
  let distinct = 0;
  let repeated = 0;
  let unjudged = 0;
  return {
    take(seq) {
      if (first < 0) {
        first = seq;
        highest = seq - 1;
      }
      if (seq > highest) {
        if (seq - highest >= WINDOW) came.fill(0);
        else for (let between = highest + 1; between <= seq; between += 1) came[between % WINDOW] = 0;
        highest = seq;
      } else if (seq <= highest - WINDOW || seq < first) {
        unjudged += 1;
        return;
      } else if (came[seq % WINDOW]) {
        repeated += 1;
        return;
      }
      came[seq % WINDOW] = 1;
      distinct += 1;
    },
    /** How many of those between the first and the last that came did not. What is still on its way is not among them. */
    get missed() {
      return first < 0 ? 0 : highest - first + 1 - distinct;
    },
    get repeated() {
      return repeated;
    },
    get unjudged() {
      return unjudged;
    },
    get received() {
      return distinct + repeated + unjudged;
    },
    get highest() {
      return highest;
    },
    get first() {
      return first;
    },
  };
}
