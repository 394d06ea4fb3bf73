// Passkeys: a form marked data-passkey asks the browser for one and sends what it answered. Without script, or in a browser
// without passkeys, these forms stay hidden and the password stays.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const ask = {
  async get(options, more = {}) {
    const found = await navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: [] }, ...more });
    const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
    return answer(found, {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle && text(userHandle),
    });
  },
  async create(options) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: (options.excludeCredentials ?? []).map((each) => ({ ...each, id: bytes(each.id) })),
      },
    });
    const { attestationObject, clientDataJSON } = made.response;
    return answer(made, { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON) });
  },
};

const answer = (credential, response) =>
  JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} });

/** What went wrong, for somebody who stands there with a finger on the sensor. */
export const reason = (error) =>
  ({
    InvalidStateError: "This device has a passkey for you already.",
    NotAllowedError: "No passkey was given. Try again.",
    SecurityError: "Passkeys work under the clinic's own address only.",
  })[error.name] ?? "The passkey could not be asked. Try again.";

/** The answer of a passkey to fresh options, as the text to send. */
export async function asked(kind, address, more) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error("no options");
  return ask[kind](await response.json(), more);
}

const ANEW = 4 * 60 * 1000; // before the challenge is too old
let filling;

/** Offer passkeys among what the browser proposes for the e-mail; whoever picks one is signed in. */
async function fill(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  filling = new AbortController();
  const { signal } = filling;
  const anew = setTimeout(() => {
    filling.abort();
    void fill(form);
  }, ANEW);
  try {
    form.elements.credential.value = await asked("get", form.dataset.options, { mediation: "conditional", signal });
  } catch {
    return; // given up for the button, or nobody picked one
  } finally {
    clearTimeout(anew);
  }
  form.submit();
}

if (globalThis.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const said = form.querySelector("[data-passkey-said]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      filling?.abort(); // a browser asks one thing at a time
      said.textContent = "";
      try {
        form.elements.credential.value = await asked(form.dataset.passkey, form.dataset.options);
      } catch (error) {
        said.textContent = reason(error);
        if (form.dataset.fills !== undefined) void fill(form);
        return;
      }
      form.submit();
    });
  }
  for (const rule of document.querySelectorAll("[data-passkey-or]")) rule.hidden = false;
  for (const form of document.querySelectorAll("form[data-fills]")) void fill(form);
  for (const button of document.querySelectorAll("[data-passkey-into]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const { form } = button;
      try {
        form.elements[button.dataset.passkeyInto].value = await asked("get", button.dataset.options);
      } catch (error) {
        form.parentElement.querySelector("[data-passkey-said]").textContent = reason(error);
        return;
      }
      form.submit();
    });
  }
}
