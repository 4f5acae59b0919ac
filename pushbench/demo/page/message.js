// The message, as the feed stamps it: numbers at fixed places (pushbench/message.py), so that nothing has to be parsed.

/** Its number, counted from 0. */
export const seqOf = (text) => Number(text.slice(7, 16));

/** When it was due, in ms of the console's clock. The nanoseconds would not fit into a number. */
export const dueMsOf = (text) => Number(text.slice(26, 38)) + Number(text.slice(38, 44)) / 1e6;
