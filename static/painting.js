// The picture first: what else a key sets going waits for the frame that shows it. Two turns: the
// first comes before that frame is drawn. A page that is hidden draws none, and never calls.

export const afterPaint = (does) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(does)));
