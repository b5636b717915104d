// The blind arena at the speed of a key: a vote shows at once and travels behind. Without this
// script the same page works by plain forms.

import { newKey, Outbox } from "./outbox.js";

const FEW = 4; // Pairs ahead under which more are asked for.
const KEPT = 30; // Pairs behind that can be taken back here; older ones the server takes back.
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "tie", ArrowUp: "both_bad", x: "both_bad" };
const UNDO = ["Backspace", "u"];

const $ = (selector, within = document) => within.querySelector(selector);
const arena = $(".arena");
const shelf = $(".pairs");
const saved = $("[data-saved]");
const outbox = new Outbox(arena.dataset.user, showSaved, () => {});
const voted = []; // Forms that were voted on, the newest last.
let current = $(".pair");
let asking = false;
let hasMore = true;
let shownAt = performance.now();

function show(form) {
  shelf.querySelectorAll(".pair").forEach((one) => (one.hidden = one !== form));
  $(".arena-end").hidden = Boolean(form);
  current = form;
  shownAt = performance.now();
  ahead().slice(0, FEW).forEach((one) => one.querySelectorAll("img").forEach((img) => img.decode().catch(() => {})));
  if (ahead().length < FEW) refill();
}

const ahead = () => [...shelf.querySelectorAll(".pair")].filter((one) => one !== current && !voted.includes(one));

function vote(preference) {
  if (!current) return;
  const fields = [...new FormData(current)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const seconds = ((performance.now() - shownAt) / 1000).toFixed(2);
  outbox.put(current.action, [...fields, ["preference", preference], ["seconds", seconds]]);
  voted.push(current);
  if (voted.length > KEPT) voted.shift().remove();
  count(1);
  show(ahead()[0] ?? null);
}

// The pair comes back under another key: the old one is spent.
function takeBack() {
  const last = voted.pop();
  if (!last) return $("#take-back").submit(); // Of an earlier visit: the server knows which.
  const key = $("[name=key]", last);
  outbox.put(arena.dataset.back, [["key", key.value]]);
  key.value = newKey();
  count(-1);
  show(last);
}

function count(by) {
  const [mine, left] = [$("[data-mine]"), $("[data-left]")];
  mine.textContent = Number(mine.textContent) + by;
  left.textContent = Number(left.textContent) - by;
  document.querySelectorAll("[form=take-back]").forEach((button) => (button.disabled = false));
}

async function refill() {
  if (asking || !hasMore) return;
  asking = true;
  const query = new URLSearchParams();
  shelf.querySelectorAll(".pair").forEach((one) => query.append("shown", one.dataset.cells));
  const reply = await fetch(`?${query}`).catch(() => null);
  const text = reply?.ok && !reply.redirected ? await reply.text().catch(() => null) : null;
  asking = false;
  if (text === null) return; // The outbox says that the server is away.
  const page = new DOMParser().parseFromString(text, "text/html");
  const known = new Set([...shelf.children].map((one) => one.dataset.cells.split("-").sort().join()));
  const fresh = [...page.querySelectorAll(".pair")].filter(
    (one) => !known.has(one.dataset.cells.split("-").sort().join()),
  );
  hasMore = fresh.length > 0;
  fresh.forEach((one) => (one.hidden = true));
  shelf.append(...fresh);
  if (!current && fresh.length) show(fresh[0]);
}

function showSaved(waiting, trouble) {
  saved.textContent = waiting === 0 ? "All votes saved." : `${waiting} waiting to be sent. ${trouble}`;
  saved.classList.toggle("unsure", trouble !== "");
}

shelf.addEventListener("submit", (event) => {
  event.preventDefault();
  vote(event.submitter.value);
});
$("#take-back").addEventListener("submit", (event) => {
  event.preventDefault();
  takeBack();
});
addEventListener("keydown", (event) => {
  const isHeld = event.ctrlKey || event.metaKey || event.altKey;
  if ((isHeld && event.key !== "z") || event.repeat || event.target.matches("summary")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isUndo = UNDO.includes(key) || (key === "z" && (event.ctrlKey || event.metaKey));
  if (!isUndo && !KEYS[key]) return;
  event.preventDefault();
  isUndo ? takeBack() : vote(KEYS[key]);
});
outbox.open();
if (current) show(current);
