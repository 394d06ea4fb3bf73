// Never loses what was typed when the network goes. A save at the bedside is posted from here; when no answer comes it is
// sealed, kept on the device in its order with its own time, shown as waiting, and sent again with the same key until the
// server has answered. Everything else that needs the server is asked for before the page is left.
//
// Only this page's memory can still read what waits; storage holds sealed envelopes (seal.js). docs/offline.md.

import { clockText, serverNow } from "./clock.js";
import { parse } from "./oneline.js";
import { forget, keep, keeps, kept, seal } from "./seal.js";

const ANSWER_WITHIN = 10000;
const AGAIN_EVERY = 15000;
const NOT_SAID = new Set(["at", "fold", "act", "about", "entered_at"]);

const author = document.querySelector("meta[name=staff]")?.content;
const token = () => document.querySelector("meta[name=csrf-token]").content;
const place = document.querySelector("main[data-record]");
const frame = window.frameElement; // this page was kept in memory and is drawn inside the one that kept it
const inMemory = []; // where nothing can be sealed
const said = new Map(); // what waits, in words, for as long as this page lives
const pages = new Map(); // pages for entries, as they were fetched while the network was there

const isAway = () => !navigator.onLine || document.documentElement.dataset.away !== undefined;
function setAway(away) {
  if (away) document.documentElement.dataset.away = "";
  else delete document.documentElement.dataset.away;
}

function freshKey() {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18)))).replaceAll("+", "-").replaceAll("/", "_");
}

/** The server's answer, or undefined when none came or it was unable to judge. */
async function post(path, fields, headers = {}) {
  try {
    const body = new URLSearchParams([...fields, ["csrf_token", token()]]);
    const answer = await fetch(path, { method: "POST", body, headers, redirect: "manual", signal: AbortSignal.timeout(ANSWER_WITHIN) });
    setAway(answer.status >= 500);
    return answer.status >= 500 || answer.status === 429 ? undefined : answer;
  } catch {
    setAway(true);
    return undefined;
  }
}

// --- words -----------------------------------------------------------------------------------------------------------

function wordsOf(form) {
  const labelled = [];
  for (const input of form.elements) {
    if (!input.name || input.type === "hidden" || input.matches("button") || NOT_SAID.has(input.name)) continue;
    if (["radio", "checkbox"].includes(input.type) && !input.checked) continue;
    if (!input.value.trim()) continue;
    const group = input.closest("fieldset");
    const label = group?.dataset.label ?? group?.querySelector("legend")?.textContent ?? input.labels?.[0]?.textContent ?? input.name;
    const chosen = input.selectedOptions?.[0]?.textContent ?? (input.type === "radio" && !group?.dataset.label ? input.labels?.[0]?.textContent : undefined);
    labelled.push(input.matches("[data-one-line]") ? input.value.trim() : `${label.trim()} ${(chosen ?? input.value).trim()}`);
  }
  const title = form.querySelector("h1, h2")?.textContent.trim();
  const at = form.elements.at?.value || clockText(serverNow());
  return { at, what: [title, labelled.join(", ")].filter(Boolean).join(": ") };
}

/** What no server would take, said at once: there may be none for a while. */
function problemOf(form) {
  for (const line of form.querySelectorAll("[data-one-line]")) {
    const { notUnderstood } = parse(line.value);
    if (notUnderstood !== undefined) return `Not understood: ${notUnderstood}`;
  }
  for (const group of form.querySelectorAll("[data-ladder]")) {
    const { ladder, label, min, max } = group.dataset;
    const typed = form.elements[`${ladder}_typed`]?.value.trim();
    if (typed && !(Number(typed) >= Number(min) && Number(typed) <= Number(max))) return `${label}: enter a value from ${min} to ${max}`;
  }
  return undefined;
}

function ribbon(name, kind) {
  const shelf = document.querySelector("[data-ribbons]");
  let found = shelf.querySelector(`[data-ribbon=${name}]`);
  if (!found) {
    found = document.createElement("div");
    found.dataset.ribbon = name;
    found.append(document.createElement("span"));
    shelf.append(found);
  }
  found.className = `ribbon ${kind}`;
  return found;
}

function tell(words, kind = "crit") {
  ribbon("told", kind).firstElementChild.textContent = words;
}

const entries = (count) => (count === 1 ? "1 entry" : `${count} entries`);

/** What waits, newest first, each with the time it is about. */
function listOf(words) {
  const table = document.createElement("table");
  table.className = "tb tight waits";
  for (const { at, what } of words.toReversed()) {
    const row = table.insertRow();
    row.append(document.createElement("th"));
    row.cells[0].scope = "row";
    row.cells[0].textContent = at;
    row.insertCell().textContent = what;
    const tag = document.createElement("span");
    tag.className = "tag warn";
    tag.textContent = "waiting";
    row.insertCell().append(tag);
  }
  return table;
}

async function show() {
  if (frame) return;
  const stored = await kept().catch(() => []);
  const mine = stored.filter((envelope) => envelope.author === author).map((envelope) => envelope.entry);
  const waiting = [...mine, ...inMemory.map((content) => content.entry)];
  const others = stored.length - mine.length;
  document.querySelector("[data-ribbons] .waits")?.remove();
  if (!waiting.length && !others) {
    document.querySelector("[data-ribbon=waiting]")?.remove();
    return;
  }
  const known = waiting.filter((entry) => said.has(entry)).map((entry) => said.get(entry));
  const sealed = waiting.length - known.length;
  const words = [];
  if (waiting.length) words.push(`${entries(waiting.length)} of yours ${waiting.length === 1 ? "is" : "are"} waiting on this device${isAway() ? "" : ", being sent"}.`);
  if (sealed && known.length) words.push(`${entries(sealed)} sealed.`);
  if (others) words.push(`${entries(others)} of somebody else ${others === 1 ? "is" : "are"} waiting here, sealed, until that person signs in on this device.`);
  if (inMemory.length) words.push("Keep this page open: this device cannot keep entries by itself.");
  const bar = ribbon("waiting", "crit");
  bar.firstElementChild.textContent = words.join(" ");
  if (known.length) bar.after(listOf(known));
}

// --- saving ----------------------------------------------------------------------------------------------------------

function mayWait(form) {
  return Boolean(place && author && place.dataset.mayWait.split(" ").includes(form.getAttribute("action")));
}

/** Let the browser send a form itself: it draws what the server has to say. */
function sendAsEver(form, submitter) {
  form.dataset.asEver = "";
  form.requestSubmit(submitter);
  delete form.dataset.asEver;
}

function remembered(form) {
  let field = form.querySelector("input[name=entered_at]");
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = "entered_at";
    form.append(field);
  }
  field.value = new Date(serverNow()).toISOString();
}

async function save(form, submitter) {
  remembered(form);
  const fields = [...new FormData(form, submitter)].filter(([name]) => name !== "csrf_token");
  const path = form.getAttribute("action");
  const answer = await post(path, fields);
  if (answer?.type === "opaqueredirect") leave(place.dataset.after);
  else if (answer) sendAsEver(form, submitter);
  else await wait(form, path, fields);
}

async function wait(form, path, fields) {
  const problem = problemOf(form);
  if (problem) {
    tell(problem);
    return;
  }
  const values = Object.fromEntries(fields);
  const entry = values.idempotency_key;
  const words = wordsOf(form);
  // Others may act on the session meanwhile: whether this still fits is judged by its time, not by the version seen.
  const lasting = fields.filter(([name]) => name !== "version");
  const content = { path, fields: lasting, entered_at: values.entered_at, said: `${words.at} ${words.what}` };
  if (keeps()) await keep(await seal(content, { entry, author, record: place.dataset.record }));
  else inMemory.push({ ...content, entry });
  said.set(entry, words);
  if (frame) frame.ownerDocument.dispatchEvent(new CustomEvent("chairtime:waits", { detail: { entry, words } }));
  renew(form);
  await show();
}

/** Empty a form for the next entry; the one that waits keeps its key and its time. */
function renew(form) {
  form.reset();
  form.querySelector("input[name=entered_at]")?.remove();
  form.elements.idempotency_key.value = freshKey();
  if (form.elements.at) form.elements.at.value = clockText(serverNow());
  for (const typed of form.querySelectorAll("input[type=text]")) if (typed.name !== "at") typed.value = "";
  for (const chosen of form.querySelectorAll("input:checked")) chosen.checked = false;
  form.dispatchEvent(new Event("change", { bubbles: true }));
  form.querySelector("[data-one-line]")?.dispatchEvent(new Event("input", { bubbles: true }));
}

async function ask(form, submitter) {
  try {
    await fetch("/static/favicon.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
  } catch {
    setAway(true);
    tell("This needs the network, and the server does not answer. Nothing was sent; what you typed stays here.");
    return;
  }
  setAway(false);
  sendAsEver(form, submitter);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { submitter } = event;
  if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.dataset.asEver !== undefined) return;
  if (submitter?.name === "page") return;
  event.preventDefault();
  if (form.dataset.busy !== undefined) return; // a second tap
  form.dataset.busy = "";
  document.querySelector("[data-ribbon=told]")?.remove();
  try {
    await (mayWait(form) ? save(form, submitter) : ask(form, submitter));
  } finally {
    delete form.dataset.busy;
  }
});

// --- sending ---------------------------------------------------------------------------------------------------------

const IN_BACKGROUND = { "X-Background": "waiting" };

/** Send one entry. True when it is in the record, one way or the other. */
async function deliver(envelope) {
  const sealed = JSON.stringify(envelope);
  const address = `/sessions/${envelope.record}/waiting`;
  const opened = await post(address, [["envelope", sealed], ["idempotency_key", freshKey()]], IN_BACKGROUND);
  if (opened?.status !== 200) return false;
  const { path, fields } = await opened.json();
  const answer = await post(path, fields, IN_BACKGROUND);
  if (answer?.type === "opaqueredirect") return true;
  if (![404, 409, 422].includes(answer?.status)) return false;
  const noted = await post(`${address}/kept`, [["envelope", sealed], ["idempotency_key", `${envelope.entry}.kept`]], IN_BACKGROUND);
  if (noted?.status !== 204) return false;
  tell("An entry that waited was not accepted. What it said stands in the flowsheet: look there, and enter it again.");
  return true;
}

async function sendAll() {
  let sent = 0;
  for (const { place: at, ...envelope } of await kept().catch(() => [])) {
    if (envelope.author !== author) continue;
    if (!(await deliver(envelope))) break; // the next one must not overtake it
    await forget(at);
    sent += 1;
  }
  while (inMemory.length && (await post(inMemory[0].path, inMemory[0].fields, IN_BACKGROUND))?.type === "opaqueredirect") {
    inMemory.shift();
    sent += 1;
  }
  if (sent) ribbon("sent", "acc").firstElementChild.textContent = `${entries(sent)} that waited ${sent === 1 ? "is" : "are"} in the record now.`;
}

let sending = false;
async function send() {
  if (!author || frame || sending) return;
  sending = true;
  try {
    // One page of this browser at a time; the keys would keep two apart anyhow.
    if (navigator.locks) await navigator.locks.request("chairtime-waiting", { ifAvailable: true }, (lock) => lock && sendAll());
    else await sendAll();
  } finally {
    sending = false;
    await show();
  }
}

// --- pages for entries, while the network is away --------------------------------------------------------------------

async function holdPages() {
  for (const path of place.dataset.holds.split(" ")) {
    const answer = await fetch(path, { headers: IN_BACKGROUND, redirect: "manual" }).catch(() => undefined);
    if (answer?.ok) pages.set(path, await answer.text());
  }
}

function openHeld(path) {
  closeHeld();
  const page = new DOMParser().parseFromString(pages.get(path), "text/html");
  page.querySelector("[data-clock]")?.setAttribute("data-now", new Date(serverNow()).toISOString());
  for (const key of page.querySelectorAll("input[name=idempotency_key]")) key.setAttribute("value", freshKey());
  for (const at of page.querySelectorAll("input[name=at]")) at.setAttribute("value", clockText(serverNow()));
  const held = document.createElement("iframe");
  held.className = "held";
  held.title = page.title;
  held.srcdoc = `<!doctype html>${page.documentElement.outerHTML}`;
  document.body.append(held);
}

const closeHeld = () => document.querySelector("iframe.held")?.remove();

/** Go to another page; from inside a held page it is the page around it that goes. */
function leave(address) {
  if (frame) frame.ownerDocument.dispatchEvent(new CustomEvent("chairtime:leaves", { detail: address }));
  else location.assign(address);
}

function goTo(address) {
  const { pathname } = new URL(address, location.href);
  if (!isAway()) location.assign(address);
  else if (pages.has(pathname)) openHeld(pathname);
  else if (pathname === location.pathname) closeHeld();
  else tell("This needs the network. The page stays as it was.");
}

document.addEventListener("chairtime:waits", ({ detail }) => {
  said.set(detail.entry, detail.words);
  closeHeld();
  void show();
});
document.addEventListener("chairtime:leaves", ({ detail }) => {
  closeHeld();
  goTo(detail);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || link.target) return;
  if (link.getAttribute("href").startsWith("#") || link.origin !== location.origin && !frame) return;
  if (!frame && !isAway()) return;
  event.preventDefault();
  if (frame) leave(link.getAttribute("href"));
  else goTo(link.href);
});

// --- begin -----------------------------------------------------------------------------------------------------------

addEventListener("beforeunload", (event) => inMemory.length && event.preventDefault());
if (!frame) {
  void send();
  void show();
  if (place && author) setTimeout(holdPages, 1500);
  addEventListener("online", () => (setAway(false), send()));
  addEventListener("offline", show);
  document.addEventListener("visibilitychange", () => document.hidden || send());
  setInterval(send, AGAIN_EVERY);
  navigator.serviceWorker?.register("/worker.js").catch(() => undefined);
}
