// The ticker: channels are followed over one WebSocket, each kept by a Book.

import { Book } from "./book.js";
import { find, make, showState } from "./dom.js";
import { address } from "./transports.js";

const FOLLOWED_AT_FIRST = 3; // channels
const LINES = 100; // of the log
const AGAIN_MS = 1000;

const books = new Map(); // by channel
const rows = new Map();
let socket = null;
let missing = false; // whether the next update is to be missed, to see what happens
let pings = 0;
let asked = 0; // when the last ping was sent

async function begin() {
  try {
    const answer = await fetch(address("/ticker/channels"), { cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const { channels, at_most: most } = await answer.json();
    const followed = Math.min(FOLLOWED_AT_FIRST, most);
    find("channels").replaceChildren(...channels.slice(0, 20).map((channel, i) => tick(channel, i < followed)));
    connect();
  } catch (error) {
    showState(find("state"), "waiting", error.message);
    setTimeout(begin, AGAIN_MS);
  }
}

function tick(channel, checked) {
  const box = make("input", { type: "checkbox", checked });
  if (checked) books.set(channel, new Book(channel));
  box.onchange = () => {
    if (box.checked) books.set(channel, new Book(channel));
    else forget(channel);
    say({ op: box.checked ? "subscribe" : "unsubscribe", channels: [channel] });
  };
  const label = make("label", { className: "row" }, box, channel);
  return label;
}

function forget(channel) {
  books.delete(channel);
  rows.get(channel)?.remove();
  rows.delete(channel);
}

// --- the connection

function connect() {
  const url = address("/ticker/socket");
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  showState(find("state"), "connecting");
  socket.onopen = () => {
    showState(find("state"), "open");
    if (books.size) say({ op: "subscribe", channels: [...books.keys()] });
  };
  socket.onmessage = (event) => hear(event.data, JSON.parse(event.data));
  socket.onclose = (event) => {
    showState(find("state"), "waiting", event.reason);
    setTimeout(connect, AGAIN_MS);
  };
}

function say(op) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const text = JSON.stringify(op);
  log("→", text);
  socket.send(text);
}

function hear(text, message) {
  if (message.type === "update" && missing) {
    missing = false;
    find("miss").disabled = false;
    log("✗", `${text} (missed)`);
    return;
  }
  if (message.type !== "update") log("←", text);
  if (message.type === "pong") find("pong").textContent = `${(performance.now() - asked).toFixed(1)} ms`;
  for (const book of message.channel ? [books.get(message.channel)] : books.values()) {
    if (!book) continue; // it was unsubscribed from meanwhile
    const op = book.take(message);
    if (op) {
      log("✗", `${book.channel}: a gap after ${book.seq}`);
      say(op);
    }
    changed.add(book);
  }
  if (changed.size) frame ||= requestAnimationFrame(draw); // a hidden tab has none for as long as it is hidden
}

// --- showing, once for all that has come since the last frame

const changed = new Set();
let frame = 0; // the one that was asked for

function draw() {
  frame = 0;
  for (const book of changed) if (books.get(book.channel) === book) drawBook(book);
  changed.clear();
}

function drawBook(book) {
  const row = rows.get(book.channel) ?? make("tr");
  const state = book.state ?? {};
  const trades = "price_cents" in Object(state);
  const cells = trades
    ? [price(state.price_cents), price(state.low_cents), price(state.high_cents), (state.volume_thousandths / 1000).toFixed(1)]
    : [book.state === null ? "–" : JSON.stringify(book.state), "", "", ""];
  const before = Number(row.dataset.price);
  row.replaceChildren(
    ...[book.channel.replace("trades.", ""), ...cells, book.seq, book.gaps].map((text) => make("td", {}, String(text))),
  );
  if (trades) {
    row.children[1].className = state.price_cents >= before ? "up" : "down";
    row.dataset.price = state.price_cents;
  } else {
    row.children[1].className = "data";
  }
  if (!rows.has(book.channel)) find("books").append(row);
  rows.set(book.channel, row);
}

const price = (cents) => (cents / 100).toLocaleString("en", { minimumFractionDigits: 2 });

function log(mark, text) {
  const said = find("log");
  said.append(`${mark} ${text}\n`);
  while (said.childNodes.length > LINES) said.firstChild.remove();
  said.scrollTop = said.scrollHeight;
}

// --- begin

find("miss").onclick = () => {
  missing = true;
  find("miss").disabled = true;
};
find("ping").onclick = () => {
  asked = performance.now();
  say({ op: "ping", id: ++pings });
};
begin();
