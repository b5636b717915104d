// A run's page in a tab behind others: how far it is in its title, and a notification at its end.
const offer = document.querySelector("[data-ending]");
const button = offer?.querySelector("button");
const words = { granted: "You will be told when it ends", denied: "Notifications are blocked in this browser" };

function show() {
  if (!offer || !("Notification" in window)) return;
  offer.hidden = false;
  button.disabled = Notification.permission !== "default";
  button.textContent = words[Notification.permission] ?? button.textContent;
}

button?.addEventListener("click", async () => {
  await Notification.requestPermission();
  show();
});

// The answer to the last poll says that the page is to be read again: tell before it is.
document.addEventListener("htmx:beforeSwap", (event) => {
  const next = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  const progress = next.querySelector("#progress");
  if (!progress) return;
  const share = progress.querySelector("progress");
  if (progress.dataset.finished === "yes") {
    if (document.hidden && window.Notification?.permission === "granted") {
      new Notification(progress.dataset.tell, { tag: location.pathname });
    }
  } else if (share) {
    document.title = `${Math.floor((100 * share.value) / share.max)} % ${progress.dataset.tell}`;
  }
});

show();
