// What this person has said in this batch: shown at once, sent behind, taken back in any order.

import { current, frameOf, urlOf } from "./deck.js";
import { moved } from "./tally.js";
import { newKey, Outbox } from "./outbox.js";

const VERDICTS = { accept: "accepted", reject: "rejected" };

const desk = document.querySelector(".desk");
const saved = document.querySelector("[data-saved]");

export class Decisions {
  #said = JSON.parse(document.getElementById("undoable").textContent);

  // `onSaved` hears when the server knows all.
  constructor(deck, say, onSaved) {
    this.deck = deck;
    this.say = say;
    const { user, batch } = desk.dataset;
    const onChange = (waiting, trouble) => (showSaved(waiting, trouble), waiting === 0 && onSaved());
    this.outbox = new Outbox(`${user}:${batch}`, onChange, (_, answer) => this.#take(answer));
  }

  // How many there are, and whether the server knows them all.
  get count() {
    return this.#said.length;
  }

  get areSent() {
    return this.outbox.size === 0;
  }

  record(frame, choice, { reasons = [], seconds = null, group = null } = {}) {
    const key = newKey();
    const fields = [["choice", choice], ["key", key], ["saw", frame.dataset.verdict]];
    if (desk.classList.contains("blind")) fields.push(["is_blind", "on"]);
    if (seconds !== null) fields.push(["seconds", seconds.toFixed(2)]);
    reasons.forEach((reason) => fields.push(["reasons", reason]));
    reasons.forEach(count);
    this.remember(frame, key, { choice, group });
    this.outbox.put(urlOf("decide", frame.dataset.item), fields);
    if (choice === "skip") frame.dataset.skips = Number(frame.dataset.skips) + 1;
    else turn(frame, VERDICTS[choice]);
  }

  // A decision that the server has heard of in another way.
  remember(frame, key, { choice = "reject", group = null } = {}) {
    this.#said.push({ item: frame.dataset.item, key, before: frame.dataset.verdict, choice, group });
  }

  // Take back the newest, and with it all that were made at one go.
  async undo() {
    const last = this.#said.pop();
    if (!last) return this.say("There is nothing of yours left to undo in this batch.");
    await this.#takeBack(last);
    if (last.group && this.#said.at(-1)?.group === last.group) await this.undo();
  }

  // Take back what was said about the picture that is shown, however long ago.
  unset() {
    const place = this.#said.findLastIndex((one) => `${one.item}` === current()?.dataset.item);
    if (place < 0) return this.say("You have said nothing about this picture that could be taken back.");
    return this.#takeBack(this.#said.splice(place, 1)[0]);
  }

  async #takeBack(last) {
    this.outbox.put(desk.dataset.undo, [["key", last.key]]);
    const frame = frameOf(last.item) ?? (await this.deck.fetch(last.item));
    if (!frame) return this.say("Taken back. That picture lies in the trash now, or the server does not answer.");
    if (last.choice === "skip") frame.dataset.skips = Math.max(frame.dataset.skips - 1, 0);
    else turn(frame, last.before ?? "pending");
    this.deck.show(frame);
  }

  #take(answer) {
    if (!answer) return this.say("One decision was refused. Reload the page to see where it stands.", "error");
    if (answer.told) this.say(answer.told);
    const frame = frameOf(answer.item);
    if (frame && this.areSent) turn(frame, answer.verdict);
  }
}

export function turn(frame, verdict) {
  moved(frame.dataset.verdict, verdict);
  frame.dataset.verdict = verdict;
}

function count(reason) {
  const box = document.querySelector(`[name=reasons][value="${reason}"]`);
  const counter = box.closest(".reason").querySelector("[data-count]");
  counter.textContent = Number(counter.textContent) + 1;
}

function showSaved(waiting, trouble) {
  saved.textContent = waiting === 0 ? "all decisions saved" : `${waiting} waiting to be sent. ${trouble}`;
  saved.classList.toggle("unsure", trouble !== "");
}
