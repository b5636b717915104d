// Many at a time: one page of pictures, all accepted or all rejected but for those that are marked.

const $ = (selector, within = document) => within.querySelector(selector);

const desk = $(".desk");
const grid = $(".grid");
const tiles = $(".grid-tiles");
const button = $("#commit-grid");

const OTHER = { accept: "reject", reject: "accept" };

let usual = sessionStorage.usual ?? "accept"; // What happens to those that nobody marks.
let shown = [];

export const painted = () => Promise.allSettled([...tiles.querySelectorAll("img")].map((picture) => picture.decode()));

export const isOpen = () => desk.classList.contains("gridded");

// What the server painted already stays, and is not loaded again.
export function lay(frames) {
  const painted = new Map([...tiles.children].map((one) => [one.dataset.item, one]));
  close();
  desk.classList.add("gridded");
  add(frames, painted);
}

// Those of the frames that are not on the page yet.
export function add(frames, painted = new Map()) {
  const more = frames.filter((frame) => !shown.includes(frame));
  shown = [...shown, ...more];
  tiles.append(...more.map((frame) => tile(frame, painted)));
  if (!tiles.contains(document.activeElement)) tiles.firstElementChild?.focus();
  tell();
}

export function close() {
  desk.classList.remove("gridded");
  tiles.replaceChildren();
  shown = [];
}

export function setUsual(choice) {
  usual = sessionStorage.usual = choice;
  tell();
}

// Every picture on the page with what was chosen for it.
export function choices() {
  const marked = (at) => tiles.children[at].getAttribute("aria-pressed") === "true";
  return shown.map((frame, at) => [frame, marked(at) ? OTHER[usual] : usual]);
}

// The tile that has the focus moves by so many places.
export function step(by) {
  const all = [...tiles.children];
  const here = all.indexOf(document.activeElement);
  all[Math.min(Math.max(here + by, 0), all.length - 1)]?.focus();
}

export const across = () => getComputedStyle(tiles).gridTemplateColumns.split(" ").length;

function tile(frame, painted) {
  const { item, gate } = frame.dataset;
  const element = painted.get(item) ?? fresh($("img", frame));
  Object.assign(element.dataset, { item, gate });
  return element; // Somebody may have marked it already.
}

function fresh(thumbnail) {
  const element = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
  element.setAttribute("aria-pressed", "false");
  element.append(Object.assign(new Image(), { src: thumbnail.src, alt: thumbnail.alt }));
  return element;
}

tiles.addEventListener("click", (event) => {
  const element = event.target.closest(".tile");
  if (!element) return;
  element.setAttribute("aria-pressed", element.getAttribute("aria-pressed") !== "true");
  tell();
});

function tell() {
  const count = { accept: 0, reject: 0 };
  choices().forEach(([, choice]) => (count[choice] += 1));
  grid.dataset.usual = usual;
  for (const choice of ["accept", "reject"])
    $(`button[data-usual=${choice}]`, grid).setAttribute("aria-pressed", usual === choice);
  const both = [usual, OTHER[usual]].filter((choice) => count[choice] > 0);
  const words = both.map((choice) => `${choice} ${count[choice]}`).join(", ");
  button.firstChild.textContent = words.charAt(0).toUpperCase() + words.slice(1);
}

grid.addEventListener("click", (event) => {
  const { usual: wanted } = event.target.closest("button[data-usual]")?.dataset ?? {};
  if (wanted) setUsual(wanted);
});
