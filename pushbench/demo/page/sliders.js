// The settings as sliders: each steps through round values. They follow the console, which may have been told by another page.

import { time, whole } from "./words.js";

const SLIDERS = [
  { key: "rate_hz", name: "Messages", steps: [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200], say: (v) => (v < 1 ? `one every ${time(1000 / v)}` : `${whole(v)} a second`) },
  { key: "payload_bytes", name: "Payload", steps: [83, 150, 250, 500, 1000, 2000, 4000, 8000, 16384], say: (v) => `${whole(v)} bytes` },
  { key: "poll_interval_ms", name: "Poll interval", steps: [50, 100, 200, 500, 1000, 2000, 5000, 10000], say: time },
  { key: "round_trip_ms", name: "Round-trip time", steps: [0, 10, 20, 50, 100, 150, 200, 300, 400, 500], say: (v) => (v ? time(v) : "none added") },
  { key: "subscribers", name: "Background subscribers", steps: [0, 10, 50, 100, 200, 500, 1000, 2000], say: whole },
];
const TRANSPORTS = ["polling", "longpoll", "stream", "sse", "websocket"];
const SETTLE_MS = 150;
const HOLD_MS = 1000;

/** Makes them in that element; `set(changes)` is called with what is asked for. */
export function sliders(element, set) {
  const made = SLIDERS.map(({ key, name, steps, say }) => {
    const label = document.createElement("label");
    label.className = "slider";
    label.htmlFor = key; // said, for an output can have a label too, and comes first
    const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: steps.length - 1, step: 1, id: key });
    const title = Object.assign(document.createElement("span"), { className: "title", textContent: name });
    const output = document.createElement("output");
    label.append(title, output, input);
    element.append(label);
    const one = { key, steps, input, output, say, touchedMs: -Infinity, timer: 0 };
    const show = (value) => {
      if (output.textContent !== say(value)) output.textContent = say(value);
      if (input.getAttribute("aria-valuetext") !== say(value)) input.setAttribute("aria-valuetext", say(value));
    };
    input.oninput = () => {
      one.touchedMs = performance.now();
      const value = steps[Number(input.value)];
      show(value);
      clearTimeout(one.timer);
      one.timer = setTimeout(() => set({ [key]: value }), SETTLE_MS);
    };
    one.show = show;
    return one;
  });
  const label = document.createElement("label");
  label.className = "slider by";
  label.htmlFor = "subscribers_by";
  const select = Object.assign(document.createElement("select"), { id: "subscribers_by" });
  for (const name of TRANSPORTS) select.append(Object.assign(document.createElement("option"), { value: name, textContent: name }));
  const connected = Object.assign(document.createElement("output"), { id: "crowd" });
  label.append(Object.assign(document.createElement("span"), { className: "title", textContent: "They are on" }), connected, select);
  element.append(label);
  select.onchange = () => set({ subscribers_by: select.value });

  const nearest = (steps, value) =>
    steps.reduce((best, step, nth) => (Math.abs(step - value) < Math.abs(steps[best] - value) ? nth : best), 0);
  return {
    /** Forget what was touched just now: something else sets them all. */
    forget() {
      for (const one of made) {
        clearTimeout(one.timer);
        one.touchedMs = -Infinity;
      }
    },
    /** Show the settings as the console has them; one that was touched just now is left alone, unless `at once`. */
    show({ settings, crowd }, atOnce = false) {
      for (const one of made) {
        if (!atOnce && performance.now() - one.touchedMs < HOLD_MS) continue;
        one.input.value = nearest(one.steps, settings[one.key]);
        one.show(settings[one.key]);
      }
      if (document.activeElement !== select) select.value = settings.subscribers_by;
      const told = settings.subscribers || crowd ? `${whole(crowd ?? 0)} connected` : "";
      if (connected.textContent !== told) connected.textContent = told;
    },
  };
}
