// A loupe over the current candidate, at the pointer: at least twice as large as the page shows it,
// and twice the pixels of the large preview. Held with the mouse or a finger, or switched on; then
// the arrow keys move it, too.

const HOLD_MS = 300;
const FAR = 8; // CSS pixels after which a press is a drag or a swipe.
const STEP = 0.04; // Of the picture, by which an arrow key moves it.
const PREVIEW = 2048; // Longest side of the large preview, px.

const desk = document.querySelector(".desk");
const glass = Object.assign(document.createElement("div"), { className: "loupe" });
glass.setAttribute("aria-hidden", "true");

let at = [0.5, 0.5]; // Fractions of the picture.
let press = null; // Where the pointer went down, and the timer that waits for a hold.
let isHeld = false;

const isOn = () => desk.classList.contains("louped");
const picked = () => desk.querySelector(".candidate.current .picked");

export function loupe() {
  turn(!isOn());
}

export function closeLoupe() {
  if (isOn()) turn(false);
}

// True where there is one to move.
export function moveLoupe(across, down) {
  if (!isOn()) return false;
  look(at[0] + across * STEP, at[1] + down * STEP);
  return true;
}

function turn(on) {
  desk.classList.toggle("louped", on);
  for (const button of desk.querySelectorAll('[data-does="loupe"]'))
    button.setAttribute("aria-pressed", on);
  placeLoupe();
}

function look(across, down) {
  at = [across, down].map((part) => Math.min(Math.max(part, 0), 1));
  placeLoupe();
}

// Over the picture that is shown now.
export function placeLoupe() {
  const picture = picked();
  if (!isOn() || !picture?.naturalWidth) return glass.remove();
  const stage = picture.closest(".stage");
  stage.append(glass);
  const box = shownBox(picture);
  const { left, top } = stage.getBoundingClientRect();
  const larger = Math.max(2, (2 * previewWidth(picture)) / box.width);
  const half = glass.offsetWidth / 2;
  Object.assign(glass.style, {
    left: `${box.left - left + at[0] * box.width - half}px`,
    top: `${box.top - top + at[1] * box.height - half}px`,
    backgroundImage: `url("${picture.dataset.full}")`,
    backgroundSize: `${box.width * larger}px ${box.height * larger}px`,
    backgroundPosition: `${half - at[0] * box.width * larger}px ${half - at[1] * box.height * larger}px`,
  });
}

// Where its pixels lie within the element: `object-fit: contain` leaves margins.
function shownBox(picture) {
  const frame = picture.getBoundingClientRect();
  const scale = Math.min(frame.width / picture.naturalWidth, frame.height / picture.naturalHeight);
  const [width, height] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
  const left = frame.left + (frame.width - width) / 2;
  return { left, top: frame.top + (frame.height - height) / 2, width, height };
}

function previewWidth(picture) {
  const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
  return width * Math.min(1, PREVIEW / Math.max(width, height));
}

function point({ clientX, clientY }) {
  const picture = picked();
  if (!picture?.naturalWidth) return;
  const box = shownBox(picture);
  look((clientX - box.left) / box.width, (clientY - box.top) / box.height);
}

function letGo() {
  clearTimeout(press?.timer);
  press = null;
  if (isHeld) turn(false);
  isHeld = false;
}

desk.addEventListener("pointerdown", (event) => {
  const onPicture = event.target.closest(".stage") && !desk.classList.contains("zoomed");
  if (!onPicture || event.button !== 0) return;
  if (isOn()) return point(event);
  const timer = setTimeout(() => {
    isHeld = true;
    turn(true);
    point(event);
  }, HOLD_MS);
  press = { timer, x: event.clientX, y: event.clientY };
});
desk.addEventListener("pointermove", (event) => {
  if (isOn() && event.target.closest(".stage")) point(event);
  else if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > FAR) letGo();
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, letGo);
// Under a finger the page would scroll, the browser offer its menu, the mouse drag the file away.
desk.addEventListener("touchmove", (event) => {
  if (isOn() && event.target.closest(".stage")) event.preventDefault();
}, { passive: false });
for (const own of ["contextmenu", "dragstart"])
  desk.addEventListener(own, (event) => {
    if (event.target.closest(".stage") && (own === "dragstart" || isOn())) event.preventDefault();
  });
addEventListener("resize", placeLoupe);
