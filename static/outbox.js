// What was decided but is not yet on the server. Kept in localStorage, one key a message, so that
// a reload, a closed laptop or a lost network loses nothing. Messages go one by one, in order;
// each carries its own key, so the server may receive one twice.

const RETRY_MS = [500, 1000, 2000, 5000, 10000];

export class Outbox {
  #sending = false;
  #failures = 0;
  #serial = 0;

  // `owner` keeps the messages of two people on one browser apart. `onChange(count, trouble)` is
  // told how many wait and why; `onAnswer(message, answer)` what the server said, answer null
  // where it refused for good.
  constructor(owner, onChange, onAnswer) {
    this.prefix = `outbox:${owner}:`;
    this.onChange = onChange;
    this.onAnswer = onAnswer;
    addEventListener("online", () => this.flush());
  }

  waiting() {
    return Object.keys(localStorage).filter((name) => name.startsWith(this.prefix)).sort();
  }

  put(url, fields) {
    const order = `${Date.now()}`.padStart(15, "0") + `${this.#serial++}`.padStart(6, "0");
    localStorage.setItem(this.prefix + order, JSON.stringify({ url, fields }));
    this.flush();
  }

  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    let name;
    while ((name = this.waiting()[0])) {
      this.onChange(this.waiting().length, "");
      const trouble = await this.#send(name);
      if (trouble) {
        this.#sending = false;
        return this.#later(trouble);
      }
      this.#failures = 0;
    }
    this.#sending = false;
    this.onChange(0, "");
  }

  async #send(name) {
    const message = JSON.parse(localStorage.getItem(name));
    let reply;
    try {
      reply = await post(message.url, new URLSearchParams(message.fields));
    } catch {
      return "The server does not answer.";
    }
    if (reply.redirected || reply.status === 403) return "Log in again in another tab.";
    if (reply.status >= 500 || reply.status === 429) return `The server failed (${reply.status}).`;
    localStorage.removeItem(name);
    this.onAnswer(message, reply.ok ? await reply.json() : null);
    return "";
  }

  #later(trouble) {
    this.onChange(this.waiting().length, trouble);
    const pause = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    setTimeout(() => this.flush(), pause);
  }
}

export function post(url, body) {
  // The cookie, not the page: after logging in again in another tab the page's token is stale.
  const token = /csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  return fetch(url, { method: "POST", body, headers, keepalive: body instanceof URLSearchParams });
}

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
  if (reply?.status !== 422) return "That could not be sent. Nothing was lost: try again.";
  const text = await reply.text();
  if (!reply.headers.get("Content-Type").includes("json")) return text;
  return JSON.parse(text).errors.join(" ");
}
