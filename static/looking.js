// Looking closer at the current candidate: beside a photo of the person, and at 100 %.

const desk = document.querySelector(".desk");
const current = (selector) => desk.querySelector(`.candidate.current ${selector}`);

export function closeViews() {
  desk.classList.remove("zoomed");
  desk.querySelectorAll(".stage .beside").forEach((element) => element.remove());
}

// The nearest photo beside the candidate; asked again the next one, after the last none.
export function compare() {
  const photos = [...desk.querySelectorAll(".candidate.current .nearest img")];
  const beside = current(".beside");
  const following = photos[beside ? Number(beside.dataset.place) + 1 : 0];
  beside?.remove();
  if (!following) return;
  const large = Object.assign(new Image(), { className: "beside", src: following.dataset.large });
  large.alt = following.alt;
  large.dataset.place = photos.indexOf(following);
  current(".stage").append(large);
}

export function zoom() {
  const picture = current(".picked");
  if (desk.classList.toggle("zoomed") && picture) picture.src = picture.dataset.full;
}
