// Which key does what. Keys are inert while something is typed, behind an open dialog and with a
// modifier held; a key that is kept down repeats only where that makes sense. Everybody may give
// an action a key of their own: the page shows it wherever it names the key.

import { post, refusal } from "./outbox.js";

const USUAL = {
  accept: ["a", "p"], reject: ["x"], skip: [" "], undo: ["Backspace", "Ctrl+z"], unset: ["u"],
  edit: ["e"], retouch: ["m"], reference: ["r", "c"], flicker: ["f"], loupe: ["l"], zoom: ["z"], survey: ["n"],
  burst: ["Shift+P"],
  grid: ["g"], sweep: ["s"], help: ["?"],
  back: ["[", "ArrowLeft"], forth: ["]", "ArrowRight"], up: ["ArrowUp"], down: ["ArrowDown"],
  settle: ["Enter"], close: ["Escape"],
};
const HELD = ["back", "forth", "up", "down"];
const TYPED = "textarea, select, input:not([type=checkbox])";
export const PRESSED = "button, summary, a, input";
// What has the focus keeps the key that presses it. Enter settles from any picture.
const PRESSED_BY = { " ": PRESSED, Enter: "button:not(.tile, .pane), summary, a" };

const help = document.querySelector(".help");
let own = JSON.parse(document.getElementById("own-keys").textContent);
let actionOf = new Map();
const released = new Map(); // Code of a key that is down -> what happens when it is let go.

// `doesNow()` gives action -> function as things stand: it is told the key, and may give another
// function for when the key is let go. A digit ticks the reason that carries it.
export function onKeys(doesNow) {
  learn();
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.target.matches(TYPED)) return typed(event);
    const name = nameOf(event);
    if (!name || (name in PRESSED_BY && event.target.matches(PRESSED_BY[name]))) return;
    const action = actionOf.get(name);
    const box = /^[1-9]$/.test(name) && document.querySelector(`[data-key="${name}"]`);
    const does = doesNow()[action];
    if (!box && !does) return;
    event.preventDefault();
    if (box) box.checked = !box.checked;
    else if (!event.repeat || HELD.includes(action)) released.set(event.code, does(name));
  });
  addEventListener("keyup", ({ code }) => letGo(code));
  addEventListener("blur", () => [...released.keys()].forEach(letGo));
}

function letGo(code) {
  const after = released.get(code);
  released.delete(code);
  if (typeof after === "function") after();
}

// "a", "Shift+P", "Ctrl+z", "Enter"; nothing where a modifier means something to the browser.
function nameOf(event) {
  const { key } = event;
  if (key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) return "Ctrl+z";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (key.length > 1) return key;
  return event.shiftKey && /[A-Z]/.test(key) ? `Shift+${key}` : key.toLowerCase();
}

function typed(event) {
  if (event.key === "Escape") event.target.blur();
  if (event.key === "Enter" && event.ctrlKey) event.target.form?.requestSubmit();
}

// A key of one's own takes the place of the usual ones, also where another action usually has it.
function learn() {
  const usual = Object.entries(USUAL).filter(([action]) => !(action in own));
  actionOf = new Map(usual.flatMap(([action, keys]) => keys.map((key) => [key, action])));
  Object.entries(own).forEach(([action, key]) => actionOf.set(key, action));
  for (const shown of document.querySelectorAll("[data-key-of]"))
    shown.textContent = spoken(own[shown.dataset.keyOf]) ?? shown.dataset.usual;
}

const spoken = (key) => key?.replace("Shift+", "⇧ ").replace(/^[a-z]$/, (letter) => letter.toUpperCase());

// Changing: press the button beside an action, then the key it shall have.

let asking = null;

function ask(button) {
  asking?.setAttribute("aria-pressed", "false");
  asking = asking === button ? null : button;
  asking?.setAttribute("aria-pressed", "true");
  tell(asking ? `Press the key for “${button.dataset.words}”; ⌫ gives it its usual key again.` : "");
}

async function bind(action, key) {
  const body = new URLSearchParams({ action, key });
  const reply = await post(help.dataset.bind, body).catch(() => null);
  if (!reply?.ok) return tell(await refusal(reply));
  own = (await reply.json()).keys;
  learn();
  tell("Kept.");
}

const tell = (text) => (help.querySelector("[data-told]").textContent = text);

help.addEventListener("click", (event) => {
  const button = event.target.closest("[data-bind-action]");
  if (button) ask(button);
});
// On the window: a button that was clicked gives the focus away.
addEventListener("keydown", (event) => {
  if (!asking || ["Shift", "Tab"].includes(event.key)) return;
  event.preventDefault();
  const { bindAction } = asking.dataset;
  ask(asking);
  if (event.key !== "Escape") bind(bindAction, event.key === "Backspace" ? "" : nameOf(event));
});
help.addEventListener("close", () => asking && ask(asking));
