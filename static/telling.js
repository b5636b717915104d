// Says aloud what a poll changed: one line outside of what is swapped, and only when its words change.
const line = document.querySelector("[data-told]");

document.addEventListener("htmx:afterSwap", () => {
  const words = document.querySelector("[data-tell]")?.dataset.tell ?? "";
  if (line.textContent !== words) line.textContent = words;
});
