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
export async function open(picture, urls, send) {
  opened = { picture, urls, send };
  [retouch, inside].forEach((form) => form.reset());
  tell("");
  unlook();
  room.showModal();
  try {
    const [{ Easel }, image] = await Promise.all([import("./easel.js"), decoded(picture.dataset.full)]);
    easel ??= new Easel($(".easel"), unlook);
    easel.put(image, Number(picture.getAttribute("width")), Number(picture.getAttribute("height")));
    setTool("paint");
    show();
    room.dataset.ready = "";
  } catch {
    tell("The picture did not load. Close this and try again.", "error");
  }
}

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
  tell("Working on it…");
  const sent = await body();
  sent.set("look", "on");
  const reply = await post(opened.urls.retouch, sent).catch(() => null);
  if (!reply?.ok || reply.redirected) return tell(await refusal(reply), "error");
  unlook();
  looked.src = URL.createObjectURL(await reply.blob());
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
  const sent = await body();
  sent.set("said", inside.elements.instruction.value);
  finish("retouch", opened.urls.retouch, sent);
}

async function ask(event) {
  event.preventDefault();
  const mask = await easel.mask();
  if (!mask) return tell("Paint what the editor shall change first.", "error");
  const sent = new FormData(inside);
  sent.set("mask", mask, "mask.png");
  finish("instruct", opened.urls.edit, sent);
}

async function finish(kind, url, sent) {
  tell("Sending…");
  room.inert = true; // Twice is once, but a second press would open what comes next.
  const sentence = await opened.send(kind, url, sent).finally(() => (room.inert = false));
  if (sentence) tell(sentence, "error");
  else room.close();
}

retouch.addEventListener("submit", keep);
inside.addEventListener("submit", ask);
room.addEventListener("input", ({ target }) => {
  if (target.form !== retouch || !easel) return;
  unlook();
  if (target.name === "tool") easel.tool = target.value;
  else show();
});
room.addEventListener("click", ({ target }) => easel && DOES[target.closest("[data-room]")?.dataset.room]?.());
looked.addEventListener("pointerdown", unlook);
room.addEventListener("close", () => delete room.dataset.ready);
room.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target.form === inside) return inside.requestSubmit();
  if (event.target.matches("textarea, select") || !easel) return;
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const does = isUndo ? DOES.undo : !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key.toLowerCase()];
  if (!does) return;
  event.preventDefault();
  does();
});
