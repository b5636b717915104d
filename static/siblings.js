// Other pictures of the same cell on this desk, small, under what was asked for.

const MOST = 8;

// `frames` are those of the film; each sibling leads to its picture and shows what was said of it.
// What is shown already is left alone.
export function showSiblings(candidate, frame, frames) {
  const place = candidate.querySelector(".siblings");
  const { shot } = frame.dataset;
  const same = shot ? frames.filter((other) => other !== frame && other.dataset.shot === shot) : [];
  const shown = same.slice(0, MOST);
  const state = JSON.stringify([same.length, shown.map(({ dataset }) => [dataset.item, dataset.verdict])]);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.hidden = same.length === 0;
  place.querySelector("[data-siblings]").textContent = same.length;
  place.querySelector("div").replaceChildren(...shown.map(small));
}

function small(frame) {
  const copy = frame.cloneNode(true);
  copy.removeAttribute("id");
  copy.className = "sibling";
  return copy;
}
