// On a touch screen the picture itself is the button: to the right yes, to the left no.

const FAR = 0.28; // Of the stage's width.

export function onSwipe(desk, decide) {
  let start = null;
  const stage = () => desk.querySelector(".candidate.current .stage");
  const shift = (x) => stage()?.style.setProperty("--swipe", `${x}px`);

  desk.addEventListener("touchstart", (event) => {
    const inside = event.target.closest(".stage") && !desk.classList.contains("zoomed");
    start = inside && event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  desk.addEventListener("touchmove", (event) => {
    if (desk.classList.contains("louped")) start = null; // The finger looks; it does not decide.
    if (!start) return shift(0);
    const [across, down] = way(event.touches[0], start);
    if (Math.abs(down) > Math.abs(across)) return;
    shift(across);
  }, { passive: true });
  desk.addEventListener("touchend", (event) => {
    if (!start) return;
    const [across, down] = way(event.changedTouches[0], start);
    const isFar = Math.abs(across) > FAR * stage().clientWidth && Math.abs(across) > Math.abs(down);
    shift(0);
    start = null;
    if (isFar) decide(across > 0 ? "accept" : "reject");
  });
  desk.addEventListener("touchcancel", () => {
    shift(0);
    start = null;
  });
}

const way = (touch, start) => [touch.clientX - start.clientX, touch.clientY - start.clientY];
