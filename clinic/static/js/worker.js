// Stands between the pages and the network. It keeps style, script and fonts, and one page without any record, for the time
// when the server does not answer; a page about a patient is never kept. The network always comes first.

const SHELL = "chairtime-1";
const PAGE = "/offline";

self.addEventListener("install", (event) => {
  const page = new Request(PAGE, { credentials: "omit", cache: "reload" });
  event.waitUntil(caches.open(SHELL).then((cache) => cache.add(page)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const clean = caches.keys().then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))));
  event.waitUntil(clean.then(() => self.clients.claim()));
});

async function asset(event) {
  const { request } = event;
  const cache = await caches.open(SHELL);
  const answer = await fetch(request).catch(() => undefined);
  // Kept beside the answer: a full disk must not take the page its style away.
  if (answer?.ok) event.waitUntil(cache.put(request, answer.clone()).catch(() => undefined));
  else if (!answer || answer.status >= 500) return (await cache.match(request)) ?? answer ?? Response.error();
  return answer;
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (address.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (request.method === "GET" && address.pathname.startsWith("/static/")) event.respondWith(asset(event));
});
