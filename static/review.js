// The review desk at the speed of a thumb: decisions show at once and travel behind. Without this
// script the same page works by plain forms.

import { candidateOf, current, Deck, frameOf, frames, waiting } from "./deck.js";
import { closeViews, compare, flicker, zoom } from "./looking.js";
import { onSwipe } from "./swiping.js";
import { askWhich } from "./sweeping.js";
import { addLook, moved, setTally } from "./tally.js";
import { newKey, Outbox, post, refusal } from "./outbox.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const desk = $(".desk");
const form = $("#decide");
const panel = $("#edit");
const said = $(".said");
const undoable = JSON.parse($("#undoable").textContent);
const outbox = new Outbox(`${desk.dataset.user}:${desk.dataset.batch}`, showSaved, takeAnswer);
const deck = new Deck(facing, takeNews);
let shownAt = performance.now();

// Showing

function facing(candidate) {
  panel.open = false;
  if (candidate) {
    form.action = candidate.dataset.decide;
    $("#correct").action = candidate.dataset.correct;
    $("#correct").hidden = candidate.dataset.correctable === "no";
    $("#instruct").action = candidate.dataset.edit;
    scrollTo({ top: 0, behavior: "instant" }); // A phone may have been scrolled down to the reasons.
  }
  $$("[name=reasons]").forEach((box) => (box.checked = false));
  $$("form", panel).forEach((sent) => sent.reset()); // What it held was about another picture.
  shownAt = performance.now();
}

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

function turn(frame, verdict) {
  moved(frame.dataset.verdict, verdict);
  frame.dataset.verdict = verdict;
}

function decide(choice) {
  const frame = current();
  if (!frame) return;
  const boxes = choice === "reject" ? $$("[name=reasons]:checked") : [];
  const seconds = (performance.now() - shownAt) / 1000;
  record(frame, choice, { reasons: boxes.map((box) => box.value), seconds });
  addLook(seconds);
  say("");
  deck.show(deck.next());
}

function record(frame, choice, { reasons = [], seconds = null, group = null }) {
  const key = newKey();
  const before = frame.dataset.verdict;
  const fields = [["choice", choice], ["key", key], ["saw", before]];
  if (seconds !== null) fields.push(["seconds", seconds.toFixed(2)]);
  reasons.forEach((reason) => fields.push(["reasons", reason]));
  reasons.forEach((reason) => count($(`[name=reasons][value=${reason}]`)));
  undoable.push({ item: frame.dataset.item, key, before, choice, group });
  outbox.put(candidateOf(frame).dataset.decide, fields);
  if (choice === "skip") frame.dataset.skips = Number(frame.dataset.skips) + 1;
  else turn(frame, VERDICTS[choice]);
}

async function sweep() {
  const red = waiting().filter((frame) => frame.dataset.gate === "red");
  if (red.length === 0) return say("The gate calls none of the pictures on this desk another person.");
  const chosen = await askWhich(red);
  const group = newKey();
  chosen.forEach((frame) => record(frame, "reject", { reasons: ["identity"], group }));
  deck.show(waiting().includes(current()) ? current() : deck.next());
}

function count(box) {
  const counter = $("[data-count]", box.closest(".reason"));
  counter.textContent = Number(counter.textContent) + 1;
}

function undo() {
  const last = undoable.pop();
  if (!last) return say("There is nothing of yours left to undo in this batch.");
  takeBack(last);
}

// Take back what was said about the picture that is shown, however long ago.
function unset() {
  const place = undoable.findLastIndex((one) => `${one.item}` === current()?.dataset.item);
  if (place < 0) return say("You have said nothing about this picture that could be taken back.");
  takeBack(undoable.splice(place, 1)[0]);
}

async function takeBack(last) {
  outbox.put(desk.dataset.undo, [["key", last.key]]);
  const isGroup = last.group && undoable.at(-1)?.group === last.group;
  const frame = frameOf(last.item) ?? (await deck.fetch(last.item));
  if (frame && last.choice === "skip") frame.dataset.skips = Math.max(frame.dataset.skips - 1, 0);
  else if (frame) turn(frame, last.before ?? "pending");
  if (isGroup) return undo();
  if (frame) deck.show(frame);
  else say("Taken back. That picture lies in the trash now, or the server does not answer.");
}

function takeAnswer(message, answer) {
  if (!answer) return say("One decision was refused. Reload the page to see where it stands.", "error");
  if (answer.told) say(answer.told);
  const frame = frameOf(answer.item);
  if (frame && outbox.size === 0) turn(frame, answer.verdict);
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
    turn(frame, "rejected");
  }
  if (current() === frame) deck.show(deck.next());
  say(THANKS[sent.id]);
}

// News: how the batch stands, and what other reviewers have decided

let decidedAtNews = 0;

function takeNews(news) {
  const [told, fresh] = [$(".finished"), $(".finished", news)];
  if (told.dataset.state !== fresh.dataset.state) told.replaceWith(fresh);
  const isCurrent = undoable.length === decidedAtNews && outbox.size === 0;
  decidedAtNews = undoable.length;
  if (!isCurrent) return;
  const verdicts = JSON.parse(news.dataset.verdicts);
  for (const frame of frames()) frame.dataset.verdict = verdicts[frame.dataset.item] ?? "rejected";
  setTally(news);
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

const DOES = { edit, compare, flicker, zoom, sweep, help: () => $(".help").showModal() };
const accept = () => decide("accept");
const KEYS = {
  a: accept, p: accept, x: () => decide("reject"), " ": () => decide("skip"), u: unset,
  Backspace: undo, e: edit, r: compare, f: flicker, z: zoom, s: sweep, "?": DOES.help,
  "[": () => deck.step(-1), "]": () => deck.step(1), Escape: closeAll,
  ArrowLeft: () => deck.step(-1), ArrowRight: () => deck.step(1),
};
const HELD = ["ArrowLeft", "ArrowRight", "[", "]"];

const TYPED = "textarea, input:not([type=checkbox])";
const PRESSED = "button, summary, a, input";

function pressed(event) {
  if ($("dialog[open]")) return;
  if (event.target.matches(TYPED)) return typed(event);
  const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
  if (!isUndo && (event.ctrlKey || event.metaKey || event.altKey)) return;
  if (event.key === " " && event.target.matches(PRESSED)) return;
  const box = $(`[data-key="${CSS.escape(event.key)}"]`);
  const does = isUndo ? undo : (KEYS[event.key] ?? KEYS[event.key.toLowerCase()]);
  if (!box && !does) return;
  event.preventDefault();
  if (box) box.checked = !box.checked;
  else if (!event.repeat || HELD.includes(event.key)) does();
}

function typed(event) {
  if (event.key === "Escape") event.target.blur();
  if (event.key === "Enter" && event.ctrlKey) event.target.form?.requestSubmit();
}

addEventListener("keydown", pressed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  decide(event.submitter.value);
});
$("#undo").addEventListener("submit", (event) => (event.preventDefault(), undo()));
$("#instruct").addEventListener("submit", sendPanel);
$("#correct").addEventListener("submit", sendPanel);
$(".film").addEventListener("click", (event) => {
  const frame = event.target.closest(".frame");
  if (!frame || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  deck.show(frame);
});
// A control that was clicked, not reached by Tab, leaves Space to skip.
desk.addEventListener("click", (event) => event.detail && $(`:is(${PRESSED}):focus`)?.blur());
desk.addEventListener("click", (event) => DOES[event.target.closest("[data-does]")?.dataset.does]?.());
onSwipe(desk, decide);
setTally(desk);
desk.classList.add("live");
deck.show(current() ?? deck.next());
deck.refill({ drop: true });
outbox.open();
