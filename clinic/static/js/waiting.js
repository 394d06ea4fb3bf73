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
const inMemory = []; // where nothing can be sealed or stored
const stuck = new Map(); // what the server will not have from here, with its answer
let lastAnswer; // to what was sent of its own accord
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
    const answer = await fetch(path, {
      method: "POST",
      body,
      headers: { "X-Script": "waiting", ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    setAway(answer.status >= 500);
    return answer.status >= 500 || answer.status === 429 ? undefined : answer;
  } catch {
    setAway(true);
    return undefined;
  }
}

/** Whether a save is in the record: a redirect would not say so, it may be a proxy's. */
const isSaved = (answer) => answer?.status === 204 && answer.headers.has("X-Saved");

// --- words -----------------------------------------------------------------------------------------------------------

/** What a form holds, each with the name it has on the screen. */
function labelledIn(form) {
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
  return labelled;
}

function wordsOf(form) {
  const title = form.querySelector("h1, h2")?.textContent.trim();
  const at = form.elements.at?.value || clockText(serverNow());
  return { at, what: [title, labelledIn(form).join(", ")].filter(Boolean).join(": ") };
}

/** What no server would take, said at once: there may be none for a while. */
function problemOf(form) {
  if (form.querySelector("[data-one-line], [data-ladder]") && !labelledIn(form).length) return "Enter at least one value.";
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

/** What waits of this person's, in its order. */
async function waitingEntries() {
  const stored = await kept().catch(() => []);
  return [...stored.filter((envelope) => envelope.author === author), ...inMemory];
}

async function show() {
  if (frame) return;
  const stored = await kept().catch(() => []);
  const mine = stored.filter((envelope) => envelope.author === author);
  const waiting = [...mine, ...inMemory].map(({ entry }) => entry);
  const others = stored.length - mine.length;
  document.querySelector("[data-ribbons] .waits")?.remove();
  if (!waiting.length && !others) {
    document.querySelector("[data-ribbon=waiting]")?.remove();
    return;
  }
  const known = waiting.filter((entry) => said.has(entry)).map((entry) => said.get(entry));
  const sealed = waiting.length - known.length;
  const words = [];
  if (waiting.length) words.push(`${entries(waiting.length)} of yours ${waiting.length === 1 ? "is" : "are"} waiting on this device${isAway() || lastAnswer ? "" : ", being sent"}.`);
  if (sealed && known.length) words.push(`${entries(sealed)} sealed.`);
  if (others) words.push(`${entries(others)}${author ? " of somebody else" : ""} ${others === 1 ? "is" : "are"} waiting here, sealed, until that person signs in on this device.`);
  if (lastAnswer) words.push(`The server does not take them from this page (${lastAnswer}). Reload it, and sign in if you are asked.`);
  for (const answer of new Set(stuck.values())) words.push(`The server does not take every entry (${answer}). What it does not take stays here, sealed: tell whoever runs Chairtime.`);
  if (inMemory.length) words.push("Keep this page open: this device cannot keep entries by itself.");
  const bar = ribbon("waiting", "crit");
  bar.firstElementChild.textContent = words.join(" ");
  if (known.length) bar.after(listOf(known));
}

// --- saving ----------------------------------------------------------------------------------------------------------

function mayWait(form) {
  return Boolean(place && author && place.dataset.mayWait.split(" ").includes(form.getAttribute("action")));
}

/** Let the browser send a form itself: it draws what the server has to say, never inside the frame of a held page. */
function sendAsEver(form, submitter) {
  if (frame) form.target = "_top";
  form.dataset.asEver = "";
  form.requestSubmit(submitter);
  delete form.dataset.asEver;
}

/** Ask the page around a held one. */
function outside(name, said) {
  const detail = { said };
  frame.ownerDocument.dispatchEvent(new CustomEvent(name, { detail }));
  return detail.answer;
}

/** Whether an earlier entry about this session has no answer yet: a later one must not overtake it. */
async function isBehind() {
  if (frame) return outside("chairtime:asks");
  if (!isAway()) await send();
  return (await waitingEntries()).some(({ entry, record }) => record === place.dataset.record && !stuck.has(entry));
}

/** True when the entry waits on the device. */
async function save(form, submitter) {
  const fields = [...new FormData(form, submitter)].filter(([name]) => name !== "csrf_token");
  const path = form.getAttribute("action");
  const entered_at = new Date(serverNow()).toISOString();
  const answer = (await isBehind()) ? undefined : await post(path, fields);
  if (isSaved(answer)) {
    form.dataset.saved = ""; // the page is being left; a second tap would ask again
    leave(answer.headers.get("X-Saved"));
  } else if (answer) sendAsEver(form, submitter);
  else return wait(form, path, fields, entered_at);
  return false;
}

async function wait(form, path, fields, entered_at) {
  const problem = problemOf(form);
  if (problem) {
    tell(problem);
    return false;
  }
  const words = wordsOf(form);
  // Others may act on the session meanwhile: whether this still fits is judged by its time, not by the version seen.
  const lasting = fields.filter(([name]) => name !== "version");
  const content = { path, fields: lasting, entered_at, said: `${words.at} ${words.what}` };
  const entry = Object.fromEntries(fields).idempotency_key;
  const waiting = { entry, author, record: place.dataset.record, content, words };
  // A held page goes when its entry waits, and its memory with it.
  await (frame ? outside("chairtime:waits", waiting) : hold(waiting));
  renew(form, fields);
  return true;
}

/** Keep an entry on the device, or in this page's memory where the device cannot or does not answer. */
async function hold({ content, words, ...label }) {
  try {
    if (!keeps()) throw new Error("nothing can be sealed here");
    const patience = new Promise((_resolve, reject) => setTimeout(reject, ANSWER_WITHIN / 2));
    await Promise.race([seal(content, label).then(keep), patience]);
  } catch {
    inMemory.push({ content, ...label }); // should it be stored after all, its key keeps the two one
  }
  said.set(label.entry, words);
  await show();
}

/** Empty a form of what waits, for the next entry; what was typed meanwhile is that next entry, and stays. */
function renew(form, fields) {
  const waits = new Set(fields.map(([name, value]) => `${name} ${value}`));
  form.elements.idempotency_key.value = freshKey();
  for (const control of form.elements) {
    if (control.type === "hidden" || !waits.has(`${control.name} ${control.value}`)) continue;
    if (control.matches("input[type=radio], input[type=checkbox]")) control.checked = false;
    else if (control.matches("input, textarea")) control.value = ""; // no time means now
    else if (control.matches("select")) for (const option of control.options) option.selected = option.defaultSelected;
  }
  form.dispatchEvent(new Event("change", { bubbles: true }));
  form.dispatchEvent(new Event("chairtime:renewed", { bubbles: true }));
  form.querySelector("[data-one-line]")?.dispatchEvent(new Event("input", { bubbles: true }));
}

async function ask(form, submitter) {
  if (!isAway()) await send(); // what waits comes before what is done now
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
  if (form.dataset.saved !== undefined) return; // a second tap
  if (form.dataset.busy !== undefined) {
    form.dataset.next = ""; // a second tap, or the next entry: which of the two shows when the first is kept
    return;
  }
  form.dataset.busy = "";
  document.querySelector("[data-ribbon=told]")?.remove();
  let waits;
  try {
    waits = await (mayWait(form) ? save(form, submitter) : ask(form, submitter));
  } finally {
    const next = waits && form.dataset.next !== undefined && form.querySelector("[data-one-line]")?.value.trim();
    delete form.dataset.busy;
    delete form.dataset.next;
    if (next) form.requestSubmit(submitter);
  }
});

// --- sending ---------------------------------------------------------------------------------------------------------

const IN_BACKGROUND = { "X-Background": "waiting" };

/** Send one entry. True when it is in the record one way or the other, undefined when its time has not come. */
async function deliver(waiting) {
  const { place: _at, content, ...envelope } = waiting;
  const address = `/sessions/${waiting.record}/waiting`;
  const handed = content ? ["content", JSON.stringify(content)] : ["envelope", JSON.stringify(envelope)];
  const opened = await hand(waiting, address, [handed, ["idempotency_key", freshKey()]]);
  if (opened?.status === 204) return true; // noted before this device could forget it
  if (opened?.status !== 200) return undefined;
  const { path, fields } = await opened.json();
  const answer = await post(path, fields, IN_BACKGROUND);
  if (isSaved(answer)) return true;
  if (!answer || answer.status === 401) return undefined;
  const noted = await hand(waiting, `${address}/kept`, [handed, ["idempotency_key", `${waiting.entry}.kept`]]);
  if (noted?.status !== 204) return undefined;
  tell("An entry that waited was not accepted. What it said stands in the flowsheet: look there, and enter it again.");
  return true;
}

/** Hand an entry over. What the server will never take is set aside, so that it holds up no other. */
async function hand(waiting, address, fields) {
  const answer = await post(address, fields, IN_BACKGROUND);
  if (answer && !answer.ok) {
    if ([403, 404, 409, 413, 422].includes(answer.status)) stuck.set(waiting.entry, answer.status);
    else lastAnswer = answer.status;
  }
  return answer;
}

async function sendAll() {
  let sent = 0;
  stuck.clear();
  lastAnswer = undefined;
  for (const waiting of await waitingEntries()) {
    const is_in = await deliver(waiting);
    if (!is_in && stuck.has(waiting.entry)) continue;
    if (!is_in) break; // the next one must not overtake it
    if (waiting.content) inMemory.splice(inMemory.indexOf(waiting), 1);
    else await forget(waiting.place);
    said.delete(waiting.entry);
    sent += 1;
  }
  if (sent) ribbon("sent", "acc").firstElementChild.textContent = `${entries(sent)} that waited ${sent === 1 ? "is" : "are"} in the record now.`;
}

let sending;
/** Send what waits; whoever asks meanwhile waits for the same round. */
function send() {
  if (!author || frame) return Promise.resolve();
  sending ??= inTurn(sendAll)
    .catch(() => undefined) // another page of this browser is at it, or storage fails: at the next turn
    .finally(() => {
      sending = undefined;
      return show();
    });
  return sending;
}

/** One page of this browser at a time; the keys would keep two apart anyhow. */
const inTurn = (act) => (navigator.locks ? navigator.locks.request("chairtime-waiting", { signal: AbortSignal.timeout(ANSWER_WITHIN) }, act) : act());

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
  if (frame) outside("chairtime:leaves", address);
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
  detail.answer = hold(detail.said).then(closeHeld);
});
document.addEventListener("chairtime:asks", ({ detail }) => {
  detail.answer = isBehind();
});
document.addEventListener("chairtime:leaves", ({ detail }) => {
  closeHeld();
  goTo(detail.said);
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

// Without a network nobody comes back to this page, and what only its memory holds goes with it.
addEventListener("beforeunload", (event) => (inMemory.length || (place && !frame && !navigator.onLine)) && event.preventDefault());
addEventListener("pageshow", (event) => event.persisted && location.reload()); // never a page of before
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
