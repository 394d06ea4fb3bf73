// A button says what was chosen above it before it is pressed: "Save event: dissociation, moderate".
// Without script it says only what it does.

const button = document.querySelector("[data-reads-back]");
const plain = button?.textContent.trim();

/** In the middle of a line; SpO2 and BP stay as they are. */
function lower(text) {
  return /^[A-Z][a-z]+( |$)/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}

function readBack() {
  const names = button.dataset.readsBack.split(" ");
  const chosen = names.flatMap((name) => [...button.form.querySelectorAll(`[name=${name}]:checked`)]);
  const words = chosen.map((input) => lower(input.labels[0].textContent.trim()));
  button.textContent = words.length ? `${plain}: ${words.join(", ")}` : plain;
}

button?.form.addEventListener("change", readBack);
if (button) readBack(); // what came back from the server is chosen already
