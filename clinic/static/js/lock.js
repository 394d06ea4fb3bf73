// A screen that nobody touches is locked: what was typed is sealed for its author (drafts.js), the record leaves the page
// before anything else happens, and the page for the PIN takes its place in the history. All tabs of a browser go together.
// The server locks by itself a little later, so that a page without script shows nothing either.

import { flush } from "./drafts.js";

const frame = window.frameElement; // a held page is part of the page around it
const meta = document.querySelector("meta[name=lock-after]");
const AFTER = Number(meta?.content ?? 0) * 1000;
const TELL_EVERY = Math.min(20000, AFTER / 10);
const PATIENCE = 2000;
const channel = meta && "BroadcastChannel" in window ? new BroadcastChannel("chairtime-lock") : undefined;

let touched = Date.now();
let told = touched; // the page has just been asked for
let locking = false;

const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);

/** Take everything that could be read off this page. */
function blank() {
  document.title = "Locked";
  document.body.replaceChildren();
}

async function lock({ isAsked = true } = {}) {
  if (locking) return;
  locking = true;
  await within(flush());
  blank();
  if (isAsked) {
    channel?.postMessage("lock");
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18)))).replaceAll("+", "-").replaceAll("/", "_");
    const body = new URLSearchParams({ csrf_token: document.querySelector("meta[name=csrf-token]").content, idempotency_key: key });
    await within(fetch("/lock", { method: "POST", body, redirect: "manual" }).catch(() => undefined));
  }
  location.replace(`/unlock?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Tell the server that somebody is here; an answer that leads to the lock means another tab or device locked. */
async function tell() {
  told = Date.now();
  const answer = await fetch("/here", { redirect: "manual", cache: "no-store" }).catch(() => undefined);
  if (answer?.type === "opaqueredirect") await lock({ isAsked: false });
}

function look() {
  const now = Date.now();
  if (now - touched >= AFTER) void lock();
  else if (touched > told && now - told >= TELL_EVERY) void tell();
}

function touch() {
  touched = Date.now();
  channel?.postMessage("touched");
}

if (meta && frame) {
  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => frame.ownerDocument.defaultView.dispatchEvent(new Event("chairtime:touched")), { capture: true, passive: true });
  }
} else if (meta) {
  channel?.addEventListener("message", ({ data }) => {
    if (data === "lock") void lock({ isAsked: false });
    else touched = Date.now();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") !== "/lock") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void lock();
  }, { capture: true });
  // A page that comes back out of the browser's memory would show the record before it is asked for anew.
  addEventListener("pagehide", ({ persisted }) => persisted && blank());
  if (AFTER) {
    for (const kind of ["pointerdown", "keydown", "wheel", "chairtime:touched"]) addEventListener(kind, touch, { capture: true, passive: true });
    setInterval(look, Math.min(1000, AFTER / 5));
    document.addEventListener("visibilitychange", () => document.hidden || look());
  }
}
