// The pictures that this tab holds, in the order in which they came, and the one that is shown.
// Asks for more before they run out, decodes the next ones ahead of the eye, and lets go of what
// it holds when the page is left.

import { burst } from "./bursts.js";
import * as grid from "./grid.js";
import { showKeys } from "./keys.js";
import { newKey, post, token } from "./outbox.js";
import { afterPaint } from "./painting.js";
import { showSiblings } from "./siblings.js";

const FEW = 12; // Waiting pictures under which more are asked for: over a second of the fastest fingers.
const AHEAD = 5;
const BEHIND = 2;
const KEPT = 40; // Decided pictures that stay in the film; older ones come back when undone.
const BEAT_MS = 20_000; // A third of the lease would do; the tally wants to be fresher.
const FEW_BEAT_MS = 3_000; // More may be on their way.
const RENAME_MS = 400;

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const desk = $(".desk");
const film = $(".film");
export const PAGE = Number(desk.dataset.page); // Of the grid.

const askedFor = new URLSearchParams(location.search).get("item");

// One lease a tab: it outlives a reload, and a second tab holds other pictures.
const lease = (sessionStorage.lease ??= newKey());

export const frames = () => $$(".frame", film);
export const waiting = () => frames().filter((frame) => frame.dataset.verdict === "pending");
export const candidateOf = (frame) => document.getElementById(`item-${frame.dataset.item}`);
export const frameOf = (item) => document.getElementById(`frame-${item}`);
export const current = () => $(".current", film);
export const urlOf = (verb, item) => desk.dataset[verb].replace("/0/", `/${item}/`);

export class Deck {
  #asking = null;
  #beatAt = 0;
  #naming = 0;
  #namedAt = -RENAME_MS;

  // `onShow(candidate)` hears which picture is shown, null where none is left; `onStand(news)` gets
  // the server's word about the batch.
  constructor(onShow, onStand) {
    this.onShow = onShow;
    this.onStand = onStand;
    addEventListener("pagehide", () => navigator.sendBeacon(desk.dataset.release, this.#signed()));
    addEventListener("pageshow", (event) => event.persisted && this.refill());
    setInterval(() => this.#beat(), 1_000);
  }

  show(frame) {
    [...desk.getElementsByClassName("current")].forEach((element) => element.classList.remove("current"));
    desk.classList.remove("done");
    if (frame) {
      frame.classList.add("current");
      candidateOf(frame).classList.remove("next");
      candidateOf(frame).classList.add("current");
      candidateOf(frame).inert = false;
    }
    this.onShow(frame ? candidateOf(frame) : null);
    afterPaint(() => this.#settle());
  }

  // What need not be there with the picture.
  #settle() {
    current()?.scrollIntoView({ block: "nearest", inline: "center" });
    if (current() && !grid.isOpen()) this.#name(current().dataset.item);
    this.#prepare();
    this.#forget();
    if (waiting().length <= FEW) this.refill();
  }

  // A reload comes back to this picture. Browsers refuse to rename a page many times a second.
  #name(item) {
    clearTimeout(this.#naming);
    const rename = () => {
      this.#namedAt = performance.now();
      history.replaceState(null, "", `?item=${item}`);
    };
    const pause = this.#namedAt + RENAME_MS - performance.now();
    if (pause <= 0) rename();
    else this.#naming = setTimeout(rename, pause);
  }

  // The one after the current; what was skipped comes last.
  next() {
    const all = frames();
    const here = all.indexOf(current());
    const skips = (frame) => Number(frame.dataset.skips);
    const deck = waiting();
    const fewest = Math.min(...deck.map(skips));
    const fresh = deck.filter((frame) => skips(frame) === fewest);
    return fresh.find((frame) => all.indexOf(frame) > here) ?? fresh[0];
  }

  step(by) {
    const there = frames()[frames().indexOf(current()) + by];
    if (there) this.show(there);
  }

  // Hold the next pictures. `drop`: those on the page that somebody else holds by now go; `pages`:
  // enough for one or two whole pages of the grid. Says whether the server answered.
  refill({ drop = false, pages = 0 } = {}) {
    // What is on its way may be less than a page.
    if (pages && this.#asking) return this.#asking.then(() => this.refill({ drop, pages }));
    this.#asking ??= this.#claim(drop, pages).finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #claim(drop, pages) {
    const body = this.#signed();
    if (pages) body.set("pages", pages);
    else if (!drop) body.set("more", 1);
    frames().forEach((frame) => body.append("have", frame.dataset.item));
    const page = await read(post(desk.dataset.claim, body));
    if (!page) return false;
    if (drop) {
      const held = $("[data-held]", page).dataset.held.split(" ");
      const isLost = ({ dataset }) => !held.includes(dataset.item) && dataset.item !== askedFor;
      waiting().filter(isLost).forEach(remove);
    }
    this.#add(page);
    const { also } = $("[data-held]", page).dataset;
    if (also) await this.fetch(also, somewhere());
    if (!current() && this.next()) this.show(this.next());
    else this.#prepare();
    desk.classList.toggle("done", !current());
    return true;
  }

  // A picture that is not on the page, such as one decided long ago that is looked at again.
  async fetch(item, before = current()) {
    const page = await read(fetch(urlOf("look", item)));
    if (page) this.#add(page, before);
    return frameOf(item);
  }

  #add(page, before = null) {
    for (const element of $$(".candidate, .frame", page)) {
      if (document.getElementById(element.id)) continue;
      element.classList.remove("current");
      if (element.matches(".frame")) film.insertBefore(element, before);
      else $(".finished").before(element);
      showKeys(element);
    }
  }

  #forget() {
    const decided = frames().filter((frame) => frame.dataset.verdict !== "pending");
    decided.slice(0, -KEPT).filter((frame) => frame !== current()).forEach(remove);
  }

  // The next picture lies under the current one, laid out and painted: a key has only to take that
  // one away. The grid shows thumbnails alone.
  #prepare() {
    if (grid.isOpen()) return;
    const next = this.next();
    $(".candidate.next", desk)?.classList.remove("next");
    for (const frame of [current(), next]) if (frame) showLike(frame);
    if (next && next !== current()) {
      candidateOf(next).classList.add("next");
      candidateOf(next).inert = true;
    }
    this.#decode();
  }

  #decode() {
    const deck = waiting();
    const here = frames().indexOf(current());
    const ahead = deck.filter((frame) => frames().indexOf(frame) > here).slice(0, AHEAD);
    const behind = frames().slice(Math.max(here - BEHIND, 0), Math.max(here, 0));
    for (const frame of [...ahead, ...behind]) {
      $$("img", candidateOf(frame)).forEach((picture) => (picture.loading = "eager"));
      $(".picked", candidateOf(frame)).decode().catch(() => {}); // It shows its alt text instead.
    }
  }

  async #beat() {
    const pause = waiting().length > FEW ? BEAT_MS : FEW_BEAT_MS;
    if (document.hidden || performance.now() - this.#beatAt < pause) return;
    this.#beatAt = performance.now();
    const body = this.#signed();
    frames().forEach((frame) => body.append("item", frame.dataset.item));
    const page = await read(post(desk.dataset.keep, body));
    if (!page) return;
    this.onStand($("[data-verdicts]", page));
    if (waiting().length <= FEW) await this.refill();
  }

  #signed() {
    return new URLSearchParams({ lease, csrfmiddlewaretoken: token() });
  }
}

// A place among the waiting, drawn by lot so that it tells nothing.
// A thumbnail that came into an open page of the grid would be known for a test.
function somewhere() {
  const deck = waiting().filter((frame) => frame !== current()).slice(grid.isOpen() ? PAGE : 0);
  return deck[Math.floor(Math.random() * deck.length)] ?? null;
}

function showLike(frame) {
  const candidate = candidateOf(frame);
  showSiblings(candidate, frame, frames());
  const alike = burst(frame, waiting()).length;
  $(".alike", candidate).hidden = alike === 0;
  $(".alike b", candidate).textContent = alike;
}

function remove(frame) {
  candidateOf(frame).remove();
  frame.remove();
}

// The page in an answer; null where the server is away or wants a login: the outbox says so.
async function read(request) {
  const reply = await request.catch(() => null);
  if (!reply?.ok || reply.redirected) return null;
  const text = await reply.text().catch(() => null); // It may die in the middle of its answer.
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}
