// Never loses what was typed when the screen is locked, the tab is closed or the browser dies. While somebody types, what
// differs from the page as it was drawn is sealed to the server's key (seal.js) and kept on the device; the server opens it
// for its author alone. It goes when the key of its form has led to a save. docs/offline.md.

import { clockText, serverNow } from "./clock.js";
import { forgetDraft, keepDraft, keeps, kept, keptDrafts, seal } from "./seal.js";

const KEPT_FOR = 24 * 60 * 60 * 1000;
const AFTER_TYPING = 300;
const author = document.querySelector("meta[name=staff]")?.content;
const isOpen = Boolean(author && document.querySelector("meta[name=lock-after]") && keeps());
const drafted = new WeakMap(); // form: the names that its draft holds, besides what differs now
const timers = new Map();
const said = new WeakMap(); // form: what it says by itself, as it was drawn
const NOT_SAID = new Set(["csrf_token", "idempotency_key", "version", "seen"]);
const NEVER = "[type=hidden], [type=password], [type=file], [type=search], [type=submit], [type=button], [autocomplete=one-time-code]";

const isKept = (form) => form.getAttribute("method") === "post" && form.role !== "search" && !form.closest("[role=search]") && form.elements.idempotency_key;
const controls = (form) => [...form.elements].filter((each) => each.name && each.matches("input, select, textarea") && !each.matches(NEVER));
const isPick = (control) => control.matches("[type=radio], [type=checkbox]");

function differs(control) {
  if (isPick(control)) return control.checked !== control.defaultChecked;
  if (control.matches("select")) return [...control.options].some((option) => option.selected !== option.defaultSelected);
  return control.value !== control.defaultValue;
}

/** What a form holds that its drawing did not, and the time beside it: what was seen at 14:26 stays seen at 14:26. */
function typedIn(form) {
  const all = controls(form);
  const names = new Set([...(drafted.get(form) ?? []), ...all.filter(differs).map(({ name }) => name)]);
  if (!names.size) return undefined;
  if (form.elements.at?.value) names.add("at");
  const held = all.filter(({ name }) => names.has(name));
  return held.map((control) => ({ name: control.name, value: control.value, checked: isPick(control) ? control.checked : undefined, chosen: control.selectedOptions ? [...control.selectedOptions].map(({ value }) => value) : undefined }));
}

function saidBy(form) {
  if (!said.has(form)) {
    const hidden = [...form.querySelectorAll("input[type=hidden]")].filter(({ name }) => name && !NOT_SAID.has(name));
    said.set(form, JSON.stringify([form.getAttribute("action"), hidden.map(({ name, value }) => [name, value])]));
  }
  return said.get(form);
}

/** Which form of which record this is: where it is sent and all that it says by itself. */
async function placeOf(form) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(saidBy(form))));
  return `${author} ${btoa(String.fromCharCode(...digest))}`;
}

/** Which state of the record a form was drawn from, where it says so. */
const drawnFrom = (form) => [form.elements.version?.value, form.elements.seen?.value].join(" ");

async function save(form) {
  clearTimeout(timers.get(form));
  timers.delete(form);
  const place = await placeOf(form);
  const typed = typedIn(form);
  if (!typed) return forgetDraft(place);
  drafted.set(form, new Set(typed.map(({ name }) => name)));
  const key = form.elements.idempotency_key.value;
  const content = { typed, typed_at: new Date(serverNow()).toISOString(), drawn: drawnFrom(form) };
  const envelope = await seal(content, { entry: `draft ${key}`, author, record: place });
  return keepDraft({ ...envelope, place, form_key: key, kept_at: Date.now() });
}

async function forget(form) {
  clearTimeout(timers.get(form));
  timers.delete(form);
  drafted.delete(form);
  await forgetDraft(await placeOf(form));
}

/** Keep at once what was typed in the last moment: the page is about to go. */
export const flush = () => Promise.all([...timers.keys()].map((form) => save(form).catch(() => undefined)));

/** How many drafts of the person at the screen wait on this device. */
export async function count() {
  const stored = keeps() ? await keptDrafts().catch(() => []) : [];
  return stored.filter((draft) => draft.author === author).length;
}

// --- back into the form ----------------------------------------------------------------------------------------------

async function opened({ place: _place, form_key: _key, kept_at: _kept, ...envelope }) {
  const body = new URLSearchParams({
    envelope: JSON.stringify(envelope),
    csrf_token: document.querySelector("meta[name=csrf-token]").content,
    idempotency_key: crypto.randomUUID(),
  });
  const answer = await fetch("/drafts/open", { method: "POST", body, redirect: "manual", headers: { "X-Background": "draft" } });
  return answer.ok ? answer.json() : undefined;
}

function note(form, words) {
  const said = document.createElement("div");
  said.className = "ribbon warn"; // above the page: a form may be one narrow line
  const text = document.createElement("span");
  const space = document.createElement("span");
  space.className = "sp";
  text.textContent = words;
  const empty = document.createElement("button");
  empty.type = "button";
  empty.className = "btn sm";
  empty.textContent = "Throw it away";
  empty.addEventListener("click", async () => {
    await forget(form);
    location.reload();
  });
  said.append(text, space, empty);
  document.querySelector("[data-ribbons]").append(said);
}

function fill(form, typed) {
  const seen = new Map();
  for (const { name, value, checked, chosen } of typed) {
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    const alike = controls(form).filter((control) => control.name === name);
    const control = checked === undefined ? alike[nth] : alike.find((each) => each.value === value);
    if (!control) continue;
    if (isPick(control)) control.checked = checked;
    else if (control.matches("select")) for (const option of control.options) option.selected = chosen.includes(option.value);
    else control.value = value;
    control.closest("details")?.setAttribute("open", "");
    for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}

async function bringBack(form, draft) {
  const content = await opened(draft);
  if (!content) return;
  const at = clockText(Date.parse(content.typed_at));
  if (content.drawn !== drawnFrom(form)) {
    const words = content.typed.filter(({ checked }) => checked !== false).map(({ name, value }) => `${name.replaceAll("_", " ")}: ${value}`);
    note(form, `Somebody changed this since ${at}. What you had typed, and not saved: ${words.join("; ")}`);
    return;
  }
  drafted.set(form, new Set(content.typed.map(({ name }) => name)));
  fill(form, content.typed);
  note(form, `Typed at ${at} and not saved: it stands in its form again.`);
  await save(form); // under the key that this form has now
}

async function begin() {
  const entries = new Set((await kept()).map(({ entry }) => entry)); // these wait by themselves
  const stored = (await keptDrafts()).filter((draft) => (draft.author === author && !entries.has(draft.form_key)) || draft.kept_at < Date.now() - KEPT_FOR);
  if (!stored.length) return;
  const asked = new URLSearchParams(stored.map(({ form_key }) => ["key", form_key]));
  const answer = await fetch(`/drafts/saved?${asked}`, { headers: { "X-Background": "drafts" }, redirect: "manual" });
  if (!answer.ok) return;
  const { saved } = await answer.json();
  for (const draft of stored) {
    if (saved.includes(draft.form_key) || draft.kept_at < Date.now() - KEPT_FOR) await forgetDraft(draft.place);
  }
  const waiting = new Map(stored.filter(({ form_key }) => !saved.includes(form_key)).map((draft) => [draft.place, draft]));
  for (const form of [...document.forms].filter(isKept)) {
    const draft = waiting.get(await placeOf(form));
    if (draft) await bringBack(form, draft);
  }
}

function keepSoon({ target }) {
  if (!isTouched) return; // what a script fills in by itself is no draft
  const form = target.form;
  if (!form || !isKept(form) || target.matches(NEVER)) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => save(form).catch(() => undefined), AFTER_TYPING));
}

let isTouched = false;
if (isOpen) {
  for (const form of document.forms) saidBy(form);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (isTouched = true), { capture: true, passive: true });
  document.addEventListener("submit", ({ target }) => timers.has(target) && save(target).catch(() => undefined), { capture: true });
  for (const kind of ["input", "change"]) document.addEventListener(kind, keepSoon);
  // An entry that waits for the network is kept by itself, and its form is empty for the next one (waiting.js).
  document.addEventListener("chairtime:renewed", ({ target }) => forget(target).catch(() => undefined));
  document.addEventListener("visibilitychange", flush);
  addEventListener("pagehide", flush);
  begin().catch(() => undefined);
}

const place = document.querySelector("[data-kept]");
if (place) {
  count().then((forms) => {
    if (!forms) return;
    place.textContent = forms === 1 ? "What you typed and did not save is kept for you, sealed." : `What you typed in ${forms} forms and did not save is kept for you, sealed.`;
    place.hidden = false;
  });
}
