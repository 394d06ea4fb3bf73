// Keeps fragments of a page fresh and says how old they are.
//
// <section id="lanes" data-refresh="/today/lanes"> is asked for every 4 s with its ETag. It is left alone while something
// inside has the focus or was changed: what someone types is never replaced. After 20 s without an answer the page says so.

import { clockText, follow, serverNow } from "./clock.js";

const EVERY = 4000;
const STALE_AFTER = 20000;

const fragments = [...document.querySelectorAll("[data-refresh]")];
const tags = new Map();
let heard = Date.now();
let busy = false;

const changed = (control) =>
  control.type === "radio" || control.type === "checkbox"
    ? control.checked !== control.defaultChecked
    : control.options
      ? [...control.options].some((option) => option.selected !== option.defaultSelected)
      : control.value !== control.defaultValue;

/** Whether someone is at work inside: focus in a control, a changed field, open details. */
export function inUse(fragment) {
  const focused = document.activeElement;
  if (focused && focused !== fragment && fragment.contains(focused)) return true;
  if (fragment.querySelector("details[open]")) return true;
  return [...fragment.querySelectorAll("input:not([type=hidden]), select, textarea")].some(changed);
}

async function refresh(fragment) {
  const address = fragment.dataset.refresh;
  const headers = { "X-Background": "refresh" };
  if (tags.has(address)) headers["If-None-Match"] = tags.get(address);
  const asked = Date.now();
  const answer = await fetch(address, { headers, cache: "no-store", credentials: "same-origin", redirect: "manual" });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
    location.reload(); // signed out, locked or no longer allowed: the page itself knows what to say
    return;
  }
  if (answer.status !== 304 && !answer.ok) throw new Error(`answer ${answer.status}`);
  heard = Date.now();
  follow(answer, asked);
  if (answer.status === 304) return;
  const text = await answer.text();
  if (inUse(fragment)) return; // the tag is not kept, so the same news comes again at the next turn
  const tag = answer.headers.get("ETag");
  if (tag) tags.set(address, tag);
  fragment.innerHTML = text;
  document.dispatchEvent(new CustomEvent("chairtime:swapped", { detail: fragment }));
}

function showFreshness() {
  const age = Date.now() - heard;
  const stale = age > STALE_AFTER;
  const offline = !navigator.onLine;
  const root = document.documentElement;
  const was = root.dataset.stale;
  if (stale) root.dataset.stale = "";
  else delete root.dataset.stale;
  for (const live of document.querySelectorAll("[data-live]")) {
    live.hidden = false;
    live.classList.toggle("stale", stale && !offline);
    live.classList.toggle("off", offline);
    live.textContent = offline ? "Offline" : stale ? "Not fresh" : "Live";
  }
  const shelf = document.querySelector("[data-ribbons]");
  let ribbon = shelf?.querySelector("[data-freshness]");
  if (shelf && (stale || offline)) {
    if (!ribbon) {
      ribbon = document.createElement("div");
      ribbon.dataset.freshness = "";
      const words = document.createElement("span");
      const space = document.createElement("span");
      space.className = "sp";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn sm";
      button.textContent = "Reload";
      button.addEventListener("click", () => location.reload());
      button.dataset.reload = "";
      ribbon.append(words, space, button);
      shelf.append(ribbon);
    }
    ribbon.className = `ribbon ${offline ? "crit" : "warn"}`;
    // Without a network the page would be gone.
    ribbon.querySelector("[data-reload]").hidden = offline;
    const seconds = Math.round(age / 1000);
    const ago = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
    const lead = offline ? "Offline. " : "";
    ribbon.firstElementChild.textContent = `${lead}Last update ${clockText(serverNow() - age)}, ${ago} ago. Trying again.`;
  } else ribbon?.remove();
  if ((was !== undefined) !== stale) document.dispatchEvent(new Event("chairtime:freshness"));
}

async function turn() {
  if (busy || document.hidden) return;
  busy = true;
  try {
    await Promise.all(fragments.map(refresh));
    delete document.documentElement.dataset.away;
  } catch {
    document.documentElement.dataset.away = ""; // no answer: the age of the data says it
  } finally {
    busy = false;
    showFreshness();
  }
}

if (fragments.length) {
  showFreshness();
  setInterval(turn, EVERY);
  setInterval(showFreshness, 1000);
  document.addEventListener("visibilitychange", turn);
  addEventListener("online", turn);
  addEventListener("offline", showFreshness);
}
