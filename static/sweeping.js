// Reject at one go what the gate calls another person: shown first, each can be spared.

const dialog = document.querySelector(".sweep");
const tray = dialog.querySelector(".sweep-tray");

// Resolves to those of `frames` that the person wants rejected.
export function askWhich(frames) {
  tray.replaceChildren(...frames.map(choice));
  dialog.querySelector("[data-number]").textContent = frames.length;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "reject" ? chosenOf(frames) : []);
  });
}

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
