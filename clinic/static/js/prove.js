// A passkey in place of a password, wherever a signed-in person is asked for it again, and for a witness beside them: what
// the passkey proved comes back as a word that counts once, and stands in the field as the password would.

import { asked, reason } from "./passkey.js";

const address = document.querySelector("meta[name=passkey]")?.content;

async function prove() {
  const body = new URLSearchParams({
    credential: await asked("get", address),
    csrf_token: document.querySelector("meta[name=csrf-token]").content,
    idempotency_key: crypto.randomUUID(),
  });
  const response = await fetch("/account/passkeys/prove", { method: "POST", body });
  if (!response.ok) throw new Error("refused");
  return (await response.json()).word;
}

if (address && globalThis.PublicKeyCredential) {
  for (const input of document.querySelectorAll("input[type=password]:not([autocomplete=new-password])")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "shw";
    button.textContent = "passkey";
    button.title = "Use a passkey in place of the password";
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        input.value = await prove();
        input.dispatchEvent(new Event("input", { bubbles: true }));
        button.textContent = "given";
        input.setCustomValidity("");
      } catch (error) {
        button.textContent = "again";
        button.title = reason(error);
      }
      button.disabled = false;
      input.focus();
    });
    // What somebody types afterwards is a password again.
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Tab" && button.textContent === "given") {
        input.value = "";
        button.textContent = "passkey";
      }
    });
    input.after(button);
  }
}
