// A push server on Node: `ws` for WebSocket, plain `http` for the rest. One log, and every transport reads from it; and one
// for each room, below /rooms/ROOM, where what a WebSocket says is published. /echo answers with what it is sent.
//
// It speaks as the suite's own server does: an ETag is the position that a reader has reached, each message is one further;
// `?after=` resumes stream and websocket, If-None-Match polling and longpoll, Last-Event-ID sse. A position that is not in
// the log (any more) is answered 410.
//
//     node server.js --port=8000 --host=127.0.0.1 --heartbeat-s=15 --longpoll-timeout-s=25
//         --max-rooms=10000 [--tls-certificate=FILE --tls-key=FILE]
//
// It prints one line of JSON when it accepts connections, and stops at SIGTERM.

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";

const { values: options } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    "heartbeat-s": { type: "string", default: "15" },
    "longpoll-timeout-s": { type: "string", default: "25" },
    "max-rooms": { type: "string", default: "10000" },
    "tls-certificate": { type: "string" },
    "tls-key": { type: "string" },
  },
});
const HEARTBEAT_MS = Number(options["heartbeat-s"]) * 1000; // 0: none
const LONGPOLL_MS = Number(options["longpoll-timeout-s"]) * 1000;
const LOG_MESSAGES = 10_000;
const MESSAGE_BYTES = 65_536;

const ROOMS = Number(options["max-rooms"]);
const ROOM_MESSAGES = 1_000;

// --- the log

const cursors = { size: 0 }; // readers that are held, for /status

class Log {
  messages = []; // the newest ones; the last one's id is `last`
  readers = new Set(); // functions that are called when there is a new message

  constructor(keeps, begin = 0) {
    this.keeps = keeps;
    this.begin = begin;
    this.last = begin;
  }

  publish(data) {
    this.messages.push(data);
    if (this.messages.length > this.keeps) this.messages.shift();
    this.last += 1;
    for (const look of [...this.readers]) look(data);
  }

  // The messages after a position. Throws a Refusal if they are not all there.
  after(position) {
    const { last, messages } = this;
    if (position > last) throw new Refusal(410, `cursor_unknown: the cursor is ${position} and the newest message ${last}`);
    if (position < last - messages.length) throw new Refusal(410, `cursor_too_old: message ${position + 1} is no longer kept`);
    return position === last ? [] : messages.slice(position - last);
  }

  // The position that a client names; the newest one if it names none.
  positionOf(text) {
    if (text === null || text === undefined) return this.last;
    const digits = text.replace(/^W\//, "").replaceAll('"', "");
    if (!/^\d{1,15}$/.test(digits)) throw new Refusal(400, "cursor_invalid: send the number that the server gave");
    return Number(digits);
  }
}

const feed = new Log(LOG_MESSAGES);
const rooms = new Map(); // by name, the one that was asked for longest ago first
let roomsBegin = 0; // no room that was forgotten had a message behind this one

// The log that a path is of, and the path in it.
function placeOf(path) {
  const found = /^\/rooms\/([\w.-]{1,64})(\/.*)$/.exec(path);
  if (!found) return { log: feed, path, isRoom: false };
  const [, name, rest] = found;
  let log = rooms.get(name);
  if (!log && rooms.size >= ROOMS) forgetRoom();
  log ??= new Log(ROOM_MESSAGES, roomsBegin); // so that no position in one of that name before can be taken for one in this
  rooms.delete(name);
  rooms.set(name, log);
  return { log, path: rest, isRoom: true };
}

// Make place: of the rooms with nobody in them one in which nothing was said, or else the one asked for longest ago.
function forgetRoom() {
  let found = null;
  for (const [name, room] of rooms) {
    if (room.readers.size) continue;
    const silent = room.last === room.begin;
    if (silent || found === null) found = name;
    if (silent) break;
  }
  if (found === null) throw new Refusal(503, "too_many_rooms: there is somebody in each");
  roomsBegin = Math.max(roomsBegin, rooms.get(found).last);
  rooms.delete(found);
}

class Refusal extends Error {
  constructor(status, says) {
    super(says);
    this.status = status;
  }
}

// --- polling and longpoll: conditional requests

function answerNews(response, position, messages) {
  const headers = { ETag: `"${position + messages.length}"` };
  if (messages.length === 0) return void response.writeHead(304, headers).end();
  const body = Buffer.from(messages.map((data) => data + "\n").join(""));
  response.writeHead(200, { ...headers, "Content-Type": "text/plain", "Content-Length": body.length }).end(body);
}

function poll(log, request, response, held) {
  const tag = request.headers["if-none-match"];
  const position = log.positionOf(tag);
  const messages = log.after(position);
  if (tag === undefined) return void response.writeHead(204, { ETag: `"${position}"` }).end();
  if (!held || messages.length) return void answerNews(response, position, messages);
  const done = () => {
    clearTimeout(timer);
    log.readers.delete(done);
    cursors.size -= 1;
    if (!response.destroyed) answerNews(response, position, log.after(position));
  };
  const timer = setTimeout(done, LONGPOLL_MS);
  log.readers.add(done);
  cursors.size += 1;
  response.on("close", () => log.readers.has(done) && done());
}

// --- stream, sse and websocket: a connection that is written to

// Calls `write` with each message behind a position and its id, and `beat` when a heartbeat is due; returns how to stop it.
function follow(log, position, write, beat) {
  for (const data of log.after(position)) write(data, ++position);
  const look = (data) => write(data, ++position);
  const timer = HEARTBEAT_MS ? setInterval(beat, HEARTBEAT_MS) : undefined;
  log.readers.add(look);
  cursors.size += 1;
  return () => {
    if (!log.readers.delete(look)) return;
    clearInterval(timer);
    cursors.size -= 1;
  };
}

function stream(log, response, position, type, first, encode, heartbeat) {
  log.after(position); // refuses before the head is sent
  response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store", ETag: `"${position}"` });
  response.flushHeaders();
  if (first) response.write(first);
  const write = (data, id) => response.write(encode(data, id));
  response.on("close", follow(log, position, write, () => response.write(heartbeat)));
}

const text = (data) => data + "\n";
const event = (data, id) => `id: ${id}\ndata: ${data}\n\n`;

// --- what is where

function addressOf(request) {
  try {
    return new URL(request.url, "http://here");
  } catch {
    throw new Refusal(400, "that is no path");
  }
}

const tls = options["tls-certificate"] && {
  cert: readFileSync(options["tls-certificate"]),
  key: readFileSync(options["tls-key"]),
};
const server = (tls ? https : http).createServer({ ...tls, keepAliveTimeout: 75_000, noDelay: true }, (request, response) => {
  try {
    const url = addressOf(request);
    const { log, path } = placeOf(url.pathname);
    if (request.method === "POST" && path === "/publish") return void receive(log, request, response);
    if (request.method === "POST" && path === "/echo") return void echo(request, response);
    if (request.method !== "GET") throw new Refusal(405, "only GET, and POST to /publish and /echo");
    switch (path) {
      case "/polling":
        return void poll(log, request, response, false);
      case "/longpoll":
        return void poll(log, request, response, true);
      case "/stream": {
        const position = log.positionOf(url.searchParams.get("after"));
        return void stream(log, response, position, "text/plain", "", text, "\n");
      }
      case "/sse": {
        const position = log.positionOf(request.headers["last-event-id"]);
        return void stream(log, response, position, "text/event-stream", `id: ${position}\n\n`, event, ": heartbeat\n\n");
      }
      case "/status":
        return void response.writeHead(200, { "Content-Type": "application/json" }).end(
          JSON.stringify({ last_id: feed.last, cursors: cursors.size }),
        );
      default:
        throw new Refusal(404, "nothing is here");
    }
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    response.writeHead(refusal.status, { "Content-Type": "text/plain" }).end(refusal.message + "\n");
  }
});

// Calls `take` with the body of a request, unless it is too long, or empty and may not be.
function collect(request, response, mayBeEmpty, take) {
  const parts = [];
  let bytes = 0;
  request.on("data", (part) => {
    bytes += part.length;
    if (bytes <= MESSAGE_BYTES) parts.push(part);
  });
  request.on("end", () => {
    if ((bytes === 0 && !mayBeEmpty) || bytes > MESSAGE_BYTES) {
      response.writeHead(bytes ? 413 : 400).end(`a message has 1 to ${MESSAGE_BYTES} bytes\n`);
      return;
    }
    take(Buffer.concat(parts));
  });
}

function receive(log, request, response) {
  collect(request, response, false, (body) => {
    log.publish(body.toString());
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ id: log.last }));
  });
}

function echo(request, response) {
  collect(request, response, true, (body) => {
    response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length }).end(body);
  });
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MESSAGE_BYTES });
let startsAt = 0; // of the handshake that is being answered
sockets.on("headers", (headers) => headers.push(`ETag: "${startsAt}"`));

server.on("upgrade", (request, connection, head) => {
  let place;
  try {
    const url = addressOf(request);
    place = placeOf(url.pathname);
    if (!["/websocket", "/publish", "/echo"].includes(place.path)) throw new Refusal(404, "nothing is here");
    startsAt = place.log.positionOf(url.searchParams.get("after"));
    place.log.after(startsAt);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    const reason = http.STATUS_CODES[refusal.status];
    connection.end(`HTTP/1.1 ${refusal.status} ${reason}\r\nRefusal: ${refusal.message}\r\nContent-Length: 0\r\n\r\n`);
    return;
  }
  sockets.handleUpgrade(request, connection, head, (socket) => {
    socket.on("error", () => socket.terminate());
    const { log, path, isRoom } = place;
    if (path === "/echo") return void socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    if (path === "/publish" || isRoom) socket.on("message", (data) => log.publish(data.toString()));
    if (path === "/websocket") socket.on("close", follow(log, startsAt, (data) => socket.send(data), () => socket.ping()));
  });
});

process.on("SIGTERM", () => {
  for (const socket of sockets.clients) socket.close(1001, "the server is stopping");
  server.close();
  setTimeout(() => process.exit(0), 200);
});

server.listen({ host: options.host, port: Number(options.port), backlog: 4096 }, () => {
  console.log(JSON.stringify({ ready: true, port: server.address().port, pid: process.pid }));
});
