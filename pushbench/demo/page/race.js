// The race: which lane has heard of which message, and how long each waited. Drawn on a canvas a lane, all with one time axis.
//
// A message is a thin line through all lanes at the moment at which it was due. In a lane it is a bar from there to when the lane
// had it, with the lane's mark at its end; as long as it has not come the bar is hollow and grows. It has the same height in
// every lane, so that one message can be followed down the page.

export const KEPT = 4096;
const ROWS = 5;
const LINES_APART = 5; // pixels; else they would be a grey field

/** The last `KEPT` messages: when each was due, and when each lane had it. */
export function messages(lanes) {
  const seqs = new Float64Array(KEPT).fill(-1);
  const due = new Float64Array(KEPT);
  const had = Array.from({ length: lanes }, () => new Float64Array(KEPT));
  let highest = -1;
  return {
    take(lane, seq, dueMs, receivedMs) {
      const at = seq % KEPT;
      if (seqs[at] !== seq) {
        if (seqs[at] > seq) return;
        seqs[at] = seq;
        due[at] = dueMs;
        for (const one of had) one[at] = NaN;
      }
      if (Number.isNaN(had[lane][at])) had[lane][at] = receivedMs;
      if (seq > highest) highest = seq;
    },
    /** Calls `each(seq, dueMs, hadMs)` for a lane, newest first; `hadMs` is NaN for one that has not come. */
    each(lane, each) {
      for (let seq = highest; seq >= 0 && seq > highest - KEPT; seq -= 1) {
        const at = seq % KEPT;
        if (seqs[at] !== seq) continue;
        if (each(seq, due[at], had[lane][at]) === false) return;
      }
    },
  };
}

/** How much time fits onto it: fewer seconds where messages are many. */
export const spanMs = (rateHz) => (rateHz <= 5 ? 10_000 : rateHz <= 20 ? 6000 : 3000);

/** A canvas that is as sharp as the screen; gives its context and its size in CSS pixels. */
export function fitted(canvas) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const MARKS = {
  polling: (c, x, y, r) => c.rect(x - r, y - r, 2 * r, 2 * r),
  longpoll: (c, x, y, r) => polygon(c, x, y, 1.3 * r, [[0, -1], [1, 0], [0, 1], [-1, 0]]),
  stream: (c, x, y, r) => polygon(c, x, y, 1.25 * r, [[0, -1], [1, 0.8], [-1, 0.8]]),
  sse: (c, x, y, r) => polygon(c, x, y, 1.25 * r, [[0, 1], [1, -0.8], [-1, -0.8]]),
  websocket: (c, x, y, r) => {
    c.moveTo(x + 1.1 * r, y);
    c.arc(x, y, 1.1 * r, 0, 2 * Math.PI);
  },
  webtransport: (c, x, y, r) => {
    c.rect(x - 1.3 * r, y - r / 2.2, 2.6 * r, r / 1.1);
    c.rect(x - r / 2.2, y - 1.3 * r, r / 1.1, 2.6 * r);
  },
};

function polygon(context, x, y, r, points) {
  points.forEach(([dx, dy], nth) => (nth ? context.lineTo(x + r * dx, y + r * dy) : context.moveTo(x + r * dx, y + r * dy)));
  context.closePath();
}

/** The mark of a lane, filled with the current style. */
export function mark(context, name, x, y, r) {
  context.beginPath();
  MARKS[name](context, x, y, r);
  context.fill();
}

/** Draw one lane as it is at that moment of the console's clock. It takes part from message `first` on, or as
 * long as it has had none (-1) from `sinceMs` on. */
export function drawRace(canvas, all, lane, name, look, nowMs, { rateHz, first, sinceMs }) {
  const { context, width, height } = fitted(canvas);
  const span = spanMs(rateHz);
  const right = width - 12;
  const x = (moment) => right - ((nowMs - moment) / span) * right;
  const dense = rateHz > 20;
  const rows = dense ? 9 : ROWS;
  const row = (seq) => ((seq % rows) + 0.5) * (height / rows);
  const radius = dense ? 1.6 : 3.4;
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.beginPath();
  let drawnAt = Infinity;
  all.each(lane, (seq, dueMs) => {
    if (dueMs < nowMs - span) return false;
    const at = Math.round(x(dueMs)) + 0.5;
    if ((dense && seq % 10) || drawnAt - at < LINES_APART) return true;
    drawnAt = at;
    context.moveTo(at, 0);
    context.lineTo(at, height);
    return true;
  });
  context.stroke();
  context.fillStyle = look.colour;
  context.strokeStyle = look.colour;
  const marks = [];
  context.globalAlpha = 0.45;
  context.lineWidth = dense ? 1 : 2.5;
  context.beginPath();
  const hollow = [];
  all.each(lane, (seq, dueMs, hadMs) => {
    const has = hadMs <= nowMs;
    if (has && hadMs < nowMs - span) return true;
    const from = Math.max(-8, x(dueMs));
    if (!has) {
      if (first >= 0 ? seq > first : dueMs >= sinceMs) hollow.push(from, row(seq));
      return true;
    }
    const to = x(hadMs);
    if (to - from > 1) {
      context.moveTo(from, row(seq));
      context.lineTo(to, row(seq));
    }
    marks.push(to, row(seq));
    return true;
  });
  context.stroke();
  context.globalAlpha = 0.7;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  for (let nth = 0; nth < hollow.length; nth += 2) {
    context.moveTo(hollow[nth], hollow[nth + 1]);
    context.lineTo(right, hollow[nth + 1]);
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.beginPath();
  for (let nth = 0; nth < marks.length; nth += 2) {
    MARKS[name](context, marks[nth], marks[nth + 1], radius);
    if (nth % 128 === 126) {
      context.fill();
      context.beginPath();
    }
  }
  context.fill();
  context.fillStyle = look.now;
  context.fillRect(Math.round(right), 0, 1, height);
}
