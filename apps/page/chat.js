// The chat: a room's whole log, then what is said, by whichever transport; and what one says, which is confirmed once heard.

import { choose, find, make, showState } from "./dom.js";
import { TRANSPORTS, address, subscribe } from "./transports.js";

const UNCONFIRMED_MS = 5000; // after which one may say it again, beyond what a poll may take to come
const SHOWN = 1000; // messages, of which the oldest go

let room = null; // its address, "/rooms/lobby"
let subscription = null;
let cursor = null;
const pending = new Map(); // by the message's JSON: the elements of those that were said and not yet heard

// --- hearing

async function join() {
  leave();
  const wanted = (room = `/rooms/${encodeURIComponent(find("room").value)}`);
  find("talk").replaceChildren();
  pending.clear();
  cursor = null;
  await begin(wanted);
}

// Everything that is kept, and on from there.
async function begin(wanted) {
  for (;;) {
    try {
      const answer = await fetch(address(`${wanted}/history`), { cache: "no-store" });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const { after } = await answer.json();
      if (wanted !== room) return;
      cursor = after;
      return follow();
    } catch (error) {
      if (wanted !== room) return;
      showState(find("state"), "waiting", error.message);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      if (wanted !== room) return;
    }
  }
}

function follow() {
  subscription?.close();
  const wanted = room;
  subscription = subscribe(room, find("transport").value, {
    after: cursor,
    pollIntervalMs: pollIntervalMs(),
    onMessage: hear,
    onState: (state, why) => showState(find("state"), state, why),
    onGone: () => {
      note("Some messages may be missing here: the room no longer has them.");
      begin(wanted);
    },
  });
  for (const id of ["text", "saying"]) find(id).disabled = false;
}

const pollIntervalMs = () => Number(find("interval").value) || 1000;
const unconfirmedMs = () => UNCONFIRMED_MS + (find("transport").value === "polling" ? pollIntervalMs() : 0);

function leave() {
  subscription?.close();
  subscription = room = null;
}

function hear(text, position) {
  cursor = position;
  const waiting = pending.get(text);
  if (waiting) {
    confirm(waiting.shift());
    if (!waiting.length) pending.delete(text);
    return;
  }
  const message = messageOf(text);
  show(message, message.from === find("name").value);
}

// What anybody may have published in the room; it need not be of this page.
function messageOf(text) {
  try {
    const { from, text: says, sent } = JSON.parse(text);
    if (typeof from === "string" && typeof says === "string") return { from, text: says, sent };
  } catch {
    // it is no JSON
  }
  return { from: "", text };
}

// --- saying

function say(text) {
  const message = { from: find("name").value, text, sent: Date.now() };
  const json = JSON.stringify(message);
  const element = show(message, true);
  element.classList.add("pending");
  markOf(element).textContent = "…";
  pending.set(json, [...(pending.get(json) ?? []), element]);
  hand(json, element);
}

async function hand(json, element) {
  find("error").textContent = "";
  const again = setTimeout(() => offer(json, element), unconfirmedMs());
  if (subscription.send(json)) return;
  try {
    const answer = await fetch(address(`${room}/publish`), { method: "POST", body: json });
    if (!answer.ok) throw new Error((await answer.text()).trim());
  } catch (error) {
    clearTimeout(again);
    find("error").textContent = `Not said: ${error.message}`;
    offer(json, element);
  }
}

// It was not heard back: it may be lost, and may be said again.
function offer(json, element) {
  if (!element.classList.contains("pending")) return;
  const button = make("button", { className: "plain", type: "button" }, "not confirmed – say again");
  button.onclick = () => {
    markOf(element).textContent = "…";
    hand(json, element);
  };
  markOf(element).replaceChildren(button);
}

function confirm(element) {
  element.classList.remove("pending");
  markOf(element).textContent = "✓ heard";
  find("talk").append(element); // where it stands for everybody
  scroll(true);
}

// --- showing

function show({ from, text, sent }, own) {
  const time = new Date(sent ?? NaN);
  const clock = isNaN(time) ? "" : time.toLocaleTimeString();
  const head = make(
    "div",
    { className: "head" },
    make("span", { className: "from" }, from || "(no name)"),
    make("time", { dateTime: isNaN(time) ? "" : time.toISOString() }, clock),
    make("span", { className: "mark" }),
  );
  const element = make("li", { className: own ? "own" : "" }, head, make("div", { className: "text" }, text));
  return append(element, own);
}

function note(text) {
  append(make("li", { className: "note" }, text), false);
}

function append(element, always) {
  const talk = find("talk");
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40;
  talk.append(element);
  while (talk.children.length > SHOWN) talk.firstElementChild.remove();
  scroll(always || atEnd);
  return element;
}

function scroll(wanted) {
  const talk = find("talk");
  if (wanted) talk.scrollTop = talk.scrollHeight;
}

const markOf = (element) => element.querySelector(".mark");

// --- begin

choose(find("transport"), TRANSPORTS, "websocket");
find("name").value = `guest-${Math.floor(Math.random() * 900 + 100)}`;
find("transport").onchange = find("interval").onchange = () => room && subscription && follow();
find("join").onsubmit = (event) => {
  event.preventDefault();
  find("joining").textContent = "Join another";
  join();
  find("text").focus();
};
find("say").onsubmit = (event) => {
  event.preventDefault();
  if (!subscription) return;
  say(find("text").value);
  find("text").value = "";
};
