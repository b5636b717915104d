// What a page needs that reads itself again every few seconds.
const line = document.querySelector("[data-told]");
let isPressed = false;

// Said aloud: one line outside of what is swapped, and only when its words change.
document.addEventListener("htmx:afterSwap", () => {
  const words = document.querySelector("[data-tell]")?.dataset.tell ?? "";
  if (line && line.textContent !== words) line.textContent = words;
});

// A button swapped between press and release would lose the click; the next poll comes soon.
addEventListener("pointerdown", () => (isPressed = true));
addEventListener("pointerup", () => (isPressed = false));
addEventListener("pointercancel", () => (isPressed = false));
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isPressed) event.detail.shouldSwap = false;
});
