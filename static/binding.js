// A key of one's own: press the button beside an action in the help, then the key it shall have.

import { learn, nameOf } from "./keys.js";
import { post, refusal } from "./outbox.js";

const help = document.querySelector(".help");
let asking = null;

function ask(button) {
  asking?.setAttribute("aria-pressed", "false");
  asking = asking === button ? null : button;
  asking?.setAttribute("aria-pressed", "true");
  tell(asking ? `Press the key for “${button.dataset.words}”; ⌫ gives it its usual key again.` : "");
}

async function bind(action, key) {
  const body = new URLSearchParams({ action, key });
  const reply = await post(help.dataset.bind, body).catch(() => null);
  if (!reply?.ok) return tell(await refusal(reply));
  learn((await reply.json()).keys);
  tell("Kept.");
}

const tell = (text) => (help.querySelector("[data-told]").textContent = text);

help.addEventListener("click", (event) => {
  const button = event.target.closest("[data-bind-action]");
  if (button) ask(button);
});
// On the window: a button that was clicked gives the focus away.
addEventListener("keydown", (event) => {
  if (!asking || ["Shift", "Tab"].includes(event.key)) return;
  event.preventDefault();
  const { bindAction } = asking.dataset;
  ask(asking);
  if (event.key !== "Escape") bind(bindAction, event.key === "Backspace" ? "" : nameOf(event));
});
help.addEventListener("close", () => asking && ask(asking));
