// A run's page in a tab behind others: how far it is in its title, and a notification at its end.
const progress = () => document.querySelector("#progress");
const offer = document.querySelector("[data-ending]");
const button = offer?.querySelector("button");
const answers = { granted: "You will be told when it ends", denied: "Notifications are blocked in this browser" };
const watched = `watched ${location.pathname}`;

function show() {
  if (!offer || !("Notification" in window)) return;
  offer.hidden = false;
  button.disabled = Notification.permission !== "default";
  button.textContent = answers[Notification.permission] ?? button.textContent;
}

function tellHowFar() {
  const bar = progress().querySelector("progress");
  if (bar) document.title = `${Math.floor((100 * bar.value) / bar.max)} % · ${progress().dataset.tell}`;
}

function tellTheEnd() {
  if (!sessionStorage.getItem(watched)) return;
  sessionStorage.removeItem(watched);
  if (document.hidden && window.Notification?.permission === "granted") {
    new Notification(progress().dataset.tell, { tag: location.pathname });
  }
}

button?.addEventListener("click", async () => {
  await Notification.requestPermission();
  show();
});

// At the end the page is read again as a whole, so that the news outlives it in the session.
if (progress().dataset.finished === "yes") {
  tellTheEnd();
} else {
  sessionStorage.setItem(watched, "yes");
  document.addEventListener("htmx:afterSwap", tellHowFar);
  tellHowFar();
}
show();
