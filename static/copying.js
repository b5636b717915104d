// A link to be copied. On plain http in a studio's network a page may not touch the clipboard:
// there the link is selected, for the person to copy it.

const field = document.querySelector("[data-link]");
const button = document.querySelector("[data-copy]");
const told = document.querySelector("[data-copied]");

field.addEventListener("focus", () => field.select());
button.addEventListener("click", async () => {
  field.focus();
  field.select();
  const isCopied = await copy(field.value);
  told.textContent = isCopied ? "Copied." : "Selected: press Ctrl C, or hold it and choose Copy.";
});
button.hidden = false;

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy"); // Deprecated, and the only way without https.
  }
}
