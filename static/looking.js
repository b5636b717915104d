// Looking closer at the current candidate: beside a photo of the person, over its source, at 100 %.

const desk = document.querySelector(".desk");
const current = (selector) => desk.querySelector(`.candidate.current ${selector}`);

export function closeViews() {
  desk.classList.remove("zoomed");
  desk.querySelectorAll(".stage .beside, .stage .over").forEach((element) => element.remove());
}

// The nearest photo beside the candidate; asked again the next one, after the last none.
export function compare() {
  const photos = [...desk.querySelectorAll(".candidate.current .nearest img")];
  const beside = current(".beside");
  const following = photos[beside ? Number(beside.dataset.place) + 1 : 0];
  beside?.remove();
  if (!following) return;
  const large = largeOf(following, "beside");
  large.dataset.place = photos.indexOf(following);
  current(".stage").append(large);
}

// The picture it was made from in the very same place, and back: what changed jumps to the eye.
export function flicker() {
  const source = current(".source");
  const over = current(".over");
  if (over) over.remove();
  else if (source) current(".stage").append(largeOf(source, "over"));
}

function largeOf(thumbnail, className) {
  const { dataset, alt } = thumbnail;
  return Object.assign(new Image(), { className, src: dataset.large, alt });
}

export function zoom() {
  const picture = current(".picked");
  if (desk.classList.toggle("zoomed") && picture) picture.src = picture.dataset.full;
}
