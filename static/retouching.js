// The retouching room: a dialog over the whole desk in which one picture is worked on. What is
// sent is the recipe and the mask, never pixels. The canvas loads when the room is first opened.

import { post, refusal } from "./outbox.js";

const room = document.querySelector(".room");
const $ = (selector) => room.querySelector(selector);
const retouch = $("#retouch");
const inside = $("#inside");
const told = $(".notice");
const looked = $(".room-look");

let easel = null;
let opened = null;

// `picture` is the candidate's <img>; `urls` where the lesson ("retouch") and the order ("edit")
// go; `send(kind, url, body)` gives the sentence of a refusal, empty where all went well.
const USUAL_BRUSH = 40; // Pixels of the picture; smaller on a small one.

export async function open(picture, urls, send) {
  const visit = (opened = { picture, urls, send });
  [retouch, inside].forEach((form) => form.reset());
  tell("");
  unlook();
  room.showModal();
  try {
    const [{ Easel }, image] = await Promise.all([import("./easel.js"), decoded(picture.dataset.full)]);
    if (!lasts(visit)) return;
    easel ??= new Easel($(".easel"), unlook);
    const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
    easel.put(image, width, height);
    retouch.elements.brush.value = Math.min(USUAL_BRUSH, Math.ceil(Math.min(width, height) / 7));
    setTool("paint");
    show();
    room.dataset.ready = "";
  } catch {
    if (lasts(visit)) tell("The picture did not load. Close this and try again.", "error");
  }
}

// The room may be closed, and opened on another picture, while something is awaited.
const lasts = (visit) => room.open && opened === visit;

// Before, the easel still holds the last picture with its paint.
const isReady = () => "ready" in room.dataset;

async function decoded(source) {
  const image = Object.assign(new Image(), { src: source });
  await image.decode();
  return image;
}

function tell(text, kind = "") {
  Object.assign(told, { textContent: text, className: `notice ${kind}`, hidden: !text });
}

// Controls

function show() {
  const { brush, turn, exposure, mirror } = retouch.elements;
  easel.brush = Number(brush.value);
  easel.look({ turn: Number(turn.value), mirror: mirror.checked, exposure: Number(exposure.value) });
  say(brush, `${brush.value} px`);
  say(turn, `${Number(turn.value)}°`);
  say(exposure, `${Number(exposure.value) > 0 ? "+" : ""}${Number(exposure.value)} EV`);
}

const say = (input, text) => (input.closest("label").querySelector("output").textContent = text);

function setTool(name) {
  retouch.elements.tool.value = name;
  easel.tool = name;
}

function setBrush(factor) {
  const { brush } = retouch.elements;
  const size = Number(brush.value);
  brush.value = factor > 1 ? Math.max(size + 1, Math.round(size * factor)) : Math.round(size * factor);
  show();
}

function reset() {
  const { turn, exposure, mirror } = retouch.elements;
  [turn.value, exposure.value, mirror.checked] = [0, 0, false];
  easel.uncrop();
  show();
}

const DOES = {
  undo: () => easel.undo(), clear: () => easel.clear(), fit: () => easel.fit(),
  larger: () => easel.zoom(1.3), smaller: () => easel.zoom(1 / 1.3),
  look, reset, close: () => room.close(),
};
const KEYS = {
  b: () => setTool("paint"), e: () => setTool("erase"), c: () => setTool("crop"), h: () => setTool("move"),
  "[": () => setBrush(1 / 1.25), "]": () => setBrush(1.25), 0: DOES.fit, "+": DOES.larger, "-": DOES.smaller,
};

// Sending

async function body() {
  const { turn, exposure, mirror, fill } = retouch.elements;
  const recipe = { turn: Number(turn.value), mirror: mirror.checked, crop: easel.crop, exposure: Number(exposure.value), fill: fill.value };
  const sent = new FormData();
  sent.set("recipe", JSON.stringify(recipe));
  const mask = await easel.mask();
  if (mask) sent.set("mask", mask, "mask.png");
  return sent;
}

// As the server would keep it, in the same place; any further stroke or change takes it away.
async function look() {
  const visit = opened;
  tell("Working on it…");
  const sent = await body();
  sent.set("look", "on");
  const reply = await post(visit.urls.retouch, sent).catch(() => null);
  const isGood = reply?.ok && !reply.redirected;
  const answer = await (isGood ? reply.blob() : refusal(reply));
  if (!lasts(visit)) return;
  if (!isGood) return tell(answer, "error");
  unlook();
  looked.src = URL.createObjectURL(answer);
  looked.hidden = false;
  tell("This is how it would be kept. Touch it to go on.");
}

function unlook() {
  if (looked.hidden) return;
  looked.hidden = true;
  URL.revokeObjectURL(looked.src);
  tell("");
}

async function keep(event) {
  event.preventDefault();
  if (!isReady()) return;
  const visit = opened;
  const sent = await body();
  sent.set("said", inside.elements.instruction.value);
  finish(visit, "retouch", visit.urls.retouch, sent);
}

async function ask(event) {
  event.preventDefault();
  if (!isReady()) return;
  const visit = opened;
  const mask = await easel.mask();
  if (!mask) return tell("Paint what the editor shall change first.", "error");
  const sent = new FormData(inside);
  sent.set("mask", mask, "mask.png");
  finish(visit, "instruct", visit.urls.edit, sent);
}

async function finish(visit, kind, url, sent) {
  if (!lasts(visit)) return;
  tell("Sending…");
  room.inert = true; // Twice is once, but a second press would open what comes next.
  const sentence = await visit.send(kind, url, sent).finally(() => (room.inert = false));
  if (!lasts(visit)) return;
  if (sentence) tell(sentence, "error");
  else room.close();
}

retouch.addEventListener("submit", keep);
inside.addEventListener("submit", ask);
room.addEventListener("input", ({ target }) => {
  if (target.form !== retouch || !isReady()) return;
  unlook();
  if (target.name === "tool") easel.tool = target.value;
  else show();
});
room.addEventListener("click", ({ target }) => {
  const does = target.closest("[data-room]")?.dataset.room;
  if (does === "close" || isReady()) DOES[does]?.();
});
looked.addEventListener("pointerdown", unlook);
room.addEventListener("close", () => delete room.dataset.ready);
room.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target.form === inside) return inside.requestSubmit();
  if (event.target.matches("textarea, select") || !isReady()) return;
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const does = isUndo ? DOES.undo : !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key.toLowerCase()];
  if (!does) return;
  event.preventDefault();
  does();
});
