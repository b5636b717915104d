// Two pictures of one cell laid over each other: slide between them, or flicker. Without this file,
// or with "side by side", they stand beside each other. Nothing moves by itself.
const stage = document.querySelector("[data-stage]");
const controls = document.querySelector("[data-controls]");
const cut = controls.querySelector("[data-cut]");
const beside = controls.querySelector("[data-beside]");

function show(percent) {
  cut.value = percent;
  stage.style.setProperty("--cut", `${cut.value}%`);
  stage.style.setProperty("--at", cut.value / 100);
}

function swap() {
  if (!stage.classList.contains("over")) lay(true);
  stage.classList.add("flicker");
  show(cut.value > 50 ? 0 : 100);
}

function lay(over) {
  stage.classList.toggle("over", over);
  beside.setAttribute("aria-pressed", String(!over));
}

function slideTo(event) {
  if (!stage.classList.contains("over")) return;
  const box = stage.querySelector("img").getBoundingClientRect();
  stage.classList.remove("flicker");
  show(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
}

if (stage.querySelectorAll("img").length === 2) {
  controls.hidden = false;
  lay(true);
  show(50);
  cut.addEventListener("input", () => {
    stage.classList.remove("flicker");
    show(cut.value);
  });
  controls.querySelector("[data-swap]").addEventListener("click", swap);
  beside.addEventListener("click", () => lay(!stage.classList.contains("over")));
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    slideTo(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.buttons) slideTo(event);
  });
}

const pressed = {
  " ": swap,
  s: () => beside.click(),
  ArrowUp: () => document.querySelector("[data-before]").click(),
  ArrowDown: () => document.querySelector("[data-after]").click(),
  ArrowLeft: () => show(Number(cut.value) - 5),
  ArrowRight: () => show(Number(cut.value) + 5),
};
document.addEventListener("keydown", (event) => {
  const move = pressed[event.key];
  const isTyping = event.target.closest("input, select, button, a");
  if (!move || isTyping || controls.hidden || event.metaKey || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  move();
});
