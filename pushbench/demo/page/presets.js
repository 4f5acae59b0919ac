// Guided settings: what to look at, and the settings at which it shows. Whatever one does not name goes back to the usual.

const USUAL = { rate_hz: 2, payload_bytes: 150, poll_interval_ms: 1000, round_trip_ms: 0, subscribers: 0 };

export const PRESETS = [
  {
    id: "usual",
    name: "Two a second",
    set: USUAL,
    says: "The usual: two messages a second, and a poller that asks once a second.",
  },
  {
    id: "quiet",
    name: "A quiet page",
    set: { ...USUAL, rate_hz: 0.2 },
    says: "Something happens every five seconds. Look at what the poller asks for nothing, and at what it costs to be there at once.",
  },
  {
    id: "busy",
    name: "A busy ticker",
    set: { ...USUAL, rate_hz: 50 },
    says: "Fifty a second. A poll now brings many at once and costs hardly more bytes than a push: it only waits. Long polling pays for each answer.",
  },
  {
    id: "far",
    name: "A far-away reader (200 ms)",
    set: { ...USUAL, rate_hz: 5, round_trip_ms: 200 },
    says: "The reader is 200 ms away. A push takes half of that; long polling, whose next question is on its way, up to one and a half.",
  },
  {
    id: "tunnel",
    name: "A tunnel: the line is cut",
    set: { ...USUAL, rate_hz: 5 },
    do: "cut",
    says: "The line is cut: every connection is reset. Wait a little, then mend it: nothing is lost, and nothing comes twice.",
  },
];
