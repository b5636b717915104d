// Keys of the disputes: they settle the picture that has the focus, else the first one. One answer
// a page: the next page brings the next picture.

const CHOICES = { a: "accept", p: "accept", x: "reject" };

let isSettling = false;

addEventListener("submit", (event) => {
  if (isSettling) event.preventDefault();
  isSettling = true;
});
addEventListener("pageshow", () => (isSettling = false));

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  const choice = CHOICES[event.key.toLowerCase()];
  if (!choice) return;
  const focused = document.activeElement.closest(".dispute");
  const dispute = focused ?? document.querySelector(".dispute");
  dispute?.querySelector(`[name=choice][value=${choice}]`).click();
});
