// The server's time drives the clock and the countdowns; a device with a wrong clock must not shift a due time.
// Ticks once a minute. Seconds are never shown.

const face = document.querySelector("[data-clock]");
let offset = face ? Date.parse(face.dataset.now) - Date.now() : 0;
const zone = face?.dataset.zone ?? "UTC";

/** Milliseconds of the server's clock. */
export const serverNow = () => Date.now() + offset;

/** Follow the server when this device's clock was changed while the page stood open; answers tell whole seconds. */
export function follow(answer, asked) {
  if (Date.now() - asked > 5000) return; // the device may have slept over it
  const told = Date.parse(answer.headers.get("Date")) + 500;
  if (Math.abs(told - serverNow()) > 5000) offset = told - Date.now();
}

const parts = (instant, options) =>
  Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).formatToParts(instant).map((part) => [part.type, part.value]),
  );

/** Clinic time, 14:27. */
export function clockText(instant) {
  const { hour, minute } = parts(instant, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return `${hour}:${minute}`;
}

/** Tue 18-Nov-2025. The month is cut to three letters because some browsers write "Sept". */
export function dayText(instant) {
  const { weekday, day, month, year } = parts(instant, { weekday: "short", day: "2-digit", month: "short", year: "numeric" });
  return `${weekday.slice(0, 3)} ${day}-${month.slice(0, 3)}-${year}`;
}

/** "1 h 8 min" from minutes. */
export function minutesText(total) {
  const hours = Math.floor(total / 60);
  const rest = total % 60;
  if (!hours) return `${rest} min`;
  return rest ? `${hours} h ${rest} min` : `${hours} h`;
}

/** "in 3 min", "due now", "4 min late": whole minutes, so that the words change when the clock does. */
export function dueText(due, now) {
  const left = Math.floor(due / 60000) - Math.floor(now / 60000);
  if (left > 0) return `in ${minutesText(left)}`;
  return left === 0 ? "due now" : `${minutesText(-left)} late`;
}

export function showTimes() {
  const now = serverNow();
  if (face) {
    face.querySelector("b").textContent = clockText(now);
    face.querySelector("span").textContent = dayText(now);
  }
  const stale = document.documentElement.dataset.stale !== undefined;
  for (const element of document.querySelectorAll("[data-due]")) {
    element.textContent = stale ? "check at the chair" : dueText(Date.parse(element.dataset.due), now);
  }
}

function tick() {
  showTimes();
  setTimeout(tick, 60000 - (serverNow() % 60000) + 20);
}

if (face) {
  // The server wrote the words of now; from here on they follow the minutes.
  setTimeout(tick, 60000 - (serverNow() % 60000) + 20);
  document.addEventListener("visibilitychange", () => document.hidden || showTimes());
  document.addEventListener("chairtime:freshness", showTimes);
  document.addEventListener("chairtime:swapped", showTimes);
}
