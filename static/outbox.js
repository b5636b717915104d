// What was decided but is not yet on the server. Kept in IndexedDB, one message under a key of its
// own, so that a reload, a closed laptop or a lost network loses nothing. Messages go one by one,
// in order; each carries its own UUID, so the server may receive one twice.

import { afterPaint } from "./painting.js";
import { createStore, del, entries, set } from "./vendor/idb-keyval/idb-keyval.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const ENDED = "Your link has ended. Ask whoever sent it for another: this is kept until then.";
const NOT_YOU = "Somebody else is logged in now. Log in in another tab as who decided this: it is kept until then.";
const store = createStore("flenwheel-outbox", "messages");

export class Outbox {
  #messages = [];
  #sending = false;
  #failures = 0;
  #retry = 0;
  #serial = 0;

  // `owner`, the user's number and a place, keeps the messages of two people on one browser apart,
  // also after one has logged in where the other's page is open. `onChange(count, trouble)` is
  // told how many wait and why; `onAnswer(message, answer)` what the server said, answer null
  // where it refused for good.
  constructor(owner, onChange, onAnswer) {
    this.prefix = `${owner}:`;
    [this.user] = owner.split(":");
    this.onChange = onChange;
    this.onAnswer = onAnswer;
    addEventListener("online", () => this.flush());
    addEventListener("visibilitychange", () => this.flush()); // Hidden, nothing is painted.
  }

  get size() {
    return this.#messages.length;
  }

  // What earlier visits of this person left goes first, wherever that was: nobody may come there again.
  async open() {
    const kept = await entries(store).catch(() => []);
    const known = new Set(this.#messages.map((message) => message.name));
    const left = kept.filter(([name]) => name.startsWith(`${this.user}:`) && !known.has(name)).sort();
    this.#messages.unshift(...left.map(([name, message]) => ({ name, ...message })));
    return this.flush();
  }

  put(url, fields) {
    const order = `${Date.now()}`.padStart(15, "0") + `${this.#serial++}`.padStart(6, "0");
    const message = { name: `${this.prefix}${order}:${newKey()}`, url, fields };
    this.#messages.push(message);
    // A browser that keeps nothing still sends; it only forgets with the page.
    message.kept = set(message.name, { url, fields }, store).catch(() => {});
    this.onChange(this.size, "");
    afterPaint(() => this.flush());
  }

  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#messages.length > 0) {
      this.onChange(this.size, "");
      const trouble = await this.#send(this.#messages[0]);
      if (trouble) {
        this.#sending = false;
        return this.#later(trouble);
      }
      this.#failures = 0;
    }
    this.#sending = false;
    this.onChange(0, "");
  }

  async #send(message) {
    let reply;
    let answer = null;
    try {
      reply = await post(message.url, new URLSearchParams(message.fields), this.user);
      // A server may die in the middle of its answer: the same key is sent again then.
      if (reply.ok && !reply.redirected) answer = await reply.json();
    } catch {
      return "The server does not answer.";
    }
    if (reply.status === 410) return ENDED;
    if (reply.status === 409) return NOT_YOU;
    if (reply.redirected || reply.status === 403) return "Log in again in another tab.";
    if (reply.status >= 500 || reply.status === 429) return `The server failed (${reply.status}).`;
    this.#messages = this.#messages.filter((other) => other !== message);
    await message.kept;
    await del(message.name, store).catch(() => {});
    this.onAnswer(message, answer);
    return "";
  }

  #later(trouble) {
    this.onChange(this.size, trouble);
    if (trouble === ENDED) return; // Waiting helps with all the others.
    const pause = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    // One for all: a decision that is made meanwhile has tried by itself.
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.flush(), pause);
  }
}

// As `user`, where it is signed: the server refuses it (409) when somebody else has logged in.
export function post(url, body, user = null) {
  // The cookie, not the page: after logging in again in another tab the page's token is stale.
  const headers = { Accept: "application/json", "X-CSRFToken": token(), ...(user && { "X-User": user }) };
  return fetch(url, { method: "POST", body, headers, keepalive: body instanceof URLSearchParams });
}

export const token = () => /csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

export function newKey() {
  // randomUUID exists only on https and localhost; a studio's own network is often neither.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// The sentences with which the server refused what was sent.
export async function refusal(reply) {
  if (reply?.status === 409) return NOT_YOU;
  if (reply?.status !== 422) return "That could not be sent. Nothing was lost: try again.";
  const text = await reply.text();
  if (!reply.headers.get("Content-Type").includes("json")) return text;
  return JSON.parse(text).errors.join(" ");
}
