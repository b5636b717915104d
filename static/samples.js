// A click on a sample shows its cell at every checkpoint, large and side by side.
const dialog = document.querySelector("#compare");
let cell = 0;

const rows = () => [...document.querySelectorAll(".sample-table tbody tr")].reverse();
const links = (row) => [...row.querySelectorAll("a")];
const title = (place) => document.querySelectorAll(".sample-table thead th")[place + 1]?.title ?? `Cell ${place + 1}`;

function figure(row, isChosen) {
  const link = links(row)[cell];
  if (!link) return [];
  const box = document.createElement("figure");
  const picture = document.createElement("img");
  const words = document.createElement("figcaption");
  picture.src = link.href;
  picture.alt = `${title(cell)} at step ${row.dataset.step}`;
  words.textContent = `step ${row.dataset.step}${row.classList.contains("kept") ? ", kept" : ""}`;
  box.append(picture, words);
  box.toggleAttribute("data-chosen", isChosen);
  return [box];
}

function show(step) {
  dialog.querySelector("[data-title]").textContent = title(cell);
  const strip = dialog.querySelector("[data-strip]");
  strip.replaceChildren(...rows().flatMap((row) => figure(row, row.dataset.step === step)));
  if (!dialog.open) dialog.showModal();
  strip.querySelector("[data-chosen]")?.scrollIntoView({ inline: "center" });
}

function turn(by) {
  const count = Math.max(...rows().map((row) => links(row).length));
  cell = (cell + by + count) % count;
  show(dialog.querySelector("[data-chosen] figcaption")?.textContent.match(/\d+/)?.[0]);
}

const moves = { ArrowLeft: -1, ArrowRight: 1 };

document.addEventListener("click", (event) => {
  const link = event.target.closest(".sample-table a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const row = link.closest("tr");
  cell = links(row).indexOf(link);
  show(row.dataset.step);
});
dialog.addEventListener("keydown", (event) => {
  if (!moves[event.key]) return;
  event.preventDefault();
  turn(moves[event.key]);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
  const by = moves[event.target.dataset.key];
  if (by) turn(by);
});
