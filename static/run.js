// The loss curve of a training run: every step as a faint line, a running mean over it.
const box = document.querySelector("[data-loss]");
const WINDOW = 0.04; // of the curve
const HEIGHT = 170;
let chart = null;

function smoothed(losses) {
  const reach = Math.max(2, Math.round(losses.length * WINDOW));
  let mean = losses[0];
  return losses.map((loss) => (mean += (loss - mean) / reach));
}

function draw({ steps, losses }) {
  const data = [steps, losses, smoothed(losses)];
  if (chart) return chart.setData(data);
  box.replaceChildren();
  const axis = { stroke: "#a3a3a3", grid: { stroke: "#333" }, ticks: { stroke: "#333" } };
  chart = new uPlot({
    width: box.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [axis, axis],
    series: [
      { label: "step" },
      { label: "loss", stroke: "#5c7a50", width: 1, points: { show: false }, value: (_, v) => v?.toFixed(4) },
      { label: "running mean", stroke: "#9fcc8c", width: 2.5, points: { show: false }, value: (_, v) => v?.toFixed(4) },
    ],
  }, data, box);
}

async function follow() {
  const answer = await fetch(box.dataset.loss).catch(() => null);
  if (!answer?.ok) return setTimeout(follow, 5000);
  const curve = await answer.json();
  if (curve.steps.length > 1) draw(curve);
  if (!curve.finished) setTimeout(follow, 2000);
}

addEventListener("resize", () => chart?.setSize({ width: box.clientWidth, height: HEIGHT }));
follow();
