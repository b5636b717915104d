// Which key does what. Keys are inert while something is typed, behind an open dialog and with a
// modifier held; a key that is kept down repeats only where that makes sense. Everybody may give
// an action a key of their own: the page shows it wherever it names the key.

const USUAL = {
  accept: ["a", "p"], reject: ["x"], skip: [" "], undo: ["Backspace", "Ctrl+z"], unset: ["u"],
  edit: ["e"], retouch: ["m"], reference: ["r", "c"], flicker: ["f"], loupe: ["l"], zoom: ["z"], survey: ["n"],
  burst: ["Shift+P"], grid: ["g"], sweep: ["s"], back: ["["], forth: ["]"], help: ["?"],
  left: ["ArrowLeft"], right: ["ArrowRight"], up: ["ArrowUp"], down: ["ArrowDown"],
  settle: ["Enter"], close: ["Escape"],
};
const HELD = ["back", "forth", "left", "right", "up", "down"];
const TYPED = "textarea, select, input:not([type=checkbox])";
export const PRESSED = "button, summary, a, input";
// What has the focus keeps the key that presses it. Enter settles from any picture.
const PRESSED_BY = { " ": PRESSED, Enter: "button:not(.tile, .pane), summary, a" };

let own = {};
let actionOf = new Map();
const released = new Map(); // Code of a key that is down -> what happens when it is let go.

// `doesNow()` gives action -> function as things stand, which may give another function for when
// the key is let go. A digit ticks the reason that carries it.
export function onKeys(doesNow) {
  learn(JSON.parse(document.getElementById("own-keys").textContent));
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
    else if (!event.repeat || HELD.includes(action)) released.set(event.code, does());
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
export function nameOf(event) {
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
export function learn(keys) {
  own = keys;
  const usual = Object.entries(USUAL).filter(([action]) => !(action in own));
  actionOf = new Map(usual.flatMap(([action, keys]) => keys.map((key) => [key, action])));
  Object.entries(own).forEach(([action, key]) => actionOf.set(key, action));
  showKeys();
}

// Markup names the usual keys.
export function showKeys(within = document) {
  for (const shown of within.querySelectorAll("[data-key-of]")) {
    shown.dataset.usualKey ??= shown.textContent;
    shown.textContent = spoken(own[shown.dataset.keyOf]) ?? shown.dataset.usualKey;
  }
}

const spoken = (key) => key?.replace("Shift+", "⇧ ").replace(/^[a-z]$/, (letter) => letter.toUpperCase());
