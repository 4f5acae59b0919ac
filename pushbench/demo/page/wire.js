// The wire: the bytes of a lane's last exchange, as its relay saw them. Nothing is made up: what is not kept is counted, and not
// shown. Heads of HTTP are text; everything behind them is shown as hex beside text.

import { initTheme } from "./theme.js";
import { NAMES, titled, whole } from "./words.js";

const $ = (id) => document.getElementById(id);
const lane = location.pathname.split("/").at(-1);
const ROW = 16;
const MOST_ROWS = 96;
const PIECE_ROWS = 32;
const OPAQUE_ROWS = 8; // of what nobody can read
let kind = null;

function make(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const textOf = (bytes) => String.fromCharCode(...bytes);
const printable = (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·");

/** Rows of an offset, hex and text. */
function hex(bytes, from, most = MOST_ROWS) {
  const rows = [];
  for (let at = 0; at < bytes.length && rows.length < most; at += ROW) {
    const part = [...bytes.subarray(at, at + ROW)];
    const words = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    rows.push(`${String(from + at).padStart(6)}  ${words.padEnd(3 * ROW)} ${part.map(printable).join("")}`);
  }
  const box = make("pre", rows.join("\n"), "bytes");
  box.tabIndex = 0;
  box.setAttribute("aria-label", "Bytes, as offset, hex and text");
  const left = bytes.length - most * ROW;
  return left > 0 ? [box, make("p", `… and ${whole(left)} bytes that are kept and not shown`, "cut")] : [box];
}

/** Where the head of HTTP ends, if it begins with one. */
function headSize(bytes) {
  const text = textOf(bytes.subarray(0, 8192));
  return /^([A-Z]{3,8} |HTTP\/1)/.test(text) ? text.indexOf("\r\n\r\n") + 4 : 0;
}

function parts(told, way) {
  if (!told) return "";
  const kept = way.size > bytesOf(way.first).length ? `of its first ${whole(bytesOf(way.first).length)}: ` : "";
  const named = [
    [told.http, "of HTTP"],
    [told.framing, "of framing"],
    [told.payload, `of payload in ${whole(told.messages)} message${told.messages === 1 ? "" : "s"}`],
  ];
  return kept + named.filter(([count]) => count).map(([count, name]) => `${whole(count)} ${name}`).join(", ");
}

function showWay(title, way, told, most) {
  const section = make("section", "", "way");
  section.append(make("h2", `${title}: ${whole(way.size)} bytes`));
  const said = parts(told, way);
  if (said) section.append(make("p", said, "parts"));
  const bytes = bytesOf(way.first);
  const head = headSize(bytes);
  if (head > 3) {
    const box = make("pre", textOf(bytes.subarray(0, head)).trimEnd(), "head");
    box.tabIndex = 0;
    box.setAttribute("aria-label", `The head, ${head} bytes`);
    section.append(box);
  }
  if (bytes.length > Math.max(0, head)) section.append(...hex(bytes.subarray(Math.max(0, head)), Math.max(0, head), most));
  if (way.size > bytes.length) section.append(make("p", `… ${whole(way.size - bytes.length)} more bytes, of which the last pieces are below`, "cut"));
  return section;
}

function showPieces(exchange, most) {
  const all = [];
  const isLong = exchange.up.size > bytesOf(exchange.up.first).length || exchange.down.size > bytesOf(exchange.down.first).length;
  const opaque = exchange.kind === "QUIC";
  if (!isLong && !opaque) return all;
  all.push(make("h2", opaque ? "The last datagrams" : "The last pieces"));
  for (const piece of exchange.last) {
    const bytes = bytesOf(piece.data);
    const when = ((piece.at_ns - exchange.begun_ns) / 1e9).toFixed(3);
    const what = opaque ? `, ${bytes[0] & 0x80 ? "long header" : "short header"} of QUIC, the rest encrypted` : "";
    all.push(make("h3", `${piece.up ? "up" : "down"} after ${when} s: ${whole(piece.size)} bytes${what}`), ...hex(bytes, 0, Math.min(most, PIECE_ROWS)));
    if (piece.size > bytes.length) all.push(make("p", `… and ${whole(piece.size - bytes.length)} that are not kept`, "cut"));
  }
  return all;
}

async function look() {
  const query = kind ? `?kind=${encodeURIComponent(kind)}` : "";
  const response = await fetch(`/wire/${lane}/exchange.json${query}`);
  if (!response.ok) {
    $("about").textContent = await response.text();
    return;
  }
  const { kinds, exchange } = await response.json();
  $("kinds").replaceChildren(
    ...[...kinds].sort().map((one) => {
      const button = make("button", one);
      button.type = "button";
      button.setAttribute("aria-pressed", String(exchange?.kind === one));
      button.onclick = () => {
        kind = one;
        look();
      };
      return button;
    }),
  );
  if (!exchange) {
    $("about").textContent = "Nothing has passed yet: open the lanes in another tab, and look again.";
    return;
  }
  $("about").textContent =
    exchange.kind === "QUIC"
      ? "QUIC is always encrypted: of its datagrams nobody on the way can read more than the first bytes. Up and down as the relay passed them, without UDP and IP."
      : "The last exchange of its kind, byte for byte as the lane’s relay passed it; headers of TCP and IP are the kernel’s, and not among them.";
  const most = exchange.kind === "QUIC" ? OPAQUE_ROWS : MOST_ROWS;
  $("ways").replaceChildren(
    showWay("Up, from the browser", exchange.up, exchange.parts.up, most),
    showWay("Down, from the server", exchange.down, exchange.parts.down, most),
  );
  $("pieces").replaceChildren(...showPieces(exchange, most));
  $("annotated").hidden = false;
  $("annotated").href = `/wire/${lane}/annotated?kind=${encodeURIComponent(exchange.kind)}`;
  $("said").textContent = `Shown: ${exchange.kind}, ${whole(exchange.up.size)} bytes up and ${whole(exchange.down.size)} down.`;
}

document.title = `${titled(lane)} on the wire – pushbench`;
$("title").textContent = `${titled(lane)} on the wire`;
$("others").append(
  ...Object.keys(NAMES).map((name) => {
    const link = make("a", NAMES[name]);
    link.href = `/wire/${name}`;
    if (name === lane) link.setAttribute("aria-current", "page");
    return link;
  }),
);
$("again").onclick = look;
initTheme($("theme"), () => {});
look();
