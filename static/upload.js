// Drop photos, folders and ZIP files anywhere on the page, and see how far they are.

const form = document.getElementById("upload");
const bar = form.querySelector(".drop-progress");
const trouble = form.querySelector(".drop-trouble");
const MOST_FILES = 500; // The server refuses a form with more.

function tell(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = sentence === "";
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives a folder in portions, and an empty one at the end.
    const portion = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (portion.length === 0) return found;
    for (const inner of portion) found.push(...(await filesOf(inner)));
  }
}

async function drop(event) {
  event.preventDefault();
  form.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const files = (await Promise.all(entries.map(filesOf))).flat();
  // htmx disables the inputs while an upload is on its way; what is put in them now would be lost.
  if (form.elements.photos.disabled) return tell("One upload is still on its way. Drop these again when it is done.");
  if (files.length === 0) return;
  const transfer = new DataTransfer();
  files.filter((file) => !file.name.startsWith(".")).forEach((file) => transfer.items.add(file));
  form.elements.photos.files = transfer.files;
  form.requestSubmit();
}

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) form.classList.remove("over");
});
document.addEventListener("drop", drop);
for (const name of ["photos", "folder"]) {
  form.elements[name].addEventListener("change", () => form.requestSubmit());
}
form.addEventListener("htmx:xhr:progress", (event) => {
  bar.hidden = false;
  bar.value = (100 * event.detail.loaded) / event.detail.total;
});
form.addEventListener("htmx:afterRequest", (event) => {
  bar.hidden = true;
  // Only a 200 says that every file was looked at; else they stay chosen, to be sent again.
  const isDone = event.detail.xhr.status === 200;
  form.classList.toggle("again", !isDone);
  if (isDone) form.reset();
});
form.addEventListener("htmx:beforeRequest", (event) => {
  const number = form.elements.photos.files.length + form.elements.folder.files.length;
  tell(number > MOST_FILES ? `${number} files are too many at once: send ${MOST_FILES}, or a ZIP.` : "");
  if (number <= MOST_FILES) return;
  event.preventDefault();
  form.reset();
});
for (const name of ["htmx:sendError", "htmx:responseError"]) {
  form.addEventListener(name, (event) => tell(
    event.detail.xhr.status === 403
      ? "You logged in again since this page was opened. Reload it, then choose the files once more."
      : "The upload broke off; some photos may have arrived. Send the files again: what is here already is not taken twice."));
}
form.classList.add("live");
