// Says how many pictures a plan makes and how long that takes; ticks cells by the handful.
const form = document.querySelector("[data-plan]");
const boxes = [...form.querySelectorAll("input[name=shots]")];
const seconds = Number(form.dataset.seconds);

function words(time) {
  if (time < 90) return `${Math.round(time)} s`;
  if (time < 5400) return `${Math.round(time / 60)} min`;
  return `${(time / 3600).toFixed(1)} h`;
}

function tell() {
  const cells = boxes.filter((box) => box.checked).length;
  const pictures = cells * (Number(form.per_shot.value) || 0);
  const time = seconds && pictures ? `, about ${words(pictures * seconds)}` : "";
  form.querySelector("[data-estimate]").textContent = pictures
    ? `${cells} cells × ${form.per_shot.value} = ${pictures} pictures${time}`
    : "Tick the cells that you want pictures of.";
  form.querySelector(".btn-go").disabled = pictures === 0;
}

form.addEventListener("input", tell);
form.querySelector(".js-only").hidden = false;
form.addEventListener("click", ({ target }) => {
  const which = target.dataset.tick;
  if (!which) return;
  for (const box of boxes) {
    box.checked = (which === "all" && box.closest(".full") === null) || (which === "holes" && box.closest(".hole") !== null);
  }
  tell();
});
tell();
