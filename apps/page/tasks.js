// The task list: the list once, then every change, by whichever transport; and actions by REST or by WebSocket.

import { choose, find, make, showState } from "./dom.js";
import { TRANSPORTS, address, subscribe } from "./transports.js";

const tasks = new Map(); // by id, in the order in which they were added
const own = new Set(); // versions that this window has made
let version = null; // up to which the list is known
let subscription = null;

// --- hearing of changes

async function begin() {
  subscription?.close();
  try {
    const answer = await fetch(address("/tasks/items"), { cache: "no-store" });
    const list = await answer.json();
    if (!answer.ok) throw new Error(list.error.says);
    version = list.version;
    tasks.clear();
    for (const task of list.tasks) tasks.set(task.id, task);
    draw();
    follow();
  } catch (error) {
    showState(find("state"), "waiting", error.message);
    setTimeout(begin, 1000);
  }
}

function follow() {
  subscription?.close();
  subscription = subscribe("/tasks/changes", find("transport").value, {
    after: version,
    pollIntervalMs: Number(find("interval").value) || 1000,
    onMessage: (text) => take(JSON.parse(text)),
    onState: (state, why) => showState(find("state"), state, why),
    onGone: begin, // the changes since are no longer kept: take the list anew
  });
}

function take(change) {
  version = change.version;
  const { id } = change.task;
  if (change.action === "delete") {
    tasks.delete(id);
    rows.get(id)?.remove();
    rows.delete(id);
  } else {
    tasks.set(id, change.task);
    drawTask(change.task, !own.has(version));
  }
  own.delete(version);
  summarise();
}

// --- acting

const BY = {
  rest: "REST",
  websocket: "WebSocket",
};
const METHODS = {
  add: (keys) => ["POST", "/tasks/items", keys],
  rename: ({ id, ...keys }) => ["PATCH", `/tasks/items/${id}`, keys],
  done: ({ id, ...keys }) => ["PATCH", `/tasks/items/${id}`, keys],
  delete: ({ id }) => ["DELETE", `/tasks/items/${id}`],
};

async function byRest(action, keys) {
  const [method, path, body] = METHODS[action](keys);
  const headers = body ? { "Content-Type": "application/json" } : {};
  const answer = await fetch(address(path), { method, headers, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error.says);
  return said;
}

let socket = null;
let refs = 0;
const asked = new Map(); // by ref: what to do with the answer

function opened() {
  if (socket && socket.readyState <= WebSocket.OPEN) return socket.opening;
  const url = address("/tasks/socket");
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  const mine = socket;
  mine.opening = new Promise((resolve, reject) => {
    mine.onopen = resolve;
    mine.onclose = () => {
      const lost = new Error("the WebSocket was closed before the answer: look whether it was done, and do it again if not");
      reject(lost);
      for (const { fail } of asked.values()) fail(lost);
      asked.clear();
    };
  });
  mine.onmessage = (event) => {
    const { ref, result, error } = JSON.parse(event.data);
    const waiting = asked.get(ref);
    asked.delete(ref);
    if (error) waiting?.fail(new Error(error.says));
    else waiting?.done(result);
  };
  return mine.opening;
}

async function byWebSocket(action, keys) {
  await opened();
  return new Promise((done, fail) => {
    const ref = ++refs;
    asked.set(ref, { done, fail });
    socket.send(JSON.stringify({ ref, action, ...keys }));
  });
}

async function act(action, keys) {
  find("error").textContent = "";
  try {
    const result = await (find("by").value === "rest" ? byRest : byWebSocket)(action, keys);
    if (result.version > version) own.add(result.version); // of which the change is yet to come
    else rows.get(result.task.id)?.classList.remove("fresh");
    return true;
  } catch (error) {
    find("error").textContent = error.message;
    const task = tasks.get(keys.id);
    if (task) drawTask(task, false); // as it is, not as it was wanted
    return false;
  }
}

// --- showing

const rows = new Map(); // by id: the element

function draw() {
  rows.clear();
  find("tasks").replaceChildren();
  for (const task of tasks.values()) drawTask(task, false);
  summarise();
}

function drawTask(task, fresh) {
  const tick = make("input", { type: "checkbox", checked: task.done, title: "Done" });
  tick.setAttribute("aria-label", `Done: ${task.title}`);
  tick.onchange = () => act("done", { id: task.id, done: tick.checked });
  const title = make("span", { className: "title" }, task.title);
  if (task.note) title.append(make("br"), make("small", {}, task.note.slice(0, 200)));
  const rename = make("button", { className: "plain", type: "button" }, "Rename");
  rename.setAttribute("aria-label", `Rename: ${task.title}`);
  const remove = make("button", { className: "plain", type: "button" }, "Delete");
  remove.setAttribute("aria-label", `Delete: ${task.title}`);
  remove.onclick = () => act("delete", { id: task.id });
  const row = make("li", { className: task.done ? "done" : "" }, tick, title, rename, remove);
  rename.onclick = () => edit(row, title, rename, task);
  if (fresh) row.classList.add("fresh");
  const focused = rows.get(task.id)?.contains(document.activeElement) && place(rows.get(task.id));
  const editing = rows.get(task.id)?.querySelector("input.title");
  if (editing) return; // what is being typed stays; it is drawn again when that is over
  if (rows.has(task.id)) rows.get(task.id).replaceWith(row);
  else find("tasks").append(row);
  rows.set(task.id, row);
  if (typeof focused === "number") row.querySelectorAll("input, button")[focused]?.focus();
}

const place = (row) => [...row.querySelectorAll("input, button")].indexOf(document.activeElement);

// The title becomes a field: Enter renames, Escape leaves it as it is.
function edit(row, title, button, task) {
  const field = make("input", { className: "title", value: task.title, maxLength: 200 });
  field.setAttribute("aria-label", `New title of: ${task.title}`);
  let over = false;
  const end = (focus) => {
    over = true;
    field.remove();
    if (!tasks.has(task.id)) return;
    drawTask(tasks.get(task.id), false);
    if (focus) rows.get(task.id).querySelector("button").focus();
  };
  field.onkeydown = async (event) => {
    if (event.key === "Escape") end(true);
    if (event.key !== "Enter") return;
    const wanted = field.value;
    end(true);
    if (wanted !== task.title) await act("rename", { id: task.id, title: wanted });
  };
  field.onblur = () => over || end(false);
  title.replaceWith(field);
  field.focus();
  field.select();
}

function summarise() {
  const open = [...tasks.values()].filter((task) => !task.done).length;
  find("summary").textContent = tasks.size ? `${open} of ${tasks.size} to be done` : "Nothing to do yet.";
}

// --- begin

choose(find("by"), BY, "rest");
choose(find("transport"), TRANSPORTS, "websocket");
find("transport").onchange = follow;
find("interval").onchange = follow;
find("add").onsubmit = async (event) => {
  event.preventDefault();
  if (await act("add", { title: find("title").value })) find("title").value = "";
};
begin();
