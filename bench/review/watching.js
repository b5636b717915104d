// Put into the desk after its own script, so that what listens here comes after what it does.
() => {
  const seen = { durations: [], pressed: [], ready: [] };
  window.seenByBench = seen;

  // From the key to the next frame on the screen, ms; the browser rounds to 8 and tells none
  // below 16.
  new PerformanceObserver((list) => {
    const keys = list.getEntries().filter((entry) => entry.name === "keydown");
    seen.durations.push(...keys.map((entry) => entry.duration));
  }).observe({ type: "event", durationThreshold: 16 });

  const shown = () => document.querySelector(".frame.current")?.dataset.item ?? null;
  // What the key is about, before the desk hears of it.
  addEventListener("keydown", () => seen.pressed.push(shown()), { capture: true });
  // What is about to be painted because of it.
  addEventListener("keydown", () => {
    const before = seen.pressed.at(-1);
    requestAnimationFrame(() => {
      const picture = document.querySelector(".candidate.current .picked");
      seen.ready.push(shown() !== before && !!picture?.complete && picture.naturalWidth > 0);
    });
  });
}
