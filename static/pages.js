// Page after page of the grid: laid from what is here, settled at one go, the next fetched ahead.

import { PAGE, waiting } from "./deck.js";
import * as grid from "./grid.js";
import { newKey } from "./outbox.js";
import { look } from "./tally.js";

const AGAIN_MS = 3_000; // After the server did not answer.

const next = () => waiting().slice(0, PAGE);

export class Pages {
  // `takeReasons()` gives those ticked, and unticks them; `onEnd()` hears that nothing waits.
  constructor(deck, decisions, takeReasons, onEnd) {
    Object.assign(this, { deck, decisions, takeReasons, onEnd });
  }

  // What is here is laid out at once, so that no key meant for the grid decides about one picture.
  // With `drop` the page has thumbnails of the server's, which stay until it is known whose they are.
  async open({ drop = false } = {}) {
    this.shownAt = performance.now();
    if (!drop) grid.lay(next());
    const isAnswered = (!drop && next().length === PAGE) || (await this.deck.refill({ pages: 1, drop }));
    if (!grid.isOpen()) return;
    if (next().length > 0) {
      if (drop) grid.lay(next());
      else grid.add(next());
      await this.stock();
    } else if (isAnswered) this.onEnd();
    else setTimeout(() => grid.isOpen() && this.open({ drop }), AGAIN_MS);
  }

  settle() {
    const chosen = grid.choices();
    if (chosen.length === 0) return; // The pictures are on their way.
    const together = { group: newKey(), seconds: look(this.shownAt, chosen.length) };
    const reasons = { accept: [], reject: this.takeReasons() };
    for (const [frame, choice] of chosen)
      this.decisions.record(frame, choice, { reasons: reasons[choice], ...together });
    return this.open();
  }

  // While one page is looked at the next comes, so that it is there when this one is settled.
  async stock() {
    if (!grid.isOpen() || !this.decisions.areSent) return; // What is not sent yet would come again.
    await grid.painted();
    if (waiting().length < 2 * PAGE) await this.deck.refill({ pages: 2 });
    waiting().slice(PAGE).forEach((frame) => (frame.querySelector("img").loading = "eager"));
  }
}
