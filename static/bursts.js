// Several pictures that want to be compared: near-duplicates, or answers to the same order.

import { showKeys } from "./keys.js";

const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const ALIKE = 8; // Bits of 64 by which the perceptual hashes of near-duplicates differ at most.
const MOST = 6; // Side by side; more would be too small to judge.

const survey = document.querySelector(".survey");

// The picture with the other answers to the same order; else with those that look the same and
// those of the same shot, the likest first.
export function group(frame, others) {
  const { answerTo } = frame.dataset;
  if (answerTo) return others.filter((other) => other.dataset.answerTo === answerTo).slice(0, MOST);
  const near = (other) => distance(frame.dataset.phash, other.dataset.phash);
  const rest = others.filter((other) => other !== frame);
  const alike = rest.filter((other) => other.dataset.shot === frame.dataset.shot || near(other) <= ALIKE);
  return [frame, ...alike.sort((a, b) => near(a) - near(b))].slice(0, MOST);
}

// Others that look the same as the picture.
export const burst = (frame, others) =>
  others.filter((other) => other !== frame && distance(frame.dataset.phash, other.dataset.phash) <= ALIKE);

function distance(one, other) {
  if (!one || !other) return 64;
  let bits = BigInt(`0x${one}`) ^ BigInt(`0x${other}`);
  let count = 0;
  for (; bits; bits &= bits - 1n) count += 1;
  return count;
}

const desk = document.querySelector(".desk");

export const isOpen = () => desk.classList.contains("surveyed");

// Lay pictures side by side, the first one chosen; `large(frame)` gives the address of its preview.
export function lay(frames, large) {
  survey.replaceChildren(hint(frames.length), ...frames.map((frame) => pane(frame, large(frame))));
  showKeys(survey);
  desk.classList.add("surveyed");
  choose(0);
}

export function close() {
  desk.classList.remove("surveyed");
  survey.replaceChildren();
}

export function step(by) {
  const here = panes().findIndex((element) => element.matches(".chosen"));
  choose((here + by + panes().length) % panes().length);
}

function choose(at) {
  panes().forEach((element, place) => {
    element.classList.toggle("chosen", place === at);
    element.setAttribute("aria-pressed", place === at);
  });
}

// Item numbers of all.
export const all = () => panes().map((element) => element.dataset.item);

// Item numbers: the chosen one, and the rest.
export function chosen() {
  const best = panes().find((element) => element.matches(".chosen"));
  return { best: best.dataset.item, rest: panes().filter((e) => e !== best).map((e) => e.dataset.item) };
}

const panes = () => $$(".pane", survey);

// What can be done, by key or by finger; the desk carries out what a button `does`.
function hint(count) {
  const line = Object.assign(document.createElement("p"), { className: "survey-hint" });
  line.append(
    "Choose the best, by a tap or ← →. ",
    button("settle", `Keep it, reject the other ${count - 1}`, "Enter"),
    button("reject", `Reject all ${count}`, "X"),
    button("close", "Leave all", "Esc"),
  );
  return line;
}

function button(does, words, key) {
  const element = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-plain" });
  element.dataset.does = does;
  const named = Object.assign(document.createElement("kbd"), { textContent: key });
  named.dataset.keyOf = does;
  element.append(`${words} `, named);
  return element;
}

function pane(frame, source) {
  const element = Object.assign(document.createElement("button"), { type: "button", className: "pane" });
  element.dataset.item = frame.dataset.item;
  const picture = Object.assign(new Image(), { src: source, alt: frame.querySelector("img").alt });
  const likeness = Object.assign(document.createElement("span"), { className: "pane-score" });
  likeness.textContent = frame.dataset.score;
  element.append(picture, likeness);
  element.addEventListener("click", () => choose(panes().indexOf(element)));
  return element;
}
