// How far the review is, and how long the rest will take at this person's own pace.

const PACE_OF = 20;
const LONGEST_LOOK = 60; // Seconds; after that somebody fetched a coffee.

const tab = document.querySelector("[data-waiting]");
const bar = document.querySelector(".tally-bar");
const looks = [];
let elsewhere; // Pictures that wait in the subject's other batches.

export function addLook(seconds) {
  looks.push(Math.min(seconds, LONGEST_LOOK));
  looks.splice(0, looks.length - PACE_OF);
}

export function showTally(verdicts) {
  const left = verdicts.filter((verdict) => verdict === "pending").length;
  elsewhere ??= Math.max(Number(tab?.textContent ?? 0) - left, 0);
  if (tab) tab.textContent = elsewhere + left || "";
  put("decided", verdicts.length - left);
  put("of", `of ${verdicts.length}`);
  put("all", verdicts.length);
  put("accepted", verdicts.filter((verdict) => verdict === "accepted").length);
  Object.assign(bar, { max: Math.max(verdicts.length, 1), value: verdicts.length - left });
  if (looks.length < 3) return;
  const seconds = looks.reduce((sum, look) => sum + look, 0) / looks.length;
  put("pace", `${Math.round(60 / seconds)} a minute · ${spoken(seconds * left)}`);
}

function put(name, text) {
  document.querySelectorAll(`[data-tally=${name}]`).forEach((e) => (e.textContent = text));
}

function spoken(seconds) {
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
