// Which key does what. Keys are inert while something is typed, behind an open dialog and with a
// modifier held; a key that is kept down repeats only where that makes sense.

const TYPED = "textarea, input:not([type=checkbox])";
export const PRESSED = "button, summary, a, input";
const HELD = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "[", "]"];

// `bindingsNow()` gives name -> function; names are what `nameOf` makes of an event. A digit ticks
// the reason that carries it.
export function onKeys(bindingsNow) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.target.matches(TYPED)) return typed(event);
    const name = nameOf(event);
    if (!name || (name === " " && event.target.matches(PRESSED))) return;
    const box = /^[1-9]$/.test(name) && document.querySelector(`[data-key="${name}"]`);
    const does = bindingsNow()[name];
    if (!box && !does) return;
    event.preventDefault();
    if (box) box.checked = !box.checked;
    else if (!event.repeat || HELD.includes(name)) does();
  });
}

// "a", "Shift+P", "Ctrl+z", "Enter"; nothing where a modifier means something to the browser.
function nameOf(event) {
  const { key } = event;
  const isUndo = key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
  if (isUndo) return "Ctrl+z";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (key.length > 1) return key;
  return event.shiftKey && /[A-Z]/.test(key) ? `Shift+${key}` : key.toLowerCase();
}

function typed(event) {
  if (event.key === "Escape") event.target.blur();
  if (event.key === "Enter" && event.ctrlKey) event.target.form?.requestSubmit();
}
