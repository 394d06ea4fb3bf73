// Adds "show" to password fields: who can see what was typed makes fewer mistakes and chooses longer words.

for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "shw";
  button.textContent = "show";
  button.setAttribute("aria-controls", input.id);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "show" : "hide";
    button.setAttribute("aria-pressed", String(!shown));
    input.focus();
  });
  // A shown password must not stay in the browser's memory of typed texts.
  input.form?.addEventListener("submit", () => {
    input.type = "password";
  });
  input.after(button);
}
