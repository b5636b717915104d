// Reject at one go what the gate calls another person: shown first, each can be spared.

const dialog = document.querySelector(".sweep");
const tray = dialog.querySelector(".sweep-tray");
const button = dialog.querySelector("[value=reject]");

// Resolves to those of `frames` that the person wants rejected.
export function askWhich(frames) {
  tray.replaceChildren(...frames.map(choice));
  dialog.querySelector("[data-number]").textContent = frames.length;
  tell();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "reject" ? chosenOf(frames) : []);
  });
}

// The button says what it will do.
function tell() {
  const count = tray.querySelectorAll(":checked").length;
  button.textContent = `Reject ${count}`;
  button.disabled = count === 0;
}

tray.addEventListener("change", tell);

function choice(frame) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
  box.value = frame.dataset.item;
  const picture = new Image();
  const thumbnail = frame.querySelector("img");
  Object.assign(picture, { src: thumbnail.src, alt: thumbnail.alt });
  label.append(box, picture);
  return label;
}

function chosenOf(frames) {
  const items = [...tray.querySelectorAll(":checked")].map((box) => box.value);
  return frames.filter((frame) => items.includes(frame.dataset.item));
}
