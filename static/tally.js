// How far the review is, and how long the rest will take at this person's own pace.

const PACE_OF = 20;
const LONGEST_LOOK = 60; // Seconds; after that somebody fetched a coffee.
const GLANCE = 5; // Seconds at most for each of many that are looked at together.

const tab = document.querySelector(".tab-count");
const bar = document.querySelector(".tally-bar");
const desk = document.querySelector(".desk");
const looks = [];
let count = { total: 0, waiting: 0, accepted: 0 };
let elsewhere; // Pictures that wait in the subject's other batches.

// What each of the pictures took that have been looked at together since then, in seconds.
export function look(since, pictures = 1) {
  const longest = Math.max(LONGEST_LOOK, GLANCE * pictures);
  const seconds = Math.min((performance.now() - since) / 1000, longest) / pictures;
  for (let n = 0; n < pictures; n += 1) looks.push(seconds);
  looks.splice(0, looks.length - PACE_OF);
  return seconds;
}

// What the server counted: `told` carries data-total, data-waiting and data-accepted.
export function setTally(told) {
  const { total, waiting, accepted } = told.dataset;
  count = { total: Number(total), waiting: Number(waiting), accepted: Number(accepted) };
  elsewhere ??= Math.max(Number(tab?.textContent ?? 0) - count.waiting, 0);
  show();
}

// One picture went from one verdict to another, before the server has heard of it.
export function moved(before, after) {
  const change = (verdict) => Number(after === verdict) - Number(before === verdict);
  count.waiting = Math.max(count.waiting + change("pending"), 0);
  count.accepted = Math.max(count.accepted + change("accepted"), 0);
  show();
}

function show() {
  const { total, waiting, accepted } = count;
  if (tab) tab.textContent = elsewhere + waiting || "";
  put({ decided: total - waiting, of: `of ${total}`, all: total, accepted, waiting, pace: pace() });
  desk.classList.toggle("all-decided", waiting === 0);
  Object.assign(bar, { max: Math.max(total, 1), value: total - waiting });
}

// With every key: the page, of thousands of elements, is gone through once.
function put(texts) {
  for (const place of document.querySelectorAll("[data-tally]")) place.textContent = texts[place.dataset.tally];
}

function pace() {
  if (looks.length < 3) return "";
  const seconds = looks.reduce((sum, look) => sum + look, 0) / looks.length;
  return `${Math.round(60 / seconds)} a minute · ${spoken(seconds * count.waiting)}`;
}

function spoken(seconds) {
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
