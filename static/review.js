// The review desk at the speed of a thumb: decisions show at once and travel behind. Without this
// script the same page works by plain forms.

import { closeViews, compare, zoom } from "./looking.js";
import { onSwipe } from "./swiping.js";
import { askWhich } from "./sweeping.js";
import { addLook, showTally } from "./tally.js";
import { newKey, Outbox, post, refusal } from "./outbox.js";

const POLL_MS = 4000;
const PRELOADED = 3;

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const desk = $(".desk");
const film = $(".film");
const form = $("#decide");
const panel = $("#edit");
const said = $(".said");
const undoable = JSON.parse($("#undoable").textContent);
const outbox = new Outbox(`${desk.dataset.user}:${desk.dataset.batch}`, showSaved, takeAnswer);
let shownAt = performance.now();

const frames = () => $$(".frame", film);
const waiting = () => frames().filter((frame) => frame.dataset.verdict === "pending");
const candidateOf = (frame) => document.getElementById(`item-${frame.dataset.item}`);
const frameOf = (item) => document.getElementById(`frame-${item}`);
const current = () => $(".frame.current", film);

// Showing

function show(frame) {
  $$(".current", desk).forEach((element) => element.classList.remove("current"));
  closeAll();
  desk.classList.toggle("done", !frame);
  if (frame) {
    const candidate = candidateOf(frame);
    frame.classList.add("current");
    candidate.classList.add("current");
    form.action = candidate.dataset.decide;
    $("#correct").action = candidate.dataset.correct;
    $("#correct").hidden = candidate.dataset.correctable === "no";
    $("#instruct").action = candidate.dataset.edit;
    frame.scrollIntoView({ block: "nearest", inline: "center" });
    scrollTo({ top: 0, behavior: "instant" }); // A phone may have been scrolled down to the reasons.
    history.replaceState(null, "", `?item=${frame.dataset.item}`);
  }
  $$("[name=reasons]").forEach((box) => (box.checked = false));
  $$("form", panel).forEach((sent) => sent.reset()); // What it held was about another picture.
  shownAt = performance.now();
  preload();
  tally();
}

function next() {
  const here = frames().indexOf(current());
  const skips = (frame) => Number(frame.dataset.skips);
  const deck = waiting();
  const fewest = Math.min(...deck.map(skips));
  const fresh = deck.filter((frame) => skips(frame) === fewest);
  return fresh.find((frame) => frames().indexOf(frame) > here) ?? fresh[0];
}

function preload() {
  const here = frames().indexOf(current());
  for (const frame of waiting().filter((f) => frames().indexOf(f) > here).slice(0, PRELOADED)) {
    $$("img", candidateOf(frame)).forEach((picture) => (picture.loading = "eager"));
  }
}

const tally = () => showTally(frames().map((frame) => frame.dataset.verdict));

function showSaved(count, trouble) {
  $("[data-saved]").textContent =
    count === 0 ? "all decisions saved" : `${count} waiting to be sent. ${trouble}`;
  $("[data-saved]").classList.toggle("unsure", trouble !== "");
}

function say(text, kind = "") {
  said.replaceChildren();
  if (!text) return;
  const note = Object.assign(document.createElement("p"), { className: `notice ${kind}` });
  note.textContent = text;
  said.append(note);
}

// Deciding

const VERDICTS = { accept: "accepted", reject: "rejected" };

function decide(choice) {
  const frame = current();
  if (!frame) return;
  const boxes = choice === "reject" ? $$("[name=reasons]:checked") : [];
  const seconds = (performance.now() - shownAt) / 1000;
  record(frame, choice, { reasons: boxes.map((box) => box.value), seconds });
  addLook(seconds);
  say("");
  show(next());
}

function record(frame, choice, { reasons = [], seconds = null, group = null }) {
  const key = newKey();
  const fields = [["choice", choice], ["key", key]];
  if (seconds !== null) fields.push(["seconds", seconds.toFixed(2)]);
  reasons.forEach((reason) => fields.push(["reasons", reason]));
  reasons.forEach((reason) => count($(`[name=reasons][value=${reason}]`)));
  undoable.push({ item: frame.dataset.item, key, before: frame.dataset.verdict, choice, group });
  outbox.put(candidateOf(frame).dataset.decide, fields);
  if (choice === "skip") frame.dataset.skips = Number(frame.dataset.skips) + 1;
  else frame.dataset.verdict = VERDICTS[choice];
}

async function sweep() {
  const red = waiting().filter((frame) => frame.dataset.gate === "red");
  if (red.length === 0) return say("The gate calls none of the waiting pictures another person.");
  const chosen = await askWhich(red);
  const group = newKey();
  chosen.forEach((frame) => record(frame, "reject", { reasons: ["identity"], group }));
  show(waiting().includes(current()) ? current() : next());
}

function count(box) {
  const counter = $("[data-count]", box.closest(".reason"));
  counter.textContent = Number(counter.textContent) + 1;
}

function undo() {
  const last = undoable.pop();
  if (!last) return say("There is nothing of yours left to undo in this batch.");
  outbox.put(desk.dataset.undo, [["key", last.key]]);
  const frame = frameOf(last.item);
  if (!frame) return say("Taken back. That picture lies in the trash now.");
  if (last.choice === "skip") frame.dataset.skips = Math.max(frame.dataset.skips - 1, 0);
  else frame.dataset.verdict = last.before ?? "pending";
  if (last.group && undoable.at(-1)?.group === last.group) return undo();
  show(frame);
}

function takeAnswer(message, answer) {
  if (!answer) return say("One decision was refused. Reload the page to see where it stands.", "error");
  const frame = frameOf(answer.item);
  if (frame && outbox.waiting().length === 0) frame.dataset.verdict = answer.verdict;
  tally();
}

const THANKS = {
  instruct: "The editor is on it. Its answers come at the end of this film.",
  correct: "Kept as a lesson for the editor.",
};

async function sendPanel(event) {
  event.preventDefault();
  const sent = event.target;
  const frame = current();
  const body = new FormData(sent);
  const key = newKey();
  body.set("key", key);
  say("Sending…");
  const reply = await post(sent.action, body).catch(() => null);
  if (!reply?.ok || reply.url.includes("/login/")) return say(await refusal(reply), "error");
  if (sent.id === "instruct") record(frame, "skip", {});
  else {
    undoable.push({ item: frame.dataset.item, key, before: frame.dataset.verdict });
    frame.dataset.verdict = "rejected";
  }
  if (current() === frame) show(next());
  else tally();
  say(THANKS[sent.id]);
}

// Keys

function closeAll() {
  closeViews();
  panel.open = false;
}

function edit() {
  panel.open = !panel.open;
  if (panel.open) $("#instruction").focus();
}

function step(by) {
  const here = frames().indexOf(current());
  const there = frames()[here + by];
  if (there) show(there);
}

const DOES = { edit, compare, zoom, sweep, help: () => $(".help").showModal() };
const KEYS = {
  a: () => decide("accept"), x: () => decide("reject"), " ": () => decide("skip"),
  Backspace: undo, e: edit, r: compare, z: zoom, g: sweep, "?": DOES.help,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: closeAll,
};

const TYPED = "textarea, input:not([type=checkbox])";
const PRESSED = "button, summary, a, input";

function pressed(event) {
  if ($("dialog[open]")) return;
  if (event.target.matches(TYPED)) {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "Enter" && event.ctrlKey) event.target.form?.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.matches(PRESSED)) return;
  const box = $(`[data-key="${event.key}"]`);
  const does = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!box && !does) return;
  event.preventDefault();
  if (box) box.checked = !box.checked;
  else if (!event.repeat || event.key.startsWith("Arrow")) does();
}

// News: what arrives while its run goes on, and what other reviewers decide

async function listen() {
  if (document.hidden) return;
  const decidedBefore = undoable.length;
  const newest = Math.max(0, ...frames().map((frame) => Number(frame.dataset.item)));
  const reply = await fetch(`${desk.dataset.news}?after=${newest}`).catch(() => null);
  if (!reply?.ok || reply.redirected) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const news = $("[data-verdicts]", page);
  $$(".candidate", news).filter(isNew).forEach((element) => $(".finished").before(element));
  $$(".frame", news).filter(isNew).forEach((element) => film.append(element));
  const [told, fresh] = [$(".finished"), $(".finished", news)];
  if (told.dataset.state !== fresh.dataset.state) told.replaceWith(fresh);
  const isCurrent = undoable.length === decidedBefore && outbox.waiting().length === 0;
  if (isCurrent) project(JSON.parse(news.dataset.verdicts));
  if (!current() && next()) show(next());
  tally();
}

const isNew = (element) => !document.getElementById(element.id);

function project(verdicts) {
  for (const frame of frames()) frame.dataset.verdict = verdicts[frame.dataset.item] ?? "rejected";
}

addEventListener("keydown", pressed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  decide(event.submitter.value);
});
$("#undo").addEventListener("submit", (event) => (event.preventDefault(), undo()));
$("#instruct").addEventListener("submit", sendPanel);
$("#correct").addEventListener("submit", sendPanel);
film.addEventListener("click", (event) => {
  const frame = event.target.closest(".frame");
  if (!frame || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  show(frame);
});
// A control that was clicked, not reached by Tab, leaves Space to skip.
desk.addEventListener("click", (event) => event.detail && $(`:is(${PRESSED}):focus`)?.blur());
desk.addEventListener("click", (event) => DOES[event.target.closest("[data-does]")?.dataset.does]?.());
onSwipe(desk, decide);
setInterval(listen, POLL_MS);
desk.classList.add("live");
show(current() ?? next());
outbox.flush();
