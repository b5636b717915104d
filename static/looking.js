// Looking closer at the current candidate: beside a photo of the person, over its source, at 100 %.
// How somebody looks stays from picture to picture; Escape puts everything away.

import { closeLoupe, moveLoupe, placeLoupe } from "./loupe.js";

const HOLD_MS = 300; // A key that is let go later than that was held.
const STEP = 0.15; // Of the stage, by which an arrow key pans.

const desk = document.querySelector(".desk");
const current = (selector) => desk.querySelector(`.candidate.current ${selector}`);
const isZoomed = () => desk.classList.contains("zoomed");

let pinned = -1; // Place of the photo that stays beside every candidate; -1 is none.
let centre = [0.5, 0.5]; // What lies in the middle at 100 %, as fractions of the picture.

// Another candidate faces the person.
export function follow() {
  desk.querySelectorAll(".over").forEach((element) => element.remove());
  showBeside();
  if (isZoomed()) enlarge();
  placeLoupe();
}

export function closeViews() {
  pinned = -1;
  desk.classList.remove("zoomed");
  closeLoupe();
  follow();
}

// The nearest photo beside the candidate: pinned by a tap, asked again the next one, after the last
// none. A held key shows it only while it is held.
export function compare() {
  const before = pinned;
  const pressedAt = performance.now();
  pinned = pinned + 1 < nearest().length ? pinned + 1 : -1;
  showBeside();
  return () => {
    if (performance.now() - pressedAt < HOLD_MS) return;
    pinned = before;
    showBeside();
  };
}

const nearest = () => [...desk.querySelectorAll(".candidate.current .nearest img")];

function showBeside() {
  desk.querySelectorAll(".beside").forEach((element) => element.remove());
  const photo = nearest()[pinned];
  if (photo) current(".stage").append(largeOf(photo, "beside"));
  for (const button of desk.querySelectorAll('[data-does="reference"]'))
    button.setAttribute("aria-pressed", pinned >= 0);
  placeLoupe();
}

// The picture it was made from in the very same place, and back: what changed jumps to the eye.
export function flicker() {
  const source = current(".source");
  const over = current(".over");
  if (over) over.remove();
  else if (source) current(".stage").append(largeOf(source, "over"));
}

function largeOf(thumbnail, className) {
  const { dataset, alt } = thumbnail;
  return Object.assign(new Image(), { className, src: dataset.large, alt });
}

export function zoom() {
  closeLoupe();
  if (desk.classList.toggle("zoomed")) enlarge();
}

// At 100 %, with the same place in the middle as in the picture before.
async function enlarge() {
  const picture = current(".picked");
  if (!picture) return;
  if (!picture.src.endsWith(picture.dataset.full)) picture.src = picture.dataset.full;
  const wanted = [...centre];
  await picture.decode().catch(() => {}); // It shows its alt text instead.
  const stage = picture.closest(".stage");
  stage.scrollTo(
    wanted[0] * stage.scrollWidth - stage.clientWidth / 2,
    wanted[1] * stage.scrollHeight - stage.clientHeight / 2,
  );
}

// What arrow keys do while somebody looks closely; false where nobody does.
export function pan(across, down) {
  if (moveLoupe(across, down)) return true;
  const stage = current(".stage");
  if (!isZoomed() || !stage) return false;
  stage.scrollBy(across * STEP * stage.clientWidth, down * STEP * stage.clientHeight);
  return true;
}

desk.addEventListener("scroll", ({ target }) => {
  if (!isZoomed() || !target.matches?.(".current .stage")) return;
  centre = [
    (target.scrollLeft + target.clientWidth / 2) / target.scrollWidth,
    (target.scrollTop + target.clientHeight / 2) / target.scrollHeight,
  ];
}, true);
desk.addEventListener("pointermove", (event) => {
  const stage = isZoomed() && event.buttons === 1 && event.target.closest(".stage");
  if (stage) stage.scrollBy(-event.movementX, -event.movementY);
});
