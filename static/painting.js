// The picture first: what else a key sets going waits until the frame that shows it is drawn. The
// script is called before that is, and never told when: two frames of a usual screen later it was.
// A page that is hidden draws none, and never calls.

const DRAWN_MS = 32;

export const afterPaint = (does) => requestAnimationFrame(() => setTimeout(does, DRAWN_MS));
