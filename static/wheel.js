// Enter follows the one next action, unless the person is on a control of their own choosing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target !== document.body) return;
  document.querySelector("[data-next]")?.click();
});
