// Keys of the disputes: they settle the picture that has the focus, else the first one. One answer
// a page: the next page brings the next picture.

import { onKeys } from "./keys.js";

let isSettling = false;

addEventListener("submit", (event) => {
  if (isSettling) event.preventDefault();
  isSettling = true;
});
addEventListener("pageshow", () => (isSettling = false));

function settle(choice) {
  const focused = document.activeElement.closest(".dispute");
  const dispute = focused ?? document.querySelector(".dispute");
  dispute?.querySelector(`[name=choice][value=${choice}]`).click();
}

onKeys(() => ({ accept: () => settle("accept"), reject: () => settle("reject") }));
