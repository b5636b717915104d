// The review desk at the speed of a thumb: decisions show at once and travel behind. Without this
// script the same page works by plain forms.

import "./binding.js";
import * as bursts from "./bursts.js";
import { candidateOf, current, Deck, frameOf, frames, urlOf, waiting } from "./deck.js";
import { Decisions, turn } from "./decisions.js";
import * as grid from "./grid.js";
import { onKeys, PRESSED, showKeys } from "./keys.js";
import { closeViews, compare, flicker, follow, pan, zoom } from "./looking.js";
import { loupe } from "./loupe.js";
import { newKey, post, refusal } from "./outbox.js";
import { Pages } from "./pages.js";
import { open as openRoom } from "./retouching.js";
import { askWhich } from "./sweeping.js";
import { onSwipe } from "./swiping.js";
import { look, setTally } from "./tally.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const desk = $(".desk");
const form = $("#decide");
const panel = $("#edit");
const said = $(".said");
const deck = new Deck(facing, takeNews);
const decisions = new Decisions(deck, say, () => pages.stock());
const pages = new Pages(deck, decisions, takeReasons, closeGrid);
let shownAt = performance.now();

function facing(candidate) {
  panel.open = false;
  desk.dataset.facing = current()?.dataset.verdict ?? "";
  if (candidate) {
    const { item } = current().dataset;
    form.action = urlOf("decide", item);
    $("#correct").action = urlOf("correct", item);
    for (const way of [$("[data-does=retouch]", panel), $("#correct")]) way.hidden = candidate.dataset.correctable === "no";
    $("#instruct").action = urlOf("edit", item);
    // A phone may have been scrolled down to the reasons.
    if (!grid.isOpen()) requestAnimationFrame(() => scrollTo({ top: 0, behavior: "instant" }));
  }
  follow();
  if (!grid.isOpen()) untick();
  $$("form", panel).forEach((sent) => sent.reset()); // What it held was about another picture.
  shownAt = performance.now();
}

function say(text, kind = "") {
  said.replaceChildren();
  if (!text) return;
  const note = Object.assign(document.createElement("p"), { className: `notice ${kind}` });
  note.textContent = text;
  said.append(note);
}

// One at a time

const boxes = $$("[name=reasons]");
const ticked = () => boxes.filter((box) => box.checked).map((box) => box.value);
const untick = () => boxes.forEach((box) => (box.checked = false));

function takeReasons() {
  const taken = ticked();
  untick();
  return taken;
}

function decide(choice) {
  const frame = current();
  if (!frame) return;
  decisions.record(frame, choice, { reasons: choice === "reject" ? ticked() : [], seconds: look(shownAt) });
  say("");
  deck.show(deck.next());
}

function edit() {
  if (panel.hidden) return; // A guest decides, and asks nothing of the editor.
  panel.open = !panel.open;
  if (panel.open) $("#instruction").focus();
}

const THANKS = {
  instruct: "The editor is on it. Its answers come to this film; the survey shows them side by side.",
  correct: "Kept as a lesson for the editor.",
  retouch: "Kept as a lesson for the editor.",
};

async function sendPanel(event) {
  event.preventDefault();
  say("Sending…");
  const sentence = await send(event.target.id, event.target.action, new FormData(event.target));
  if (sentence) say(sentence, "error");
}

// The same sent again after a failure keeps its key: the first may have arrived after all.
let unanswered = null;

async function send(kind, url, body) {
  const frame = current();
  ticked().forEach((reason) => body.append("reasons", reason));
  const content = JSON.stringify([url, ...[...body].map(([name, value]) => [name, value.size ?? value])]);
  if (unanswered?.content !== content) unanswered = { content, key: newKey() };
  const { key } = unanswered;
  body.set("key", key);
  body.set("saw", frame.dataset.verdict);
  const reply = await post(url, body, desk.dataset.user).catch(() => null);
  if (!reply?.ok || reply.url.includes("/login/")) return refusal(reply);
  unanswered = null;
  const { verdict, told } = kind === "instruct" ? {} : await reply.json();
  if (kind === "instruct") decisions.record(frame, "skip");
  else {
    decisions.remember(frame, key);
    turn(frame, verdict);
  }
  if (current() === frame) deck.show(deck.next());
  say(told ?? THANKS[kind]);
  return "";
}

function retouch() {
  const candidate = current() && candidateOf(current());
  if (panel.hidden || !candidate) return;
  if (candidate.dataset.correctable === "no") return say("It was not made from a picture, so there is no edit to correct.");
  const { item } = current().dataset;
  openRoom($(".picked", candidate), { retouch: urlOf("retouch", item), edit: urlOf("edit", item) }, send);
}

// Many at a time; one undo takes all of it back

async function sweep() {
  if (desk.classList.contains("blind")) return say("You judge blind: what the gate thinks is hidden until you decide.");
  const red = waiting().filter((frame) => frame.dataset.gate === "red");
  if (red.length === 0) return say("The gate calls none of the pictures on this desk another person.");
  const chosen = await askWhich(red);
  const group = newKey();
  chosen.forEach((frame) => decisions.record(frame, "reject", { reasons: ["identity"], group }));
  stay();
  if (chosen.length > 0) say(`Rejected ${chosen.length}; one undo takes it back.`);
}

// On with this picture if it still waits, else with the next.
const stay = () => deck.show(waiting().includes(current()) ? current() : deck.next());

function openGrid(how) {
  closeAll();
  return pages.open(how);
}

function closeGrid() {
  grid.close();
  stay();
}

function openSurvey() {
  const alike = current() ? bursts.group(current(), waiting()) : [];
  if (alike.length < 2) return say("Nothing on this desk looks like this one or was asked for the same shot.");
  closeAll();
  bursts.lay(alike, (frame) => $(".picked", candidateOf(frame)).src);
}

// Of answers to one order the best is preferred to the rest; of near-duplicates they are no worse.
function keepBest(best, rest) {
  const together = { group: newKey(), seconds: look(shownAt, rest.length + 1) };
  const reasons = best.dataset.answerTo ? ticked() : ["no_effect"];
  rest.forEach((frame) => decisions.record(frame, "reject", { reasons, ...together }));
  decisions.record(best, "accept", together);
  deck.show(deck.next());
  say(`Kept 1, rejected ${rest.length}; one undo takes it back.`);
}

function settleSurvey() {
  const { best, rest } = bursts.chosen();
  bursts.close();
  keepBest(frameOf(best), rest.map(frameOf));
}

function rejectSurvey() {
  const all = bursts.all().map(frameOf);
  const together = { group: newKey(), seconds: look(shownAt, all.length) };
  all.forEach((frame) => decisions.record(frame, "reject", { reasons: ticked(), ...together }));
  bursts.close();
  const [{ dataset }] = all;
  if (dataset.answerTo) askAgain(dataset.answerTo, candidateOf(all[0]).dataset.said);
  else deck.show(deck.next());
  say(`Rejected ${all.length}; one undo takes it back.`);
}

// All answers were bad: back to what they answer, with the words that did not help.
async function askAgain(item, said) {
  deck.show(frameOf(item) ?? (await deck.fetch(item)) ?? deck.next());
  if (current()?.dataset.item !== item) return;
  edit();
  $("#instruction").value = said;
}

function keepOfBurst() {
  if (!current()) return;
  const alike = bursts.burst(current(), waiting());
  if (alike.length > 0) keepBest(current(), alike);
  else say("None of the pictures on this desk is nearly the same as this one.");
}

// News: how the batch stands, and what other reviewers have decided

let decidedAtNews = 0;

function takeNews(news) {
  const [told, fresh] = [$(".finished"), $(".finished", news)];
  if (told.dataset.state !== fresh.dataset.state) told.replaceWith(fresh), showKeys(fresh);
  const isCurrent = decisions.count === decidedAtNews && decisions.areSent;
  decidedAtNews = decisions.count;
  if (!isCurrent) return;
  const verdicts = JSON.parse(news.dataset.verdicts);
  for (const frame of frames()) frame.dataset.verdict = verdicts[frame.dataset.item] ?? "rejected";
  setTally(news);
}

// Keys and buttons

function closeAll() {
  bursts.close();
  panel.open = false;
  say("");
}

const step = (by) => (deck.step(by), say(""));
// Arrow keys move what is looked at closely; otherwise they go on, as [ and ] always do.
const stepOrPan = (by) => pan(by, 0) || step(by);
const sideways = (step) => ({ back: () => step(-1), left: () => step(-1), forth: () => step(1), right: () => step(1) });

const undo = () => decisions.undo();
const help = () => $(".help").showModal();
const ALWAYS = { help, undo };
const SINGLE = {
  ...ALWAYS, accept: () => decide("accept"), reject: () => decide("reject"), skip: () => decide("skip"),
  unset: () => decisions.unset(), edit, retouch, reference: compare, flicker, loupe, zoom, sweep,
  survey: () => (say(""), openSurvey()), grid: () => (say(""), openGrid()), burst: keepOfBurst, close: () => (closeAll(), closeViews()),
  ...sideways(step), left: () => stepOrPan(-1), right: () => stepOrPan(1), up: () => pan(0, -1), down: () => pan(0, 1),
};
const IN_GRID = {
  ...ALWAYS, undo: () => decisions.undo().then(() => openGrid()), settle: () => (say(""), pages.settle()), grid: closeGrid, close: closeGrid,
  accept: () => grid.setUsual("accept"), reject: () => grid.setUsual("reject"),
  ...sideways(grid.step), up: () => grid.step(-grid.across()), down: () => grid.step(grid.across()),
};
const IN_SURVEY = {
  ...ALWAYS, settle: settleSurvey, accept: settleSurvey, reject: rejectSurvey,
  survey: bursts.close, close: bursts.close, ...sideways(bursts.step),
};

function doesNow() {
  if (grid.isOpen()) return IN_GRID;
  return bursts.isOpen() ? IN_SURVEY : SINGLE;
}

onKeys(doesNow);
$("[data-blind]").addEventListener("change", async (event) => {
  const wanted = event.target.checked;
  const body = new URLSearchParams({ is_blind: wanted ? "yes" : "no" });
  const reply = await post(event.target.dataset.blind, body).catch(() => null);
  if (reply?.ok) desk.classList.toggle("blind", wanted);
  else event.target.checked = !wanted;
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  decide(event.submitter.value);
});
$("#undo").addEventListener("submit", (event) => (event.preventDefault(), doesNow().undo()));
$("#instruct").addEventListener("submit", sendPanel);
$("#correct").addEventListener("submit", sendPanel);
$("#commit-grid").addEventListener("click", () => doesNow().settle());
desk.addEventListener("click", (event) => {
  const chosen = event.target.closest(".film .frame, .sibling");
  const frame = chosen && frameOf(chosen.dataset.item);
  if (!frame || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  closeAll();
  grid.close();
  deck.show(frame);
  say("");
});
// A control that was clicked, not reached by Tab, leaves Space to skip.
desk.addEventListener("click", (event) => event.detail && $(`:is(${PRESSED}):focus`)?.blur());
desk.addEventListener("click", (event) => doesNow()[event.target.closest("[data-does]")?.dataset.does]?.());
onSwipe(desk, decide);
setTally(desk);
desk.classList.add("live");
deck.show(current() ?? deck.next());
if (grid.isOpen()) openGrid({ drop: true });
else deck.refill({ drop: true });
decisions.outbox.open();
