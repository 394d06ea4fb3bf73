// Entries that wait for the network, and what was typed and not saved, sealed to the server's key before they touch storage: nothing readable stays on the
// device, and the device itself cannot open them again (clinic/core/seal.py opens them). In the order they were made.
//
// Without WebCrypto or storage (a page that is not served by https, a private window) entries wait in memory alone.

const INFO = new TextEncoder().encode("chairtime seal: entry 1");
const WAITING = "waiting";
const DRAFTS = "drafts";

const encoded = (text) => new TextEncoder().encode(text);
const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The text with the installation's public key, if this page may keep entries at all. */
const serverKey = () => document.querySelector("meta[name=seal-key]")?.content;

/** Whether entries outlive this page here. */
export const keeps = () => Boolean(serverKey() && globalThis.crypto?.subtle && globalThis.indexedDB);

/** An envelope around `content` (any JSON), which says from outside only whose it is and what about. */
export async function seal(content, { entry, author, record }) {
  const { subtle } = crypto;
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const theirs = await subtle.importKey("raw", bytes(serverKey()), curve, false, []);
  const mine = await subtle.generateKey(curve, false, ["deriveBits"]);
  const shared = await subtle.deriveBits({ name: "ECDH", public: theirs }, mine.privateKey, 256);
  const stretch = await subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const key = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO },
    stretch,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const label = encoded(`${entry}|${author}|${record}`);
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: label }, key, encoded(JSON.stringify(content)));
  const point = await subtle.exportKey("raw", mine.publicKey);
  return { entry, author, record, key: base64(point), nonce: base64(nonce), sealed: base64(sealed) };
}

let opened;
function storage() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("chairtime", 2);
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) request.result.createObjectStore(WAITING, { keyPath: "place", autoIncrement: true });
      request.result.createObjectStore(DRAFTS, { keyPath: "place" });
    };
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => database.close(); // a newer page wants to change it
      database.onclose = letGo; // somebody cleared this device's data
      resolve(database);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}
const letGo = () => (opened = undefined);

/** One act on a store; it has reached the disk when the promise is fulfilled. A lost connection is opened anew. */
async function act(store, mode, what) {
  let transaction;
  try {
    transaction = (await storage()).transaction(store, mode, { durability: "strict" });
  } catch {
    letGo();
    transaction = (await storage()).transaction(store, mode, { durability: "strict" });
  }
  const request = what(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export const keep = (envelope) => act(WAITING, "readwrite", (store) => store.add(envelope));
export const kept = () => act(WAITING, "readonly", (store) => store.getAll());
export const forget = (place) => act(WAITING, "readwrite", (store) => store.delete(place));

export const keepDraft = (envelope) => act(DRAFTS, "readwrite", (store) => store.put(envelope));
export const keptDrafts = () => act(DRAFTS, "readonly", (store) => store.getAll());
export const forgetDraft = (place) => act(DRAFTS, "readwrite", (store) => store.delete(place));
