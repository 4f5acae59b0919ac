// The strip: how late messages were in the last 30 s, on a logarithmic axis that is the same for every lane.

import { fitted } from "./race.js";
import { WINDOW_MS } from "./recent.js";

const LOW_MS = 0.1;
const HIGH_MS = 20_000;
const TICKS = [[1, "1 ms"], [10, ""], [100, "100 ms"], [1000, ""], [10_000, "10 s"]];
const LEFT = 46;
const DOT = 2.4;

const part = (latencyMs) => Math.log(Math.min(HIGH_MS, Math.max(LOW_MS, latencyMs)) / LOW_MS) / Math.log(HIGH_MS / LOW_MS);

/** Draw the latencies of one lane as they are at that moment. */
export function drawStrip(canvas, latencies, look, nowMs) {
  const { context, width, height } = fitted(canvas);
  const y = (latencyMs) => height - 3 - part(latencyMs) * (height - 6);
  context.font = `10px ${look.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const [value, text] of TICKS) {
    context.fillStyle = look.line;
    context.fillRect(LEFT, Math.round(y(value)), width - LEFT, 1);
    context.fillStyle = look.grey;
    if (text) context.fillText(text, LEFT - 5, Math.round(y(value)));
  }
  // Many messages to a column are one bar from the least to the most.
  const columns = Math.max(1, Math.floor((width - LEFT) / DOT));
  const least = new Float64Array(columns).fill(Infinity);
  const most = new Float64Array(columns).fill(-Infinity);
  latencies.since(nowMs - WINDOW_MS, (moment, value) => {
    const column = columns - 1 - Math.floor(((nowMs - moment) / WINDOW_MS) * columns);
    if (column < 0 || column >= columns) return;
    if (value < least[column]) least[column] = value;
    if (value > most[column]) most[column] = value;
  });
  context.fillStyle = look.colour;
  for (let column = 0; column < columns; column += 1) {
    if (most[column] < least[column]) continue;
    const [top, bottom] = [y(most[column]), y(least[column])];
    context.fillRect(LEFT + column * DOT, top - DOT / 2, DOT, Math.max(DOT, bottom - top + DOT));
  }
}
